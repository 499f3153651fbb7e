#include "carve/alac_frame.h"

#include <algorithm>
#include <array>
#include <bit>

#include "carve/bits.h"

namespace exhibit::carve {
namespace {

enum Element : unsigned { single = 0, pair = 1, low_frequency = 3, last = 7 };  // ALACAudioTypes.h
constexpr unsigned most_channels = 8;
// ag_dec.c, aglib.h.
constexpr unsigned fraction_bits = 9;                            // of the mean: QBSHIFT
constexpr std::uint32_t one = 1U << fraction_bits;               // QB
constexpr unsigned longest_prefix = 9;                           // ones: MAX_PREFIX_32, MAX_PREFIX_16
constexpr unsigned run_bits = 16;                                // of a run that isn't coded: MAX_DATATYPE_BITS_16
constexpr std::uint32_t largest_mean = 0xffff;                   // N_MEAN_CLAMP_VAL
constexpr std::uint32_t longest_frame = std::uint32_t{1} << 20;  // samples; encoders write 4096

// A number of Golomb's codes: `prefix` times `divisor`, and a rest of `rest` bits, or one less where that is 0.
std::uint32_t golomb(Bits& bits, std::uint32_t prefix, std::uint32_t divisor, unsigned rest) {
  const std::uint32_t high = bits.take(rest - 1);
  return prefix * divisor + (high == 0 ? 0 : (high << 1 | bits.take(1)) - 1);
}

// Goes over the codes of a channel's residuals (dyn_decomp).
bool skip_residuals(Bits& bits, std::uint32_t samples, unsigned sample_bits, const AlacConfig& config,
                    std::uint32_t factor) {
  const std::uint32_t history = config.rice_history * factor / 4;
  std::uint32_t mean = config.rice_initial, after_run = 0;
  for (std::uint32_t done = 0; done < samples && bits.ok();) {
    const unsigned rest =
        std::min(static_cast<unsigned>(std::bit_width((mean >> fraction_bits) + 3)) - 1, config.rice_limit);
    const unsigned prefix = bits.ones(longest_prefix);
    const std::uint32_t value =
        prefix == longest_prefix ? bits.take(sample_bits) : golomb(bits, prefix, (1U << rest) - 1, rest);
    ++done;
    mean =
        value > largest_mean ? largest_mean : history * (value + after_run) + mean - (history * mean >> fraction_bits);
    after_run = 0;
    if (mean >= one / 4 || done == samples) continue;
    // A mean so low begins a run of zeros.
    const unsigned run_rest = static_cast<unsigned>(std::countl_zero(mean)) - 24 + ((mean + 16) >> 6);
    const std::uint32_t divisor = ((1U << run_rest) - 1) & ((1U << config.rice_limit) - 1);
    const unsigned run_prefix = bits.ones(longest_prefix);
    const std::uint32_t run =
        run_prefix == longest_prefix ? bits.take(run_bits) : golomb(bits, run_prefix, divisor, run_rest);
    if (run > samples - done) return false;
    done += run;
    after_run = run < largest_mean ? 1 : 0;
    mean = 0;
  }
  return bits.ok();
}

// A single channel or a pair.
bool skip_element(Bits& bits, unsigned channels, const AlacConfig& config) {
  bits.take(4);                          // which of its kind
  if (bits.take(12) != 0) return false;  // unused
  const bool is_partial = bits.take(1) != 0;
  const unsigned shifted = bits.take(2) * 8;  // low bits that lie apart
  const bool is_plain = bits.take(1) != 0;
  const std::uint32_t samples = is_partial ? bits.take(32) : config.frame_length;
  if (!bits.ok() || shifted == 24 || shifted >= config.bits || samples > config.frame_length) return false;
  if (is_plain) {
    bits.skip(std::uint64_t{samples} * channels * config.bits);
    return shifted == 0 && bits.ok();
  }
  bits.take(16);  // how the pair is mixed
  std::array<std::uint32_t, 2> factors{};
  for (unsigned i = 0; i < channels; ++i) {
    bits.take(8);  // mode and scale of the prediction
    factors[i] = bits.take(3);
    bits.skip(std::uint64_t{bits.take(5)} * 16);  // its coefficients
  }
  bits.skip(std::uint64_t{samples} * channels * shifted);
  const unsigned sample_bits = config.bits - shifted + channels - 1;
  for (unsigned i = 0; i < channels; ++i) {
    if (!skip_residuals(bits, samples, sample_bits, config, factors[i])) return false;
  }
  return true;
}

}  // namespace

std::optional<AlacConfig> read_alac_config(const Content& content, std::uint64_t offset) {
  Reader reader(content, offset);
  AlacConfig config;
  config.frame_length = reader.be32();
  const unsigned version = reader.u8();
  config.bits = reader.u8();
  config.rice_history = reader.u8();
  config.rice_initial = reader.u8();
  config.rice_limit = reader.u8();
  const unsigned channels = reader.u8();
  const bool holds = reader.ok() && version == 0 && config.frame_length > 0 && config.frame_length <= longest_frame &&
                     config.bits >= 8 && config.bits <= 32 && config.rice_limit > 0 && config.rice_limit <= 31 &&
                     channels > 0 && channels <= most_channels;
  return holds ? std::optional(config) : std::nullopt;
}

bool is_alac_frame(const Content& content, std::uint64_t begin, std::uint64_t end, const AlacConfig& config) {
  Bits bits(content, begin, end);
  for (unsigned channels = 0; channels <= most_channels;) {
    const unsigned element = bits.take(3);
    if (element == last) return bits.ok() && channels > 0 && bits.position() == end;
    if (element != single && element != pair && element != low_frequency) return false;
    const unsigned more = element == pair ? 2 : 1;
    if (!skip_element(bits, more, config)) return false;
    channels += more;
  }
  return false;
}

}  // namespace exhibit::carve
