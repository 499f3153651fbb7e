#include "carve/jpeg_scan.h"

#include <algorithm>
#include <cstdlib>

#include "carve/foreign_sector.h"

namespace exhibit::carve::jpeg {
namespace {

constexpr std::uint64_t sector = 512;          // bytes
constexpr std::uint64_t keep_distance = 4096;  // bytes between what is kept: the usual allocation unit
constexpr std::uint64_t keep_before = 256;     // bytes before its border, so that a fragment's end has one close by
constexpr unsigned end_of_block = 0;           // F.1.2.2: EOB
constexpr unsigned run_of_16 = 0xf0;           // F.1.2.2: ZRL
constexpr unsigned last_coefficient = 63;
constexpr std::int32_t usual_scale = 256;
constexpr std::uint64_t usual_weight = 128;  // units that the running mean goes over
constexpr std::uint64_t first_look = 24;     // units behind a seam after which it is judged
constexpr std::uint64_t many = 40;           // units compared: enough to be strict
constexpr std::uint32_t bad_misfit = 16 * 256, poor_misfit = 8 * 256, strict_misfit = 4 * 256;

// Values of `size` bits as JPEG has them (F.2.2.1, EXTEND).
std::int32_t extend(std::uint32_t value, unsigned size) {
  const std::int32_t half = 1 << (size - 1);
  return static_cast<std::int32_t>(value) < half ? static_cast<std::int32_t>(value) - 2 * half + 1
                                                 : static_cast<std::int32_t>(value);
}

}  // namespace

ScanDecoder::ScanDecoder(const Content& content, Picture& picture, const Scan& scan, const Progress& progress,
                         Keep keep)
    : content_(content),
      picture_(picture),
      scan_(scan),
      progress_(progress),
      keep_(std::move(keep)),
      reader_(content, progress.place),
      seam_(content.seam() > progress.place.position ? content.seam() : 0) {
  const std::uint64_t position = progress.place.position;
  next_keep_ = (position + keep_before) / keep_distance * keep_distance + keep_distance - keep_before;
  if (picture.precision > 8) largest_dc_ = 15, largest_ac_ = 14;
  has_dc_ = picture.process == Process::sequential ||
            (picture.process == Process::progressive && scan.first == 0 && scan.high == 0);
  // An encoder's DC coefficients are 8 times the mean of samples that lie within [-128, 127] (A.3.1, A.3.3); a quarter
  // more is let pass. What comes of foreign bytes soon leaves that.
  const std::int32_t largest = 1280 << (std::max(picture.precision, 8U) - 8);
  for (unsigned i = 0; i < scan.count && has_dc_; ++i) {
    const std::int32_t step = picture.dc_steps[picture.components[scan.parts[i].component].quantization];
    dc_limits_[i] = largest / std::max(step, 1) + 1;
  }
  if (!has_dc_) return;
  // What comes of copies of a progress mustn't be written into each other's rows.
  const std::size_t width = static_cast<std::size_t>(scan.units_in_row) * scan.count;
  progress_.row = progress_.row ? std::make_shared<Row>(*progress_.row) : std::make_shared<Row>(width);
}

Outcome ScanDecoder::run() {
  const std::uint64_t all = scan_.rows * scan_.units_in_row;
  if (progress_.unit == 0 && picture_.restart_interval > 0) progress_.units_to_restart = picture_.restart_interval;
  while (progress_.unit < all || all == 0) {
    if (all == 0 && progress_.unit % scan_.units_in_row == 0 && reader_.is_at_end()) break;
    if (picture_.restart_interval > 0 && progress_.units_to_restart == 0 && !restart()) return fail();
    if (!decode_unit() || reader_.is_overdrawn() || !note_unit()) return fail();
    --progress_.units_to_restart;
    ++progress_.unit;
    if (reader_.position() < std::min(progress_.next_sector, next_keep_)) continue;
    if (has_foreign_sector()) return Outcome::foreign_sector;
    keep_if_due();
  }
  if (progress_.end_of_band_run > 0 || !reader_.is_at_end()) return fail();
  position_ = reader_.position();
  if (reader_.is_cut()) return Outcome::cut;
  return misfit() > (compared_ < many ? poor_misfit : strict_misfit) ? Outcome::broken : Outcome::complete;
}

Outcome ScanDecoder::fail() {
  position_ = reader_.position();
  return reader_.is_cut() ? Outcome::cut : Outcome::broken;
}

bool ScanDecoder::decode_unit() {
  if (!has_dc_ && picture_.process == Process::progressive && scan_.first > 0) {
    const std::uint64_t block = progress_.unit;
    if (block % Significance::blocks_in_chunk == 0) chunk_ = nullptr;
    const HuffmanTable& table = *scan_.parts[0].ac;
    return scan_.high == 0 ? decode_first_band(table) : decode_refinement(table);
  }
  if (picture_.process == Process::lossless) return decode_lossless();
  if (has_dc_) return decode_blocks();
  Bits bits(reader_);
  for (unsigned i = 0; i < scan_.count; ++i) {  // G.1.2.1: a bit more of each DC coefficient
    bits.need(scan_.parts[i].blocks);
    bits.skip(scan_.parts[i].blocks);
  }
  return true;
}

// F.2.2.1
[[gnu::always_inline]] inline bool ScanDecoder::decode_dc(Bits& bits, const Scan::Part& part, std::size_t index) {
  bits.need(32);
  const HuffmanTable::Code code = part.dc->decode(bits.look(HuffmanTable::longest_code));
  if (code.length == 0 || code.symbol > largest_dc_) return false;
  bits.skip(code.length);
  std::int32_t& prediction = progress_.predictions[index];
  if (code.symbol > 0) prediction += extend(bits.take(code.symbol), code.symbol);
  sums_[index] += prediction;
  return std::abs(prediction << scan_.low) <= dc_limits_[index];
}

// F.2.2.2: a sequential block's AC coefficients.
[[gnu::always_inline]] inline bool ScanDecoder::decode_coefficients(Bits& bits, const HuffmanTable& table) {
  unsigned next = 1;
  while (next <= last_coefficient) {
    bits.need(32);
    const HuffmanTable::Run run = table.run(bits.look(HuffmanTable::window));
    const unsigned reached = next + run.coefficients;
    const bool is_end = run.coefficients >= HuffmanTable::Run::block_end;
    if (run.bits != 0 && reached <= last_coefficient + (is_end ? HuffmanTable::Run::block_end : 0)) {
      bits.skip(run.bits);
      if (is_end) return true;
      next = reached;
      continue;
    }
    const HuffmanTable::Code code = table.decode(bits.look(HuffmanTable::longest_code));
    const unsigned zeros = code.symbol >> 4, size = code.symbol & 0xf;
    if (code.length == 0 || size > largest_ac_) return false;
    bits.skip(code.length + size);
    if (code.symbol == end_of_block) return true;
    if (size == 0 && code.symbol != run_of_16) return false;
    next += zeros + 1;
    if (next > last_coefficient + 1 || (size == 0 && next > last_coefficient)) return false;
  }
  return true;
}

// Of each component the blocks that an MCU has.
bool ScanDecoder::decode_blocks() {
  Bits bits(reader_);
  const bool is_sequential = picture_.process == Process::sequential;
  for (unsigned i = 0; i < scan_.count; ++i) {
    const Scan::Part& part = scan_.parts[i];
    sums_[i] = 0;
    for (unsigned block = 0; block < part.blocks; ++block) {
      if (!decode_dc(bits, part, i)) return false;
      if (is_sequential && !decode_coefficients(bits, *part.ac)) return false;
    }
  }
  return true;
}

// H.1.2.2: differences of samples.
bool ScanDecoder::decode_lossless() {
  constexpr unsigned half = 16;  // 32768, which needs no bits
  Bits bits(reader_);
  for (unsigned i = 0; i < scan_.count; ++i) {
    const HuffmanTable& table = *scan_.parts[i].dc;
    for (unsigned block = 0; block < scan_.parts[i].blocks; ++block) {
      bits.need(32);
      const HuffmanTable::Code code = table.decode(bits.look(HuffmanTable::longest_code));
      if (code.length == 0 || code.symbol > half) return false;
      bits.skip(code.length);
      if (code.symbol > 0 && code.symbol < half) bits.skip(code.symbol);
    }
  }
  return true;
}

// How many blocks from this one on have no (more) coefficients in the band (G.1.2.2, EOBn).
bool ScanDecoder::end_band_run(Bits& bits, unsigned exponent) {
  progress_.end_of_band_run = 1U << exponent;
  if (exponent > 0) progress_.end_of_band_run += bits.take(exponent);
  const std::uint64_t all = scan_.rows * scan_.units_in_row;
  return progress_.end_of_band_run <= all - progress_.unit;
}

// G.1.2.2
bool ScanDecoder::decode_first_band(const HuffmanTable& table) {
  if (progress_.end_of_band_run > 0) {
    --progress_.end_of_band_run;
    return true;
  }
  Bits bits(reader_);
  std::uint64_t found = 0;
  unsigned next = scan_.first;
  while (next <= scan_.last) {
    bits.need(32);
    const HuffmanTable::Code code = table.decode(bits.look(HuffmanTable::longest_code));
    const unsigned zeros = code.symbol >> 4, size = code.symbol & 0xf;
    if (code.length == 0 || size > largest_ac_) return false;
    bits.skip(code.length);
    if (size == 0 && zeros < 15) {
      if (!end_band_run(bits, zeros)) return false;
      --progress_.end_of_band_run;
      break;
    }
    bits.skip(size);
    next += zeros + 1;
    if (next > scan_.last + 1 || (size == 0 && next > scan_.last)) return false;
    if (size > 0) found |= std::uint64_t{1} << (next - 1);
  }
  if (found == 0) return true;
  if (chunk_ == nullptr) {
    chunk_ = &picture_.significance[scan_.parts[0].component].own_chunk(progress_.unit);
  }
  (*chunk_)[progress_.unit % Significance::blocks_in_chunk] |= found;
  return true;
}

// Each coefficient that is known not to be zero has a bit more.
static void skip_corrections(EntropyReader::Hand& bits, std::uint64_t coefficients) {
  for (auto left = static_cast<unsigned>(std::popcount(coefficients)); left > 0;) {
    const unsigned part = std::min(left, 32U);
    bits.need(part);
    bits.skip(part);
    left -= part;
  }
}

// Goes on from coefficient `k` over `zeros` that stay zero, and to the next one, which is new or stays zero too.
bool ScanDecoder::refine(Bits& bits, std::uint64_t& known, unsigned zeros, bool is_new, unsigned& k) {
  std::uint64_t unknown = ~known & (~std::uint64_t{0} << k) & (~std::uint64_t{0} >> (last_coefficient - scan_.last));
  for (unsigned i = 0; i < zeros; ++i) unknown &= unknown - 1;
  if (unknown == 0) return false;
  const auto place = static_cast<unsigned>(std::countr_zero(unknown));
  const std::uint64_t passed = ((std::uint64_t{1} << place) - 1) & (~std::uint64_t{0} << k);
  skip_corrections(bits, known & passed);
  if (is_new) known |= std::uint64_t{1} << place;
  k = place + 1;
  return true;
}

// G.1.2.3
bool ScanDecoder::decode_refinement(const HuffmanTable& table) {
  Significance& significance = picture_.significance[scan_.parts[0].component];
  const std::size_t within = progress_.unit % Significance::blocks_in_chunk;
  const Significance::Chunk* chunk = chunk_ != nullptr ? chunk_ : significance.chunk(progress_.unit);
  const std::uint64_t before = chunk != nullptr ? (*chunk)[within] : 0;
  std::uint64_t known = before;
  unsigned k = scan_.first;
  Bits bits(reader_);
  while (progress_.end_of_band_run == 0 && k <= scan_.last) {
    bits.need(32);
    const HuffmanTable::Code code = table.decode(bits.look(HuffmanTable::longest_code));
    const unsigned zeros = code.symbol >> 4, size = code.symbol & 0xf;
    if (code.length == 0 || size > 1) return false;
    bits.skip(code.length);
    if (size == 0 && zeros < 15) {
      if (!end_band_run(bits, zeros)) return false;
      break;
    }
    bits.skip(size);  // the sign of a new one
    if (!refine(bits, known, zeros, size != 0, k)) return false;
  }
  if (progress_.end_of_band_run > 0) {
    --progress_.end_of_band_run;
    const std::uint64_t band = ~std::uint64_t{0} >> (last_coefficient - scan_.last);
    if (k <= scan_.last) skip_corrections(bits, known & band & (~std::uint64_t{0} << k));
  } else if (k <= scan_.last) {
    return false;
  }
  if (known == before) return true;
  if (chunk_ == nullptr) chunk_ = &significance.own_chunk(progress_.unit);
  (*chunk_)[within] = known;
  return true;
}

// E.2.4, F.2.1.3.1: the marker that has its turn, and the predictions from new.
bool ScanDecoder::restart() {
  if (progress_.end_of_band_run > 0 || !reader_.is_at_end() || reader_.is_cut()) return false;
  Reader marker(content_, reader_.position());
  std::uint8_t byte = marker.u8();
  while (byte == 0xff && marker.ok()) byte = marker.u8();
  if (!marker.ok() || byte != RST0 + progress_.restarts % 8) return false;
  progress_.place = {marker.position(), 0, 0};
  ++progress_.restarts;
  progress_.predictions = {};
  progress_.units_to_restart = picture_.restart_interval;
  reader_.seek(marker.position());
  return true;
}

// Compares the unit with the one above it. False: what lies behind the seam doesn't belong here.
bool ScanDecoder::note_unit() {
  if (!has_dc_) return true;
  const std::uint64_t width = scan_.units_in_row;
  const std::uint64_t column = progress_.unit % width;
  if (column == 0 && progress_.unit > 0) {
    progress_.above = progress_.row;
    progress_.row = std::make_shared<Row>(static_cast<std::size_t>(width) * scan_.count);
  }
  std::int32_t* place = progress_.row->data() + column * scan_.count;
  for (unsigned i = 0; i < scan_.count; ++i) place[i] = sums_[i];
  if (progress_.above == nullptr) return true;
  const std::int32_t* above = progress_.above->data() + column * scan_.count;
  std::array<std::int32_t, most_components> differences{};
  for (unsigned i = 0; i < scan_.count; ++i) differences[i] = std::abs(sums_[i] - above[i]) * usual_scale;
  if (seam_ > 0 && reader_.position() > seam_) return compare_at_seam(differences);
  const auto weight = static_cast<std::int32_t>(std::min<std::uint64_t>(progress_.unit - width + 1, usual_weight));
  for (unsigned i = 0; i < scan_.count; ++i) {
    progress_.usual[i] += (differences[i] - progress_.usual[i]) / weight;
  }
  return true;
}

bool ScanDecoder::compare_at_seam(const std::array<std::int32_t, most_components>& differences) {
  if (first_compared_ == 0) first_compared_ = progress_.unit + 1;  // this one lies across
  if (progress_.unit < first_compared_ || progress_.unit >= first_compared_ + scan_.units_in_row) return true;
  for (unsigned i = 0; i < scan_.count; ++i) differences_[i] += static_cast<std::uint64_t>(differences[i]);
  ++compared_;
  const bool is_look = compared_ % first_look == 0;
  return !is_look || misfit() <= bad_misfit;
}

std::uint32_t ScanDecoder::misfit() const {
  if (compared_ == 0) return 0;
  constexpr std::uint64_t always = 2 * usual_scale;  // a difference that is never unusual
  std::uint64_t sum = 0;
  for (unsigned i = 0; i < scan_.count; ++i) {
    const std::uint64_t usual = static_cast<std::uint64_t>(progress_.usual[i]) + always;
    sum += 256 * (differences_[i] / compared_ + always) / usual;
  }
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(sum / scan_.count, 1, UINT32_MAX));
}

