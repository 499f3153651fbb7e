// The worker protocol as the coordinator reads it: bytes of a socket to lines, each line to a record that is checked
// and written again.

#include <sys/socket.h>

#include "base/channel.h"
#include "base/record.h"
#include "fuzz/fuzz.h"

namespace {

using namespace exhibit;

void read_line(const std::string& line) {
  const auto value = base::parse_json(line);
  if (!value.ok() || !value->is_object() || value->contains("message")) return;
  if (!base::check_record(*value).ok()) return;
  const std::string again = base::canonical(*value);
  FUZZ_CHECK(again.find('\n') == std::string::npos);
  const auto reread = base::parse_json(again);
  FUZZ_CHECK(reread.ok() && base::check_record(*reread).ok() && base::canonical(*reread) == again);
}

}  // namespace

// The first byte sets the size of the pieces in which the bytes arrive.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > (std::size_t{1} << 16)) return 0;
  const std::size_t piece = std::size_t{1} << (data[0] % 16);
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  int ends[2];
  FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  const base::UniqueFd worker(ends[0]), coordinator(ends[1]);
  base::LineReader reader;
  std::string joined;
  for (std::size_t start = 0; start < text.size(); start += piece) {
    const auto sent = base::send_some(worker.get(), text.substr(start, piece));
    FUZZ_CHECK(sent.ok() && *sent == std::min(piece, text.size() - start));
    FUZZ_CHECK(reader.fill(coordinator.get()) == base::LineReader::Fill::some);
    while (const auto line = reader.next()) {
      joined.append(*line) += '\n';
      read_line(std::string(*line));
    }
  }
  // Not a byte is lost or told twice.
  FUZZ_CHECK(joined == text.substr(0, text.rfind('\n') == std::string_view::npos ? 0 : text.rfind('\n') + 1));
  return 0;
}
