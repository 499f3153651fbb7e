#include "carve/pcm.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "carve/foreign_sector.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t block = 4096;  // bytes: the allocation unit that is met most
constexpr unsigned most_channels = 8;
// Mean steps between samples: random bits have 21845, sound next to them much less.
constexpr std::uint32_t noisy_step = 9000, noise_over_sound = 4;
constexpr std::uint32_t least_step = 16;  // so that near silence isn't thought exact

class Sound {
 public:
  Sound(const Content& content, const PcmFormat& format)
      : content_(content), format_(format), frame_(std::uint64_t{format.channels} * format.bytes) {}

  // The mean step between a channel's samples in [begin, begin + block), as of 16 bits.
  std::uint32_t mean_step(std::uint64_t begin) const {
    const ByteSpan bytes = content_.at(first_frame(begin), block);
    const std::size_t frames = std::min<std::size_t>(bytes.size(), block) / frame_;
    std::uint64_t sum = 0, count = 0;
    for (std::size_t i = format_.channels; i < frames * format_.channels; ++i, ++count)
      sum += static_cast<std::uint64_t>(std::abs(value(bytes, i) - value(bytes, i - format_.channels)));
    return count == 0 ? 0 : static_cast<std::uint32_t>(sum / count);
  }

  // The step from the last whole frame before `from` to the first one that begins at or behind `to`: the widest of
  // all channels.
  std::uint32_t step(std::uint64_t from, std::uint64_t to) const {
    const std::uint64_t before = last_frame(from), behind = first_frame(to);
    std::array<int, most_channels> values{};
    const ByteSpan first = content_.at(before, frame_);
    if (first.size() < frame_) return UINT32_MAX;
    for (std::size_t i = 0; i < format_.channels; ++i) values[i] = value(first, i);
    const ByteSpan second = content_.at(behind, frame_);
    if (second.size() < frame_) return UINT32_MAX;
    int widest = 0;
    for (std::size_t i = 0; i < format_.channels; ++i)
      widest = std::max(widest, std::abs(value(second, i) - values[i]));
    return static_cast<std::uint32_t>(widest);
  }

  bool is_silent_before(std::uint64_t offset) const { return is_silent(last_frame(offset)); }
  bool is_silent_behind(std::uint64_t offset) const { return is_silent(first_frame(offset)); }

 private:
  int value(ByteSpan bytes, std::size_t i) const {
    if (format_.bytes == 1) return (static_cast<int>(bytes[i]) - 128) * 256;
    const std::size_t at = i * format_.bytes + (format_.is_big_endian ? 0 : format_.bytes - 2);  // the two highest
    const unsigned a = bytes[at], b = bytes[at + 1];
    return static_cast<std::int16_t>(format_.is_big_endian ? a << 8 | b : b << 8 | a);
  }
  bool is_silent(std::uint64_t frame) const {
    const ByteSpan bytes = content_.at(frame, frame_);
    if (bytes.size() < frame_) return true;
    for (std::size_t i = 0; i < frame_; ++i) {
      if (bytes[i] != 0) return false;
    }
    return true;
  }
  std::uint64_t first_frame(std::uint64_t offset) const {
    return format_.begin + (offset - format_.begin + frame_ - 1) / frame_ * frame_;
  }
  std::uint64_t last_frame(std::uint64_t offset) const {
    return format_.begin + (offset - format_.begin) / frame_ * frame_ - frame_;
  }

  const Content& content_;
  const PcmFormat& format_;
  std::uint64_t frame_;
};

enum class Kind { sound, zeros, text, noise };

Kind kind_of(const Content& content, const PcmFormat& format, const Sound& sound, std::uint64_t begin) {
  ByteSpan bytes = content.at(begin, block);
  bytes = bytes.first(std::min<std::size_t>(bytes.size(), block));
  bool all_zero = true, all_text = format.bytes > 1;  // samples of a byte may well look like letters
  for (std::size_t at = 0; at + sector_bytes <= bytes.size() && (all_zero || all_text); at += sector_bytes) {
    const ByteSpan sector = bytes.subspan(at, sector_bytes);
    all_zero = all_zero && is_zero_sector(sector);
    all_text = all_text && is_text_sector(sector);
  }
  if (bytes.size() < block) return Kind::sound;
  if (all_zero) return Kind::zeros;
  if (all_text) return Kind::text;
  return sound.mean_step(begin) > noisy_step ? Kind::noise : Kind::sound;
}

bool is_usable(const PcmFormat& format) {
  return format.channels > 0 && format.channels <= most_channels && format.bytes >= 1 && format.bytes <= 4 &&
         format.begin < format.end;
}

}  // namespace

std::optional<ForeignRun> find_foreign_run(const Content& content, const PcmFormat& format) {
  if (!is_usable(format)) return std::nullopt;
  const Sound sound(content, format);
  const std::uint64_t end = std::min(format.end, content.size()) / block * block;
  std::uint64_t begin = (format.begin / block + 1) * block;
  while (begin < end) {
    const Kind kind = kind_of(content, format, sound, begin);
    if (kind == Kind::sound) {
      begin += block;
      continue;
    }
    std::uint64_t stop = begin + block;
    while (stop < end && kind_of(content, format, sound, stop) == kind) stop += block;
    ForeignRun found{{begin, stop - begin}, stop >= end, false};
    const bool is_first = begin < format.begin + 2 * block;
    const std::uint32_t before = is_first ? 0 : sound.mean_step(begin - block);
    const std::uint32_t behind = found.reaches_end ? 0 : sound.mean_step(stop);
    bool is_foreign = false;
    if (kind == Kind::zeros) {
      is_foreign = !found.reaches_end && !sound.is_silent_before(begin) && !sound.is_silent_behind(stop);
    } else if (kind == Kind::text) {
      is_foreign = true;
    } else {
      is_foreign = !is_first && std::max(before, behind) < sound.mean_step(begin) / noise_over_sound;
    }
    if (is_foreign) {
      const std::uint32_t usual = std::max({before, behind, least_step});
      found.sound_goes_on = !found.reaches_end && sound.step(begin, stop) <= 4 * usual;
      return found;
    }
    begin = stop;
  }
  return std::nullopt;
}

std::uint32_t misfit_of_sound(const Content& content, const PcmFormat& format) {
  constexpr std::uint32_t worst = 1000000;
  const std::uint64_t seam = content.seam();
  if (seam == 0) return 0;
  if (!is_usable(format) || seam < format.begin + block || seam + block > format.end) return worst;
  const Sound sound(content, format);
  const std::uint32_t usual = std::max({sound.mean_step(seam - block), sound.mean_step(seam), least_step});
  return 1 + std::min(worst, sound.step(seam, seam) / usual);
}

}  // namespace exhibit::carve
