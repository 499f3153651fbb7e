#include "carve/sevenzip_folder.h"

#include <libdeflate.h>
#include <lzma.h>

#include <array>

namespace exhibit::carve::sevenzip {
namespace {

constexpr std::uint64_t most_memory = std::uint64_t{256} << 20;  // bytes, of a dictionary
constexpr std::uint64_t most_plain = std::uint64_t{4} << 30;     // bytes: a bomb isn't unpacked to its end
constexpr std::size_t step = std::size_t{64} << 10;              // bytes at a time

// Methods.txt of the LZMA SDK.
constexpr std::uint64_t copy_method = 0x00, delta_method = 0x03, lzma2_method = 0x21, lzma_method = 0x030101;

std::optional<lzma_vli> filter_of(std::uint64_t method) {
  switch (method) {
    case delta_method:
      return LZMA_FILTER_DELTA;
    case lzma2_method:
      return LZMA_FILTER_LZMA2;
    case lzma_method:
      return LZMA_FILTER_LZMA1;
    case 0x04:
    case 0x03030103:
      return LZMA_FILTER_X86;
    case 0x05:
    case 0x03030205:
      return LZMA_FILTER_POWERPC;
    case 0x06:
    case 0x03030401:
      return LZMA_FILTER_IA64;
    case 0x07:
    case 0x03030501:
      return LZMA_FILTER_ARM;
    case 0x08:
    case 0x03030701:
      return LZMA_FILTER_ARMTHUMB;
    case 0x09:
    case 0x03030805:
      return LZMA_FILTER_SPARC;
    default:
      return std::nullopt;
  }
}

// The sums of the parts, as their bytes come by.
class Sums {
 public:
  explicit Sums(const Folder& folder) : parts_(folder.parts) {
    for (const Part& part : parts_) is_known_ &= part.crc.has_value();
    begin_part();
  }
  void take(ByteSpan bytes) {
    while (!bytes.empty() && index_ < parts_.size()) {
      const std::size_t length = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
      sum_ = libdeflate_crc32(sum_, bytes.data(), length);
      left_ -= length;
      bytes = bytes.subspan(length);
      if (left_ == 0) end_part();
    }
    if (!bytes.empty()) holds_ = false;
  }
  bool holds() const { return holds_; }
  bool is_complete() const { return index_ == parts_.size(); }
  bool is_known() const { return is_known_; }

 private:
  void begin_part() {
    sum_ = 0;
    left_ = index_ < parts_.size() ? parts_[index_].size : 0;
    if (index_ < parts_.size() && left_ == 0) end_part();
  }
  void end_part() {
    while (index_ < parts_.size()) {
      holds_ &= !parts_[index_].crc || *parts_[index_].crc == sum_;
      ++index_;
      sum_ = 0;
      left_ = index_ < parts_.size() ? parts_[index_].size : 0;
      if (left_ > 0) break;
    }
  }
  const std::vector<Part>& parts_;
  std::size_t index_ = 0;
  std::uint64_t left_ = 0;
  std::uint32_t sum_ = 0;
  bool holds_ = true, is_known_ = true;
};

class Chain {
 public:
  Chain() = default;
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;
  ~Chain() {
    lzma_end(&stream_);
    for (const lzma_filter& filter : filters_) free(filter.options);
  }
  // False: it is packed in a way that isn't known here, or that would take too much.
  bool open(const Folder& folder) {
    if (!folder.is_chain || folder.packed_streams != 1 || folder.coders.size() > LZMA_FILTERS_MAX) return false;
    for (std::size_t i = 0; i < folder.coders.size(); ++i) {
      const Coder& coder = folder.coders[i];
      const auto id = filter_of(coder.method);
      if (!id) return false;
      filters_[i] = {*id, nullptr};
      filters_[i + 1] = {LZMA_VLI_UNKNOWN, nullptr};
      const lzma_ret result =
          lzma_properties_decode(&filters_[i], nullptr, coder.properties.data(), coder.properties.size());
      if (result != LZMA_OK) return false;
    }
    // Without an end mark LZMA doesn't tell the filters before it to give what they hold.
    const lzma_vli last = filters_[folder.coders.size() - 1].id;
    if (last == LZMA_FILTER_LZMA1 && folder.coders.size() > 1) return false;
    const std::uint64_t memory = lzma_raw_decoder_memusage(filters_.data());
    return memory <= most_memory && lzma_raw_decoder(&stream_, filters_.data()) == LZMA_OK;
  }
  lzma_stream& stream() { return stream_; }

