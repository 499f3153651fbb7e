#include "image/formats/foreign/containers.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/checked.h"
#include "image/segment_file.h"

namespace exhibit::image::foreign {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t sector = 512;

// The files one after another. What can't be read, or lies past the end, is not there.
class Files {
 public:
  explicit Files(const std::vector<SegmentFile>& segments) : segments_(segments) {
    for (const SegmentFile& segment : segments) size_ = base::checked_add(size_, segment.size).value_or(UINT64_MAX);
  }
  std::uint64_t size() const { return size_; }

  std::string at(std::uint64_t offset, std::size_t length) const {
    std::string bytes;
    for (const SegmentFile& segment : segments_) {
      if (offset >= segment.size) {
        offset -= segment.size;
        continue;
      }
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(length - bytes.size(), segment.size - offset));
      std::string buffer(part, '\0');
      const auto got = read_some(segment, offset, std::as_writable_bytes(std::span(buffer)));
      bytes.append(buffer, 0, got.ok() ? *got : 0);
      if (!got.ok() || *got < part || bytes.size() == length) break;
      offset = 0;
    }
    return bytes;
  }
  std::string last(std::size_t length) const { return at(size_ - std::min<std::uint64_t>(length, size_), length); }

 private:
  const std::vector<SegmentFile>& segments_;
  std::uint64_t size_ = 0;
};

// The number at `offset`; 0 where the bytes end before.
std::uint64_t big(std::string_view bytes, std::size_t offset, std::size_t width) {
  if (!base::within(offset, width, bytes.size())) return 0;
  std::uint64_t value = 0;
  for (const char c : bytes.substr(offset, width)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

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
    {0, "KDMV"sv, "a VMDK image"},                        // VMware Virtual Disk Format 5.0, SparseExtentHeader
    {0, "COWD"sv, "a VMDK image (ESX sparse extent)"},    // the same, COWDisk_Header
    {0, "# Disk DescriptorFile"sv, "a VMDK descriptor"},  // the same, "The Descriptor File"
    {0, "vhdxfile"sv, "a VHDX image"},                    // [MS-VHDX] 2.2.1, File Type Identifier
    {0, "AFF10\r\n\0"sv, "an AFF image"},                 // AFFLIBv3, AF_HEADER
    {0, "ADSEGMENTEDFILE\0"sv, "an AD1 logical image"},   // AccessData FTK Imager
    {0, "WithoutFreeSpace"sv, "a Parallels image"},       // QEMU, docs/interop/parallels.txt
    {0, "WithouFreSpacExt"sv, "a Parallels image"},
    {0, "QED\0"sv, "a QED image"},                                    // QEMU, docs/interop/qed_spec.txt
    {0, "encrcdsa"sv, "an encrypted Apple disk image"},               // libmodi, "encrypted disk image"
    {0, "sprs\0\0\0\3"sv, "an Apple sparse disk image"},              // libmodi, "sparse disk image"
    {0, "koly\0\0\0\4\0\0\2\0"sv, "an Apple disk image (UDIF, DMG)"}  // the trailer, where it was written first
};

std::optional<std::string> by_mark(std::string_view start) {
  for (const Mark& mark : marks)
    if (has(start, mark.offset, mark.bytes)) return mark.name;
  // VirtualBox, VDICore.h: a line of text that differs by its writer, then VDI_IMAGE_SIGNATURE.
  if (has(start, 0, "<<< "sv) && has(start, 64, "\x7f\x10\xda\xbe"sv)) return "a VDI image";
  // QEMU, docs/interop/qcow2.txt: the version is 2 or 3; 1 is the older QCOW.
  if (has(start, 0, "QFI\xfb"sv)) return big(start, 4, 4) == 1 ? "a QCOW image" : "a QCOW2 image";
  return std::nullopt;
}

// Virtual Hard Disk Image Format Specification 1.0, "Hard Disk Footer Format": 512 bytes at the end, 511 where Virtual
// PC before 2004 made it, and with dynamic and differencing disks a copy at the start.
std::optional<std::string> vhd(const Files& files, std::string_view start) {
  constexpr auto cookie = "conectix"sv;
  constexpr std::uint64_t format_version = 0x00010000, fixed = 2;
  constexpr std::size_t version_at = 12, data_offset_at = 16, current_size_at = 48, type_at = 60;
  if (has(start, 0, cookie) && big(start, version_at, 4) == format_version) return "a VHD image";
  for (const std::size_t length : {sector, sector - 1}) {
    const std::string footer = files.last(length);
    if (!has(footer, 0, cookie) || big(footer, version_at, 4) != format_version) continue;
    // A fixed disk is what lies before the footer; another one's header is where the footer says.
    const bool fits = big(footer, type_at, 4) == fixed ? big(footer, current_size_at, 8) == files.size() - length
                                                       : files.at(big(footer, data_offset_at, 8), 8) == "cxsparse"sv;
    if (fits) return "a VHD image";
  }
  return std::nullopt;
}

// The trailer of an Apple disk image in the Universal Disk Image Format (libmodi, "UDIF resource file"): it says where
// in the file the property list or the resource fork with the block table lies.
std::optional<std::string> udif(const Files& files) {
  constexpr std::size_t resources_at = 40, list_at = 216;
  const std::string trailer = files.last(sector);
  if (!has(trailer, 0, "koly\0\0\0\4\0\0\2\0"sv)) return std::nullopt;  // version 4, 512 bytes long
  constexpr auto fork_header = "\0\0\1\0"sv;  // a resource fork's data begin at byte 256 of it
  const bool fits = files.at(big(trailer, list_at, 8), 5) == "<?xml"sv ||
                    files.at(big(trailer, resources_at, 8), 4) == fork_header ||
                    big(trailer, list_at, 8) + big(trailer, list_at + 8, 8) == files.size() - sector;
  return fits ? std::optional<std::string>("an Apple disk image (UDIF, DMG)") : std::nullopt;
}

// AFF4 Standard 1.0, section 3: a ZIP file whose comment is the volume's aff4:// URN, with a first member
// container.description of the same content; older writers leave out one or the other.
std::optional<std::string> aff4(const Files& files, std::string_view start) {
  if (!has(start, 0, "PK\3\4"sv)) return std::nullopt;
  constexpr std::size_t local_name_at = 30;  // PKWARE APPNOTE 4.3.7
  constexpr auto name = "container.description"sv;
  if (has(start, local_name_at, name) || has(start, local_name_at, "aff4%3A"sv) || has(start, local_name_at, "aff4:"sv))
    return "an AFF4 image";
  constexpr std::size_t end_record = 22, longest_comment = 65535;  // APPNOTE 4.3.16
  const std::string end = files.last(end_record + longest_comment);
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
  const Files files(segments);
  const std::string start = files.at(0, sector);
  if (auto found = by_mark(start)) return found;
  if (auto found = vhd(files, start)) return found;
  if (auto found = udif(files)) return found;
  return aff4(files, start);
}

}  // namespace exhibit::image::foreign
