#include "image/formats/foreign/containers.h"

#include <string_view>

#include "image/container_file.h"

namespace exhibit::image::foreign {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t sector = 512;

bool has(std::string_view bytes, std::size_t offset, std::string_view mark) {
  return offset <= bytes.size() && bytes.substr(offset).starts_with(mark);
}

// Marks that stand at a place of their own near the start, where a medium has boot code, zeros or a file system.
struct Mark {
  std::size_t offset;
  std::string_view bytes;
  const char* name;
};
constexpr Mark marks[] = {
    {0, "AFF10\r\n\0"sv, "an AFF image"},                // AFFLIBv3, AF_HEADER
    {0, "ADSEGMENTEDFILE\0"sv, "an AD1 logical image"},  // AccessData FTK Imager
    {0, "WithoutFreeSpace"sv, "a Parallels image"},      // QEMU, docs/interop/parallels.txt
    {0, "WithouFreSpacExt"sv, "a Parallels image"},
    {0, "QED\0"sv, "a QED image"},                                    // QEMU, docs/interop/qed_spec.txt
    {0, "encrcdsa"sv, "an encrypted Apple disk image"},               // libmodi, "encrypted disk image"
    {0, "sprs\0\0\0\3"sv, "an Apple sparse disk image"},              // libmodi, "sparse disk image"
    {0, "koly\0\0\0\4\0\0\2\0"sv, "an Apple disk image (UDIF, DMG)"}  // the trailer, where it was written first
};

std::optional<std::string> by_mark(std::string_view start) {
  for (const Mark& mark : marks)
    if (has(start, mark.offset, mark.bytes)) return mark.name;
  return std::nullopt;
}

// The trailer of an Apple disk image in the Universal Disk Image Format (libmodi, "UDIF resource file"): it says where
// in the file the property list or the resource fork with the block table lies.
std::optional<std::string> udif(const ContainerFile& file) {
  constexpr std::size_t resources_at = 40, list_at = 216;
  const std::string trailer = file.last(sector);
  if (!has(trailer, 0, "koly\0\0\0\4\0\0\2\0"sv)) return std::nullopt;  // version 4, 512 bytes long
  constexpr auto fork_header = "\0\0\1\0"sv;  // a resource fork's data begin at byte 256 of it
  const bool fits = file.some(big(trailer, list_at, 8), 5) == "<?xml"sv ||
                    file.some(big(trailer, resources_at, 8), 4) == fork_header ||
                    big(trailer, list_at, 8) + big(trailer, list_at + 8, 8) == file.size() - sector;
  return fits ? std::optional<std::string>("an Apple disk image (UDIF, DMG)") : std::nullopt;
}

// AFF4 Standard 1.0, section 3: a ZIP file whose comment is the volume's aff4:// URN, with a first member
// container.description of the same content; older writers leave out one or the other.
std::optional<std::string> aff4(const ContainerFile& file, std::string_view start) {
  if (!has(start, 0, "PK\3\4"sv)) return std::nullopt;
  constexpr std::size_t local_name_at = 30;  // PKWARE APPNOTE 4.3.7
  constexpr auto name = "container.description"sv;
  if (has(start, local_name_at, name) || has(start, local_name_at, "aff4%3A"sv) || has(start, local_name_at, "aff4:"sv))
    return "an AFF4 image";
  constexpr std::size_t end_record = 22, longest_comment = 65535;  // APPNOTE 4.3.16
  const std::string end = file.last(end_record + longest_comment);
  const std::size_t record = end.rfind("PK\5\6"sv);
  if (record == std::string::npos) return std::nullopt;
  if (has(end, record + end_record, "aff4://"sv)) return "an AFF4 image";
  constexpr std::size_t central_name_at = 46;  // APPNOTE 4.3.12
  for (std::size_t at = end.find(name); at != std::string::npos; at = end.find(name, at + 1))
    if (at >= central_name_at && has(end, at - central_name_at, "PK\1\2"sv)) return "an AFF4 image";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> container_of(const std::vector<SegmentFile>& segments) {
  const ContainerFile file = ContainerFile::first_of(segments);
  const std::string start = file.some(0, sector);
  if (auto found = by_mark(start)) return found;
  if (auto found = udif(file)) return found;
  return aff4(file, start);
}

}  // namespace exhibit::image::foreign