 private:
  std::array<lzma_filter, LZMA_FILTERS_MAX + 1> filters_{{{LZMA_VLI_UNKNOWN, nullptr},
                                                          {LZMA_VLI_UNKNOWN, nullptr},
                                                          {LZMA_VLI_UNKNOWN, nullptr},
                                                          {LZMA_VLI_UNKNOWN, nullptr},
                                                          {LZMA_VLI_UNKNOWN, nullptr}}};
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

Unpacked copy(const Content& content, const Folder& folder, std::uint64_t begin, std::uint64_t packed,
              const std::function<void(ByteSpan)>& sink) {
  Sums sums(folder);
  for (std::uint64_t done = 0; done < packed;) {
    ByteSpan bytes = content.at(begin + done, std::min<std::uint64_t>(step, packed - done));
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), packed - done));
    if (bytes.empty()) return {Unpacked::Proof::broken, done};
    sums.take(bytes);
    if (sink) sink(bytes);
    done += bytes.size();
    if (!sums.holds()) return {Unpacked::Proof::broken, done};
  }
  if (!sums.is_complete()) return {Unpacked::Proof::broken, packed};
  return {sums.is_known() ? Unpacked::Proof::proved : Unpacked::Proof::unproved, packed};
}

}  // namespace

Unpacked unpack(const Content& content, const Folder& folder, std::uint64_t begin, std::uint64_t packed,
                const std::function<void(ByteSpan)>& sink) {
  if (folder.sizes.empty() || folder.sizes.front() > most_plain) return {};
  if (folder.coders.size() == 1 && folder.coders.front().method == copy_method) {
    return copy(content, folder, begin, packed, sink);
  }
  Chain chain;
  if (!chain.open(folder)) return {};
  Sums sums(folder);
  lzma_stream& stream = chain.stream();
  std::vector<std::uint8_t> plain(step);
  const std::uint64_t size = folder.sizes.front();
  std::uint64_t fed = 0;
  while (stream.total_out < size) {
    if (stream.avail_in == 0 && fed < packed) {
      ByteSpan bytes = content.at(begin + fed, std::min<std::uint64_t>(step, packed - fed));
      bytes = bytes.first(std::min<std::uint64_t>({bytes.size(), step, packed - fed}));
      if (bytes.empty()) break;
      stream.next_in = bytes.data();
      stream.avail_in = bytes.size();
      fed += bytes.size();
    }
    const std::uint64_t before = stream.total_out, taken = stream.total_in;
    stream.next_out = plain.data();
    stream.avail_out = static_cast<std::size_t>(std::min<std::uint64_t>(plain.size(), size - before));
    const lzma_ret result = lzma_code(&stream, LZMA_RUN);
    const ByteSpan got(plain.data(), static_cast<std::size_t>(stream.total_out - before));
    sums.take(got);
    if (sink && !got.empty()) sink(got);
    const bool goes_on = result == LZMA_OK && sums.holds() && (stream.total_out > before || stream.total_in > taken);
    if (!goes_on) break;
  }
  const bool holds = stream.total_out == size && sums.holds() && sums.is_complete();
  if (!holds) return {Unpacked::Proof::broken, stream.total_in};
  return {sums.is_known() ? Unpacked::Proof::proved : Unpacked::Proof::unproved, stream.total_in};
}

}  // namespace exhibit::carve::sevenzip
