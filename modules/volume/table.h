#pragma once
// One partition table as it says of itself, before it is laid over the medium: found through libtsk, with what libtsk
// keeps to itself (GUIDs, names, checksums, the second copy) read beside it.

#include <functional>

#include "volume/volumes.h"

namespace exhibit::volume {

struct Entry {
  std::uint64_t offset = 0, length = 0;  // bytes as the table says; may lie past the medium's end
  std::optional<std::uint64_t> slot;     // MBR: 4 × table + place in it; else the place in the table
  std::optional<std::string> label, type;
};

struct Table {
  std::string scheme = "none";
  std::vector<Entry> entries;  // in the order of the table
  std::vector<Range> tables;   // bytes of the medium that hold tables
  std::optional<Range> whole;  // what the entry that stands for the whole disk says of it
};

using Complaint = std::function<void(std::uint64_t offset, std::uint64_t length, const std::string& detail)>;

// The medium's partition table; scheme `none` where there is none. Damage is told to `complain`.
Result<Table> find_table(ByteSource& media, std::uint32_t sector_size, const Complaint& complain);

// Up to `length` bytes, fewer where the source ends or cannot be read.
std::string bytes_at(ByteSource& media, std::uint64_t offset, std::size_t length);

}  // namespace exhibit::volume