// Whether the tables make zero bytes a run of blocks in which nothing changes: a flat picture.
bool ScanDecoder::zeros_are_flat() const {
  const bool is_sequential = picture_.process == Process::sequential;
  const bool has_ac = is_sequential || (picture_.process == Process::progressive && scan_.first > 0);
  const bool has_dc = has_dc_ || picture_.process == Process::lossless;
  return std::all_of(scan_.parts.begin(), scan_.parts.begin() + scan_.count, [&](const Scan::Part& part) {
    return (!has_dc || part.dc->decode(0).symbol == 0) && (!has_ac || part.ac->decode(0).symbol == end_of_block);
  });
}

// Whether the sectors that were passed hold what no picture's data does.
bool ScanDecoder::has_foreign_sector() {
  while (reader_.position() >= progress_.next_sector) {
    const std::uint64_t end = progress_.next_sector;
    progress_.next_sector += sector;
    const ByteSpan bytes = reader_.before(end - sector, sector);
    if (bytes.size() < sector) continue;
    if (is_text_sector(bytes) || (is_zero_sector(bytes) && !zeros_are_flat())) {
      position_ = end - sector;
      return true;
    }
  }
  return false;
}

void ScanDecoder::keep_if_due() {
  if (reader_.position() < next_keep_ || reader_.is_overdrawn()) return;
  next_keep_ = (reader_.position() + keep_before) / keep_distance * keep_distance + keep_distance - keep_before;
  progress_.place = reader_.place();
  chunk_ = nullptr;  // what is kept shares it
  keep_(progress_);
}

}  // namespace exhibit::carve::jpeg
