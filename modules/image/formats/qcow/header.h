#pragma once
// The headers of QCOW versions 1 to 3. QEMU, docs/interop/qcow2.txt; for version 1 the structure QCowHeader of QEMU.

#include <optional>

#include "image/container_file.h"

namespace exhibit::image::qcow {

struct Header {
  std::uint64_t version = 0, size = 0, cluster_bits = 0, l2_bits = 0;  // l2_bits: entries of a table
  std::uint64_t l1 = 0, l1_entries = 0;
  std::uint64_t snapshots = 0;
  bool marked_corrupt = false, extended_l2 = false, zstd = false, has_data_file = false;
  std::string backing, backing_format, data_file;  // names as they stand there; empty: none
  std::uint64_t cluster_size() const { return std::uint64_t{1} << cluster_bits; }
};

bool is_mine(const ContainerFile& file);
Result<Header> read_header(const ContainerFile& file);

}  // namespace exhibit::image::qcow
