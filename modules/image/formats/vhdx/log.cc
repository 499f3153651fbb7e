#include "image/formats/vhdx/log.h"

#include <algorithm>

#include "base/checked.h"
#include "base/crc.h"

namespace exhibit::image::vhdx {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t sector = patch_size;
constexpr std::uint64_t longest_log = std::uint64_t{64} << 20;
constexpr std::uint64_t most_patched = std::uint64_t{64} << 20;
// Log Entry Header and descriptors, 2.3.1.
constexpr std::size_t header_size = 64, sum_at = 4, length_at = 8, tail_at = 12, sequence_at = 16, count_at = 24,
                      identity_at = 32;
constexpr std::size_t descriptor_size = 32, zero_length_at = 8, leading_at = 8, trailing_at = 4, target_at = 16;
constexpr std::size_t leading_size = 8, trailing_size = 4;

struct Entry {
  std::uint64_t sequence = 0, tail = 0, length = 0;
  std::string bytes;
};

class LogReader {
 public:
  LogReader(const ContainerFile& file, const Log& log) : file_(file), log_(log) {}

  Result<Patches> read() {
    if (log_.length == 0 || log_.length % sector != 0 || log_.length > longest_log ||
        !base::within(log_.offset, log_.length, file_.size()))
      return file_.corrupt(log_.offset, "the VHDX's log has a place or length that makes no sense");
    const auto last = find_last();
    if (!last) return file_.corrupt(log_.offset, "the VHDX's log holds no sound entry, though its header says so");
    std::uint64_t at = last->tail;
    while (true) {
      const auto entry = entry_at(at);
      if (!entry) return file_.corrupt(log_.offset + at, "the VHDX's log breaks off before its end");
      EXHIBIT_TRY(play(*entry));
      if (entry->sequence == last->sequence) return std::move(patches_);
      at = (at + entry->length) % log_.length;
    }
  }

 private:
  // The log is a ring.
  std::string ring(std::uint64_t at, std::uint64_t length) const {
    const std::uint64_t first = std::min(length, log_.length - at);
    std::string bytes = file_.some(log_.offset + at, static_cast<std::size_t>(first));
    if (first < length) bytes += file_.some(log_.offset, static_cast<std::size_t>(length - first));
    return bytes;
  }

  std::optional<Entry> entry_at(std::uint64_t at) const {
    if (at >= log_.length || at % sector != 0) return std::nullopt;
    const std::string header = ring(at, header_size);
    if (!header.starts_with("loge"sv) || header.substr(identity_at, log_.identity.size()) != log_.identity)
      return std::nullopt;
    Entry entry{little(header, sequence_at, 8), little(header, tail_at, 4), little(header, length_at, 4), {}};
    if (entry.length == 0 || entry.length % sector != 0 || entry.length > log_.length || entry.sequence == 0)
      return std::nullopt;
    entry.bytes = ring(at, entry.length);
    if (entry.bytes.size() != entry.length || checksum_of(entry.bytes, sum_at) != little(header, sum_at, 4))
      return std::nullopt;
    return entry;
  }

  // Entries' numbers rise by one from the tail to the last; what is left of older rounds has smaller ones.
  std::optional<Entry> find_last() const {
    std::optional<Entry> last;
    for (std::uint64_t at = 0; at < log_.length; at += sector) {
      auto entry = entry_at(at);
      if (!entry) continue;
      at += entry->length - sector;
      if (!last || entry->sequence > last->sequence) last = std::move(entry);
    }
    return last;
  }

  Result<void> play(const Entry& entry) {
    const std::uint64_t count = little(entry.bytes, count_at, 4);
    const std::uint64_t described = header_size + count * descriptor_size;
    std::uint64_t data = (described + sector - 1) / sector * sector;
    if (data > entry.length) return file_.corrupt(log_.offset, "an entry of the VHDX's log says more than it holds");
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto bytes = std::string_view(entry.bytes)
                             .substr(static_cast<std::size_t>(header_size + i * descriptor_size), descriptor_size);
      if (bytes.starts_with("zero"sv)) {
        EXHIBIT_TRY(zero(little(bytes, target_at, 8), little(bytes, zero_length_at, 8)));
      } else if (bytes.starts_with("desc"sv) && base::within(data, sector, entry.length)) {
        EXHIBIT_TRY(write(bytes, std::string_view(entry.bytes).substr(static_cast<std::size_t>(data), sector)));
        data += sector;
      } else {
        return file_.corrupt(log_.offset, "an entry of the VHDX's log can't be understood");
      }
    }
    return {};
  }

  Result<void> set(std::uint64_t target, std::string bytes) {
    if (target % sector != 0 || patches_.size() >= most_patched / sector)
      return file_.corrupt(log_.offset, "the VHDX's log writes to places that make no sense");
    patches_[target] = std::move(bytes);
    return {};
  }

  Result<void> zero(std::uint64_t target, std::uint64_t length) {
    if (length % sector != 0 || length > most_patched || !base::checked_add(target, length))
      return file_.corrupt(log_.offset, "the VHDX's log writes more zeros than a table has");
    for (std::uint64_t done = 0; done < length; done += sector)
      EXHIBIT_TRY(set(target + done, std::string(sector, '\0')));
    return {};
  }

  Result<void> write(std::string_view descriptor, std::string_view data) {
    if (!data.starts_with("data"sv)) return file_.corrupt(log_.offset, "a data sector of the VHDX's log has no mark");
    std::string bytes(descriptor.substr(leading_at, leading_size));
    bytes += data.substr(leading_size, sector - leading_size - trailing_size);
    bytes += descriptor.substr(trailing_at, trailing_size);
    return set(little(descriptor, target_at, 8), std::move(bytes));
  }

  ContainerFile file_;
  Log log_;
  Patches patches_;
};

}  // namespace

std::uint32_t checksum_of(std::string bytes, std::size_t at) {
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), std::min<std::size_t>(4, bytes.size() - at), '\0');
  return ~base::crc32c(UINT32_MAX, std::as_bytes(std::span(bytes)));
}

Result<Patches> read_log(const ContainerFile& file, const Log& log) { return LogReader(file, log).read(); }

}  // namespace exhibit::image::vhdx
