#pragma once
// What a JPEG's segments say before its entropy-coded data (ITU-T T.81, Annex B).

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "carve/jpeg_huffman.h"

namespace exhibit::carve::jpeg {

// B.1.1.3, table B.1: the second byte.
enum Marker : std::uint8_t {
  SOF0 = 0xc0,
  SOF1 = 0xc1,
  SOF2 = 0xc2,
  SOF3 = 0xc3,
  DHT = 0xc4,
  SOF5 = 0xc5,
  JPG = 0xc8,
  DAC = 0xcc,
  SOF15 = 0xcf,
  RST0 = 0xd0,
  RST7 = 0xd7,
  SOI = 0xd8,
  EOI = 0xd9,
  SOS = 0xda,
  DQT = 0xdb,
  DNL = 0xdc,
  DRI = 0xdd,
  DHP = 0xde,
  EXP = 0xdf,
  APP0 = 0xe0,
  APP1 = 0xe1,
  APP2 = 0xe2,
  APP15 = 0xef,
  COM = 0xfe,
  TEM = 0x01
};

constexpr unsigned most_components = 4;  // of a scan (B.2.3); a frame with more isn't seen in files

struct Component {
  std::uint8_t identifier = 0;
  std::uint8_t across = 1, down = 1;  // sampling factors
  std::uint8_t quantization = 0;      // its table
};

enum class Process { none, sequential, progressive, lossless, other };

// Which coefficients of a progressive picture aren't zero: what a scan that refines them goes by. Copies share what
// they have in common.
class Significance {
 public:
  static constexpr std::size_t blocks_in_chunk = 512;
  using Chunk = std::array<std::uint64_t, blocks_in_chunk>;  // a bit for each coefficient of a block

  explicit Significance(std::uint64_t blocks = 0) : groups_(blocks / (blocks_in_chunk * chunks_in_group) + 1) {}
  // That of `block`; nullptr: all zero.
  const Chunk* chunk(std::uint64_t block) const {
    const auto& group = groups_[block / (blocks_in_chunk * chunks_in_group)];
    return group == nullptr ? nullptr : (*group)[block / blocks_in_chunk % chunks_in_group].get();
  }
  // The same to write to, until this is copied.
  Chunk& own_chunk(std::uint64_t block);

 private:
  static constexpr std::size_t chunks_in_group = 64;
  using Group = std::array<std::shared_ptr<Chunk>, chunks_in_group>;
  std::vector<std::shared_ptr<Group>> groups_;
};

// A scan (B.2.3).
struct Scan {
  struct Part {
    std::uint8_t component = 0;  // its index
    std::uint8_t blocks = 1;     // in an MCU
    const HuffmanTable *dc = nullptr, *ac = nullptr;
  };
  std::array<Part, most_components> parts{};
  unsigned count = 0;
  unsigned first = 0, last = 63, high = 0, low = 0;  // Ss, Se, Ah, Al
  std::uint64_t units_in_row = 0, rows = 0;          // MCUs; rows 0: a DNL tells
};

// All that is known of a picture at some place.
struct Picture {
  Process process = Process::none;
  unsigned precision = 8;
  std::uint32_t width = 0, height = 0;
  std::array<Component, most_components> components{};
  unsigned component_count = 0;
  unsigned most_across = 1, most_down = 1;
  std::uint32_t restart_interval = 0;
  std::array<std::uint16_t, 4> dc_steps{};  // of the quantization tables; 0: none yet
  std::array<std::shared_ptr<const HuffmanTable>, 4> dc_tables, ac_tables;
  unsigned components_seen = 0;  // bit for each whose DC coefficients had a scan
  unsigned scans = 0;
  std::array<Significance, most_components> significance;

  // False: the segment can't be. `data`: what follows the length.
  bool define_tables(ByteSpan data);        // DHT
  bool define_quantization(ByteSpan data);  // DQT
  bool begin_frame(Marker marker, ByteSpan data);
  bool begin_scan(ByteSpan data, Scan& scan);
  bool is_complete() const { return component_count > 0 && components_seen == (1U << component_count) - 1; }
  // Blocks of a component that a scan of its own has (A.2.2).
  std::uint64_t blocks_across(const Component& component) const;
  std::uint64_t blocks_down(const Component& component) const;

 private:
  bool has_band(const Scan& scan) const;
};

}  // namespace exhibit::carve::jpeg
