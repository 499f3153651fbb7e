#include "volume/layers/lvm/metadata.h"

#include <zlib.h>

#include <algorithm>

#include "base/checked.h"
#include "volume/bytes.h"
#include "volume/table.h"

namespace exhibit::volume::lvm {
namespace {

using base::Json;
using namespace std::string_view_literals;

constexpr std::uint64_t sector = 512;
constexpr std::uint64_t label_sectors = 4;  // the label is in one of the first four
constexpr auto label_mark = "LABELONE"sv, label_type = "LVM2 001"sv, area_mark = " LVM2 x[5A%r0N*>"sv;
constexpr std::uint64_t most_text = std::uint64_t{16} << 20;

Error corrupt(const std::string& why) { return {ErrorCode::corrupt, "LVM2: " + why, {}, {}}; }

// lvm2, lib/misc/crc.c: CRC-32 that begins with 0xf597a6cf and isn't inverted.
std::uint32_t checksum(std::string_view bytes) {
  constexpr std::uint32_t initial = 0xf597a6cf;
  return ~static_cast<std::uint32_t>(
      crc32(~initial & 0xffffffffU, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

std::optional<std::string> find_label(ByteSource& volume) {
  for (std::uint64_t i = 0; i < label_sectors; ++i) {
    std::string label = bytes_at(volume, i * sector, sector);
    if (label.size() == sector && label.starts_with(label_mark) && std::string_view(label).substr(24, 8) == label_type)
      return label;
  }
  return std::nullopt;
}

// 6-4-4-4-4-4-6 characters.
std::string id_text(std::string_view id) {
  std::string text;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 6 || i == 10 || i == 14 || i == 18 || i == 22 || i == 26) text += '-';
    text += id[i] >= ' ' && id[i] <= '~' ? id[i] : '?';
  }
  return text;
}

// The text of one metadata area: a ring behind its header of one sector.
Result<std::string> read_area(ByteSource& volume, std::uint64_t offset, std::uint64_t size) {
  const std::string header = bytes_at(volume, offset, sector);
  const bool is_sound = header.size() == sector && std::string_view(header).substr(4, 16) == area_mark &&
                        little(header, 0, 4) == checksum(std::string_view(header).substr(4));
  if (!is_sound) return corrupt("the header of its metadata at byte " + std::to_string(offset) + " is damaged");
  const std::uint64_t at = little(header, 40, 8), length = little(header, 48, 8);
  if (length == 0) return std::string();
  if (size <= sector || at < sector || at >= size || length > size - sector || length > most_text)
    return corrupt("its metadata lie outside their area");
  const std::uint64_t first = std::min(length, size - at);
  std::string text = bytes_at(volume, offset + at, static_cast<std::size_t>(first)) +
                     bytes_at(volume, offset + sector, static_cast<std::size_t>(length - first));
  if (text.size() != length || checksum(text) != little(header, 56, 4))
    return corrupt("its metadata at byte " + std::to_string(offset) + " don't match their checksum");
  return text;
}

std::uint64_t number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}
std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}
Json section(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : Json::object();
}
std::uint64_t bytes_of(std::uint64_t count, std::uint64_t unit) {
  return base::checked_multiply(count, unit).value_or(UINT64_MAX / 4);
}

Segment segment_from(const Json& value, std::uint64_t extent, const Json& physical) {
  Segment segment;
  segment.start = bytes_of(number(value, "start_extent"), extent);
  segment.length = bytes_of(number(value, "extent_count"), extent);
  segment.type = text(value, "type");
  segment.stripe_bytes = bytes_of(number(value, "stripe_size"), sector);
  const Json stripes = value.value("stripes", Json::array());
  if ((segment.type != "striped" && segment.type != "linear") || !stripes.is_array()) return segment;
  for (std::size_t i = 0; i + 1 < stripes.size(); i += 2) {
    if (!stripes[i].is_string() || !stripes[i + 1].is_number_unsigned()) continue;
    const std::string name = stripes[i].get<std::string>();
    const std::uint64_t start = bytes_of(number(section(physical, name.c_str()), "pe_start"), sector);
    const std::uint64_t within = bytes_of(stripes[i + 1].get<std::uint64_t>(), extent);
    segment.stripes.push_back({name, base::checked_add(start, within).value_or(UINT64_MAX / 4)});
  }
  if (segment.stripes.size() != number(value, "stripe_count")) segment.stripes.clear();
  return segment;
}

bool has_status(const Json& volume, const char* wanted) {
  const Json status = volume.value("status", Json::array());
  return status.is_array() && std::find(status.begin(), status.end(), Json(wanted)) != status.end();
}

Result<Group> group_from(const Json& description, const std::string& own_id) {
  for (const auto& [name, value] : description.items()) {
    if (!value.is_object()) continue;
    Group group;
    group.name = name;
    group.id = text(value, "id");
    const std::uint64_t extent = bytes_of(number(value, "extent_size"), sector);
    const Json physical = section(value, "physical_volumes");
    group.physical_volumes = physical.size();
    for (const auto& [pv, of_pv] : physical.items()) {
      if (!of_pv.is_object() || text(of_pv, "id") != own_id) continue;
      group.own_name = pv;
      group.data_offset = bytes_of(number(of_pv, "pe_start"), sector);
    }
    const Json logical = section(value, "logical_volumes");
    for (const auto& [lv, of_lv] : logical.items()) {
      if (!of_lv.is_object()) continue;
      LogicalVolume volume{lv, text(of_lv, "id"), has_status(of_lv, "VISIBLE"), {}};
      for (const auto& [key, of_segment] : of_lv.items())
        if (of_segment.is_object()) volume.segments.push_back(segment_from(of_segment, extent, physical));
      std::sort(volume.segments.begin(), volume.segments.end(),
                [](const Segment& a, const Segment& b) { return a.start < b.start; });
      group.volumes.push_back(std::move(volume));
    }
    return group;
  }
  return corrupt("its metadata describe no group");
}

// Offset and size pairs, up to one of zeros.
std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs(std::string_view label, std::size_t& at) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
  for (; at + 16 <= label.size(); at += 16) {
    const std::uint64_t offset = little(label, at, 8), size = little(label, at + 8, 8);
    if (offset == 0) break;
    found.emplace_back(offset, size);
  }
  at += 16;
  return found;
}

}  // namespace

bool has_label(ByteSource& volume) { return find_label(volume).has_value(); }

Result<void> read_metadata(ByteSource& volume, PhysicalVolume& found) {
  const std::string label = find_label(volume).value_or("");
  const std::uint64_t header = label.empty() ? sector : little(label, 20, 4);
  if (header + 40 > label.size()) return corrupt("the label makes no sense");
  found.id = id_text(std::string_view(label).substr(header, 32));
  if (little(label, 16, 4) != checksum(std::string_view(label).substr(20)))
    return corrupt("the label doesn't match its checksum");
  std::size_t at = header + 40;
  static_cast<void>(pairs(label, at));  // of data
  const auto areas = pairs(label, at);
  if (areas.empty()) return corrupt("it keeps no copy of its group's metadata; another physical volume does");
  std::optional<Error> obstacle;
  for (const auto& [offset, size] : areas) {
    auto text = read_area(volume, offset, size);
    if (!text.ok()) {
      obstacle = text.take_error();
      continue;
    }
    if (text->empty()) return {};  // in no group
    const Json description = EXHIBIT_TRY(parse_text(*text));
    found.group = EXHIBIT_TRY(group_from(description, found.id));
    return {};
  }
  return *obstacle;
}

}  // namespace exhibit::volume::lvm
