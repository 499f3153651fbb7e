// EnCase's .hash: a head of 1152 bytes, then records of 18 bytes each, the first 16 of which are an MD5 (The Sleuth
// Kit 4.11.1, tsk/hashdb/encase.cpp). Records are counted from 1.

#include "hashset/file_reader.h"
#include "hashset/format.h"

namespace exhibit::hashset {
namespace {

constexpr std::string_view magic("HASH\r\n\xff\x00", 8);
constexpr std::streamsize head_bytes = 1152, record_bytes = 18;
constexpr std::size_t md5_bytes = 16;

Result<void> read(const InputFile& file, Sink& sink) {
  FileReader bytes(file);
  std::string head(head_bytes, '\0');
  if (bytes.sgetn(head.data(), head_bytes) != head_bytes && !bytes.error()) {
    return Error{ErrorCode::corrupt, file.name + ": cut within its head of 1152 bytes", file.name, {}};
  }
  std::string record(record_bytes, '\0');
  for (std::uint64_t number = 1; !bytes.error(); ++number) {
    const std::streamsize got = bytes.sgetn(record.data(), record_bytes);
    if (got == 0) break;
    if (got != record_bytes) {
      sink.refuse(number, "cut: a record has 18 bytes");
      break;
    }
    constexpr char digits[] = "0123456789abcdef";
    std::string hex;
    for (const char each : record.substr(0, md5_bytes)) {
      const auto byte = static_cast<unsigned char>(each);
      hex += {digits[byte >> 4], digits[byte & 15]};
    }
    Entry entry;
    entry[Algorithm::md5] = hex;
    EXHIBIT_TRY(sink.take(number, entry));
  }
  if (bytes.error()) return *bytes.error();
  return {};
}

// The digests of "a" and "b".
constexpr ExpectedEntry expected[] = {
    {"md5", "0cc175b9c0f1b6a831c399e269772661", "0cc175b9c0f1b6a831c399e269772661"},
    {"md5", "92eb5ffee6ae2fec3ad71c777531578f", "92eb5ffee6ae2fec3ad71c777531578f"},
};

std::string sample() {
  std::string bytes(magic);
  bytes.resize(head_bytes);
  bytes += std::string("\x0c\xc1\x75\xb9\xc0\xf1\xb6\xa8\x31\xc3\x99\xe2\x69\x77\x26\x61\x00\x00", 18);
  bytes += std::string("\x92\xeb\x5f\xfe\xe6\xae\x2f\xec\x3a\xd7\x1c\x77\x75\x31\x57\x8f\x00\x00", 18);
  return bytes + "cut";
}

}  // namespace

extern constinit const FormatRow encase_row = {
    .name = "encase",
    .has_beginning = [](std::string_view bytes) { return bytes.starts_with(magic); },
    .read = read,
    .sample = sample,
    .expected = expected,
    .sample_refused = 1};

}  // namespace exhibit::hashset
