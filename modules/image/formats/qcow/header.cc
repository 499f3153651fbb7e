#include "image/formats/qcow/header.h"

#include <algorithm>

#include "base/checked.h"

namespace exhibit::image::qcow {
namespace {

using namespace std::string_view_literals;

constexpr auto magic = "QFI\xfb"sv;
constexpr std::size_t version_at = 4, backing_at = 8, backing_size_at = 16;
constexpr std::size_t longest_backing = 1023;
constexpr std::uint64_t most_l1_bytes = std::uint64_t{32} << 20;  // QEMU, QCOW_MAX_L1_SIZE
// Version 1.
constexpr std::size_t v1_header = 48, v1_size_at = 24, v1_cluster_bits_at = 32, v1_l2_bits_at = 33, v1_crypt_at = 36,
                      v1_l1_at = 40;
// Versions 2 and 3.
constexpr std::size_t v2_header = 72, cluster_bits_at = 20, size_at = 24, crypt_at = 32, l1_entries_at = 36, l1_at = 40,
                      snapshots_at = 60;
constexpr std::size_t v3_header = 104, features_at = 72, header_length_at = 100, compression_at = 104;
enum Feature : std::uint64_t { dirty = 1, corrupt = 2, data_file = 4, compression = 8, extended_l2 = 16 };
// Header extensions.
constexpr std::uint64_t extension_end = 0, extension_backing_format = 0xe2792aca, extension_data_file = 0x44415441;
constexpr std::size_t most_extensions_bytes = std::size_t{64} << 10;

Result<void> add_backing(const ContainerFile& file, std::string_view bytes, Header& header) {
  const std::uint64_t place = big(bytes, backing_at, 8), length = big(bytes, backing_size_at, 4);
  if (place == 0 || length == 0) return {};
  if (length > longest_backing) return file.corrupt(backing_size_at, "names a backing file of an impossible length");
  header.backing = EXHIBIT_TRY(file.exactly(place, static_cast<std::size_t>(length)));
  return {};
}

Result<void> check_crypt(const ContainerFile& file, std::uint64_t method) {
  if (method == 0) return {};
  return Error{ErrorCode::encrypted,
               file.name() + ": is encrypted by QEMU (" + (method == 1 ? "AES" : "LUKS") +
                   "); decrypt a copy with qemu-img convert and its key",
               file.name(),
               {}};
}

Result<void> check_l1(const ContainerFile& file, Header& header) {
  constexpr std::uint64_t entry_size = 8;
  const std::uint64_t covers = header.cluster_bits + header.l2_bits;
  const std::uint64_t needed =
      (header.size >> covers) + ((header.size & ((std::uint64_t{1} << covers) - 1)) != 0 ? 1 : 0);
  if (header.version == 1) header.l1_entries = needed;
  if (header.l1_entries < needed || header.l1_entries > most_l1_bytes / entry_size ||
      !base::within(header.l1, header.l1_entries * entry_size, file.size())) {
    return file.corrupt(l1_at, "the QCOW's first table doesn't cover its medium or reaches past the file's end at " +
                                   std::to_string(file.size()) + "; the file is truncated or its header damaged");
  }
  return {};
}

Result<Header> read_first_version(const ContainerFile& file) {
  const std::string bytes = EXHIBIT_TRY(file.exactly(0, v1_header));
  Header header;
  header.version = 1;
  header.size = big(bytes, v1_size_at, 8);
  header.cluster_bits = big(bytes, v1_cluster_bits_at, 1);
  header.l2_bits = big(bytes, v1_l2_bits_at, 1);
  header.l1 = big(bytes, v1_l1_at, 8);
  constexpr std::uint64_t least_cluster = 9, most_cluster = 16, least_l2 = 6, most_l2 = 13;  // QEMU, qcow_open
  if (header.cluster_bits < least_cluster || header.cluster_bits > most_cluster || header.l2_bits < least_l2 ||
      header.l2_bits > most_l2)
    return file.corrupt(v1_cluster_bits_at, "the QCOW header has values that make no sense");
  EXHIBIT_TRY(check_crypt(file, big(bytes, v1_crypt_at, 4)));
  EXHIBIT_TRY(add_backing(file, bytes, header));
  EXHIBIT_TRY(check_l1(file, header));
  return header;
}

Result<void> read_extensions(const ContainerFile& file, std::uint64_t from, Header& header) {
  const std::string bytes =
      file.some(from, static_cast<std::size_t>(std::min<std::uint64_t>(header.cluster_size(), most_extensions_bytes)));
  for (std::size_t at = 0; base::within(at, 8, bytes.size());) {
    const std::uint64_t kind = big(bytes, at, 4), length = big(bytes, at + 4, 4);
    if (kind == extension_end) break;
    if (!base::within(at + 8, length, bytes.size()))
      return file.corrupt(from + at, "the QCOW2 header has an extension that reaches past its cluster");
    const std::string value = bytes.substr(at + 8, static_cast<std::size_t>(length));
    if (kind == extension_backing_format) header.backing_format = value;
    if (kind == extension_data_file) header.data_file = value;
    at += 8 + static_cast<std::size_t>((length + 7) / 8 * 8);
  }
  return {};
}

Result<std::uint64_t> read_features(const ContainerFile& file, Header& header) {
  const std::string bytes = EXHIBIT_TRY(file.exactly(0, v3_header));
  const std::uint64_t features = big(bytes, features_at, 8), length = big(bytes, header_length_at, 4);
  constexpr std::uint64_t known = dirty | corrupt | data_file | compression | extended_l2;
  if ((features & ~known) != 0)
    return file.unsupported("is a QCOW2 image with features that this version doesn't know");
  if (length < v3_header || length > header.cluster_size())
    return file.corrupt(header_length_at, "the QCOW2 header has an impossible length");
  header.marked_corrupt = (features & corrupt) != 0;
  header.extended_l2 = (features & extended_l2) != 0;
  header.has_data_file = (features & data_file) != 0;
  if ((features & compression) != 0) {
    const std::uint64_t method = big(file.some(compression_at, 1), 0, 1);
    if (method > 1) return file.unsupported("is a QCOW2 image with an unknown compression");
    header.zstd = method == 1;
  }
  return length;
}

Result<Header> read_second_version(const ContainerFile& file, std::uint64_t version) {
  const std::string bytes = EXHIBIT_TRY(file.exactly(0, v2_header));
  Header header;
  header.version = version;
  header.cluster_bits = big(bytes, cluster_bits_at, 4);
  header.size = big(bytes, size_at, 8);
  header.l1 = big(bytes, l1_at, 8);
  header.l1_entries = big(bytes, l1_entries_at, 4);
  header.snapshots = big(bytes, snapshots_at, 4);
  constexpr std::uint64_t least_cluster = 9, most_cluster = 21;
  if (header.cluster_bits < least_cluster || header.cluster_bits > most_cluster)
    return file.corrupt(cluster_bits_at, "the QCOW2 header has a cluster size that the format doesn't allow");
  std::uint64_t extensions = v2_header;
  if (version == 3) extensions = EXHIBIT_TRY(read_features(file, header));
  header.l2_bits = header.cluster_bits - (header.extended_l2 ? 4 : 3);
  EXHIBIT_TRY(check_crypt(file, big(bytes, crypt_at, 4)));
  EXHIBIT_TRY(read_extensions(file, extensions, header));
  EXHIBIT_TRY(add_backing(file, bytes, header));
  EXHIBIT_TRY(check_l1(file, header));
  return header;
}

}  // namespace

bool is_mine(const ContainerFile& file) { return file.some(0, magic.size()) == magic; }

Result<Header> read_header(const ContainerFile& file) {
  const std::string start = EXHIBIT_TRY(file.exactly(0, version_at + 4));
  if (!start.starts_with(magic)) return file.corrupt(0, "is named as a QCOW image, but doesn't begin as one");
  const std::uint64_t version = big(start, version_at, 4);
  if (version == 1) return read_first_version(file);
  if (version == 2 || version == 3) return read_second_version(file, version);
  return file.unsupported("is a QCOW image of version " + std::to_string(version));
}

}  // namespace exhibit::image::qcow
