#include "carve/sevenzip_header.h"

#include <algorithm>

namespace exhibit::carve::sevenzip {
namespace {

enum Id : std::uint8_t {  // 7zFormat.txt, property IDs
  end = 0x00,
  header = 0x01,
  archive_properties = 0x02,
  additional_streams = 0x03,
  main_streams = 0x04,
  files = 0x05,
  pack_info = 0x06,
  unpack_info = 0x07,
  substreams = 0x08,
  size = 0x09,
  crc = 0x0a,
  folder = 0x0b,
  coder_sizes = 0x0c,
  stream_count = 0x0d,
  encoded_header = 0x17,
};

constexpr std::uint64_t most_streams = std::uint64_t{1} << 20;
constexpr std::uint64_t most_coders = 8;
constexpr std::uint64_t most_size = std::uint64_t{1} << 50;

class Parser {
 public:
  explicit Parser(ByteSpan bytes) : bytes_(bytes) {}

  std::optional<Streams> run(bool* is_encoded) {
    const std::uint8_t kind = byte();
    *is_encoded = kind == encoded_header;
    Streams streams;
    if (*is_encoded) return read_streams(streams) && ok_ ? std::optional(streams) : std::nullopt;
    if (kind != header) return std::nullopt;
    std::uint8_t id = byte();
    if (id == archive_properties) {
      for (id = byte(); ok_ && id != end; id = byte()) skip(number());
      id = byte();
    }
    if (id == additional_streams) return std::nullopt;
    if (id == main_streams) {
      if (!read_streams(streams)) return std::nullopt;
      id = byte();
    }
    return ok_ && (id == files || id == end) ? std::optional(streams) : std::nullopt;
  }

 private:
  std::uint8_t byte() {
    if (at_ >= bytes_.size()) {
      ok_ = false;
      return 0;
    }
    return bytes_[at_++];
  }
  void skip(std::uint64_t count) {
    if (count > bytes_.size() - at_) {
      ok_ = false;
    } else {
      at_ += static_cast<std::size_t>(count);
    }
  }
  // NUMBER: the first byte's leading ones tell how many follow.
  std::uint64_t number() {
    const std::uint8_t first = byte();
    std::uint64_t value = 0;
    std::uint8_t mask = 0x80;
    for (unsigned i = 0; i < 8; ++i, mask = static_cast<std::uint8_t>(mask >> 1)) {
      if ((first & mask) == 0) return value | std::uint64_t{static_cast<std::uint8_t>(first & (mask - 1))} << (8 * i);
      value |= std::uint64_t{byte()} << (8 * i);
    }
    return value;
  }
  std::uint64_t count() {
    const std::uint64_t value = number();
    if (value > most_streams || value > bytes_.size() * 8) ok_ = false;
    return ok_ ? value : 0;
  }
  std::uint64_t length() {
    const std::uint64_t value = number();
    if (value > most_size) ok_ = false;
    return value;
  }
  std::uint32_t word() {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 4; ++i) value |= std::uint32_t{byte()} << (8 * i);
    return value;
  }
  std::vector<std::optional<std::uint32_t>> digests(std::uint64_t wanted) {
    std::vector<bool> defined(static_cast<std::size_t>(wanted), true);
    if (byte() == 0) {
      std::uint8_t bits = 0;
      for (std::size_t i = 0; i < defined.size() && ok_; ++i) {
        if (i % 8 == 0) bits = byte();
        defined[i] = (bits & (0x80 >> (i % 8))) != 0;
      }
    }
    std::vector<std::optional<std::uint32_t>> digests(defined.size());
    for (std::size_t i = 0; i < defined.size() && ok_; ++i) {
      if (defined[i]) digests[i] = word();
    }
    return digests;
  }

  bool read_streams(Streams& streams) {
    std::uint8_t id = byte();
    if (id == pack_info) {
      if (!read_pack(streams)) return false;
      id = byte();
    }
    if (id == unpack_info) {
      if (!read_folders(streams)) return false;
      id = byte();
    }
    for (Folder& one : streams.folders) one.parts = {{one.sizes.empty() ? 0 : one.sizes.front(), one.crc}};
    if (id == substreams) {
      if (!read_substreams(streams)) return false;
      id = byte();
    }
    return ok_ && id == end;
  }

  bool read_pack(Streams& streams) {
    streams.position = length();
    const std::uint64_t streams_count = count();
    std::uint8_t id = byte();
    if (id == size) {
      for (std::uint64_t i = 0; i < streams_count && ok_; ++i) streams.sizes.push_back(length());
      id = byte();
    }
    if (id == crc) {
      digests(streams_count);
      id = byte();
    }
    return ok_ && id == end && streams.sizes.size() == streams_count;
  }

