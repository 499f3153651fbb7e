#include "carve/jpeg_huffman.h"

#include <algorithm>

namespace exhibit::carve::jpeg {
namespace {

constexpr unsigned run_of_16 = 0xf0;          // F.1.2.2: ZRL
constexpr unsigned largest_coefficient = 10;  // F.1.2.2, table F.2: bits of an AC coefficient of 8-bit samples

}  // namespace

std::shared_ptr<const HuffmanTable> HuffmanTable::make(ByteSpan counts, ByteSpan symbols, bool has_runs) {
  auto table = std::make_shared<HuffmanTable>();
  std::copy_n(symbols.begin(), std::min(symbols.size(), table->symbols_.size()), table->symbols_.begin());
  std::uint32_t code = 0;  // C.2: codes of a length follow each other, left-aligned here in 16 bits
  std::size_t index = 0;
  for (unsigned length = 1; length <= longest_code; ++length) {
    const std::uint32_t step = 1U << (longest_code - length);
    table->first_[length] = code;
    table->index_[length] = static_cast<std::uint16_t>(index);
    for (unsigned i = 0; i < counts[length - 1]; ++i, code += step, ++index) {
      if (code + step > 1U << longest_code || index >= symbols.size()) return nullptr;
      if (length > window) continue;
      const auto first = table->short_codes_.begin() + (code >> (longest_code - window));
      std::fill_n(first, 1U << (window - length), Code{symbols[index], static_cast<std::uint8_t>(length)});
    }
    table->end_[length] = code;
  }
  for (std::uint32_t next = 0; has_runs && next < 1U << window; ++next) table->runs_[next] = table->find_run(next);
  return table;
}

HuffmanTable::Code HuffmanTable::decode_long(std::uint32_t next) const {
  for (unsigned length = window + 1; length <= longest_code; ++length) {
    if (next >= end_[length]) continue;
    const std::uint32_t place = index_[length] + ((next - first_[length]) >> (longest_code - length));
    return {symbols_[place & 0xff], static_cast<std::uint8_t>(length)};
  }
  return {};
}

HuffmanTable::Run HuffmanTable::find_run(std::uint32_t next) const {
  Run run;
  while (run.bits < window) {
    const Code code = short_codes_[(next << run.bits) & ((1U << window) - 1)];
    if (code.length == 0 || run.bits + code.length > window) break;
    const unsigned zeros = code.symbol >> 4, size = code.symbol & 0xf;
    if (code.symbol == 0) {
      run.bits = static_cast<std::uint8_t>(run.bits + code.length);
      run.coefficients += Run::block_end;
      break;
    }
    if ((size == 0 && code.symbol != run_of_16) || size > largest_coefficient) break;
    if (run.coefficients + zeros + 1 > 63) break;
    run.bits = static_cast<std::uint8_t>(run.bits + code.length + size);
    run.coefficients = static_cast<std::uint8_t>(run.coefficients + zeros + 1);
  }
  return run;
}

}  // namespace exhibit::carve::jpeg
