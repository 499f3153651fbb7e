#pragma once
// Goes through the entropy-coded data of one scan of a JPEG, code by code (ITU-T T.81, Annexes F, G and H), and notices
// as soon as it can that bytes aren't the scan's.

#include <functional>

#include "carve/jpeg_entropy.h"
#include "carve/jpeg_picture.h"

namespace exhibit::carve::jpeg {

// The sums of the DC coefficients of each MCU of a row, component by component.
using Row = std::vector<std::int32_t>;

// Where in a scan the decoding is. Copies share their rows: what lies before `unit` is never changed.
struct Progress {
  EntropyReader::Place place;
  std::uint64_t unit = 0;  // MCUs decoded
  std::array<std::int32_t, most_components> predictions{};
  std::uint32_t end_of_band_run = 0;   // blocks
  std::uint32_t units_to_restart = 0;  // 0: none comes
  unsigned restarts = 0;
  std::uint64_t next_sector = 0;  // the next that is looked at: its end
  std::shared_ptr<Row> row, above;
  std::array<std::int32_t, most_components> usual{};  // difference to the MCU above, times 256: a running mean
};

enum class Outcome { complete, broken, foreign_sector, cut };

class ScanDecoder {
 public:
  using Keep = std::function<void(const Progress&)>;

  // `keep` is given the progress now and then. `picture` changes as its coefficients become known.
  ScanDecoder(const Content& content, Picture& picture, const Scan& scan, const Progress& progress, Keep keep);

  Outcome run();
  // Of the marker behind a complete scan; of where a broken one couldn't go on; of the first byte of a foreign sector.
  std::uint64_t position() const { return position_; }
  std::uint64_t units() const { return progress_.unit; }
  // How badly both sides of the content's seam fit together, 256 being usual; 0: nothing to tell from.
  std::uint32_t misfit() const;

 private:
  using Bits = EntropyReader::Hand;
  bool decode_unit();
  bool decode_blocks();
  bool decode_dc(Bits& bits, const Scan::Part& part, std::size_t index);
  bool decode_coefficients(Bits& bits, const HuffmanTable& table);
  bool decode_lossless();
  bool decode_first_band(const HuffmanTable& table);
  bool decode_refinement(const HuffmanTable& table);
  bool refine(Bits& bits, std::uint64_t& known, unsigned zeros, bool is_new, unsigned& k);
  bool end_band_run(Bits& bits, unsigned exponent);
  bool restart();
  bool note_unit();
  bool compare_at_seam(const std::array<std::int32_t, most_components>& differences);
  bool has_foreign_sector();
  void keep_if_due();
  bool zeros_are_flat() const;
  Outcome fail();

  const Content& content_;
  Picture& picture_;
  const Scan& scan_;
  Progress progress_;
  Keep keep_;
  EntropyReader reader_;
  std::uint64_t position_ = 0, next_keep_ = 0;
  unsigned largest_dc_ = 11, largest_ac_ = 10;  // bits of a coefficient (F.1.2.1, F.1.2.2, table F.1)
  std::array<std::int32_t, most_components> dc_limits_{};
  std::array<std::int32_t, most_components> sums_{};  // of the unit's DC coefficients
  Significance::Chunk* chunk_ = nullptr;              // the one that is written to
  bool has_dc_ = false;                               // DC coefficients as such are decoded
  // About the seam: the differences across it.
  std::uint64_t seam_ = 0, compared_ = 0;
  std::uint64_t first_compared_ = 0;  // unit
  std::array<std::uint64_t, most_components> differences_{};
};

}  // namespace exhibit::carve::jpeg
