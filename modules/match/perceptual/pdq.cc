#include "match/perceptual/pdq.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

namespace exhibit::match {
namespace {

constexpr std::size_t small_side = 64;  // what the picture is reduced to
constexpr std::size_t dct_side = 16;    // of its low frequencies
constexpr int smoothings = 2;           // two box filters after one another come near a tent
using Small = std::array<std::array<float, small_side>, small_side>;
using Frequencies = std::array<std::array<float, dct_side>, dct_side>;

// The mean of the `window` values around each of `count` that lie `step` apart; of fewer at the ends. Adds and takes
// away in the reference's order, as floating-point sums depend on it. `window` is at most `count`.
void smooth_line(const float* from, float* to, std::size_t count, std::size_t step, std::size_t window) {
  const std::size_t half = (window + 2) / 2;
  float sum = 0;
  std::size_t inside = 0;
  const float *enter = from, *leave = from;
  const auto put = [&] { *to = sum / static_cast<float>(inside), to += step; };
  for (std::size_t i = 0; i + 1 < half; ++i, enter += step) sum += *enter, ++inside;
  for (std::size_t i = half; i <= window; ++i, enter += step) sum += *enter, ++inside, put();
  for (std::size_t i = window; i < count; ++i, enter += step, leave += step) sum += *enter, sum -= *leave, put();
  for (std::size_t i = 0; i + 1 < half; ++i, leave += step) sum -= *leave, --inside, put();
}

std::size_t window_of(std::size_t side) { return (side + 2 * small_side - 1) / (2 * small_side); }

void smooth(Luma& luma) {
  std::vector<float> between(luma.values.size());
  for (int i = 0; i < smoothings; ++i) {
    for (std::size_t y = 0; y < luma.height; ++y) {
      smooth_line(luma.values.data() + y * luma.width, between.data() + y * luma.width, luma.width, 1,
                  window_of(luma.width));
    }
    for (std::size_t x = 0; x < luma.width; ++x) {
      smooth_line(between.data() + x, luma.values.data() + x, luma.height, luma.width, window_of(luma.height));
    }
  }
}

Small reduce(const Luma& luma) {
  const auto middle = [](std::size_t i, std::size_t side) {
    return static_cast<std::size_t>((static_cast<double>(i) + 0.5) * static_cast<double>(side) / small_side);
  };
  Small small{};
  for (std::size_t y = 0; y < small_side; ++y) {
    const float* row = luma.values.data() + middle(y, luma.height) * luma.width;
    for (std::size_t x = 0; x < small_side; ++x) small[y][x] = row[middle(x, luma.width)];
  }
  return small;
}

// How much neighbours differ, in all.
int quality_of(const Small& small) {
  constexpr int gradients_a_point = 90, most = 100;
  int sum = 0;
  const auto add = [&](float a, float b) { sum += std::abs(static_cast<int>((a - b) * 100 / 255)); };
  for (std::size_t y = 0; y + 1 < small_side; ++y) {
    for (std::size_t x = 0; x < small_side; ++x) add(small[y][x], small[y + 1][x]);
  }
  for (std::size_t y = 0; y < small_side; ++y) {
    for (std::size_t x = 0; x + 1 < small_side; ++x) add(small[y][x], small[y][x + 1]);
  }
  return std::min(sum / gradients_a_point, most);
}

// cos(steps * pi / 128), by its series: the library's own rounds differently from one processor to another.
double cosine(std::size_t steps) {
  constexpr std::size_t half_turn = 2 * small_side;
  constexpr int terms = 12;  // enough up to a quarter of a turn
  steps %= 2 * half_turn;
  if (steps > half_turn) steps = 2 * half_turn - steps;
  if (steps > half_turn / 2) return -cosine(half_turn - steps);
  const double angle = std::numbers::pi / half_turn * static_cast<double>(steps);
  double term = 1, sum = 1;
  for (int n = 1; n <= terms; ++n) {
    term *= -angle * angle / ((2 * n - 1) * (2 * n));
    sum += term;
  }
  return sum;
}

// The lowest frequencies of the discrete cosine transform, without the constant one.
Frequencies frequencies_of(const Small& small) {
  static const auto cosines = [] {
    std::array<std::array<float, small_side>, dct_side> all{};
    for (std::size_t i = 0; i < dct_side; ++i) {
      for (std::size_t j = 0; j < small_side; ++j) {
        all[i][j] = static_cast<float>(std::sqrt(2.0 / small_side) * cosine((i + 1) * (2 * j + 1)));
      }
    }
    return all;
  }();
  std::array<std::array<float, small_side>, dct_side> half{};
  for (std::size_t i = 0; i < dct_side; ++i) {
    for (std::size_t k = 0; k < small_side; ++k) {
      for (std::size_t j = 0; j < small_side; ++j) half[i][j] += cosines[i][k] * small[k][j];
    }
  }
  Frequencies found{};
  for (std::size_t i = 0; i < dct_side; ++i) {
    for (std::size_t j = 0; j < dct_side; ++j) {
      for (std::size_t k = 0; k < small_side; ++k) found[i][j] += half[i][k] * cosines[j][k];
    }
  }
  return found;
}

// A bit for each frequency that is above the median; the lower of the two middle ones.
PdqBits bits_of(const Frequencies& found) {
  std::array<float, dct_side * dct_side> sorted;
  for (std::size_t i = 0; i < sorted.size(); ++i) sorted[i] = found[i / dct_side][i % dct_side];
  const auto middle = sorted.begin() + (sorted.size() - 1) / 2;
  std::nth_element(sorted.begin(), middle, sorted.end());
  PdqBits bits{};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (found[i / dct_side][i % dct_side] > *middle)
      bits[bits.size() - 1 - i / 8] |= static_cast<std::uint8_t>(1U << i % 8);
  }
  return bits;
}

// Mirroring a picture changes the sign of every other frequency; turning it over its diagonal swaps rows and columns.
struct Variant {
  bool swapped, rows_negated, columns_negated;
};
constexpr std::array<Variant, pdq_variants> variants = {{{false, false, false},
                                                         {true, true, false},
                                                         {false, true, true},
                                                         {true, false, true},
                                                         {false, true, false},
                                                         {false, false, true},
                                                         {true, false, false},
                                                         {true, true, true}}};

Frequencies turned(const Frequencies& found, Variant variant) {
  Frequencies result;
  for (std::size_t i = 0; i < dct_side; ++i) {
    for (std::size_t j = 0; j < dct_side; ++j) {
      const float value = variant.swapped ? found[j][i] : found[i][j];
      // The first frequency, at 0, is odd.
      const bool negative = (variant.rows_negated && i % 2 == 0) != (variant.columns_negated && j % 2 == 0);
      result[i][j] = negative ? -value : value;
    }
  }
  return result;
}

}  // namespace

Pdq pdq_of(Luma luma) {
  Pdq result;
  if (luma.width < pdq_least_side || luma.height < pdq_least_side) return result;
  // A picture that has the reduced size is taken as it is.
  if (luma.width != small_side || luma.height != small_side) smooth(luma);
  const Small small = reduce(luma);
  result.quality = quality_of(small);
  const Frequencies found = frequencies_of(small);
  for (std::size_t i = 0; i < pdq_variants; ++i) result.variants[i] = bits_of(turned(found, variants[i]));
  return result;
}

}  // namespace exhibit::match
