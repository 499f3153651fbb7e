#pragma once
// The file of a container: one segment, or the numbered pieces into which somebody cut it, as one row of bytes. Tables
// are read through a small cache, so that a table costs the same memory however long it says that it is.

#include <array>
#include <map>
#include <memory>
#include <string_view>

#include "image/image.h"

namespace exhibit::image {

// How many segments from the front are one file: those whose extensions count on (.001 .002 …), else 1.
std::size_t pieces_of_first(std::span<const SegmentFile> segments);

// Sectors that stand in for those of the file (a journal that was never played back), by their offsets.
inline constexpr std::size_t patch_size = 4096;
using Patches = std::map<std::uint64_t, std::string>;

// A view: the segments must outlive it.
class ContainerFile {
 public:
  explicit ContainerFile(std::span<const SegmentFile> pieces);
  // The file that was named.
  static ContainerFile first_of(const std::vector<SegmentFile>& segments);

  const std::string& name() const { return pieces_.front().name; }
  std::uint64_t size() const { return size_; }
  // Fewer bytes only where the file ends. An Error (io_error) where the system refuses.
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> buffer) const;
  // An Error (corrupt) where the file ends before. The caller bounds `length`.
  Result<std::string> exactly(std::uint64_t offset, std::size_t length) const;
  // What there is of it; nothing of what can't be read.
  std::string some(std::uint64_t offset, std::size_t length) const;
  std::string last(std::size_t length) const;
  void patch(std::shared_ptr<const Patches> patches) { patches_ = std::move(patches); }

  Error corrupt(std::uint64_t offset, const std::string& what) const;
  Error unsupported(const std::string& what) const;

 private:
  void apply_patches(std::uint64_t offset, std::span<std::byte> buffer) const;

  std::span<const SegmentFile> pieces_;
  std::uint64_t size_ = 0;
  std::shared_ptr<const Patches> patches_;  // may be none
};

class TableReader {
 public:
  explicit TableReader(ContainerFile file) : file_(file) {}
  // The integer of `width` bytes (1 to 8) at `offset`; nothing where the file doesn't hold it.
  std::optional<std::uint64_t> little(std::uint64_t offset, std::size_t width);
  std::optional<std::uint64_t> big(std::uint64_t offset, std::size_t width);

 private:
  struct Page {
    std::uint64_t number = UINT64_MAX;
    std::uint64_t last_use = 0;
    std::string bytes;
  };
  static constexpr std::size_t page_size = std::size_t{32} << 10;
  static constexpr std::size_t pages = 16;
  std::optional<std::string_view> at(std::uint64_t offset, std::size_t width);
  const std::string& page(std::uint64_t number);

  ContainerFile file_;
  std::array<Page, pages> pages_;
  std::uint64_t uses_ = 0;
  std::string across_;  // an integer that lies in two pages
};

// The integer at `offset`; 0 where the bytes end before.
std::uint64_t little(std::string_view bytes, std::size_t offset, std::size_t width);
std::uint64_t big(std::string_view bytes, std::size_t offset, std::size_t width);

// Whether the name ends in the extension (`.vmdk`), in either case.
bool has_extension(const std::string& name, std::string_view extension);

}  // namespace exhibit::image
