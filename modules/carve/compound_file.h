#pragma once
// Compound files ([MS-CFB]): a small file system whose tables must agree with each other. Also read without their first
// sectors, from the directory and the allocation table that are left.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "carve/content.h"

namespace exhibit::carve {

class CompoundFile {
 public:
  static constexpr std::uint32_t end_of_chain = 0xfffffffe, fat_sector = 0xfffffffd, difat_sector = 0xfffffffc,
                                 free_sector = 0xffffffff, last_regular = 0xfffffffa;

  struct Header {  // 2.2
    std::uint32_t sector_size = 512, fat_sectors = 0, first_directory = 0, cutoff = 4096, first_mini_fat = 0,
                  mini_fat_sectors = 0, first_difat = 0, difat_sectors = 0;
    std::vector<std::uint32_t> fat;  // the first 109 sectors of the FAT
  };
  static constexpr std::uint32_t none = 0xffffffff;
  struct Entry {                                            // 2.6
    std::string name;                                       // its UTF-16 without the high bytes
    std::uint8_t type = 0;                                  // 0 unused, 1 storage, 2 stream, 5 root
    std::uint32_t first = 0;                                // sector
    std::uint64_t size = 0;                                 // bytes
    std::uint32_t left = none, right = none, child = none;  // entries: the tree of a storage
    std::string class_id;                                   // 16 bytes
  };
  // A sector of the tables, where the header or another table says it lies.
  struct Mark {
    std::uint64_t offset = 0;  // in the content
    bool is_sound = false;
  };

  static std::optional<Header> read_header(const Content& content);

  // `missing`: how many bytes of the file's beginning the content lacks.
  CompoundFile(const Content& content, Header header, std::uint64_t missing = 0);

  // Reads the tables. False: some sector of them isn't one.
  bool read_tables();
  // Whether each stream's chain is as long as its size, no sector has two owners and the directory's tree is one.
  bool chains_hold() const;

  const Header& header() const { return header_; }
  const std::vector<Mark>& marks() const { return marks_; }
  const std::vector<Entry>& entries() const { return entries_; }
  // Where the last sector in use ends, in the content.
  std::uint64_t end() const;
  const Entry* find(std::string_view name) const;
  // Where the content has a sector.
  std::uint64_t offset_of(std::uint32_t sector) const {
    return (std::uint64_t{sector} + 1) * header_.sector_size - missing_;
  }
  // The sectors of a stream that has its own (2.3), as far as its chain holds.
  std::vector<std::uint32_t> sectors_of(const Entry& entry) const;
  // Where a stream's bytes lie in the content, in order: its own sectors', or those of the mini stream (2.4); as far as
  // its chain holds.
  struct Place {
    std::uint64_t offset = 0, length = 0;
  };
  std::vector<Place> places_of(const Entry& entry) const;
  bool has_own_sectors(const Entry& entry) const { return entry.type == 5 || entry.size >= header_.cutoff; }
  // The extension that goes with what it holds; empty: nothing known.
  std::string extension() const;

 private:
  bool is_there(std::uint32_t sector) const;
  bool read_difat(std::vector<std::uint32_t>& sectors);
  bool read_fat(const std::vector<std::uint32_t>& sectors);
  bool read_directory();
  bool read_mini_fat();
  bool mark(std::uint32_t sector, bool is_sound);
  std::uint32_t next(std::uint32_t sector) const { return sector < fat_.size() ? fat_[sector] : free_sector; }
  bool own_chain(std::uint32_t first, std::uint64_t length, std::vector<bool>& owned) const;
  bool tree_holds() const;
  bool mini_chain_holds(const Entry& entry, std::vector<bool>& owned) const;

  const Content& content_;
  Header header_;
  std::uint64_t missing_;
  std::vector<std::uint32_t> fat_, mini_fat_;
  std::vector<Entry> entries_;
  std::vector<Mark> marks_;
};

// Whether a sector's words can be a part of an allocation table.
bool is_fat_sector(ByteSpan sector);
// Whether a sector can be a part of a directory.
bool is_directory_sector(ByteSpan sector);

}  // namespace exhibit::carve
