#include "match/magic_database.h"

#include <algorithm>
#include <cstring>
#include <fstream>

namespace exhibit::match {
namespace {

// file 5.44, src/file.h: MAGICNO, VERSIONNO; the header is one record long.
constexpr std::uint32_t database_magic = 0xF11E041C, database_version = 18;
struct Header {
  std::uint32_t magic, version, ordinary, named;
};
// Above any real database (8 MiB); bounds what a wrong file can take.
constexpr std::streamoff largest_database = std::streamoff{64} << 20;

Header header_of(const MagicRecord& record) {
  Header header{};
  std::memcpy(&header, &record, sizeof header);
  return header;
}

std::optional<std::vector<MagicRecord>> records_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file.tellg();
  constexpr std::streamoff record = sizeof(MagicRecord);
  if (!file || size < record || size > largest_database || size % record != 0) return std::nullopt;
  std::vector<MagicRecord> records(static_cast<std::size_t>(size / record));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(records.data()), size);
  if (!file) return std::nullopt;
  return records;
}

std::string text_of(const MagicRecord& record) {
  const auto* begin = reinterpret_cast<const char*>(record.value.data());
  return {begin, strnlen(begin, record.value.size())};
}

// How many records from `first` on belong together: up to the next of level 0.
std::uint32_t length_at(std::span<const MagicRecord> records, std::uint32_t first) {
  std::uint32_t end = first + 1;
  while (end < records.size() && records[end].level != 0) ++end;
  return end - first;
}

// A search for nothing, which succeeds wherever `indirect` would look at its place (softmagic.c, mget()), and names
// restart_type. The place stays as it was, even if it has to be read from the content first.
void stop_instead_of_restart(MagicRecord& record) {
  record.type = magic_type::search;
  record.relation = 'x';
  record.value_size = 0;
  record.range = 0;
  record.string_flags = 0;
  std::strncpy(record.mime_type.data(), restart_type, record.mime_type.size());
}

}  // namespace

std::optional<MagicDatabase> MagicDatabase::read(const std::string& path) {
  auto records = records_of(path);
  if (!records) return std::nullopt;
  MagicDatabase database;
  database.records_ = std::move(*records);
  if (!database.take_apart()) return std::nullopt;
  return database;
}

bool MagicDatabase::take_apart() {
  const Header header = header_of(records_[0]);
  if (header.magic != database_magic || header.version != database_version) return false;
  if (header.ordinary == 0 || std::uint64_t{header.ordinary} + header.named + 1 != records_.size()) return false;
  ordinary_count_ = header.ordinary;
  if (ordinary()[0].level != 0) return false;
  for (std::uint32_t at = 0; at < named().size(); at += names_.back().records) {
    if (named()[at].level != 0 || named()[at].type != magic_type::name) return false;
    names_.push_back({text_of(named()[at]), at, length_at(named(), at)});
  }
  for (std::uint32_t at = 0; at < ordinary_count_;) {
    const std::uint32_t length = length_at(ordinary(), at);
    MagicEntry entry{at, ordinary()[at].mime_type[0] != 0 ? 1 : length, {}, false};
    follow(ordinary().subspan(at, entry.records), entry);
    entries_.push_back(std::move(entry));
    at += length;
  }
  return true;
}

void MagicDatabase::follow(std::span<const MagicRecord> records, MagicEntry& entry) const {
  for (const MagicRecord& record : records) {
    if (record.type == magic_type::indirect && (record.string_flags & magic_string::indirect_relative) != 0) {
      entry.whole_only = true;
    }
    if (record.type != magic_type::use) continue;
    std::string name = text_of(record);
    if (name.starts_with('^')) name.erase(0, 1);  // with the other byte order
    // The first of that name, as libmagic finds it.
    const auto found = std::find_if(names_.begin(), names_.end(), [&](const Named& n) { return n.name == name; });
    if (found == names_.end()) continue;  // libmagic won't find it either
    const auto index = static_cast<std::uint32_t>(found - names_.begin());
    const auto place = std::lower_bound(entry.names.begin(), entry.names.end(), index);
    if (place != entry.names.end() && *place == index) continue;
    entry.names.insert(place, index);
    follow(named().subspan(found->first, found->records), entry);
  }
}

std::vector<MagicRecord> MagicDatabase::excerpt(std::span<const std::uint32_t> entries) const {
  std::vector<MagicRecord> out{records_[0]};
  std::vector<std::uint32_t> used;
  const auto append = [&out](std::span<const MagicRecord> records) {
    for (const MagicRecord& record : records) {
      out.push_back(record);
      if (record.type == magic_type::indirect) stop_instead_of_restart(out.back());
    }
  };
  for (const std::uint32_t index : entries) {
    const MagicEntry& entry = entries_[index];
    append(ordinary().subspan(entry.first, entry.records));
    used.insert(used.end(), entry.names.begin(), entry.names.end());
  }
  Header header = header_of(records_[0]);
  header.ordinary = static_cast<std::uint32_t>(out.size() - 1);
  std::sort(used.begin(), used.end());
  used.erase(std::unique(used.begin(), used.end()), used.end());
  for (const std::uint32_t name : used) append(named().subspan(names_[name].first, names_[name].records));
  header.named = static_cast<std::uint32_t>(out.size() - 1 - header.ordinary);
  std::memcpy(&out[0], &header, sizeof header);
  return out;
}

}  // namespace exhibit::match