  bool read_folders(Streams& streams) {
    if (byte() != folder) return false;
    const std::uint64_t folders = count();
    if (byte() != 0) return false;  // kept elsewhere: nobody writes that
    for (std::uint64_t i = 0; i < folders && ok_; ++i) {
      streams.folders.emplace_back();
      if (!read_folder(streams.folders.back())) return false;
    }
    if (byte() != coder_sizes) return false;
    for (Folder& one : streams.folders) {
      std::uint64_t outputs = 0;
      for (const Coder& coder : one.coders) outputs += coder.outputs;
      for (std::uint64_t i = 0; i < outputs && ok_; ++i) one.sizes.push_back(length());
    }
    std::uint8_t id = byte();
    if (id == crc) {
      const auto sums = digests(folders);
      for (std::size_t i = 0; i < streams.folders.size() && i < sums.size(); ++i) streams.folders[i].crc = sums[i];
      id = byte();
    }
    return ok_ && id == end;
  }

  bool read_folder(Folder& one) {
    const std::uint64_t coders = number();
    if (coders == 0 || coders > most_coders) return false;
    std::uint64_t inputs = 0, outputs = 0;
    for (std::uint64_t i = 0; i < coders && ok_; ++i) {
      Coder coder;
      const std::uint8_t flags = byte();
      for (unsigned k = flags & 0x0f; k > 0; --k) coder.method = coder.method << 8 | byte();
      if ((flags & 0x10) != 0) {
        coder.inputs = number();
        coder.outputs = number();
      }
      if (coder.inputs > most_coders || coder.outputs != 1) return false;
      if ((flags & 0x20) != 0) {
        const std::uint64_t properties = count();
        for (std::uint64_t k = 0; k < properties && ok_; ++k) coder.properties.push_back(byte());
      }
      one.is_chain &= coder.inputs == 1;
      inputs += coder.inputs;
      outputs += coder.outputs;
      one.coders.push_back(std::move(coder));
    }
    if (inputs < outputs - 1) return false;
    for (std::uint64_t i = 0; i + 1 < outputs; ++i) {
      const std::uint64_t input = number(), output = number();
      one.is_chain &= output == input + 1;
    }
    one.packed_streams = inputs - (outputs - 1);
    for (std::uint64_t i = 0; one.packed_streams > 1 && i < one.packed_streams; ++i) number();
    return ok_;
  }

  bool read_substreams(Streams& streams) {
    std::uint8_t id = byte();
    std::vector<std::uint64_t> counts(streams.folders.size(), 1);
    std::uint64_t total = 0;
    if (id == stream_count) {
      for (std::uint64_t& one : counts) {
        one = count();
        total += one;
        if (!ok_ || total > most_streams) return false;
      }
      id = byte();
    }
    const bool has_sizes = id == size;
    for (std::size_t i = 0; i < counts.size() && ok_; ++i) {
      if (!read_parts(streams.folders[i], counts[i], has_sizes)) return false;
    }
    if (has_sizes) id = byte();
    if (id == crc) {
      if (!read_part_digests(streams)) return false;
      id = byte();
    }
    return ok_ && id == end;
  }

  // Of the last part only the rest is known.
  bool read_parts(Folder& one, std::uint64_t parts, bool has_sizes) {
    if (parts == 1) return true;
    std::uint64_t left = one.sizes.front();
    one.parts.clear();
    for (std::uint64_t i = 0; i + 1 < parts; ++i) {
      const std::uint64_t part = has_sizes ? length() : 0;
      if (!ok_ || part > left) return false;
      one.parts.push_back({part, {}});
      left -= part;
    }
    if (parts > 0) one.parts.push_back({left, {}});
    return true;
  }

  bool read_part_digests(Streams& streams) {
    std::vector<Part*> unknown;
    for (Folder& one : streams.folders) {
      if (one.parts.size() == 1 && one.crc) continue;
      for (Part& part : one.parts) unknown.push_back(&part);
    }
    const auto sums = digests(unknown.size());
    for (std::size_t i = 0; i < unknown.size() && i < sums.size(); ++i) unknown[i]->crc = sums[i];
    return ok_;
  }

  ByteSpan bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace

std::optional<Streams> read_header(ByteSpan bytes, bool* is_encoded) { return Parser(bytes).run(is_encoded); }

}  // namespace exhibit::carve::sevenzip
