#pragma once
// A sparse extent: grains of the medium, found through a directory of tables. VMware, "Virtual Disk Format 5.0",
// sections "Hosted Sparse Extents", "Stream-Optimized Compressed Sparse Extents", "ESX Server Sparse Extents".

#include "image/mapped_image.h"

namespace exhibit::image::vmdk {

inline constexpr std::uint64_t sector_size = 512;

struct SparseHeader {
  std::uint64_t sectors = 0, grain_sectors = 0, directory = 0;  // in sectors
  std::uint64_t descriptor = 0, descriptor_sectors = 0;         // of the descriptor within; 0: there is none
  std::uint64_t entries_per_table = 0, directory_entries = 0;
  bool zeroed_grains = false;  // an entry of 1 is a grain of zeros
  bool compressed = false;
};

enum class SparseKind { none, hosted, esx };
SparseKind sparse_kind(std::string_view start);

Result<SparseHeader> read_sparse_header(const ContainerFile& file);

class SparseExtent {
 public:
  SparseExtent(ContainerFile file, const SparseHeader& header) : header_(header), tables_(file), size_(file.size()) {}
  // `offset` lies within the extent. Of a packed grain `unit` is within the extent too, and `method` is
  // how many bytes it must give at least. `file` isn't set.
  Stretch at(std::uint64_t offset);

 private:
  Stretch packed(std::uint64_t grain, std::uint64_t place, std::uint64_t length);

  SparseHeader header_;
  TableReader tables_;
  std::uint64_t size_;  // of the file
};

}  // namespace exhibit::image::vmdk
