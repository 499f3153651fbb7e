#pragma once
// Huffman codes as JPEG has them (ITU-T T.81, Annex C and F.2.2), made so that runs of coefficients are skipped at
// once: a carver wants to know where each code ends, not what it says.

#include <array>
#include <cstdint>
#include <memory>

#include "carve/content.h"

namespace exhibit::carve::jpeg {

class HuffmanTable {
 public:
  static constexpr unsigned longest_code = 16;  // bits
  static constexpr unsigned window = 11;        // bits that are looked up at once

  struct Code {
    std::uint8_t symbol = 0;
    std::uint8_t length = 0;  // bits; 0: no code begins like that
  };

  // `counts`: how many codes of 1 to 16 bits there are; `symbols`: as many as that is in all. nullptr: no prefix code.
  // `has_runs`: run() will be asked, of a table of AC coefficients.
  static std::shared_ptr<const HuffmanTable> make(ByteSpan counts, ByteSpan symbols, bool has_runs);

  // What the next 16 bits of the data begin with.
  Code decode(std::uint32_t next) const {
    const Code code = short_codes_[next >> (longest_code - window)];
    return code.length != 0 ? code : decode_long(next);
  }

  // As many whole coefficients of a sequential block (codes and the bits behind them) as begin in the next `window`
  // bits.
  struct Run {
    static constexpr unsigned block_end = 64;  // added to `coefficients` where EOB follows them, which is among `bits`
    std::uint8_t bits = 0;                     // 0: look at them one by one
    std::uint8_t coefficients = 0;             // that they cover
  };
  Run run(std::uint32_t next) const { return runs_[next]; }

 private:
  Code decode_long(std::uint32_t next) const;
  Run find_run(std::uint32_t next) const;

  std::array<Code, 1U << window> short_codes_{};
  std::array<Run, 1U << window> runs_{};
  std::array<std::uint32_t, longest_code + 1> end_{};    // of the codes of a length, as 16 bits
  std::array<std::uint32_t, longest_code + 1> first_{};  // code of a length, as 16 bits
  std::array<std::uint16_t, longest_code + 1> index_{};  // of its symbol
  std::array<std::uint8_t, 256> symbols_{};
};

}  // namespace exhibit::carve::jpeg
