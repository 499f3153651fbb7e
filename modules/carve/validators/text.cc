// Plain text: nothing in it proves anything, so it is `header-only`, and ends where bytes can't be text. What has a
// structure of its own without a head that could be searched for (JSON) is recognised here.

#include "carve/text.h"

#include "carve/json_text.h"
#include "carve/text_encoding.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t least_json = 64, least_names = 3;  // bytes; members: less could be anything

// What the first line says beyond doubt.
std::string extension_of(ByteSpan head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), std::min<std::size_t>(head.size(), 256));
  const std::string_view line = text.substr(0, text.find('\n'));
  if (line.starts_with("#!")) {
    if (line.find("python") != line.npos) return "py";
    if (line.find("perl") != line.npos) return "pl";
    return line.find("sh") != line.npos ? "sh" : std::string{};
  }
  if (line.starts_with("<?php")) return "php";
  if (line.starts_with("Windows Registry Editor Version") || line.starts_with("REGEDIT4")) return "reg";
  if (line.starts_with("#EXTM3U")) return "m3u";
  if (line.starts_with("WEBVTT")) return "vtt";
  // "1", "00:00:01,000 --> 00:00:02,000"
  if (line.starts_with("1") && text.substr(0, 48).find(" --> ") != text.npos) return "srt";
  return {};
}

// Objects or arrays, one behind the other, with nothing else.
std::optional<Verdict> json(const Content& content) {
  std::uint64_t end = 0, count = 0, names = 0;
  for (;;) {
    const ByteSpan here = content.at(end, 1);
    if (here.empty() || (here[0] != '{' && (here[0] != '[' || count > 0))) break;
    const JsonText value = scan_json(content, end);
    const std::uint64_t behind = text_file_end(content, value.end);
    const ByteSpan next = content.at(behind, 1);
    if (!value.is_whole || (behind == value.end && !next.empty() && next[0] != 0)) break;
    end = behind;
    names += value.names;
    ++count;
  }
  if (end < least_json || names < least_names) return std::nullopt;
  return Verdict::whole(end, count > 1 ? "jsonl" : "json");
}

Verdict validate(const Content& content, Memory&) {
  const ByteSpan head = content.at(0, 4096);
  const Encoding encoding = encoding_of(head);
  if (encoding == Encoding::none) return {};
  if (head[0] == '{' || head[0] == '[') {
    if (const auto whole = json(content)) return *whole;
  }
  Verdict verdict;
  verdict.tier = Tier::header_only;
  verdict.extension = extension_of(content.at(0, 256));
  std::uint64_t end = 0;
  for (;;) {
    const ByteSpan bytes = content.at(end, std::size_t{64} << 10);
    const std::size_t run = text_run_in(encoding, bytes);
    end += run;
    // A character may lie across what is at hand.
    if (run == 0 || run + 4 < bytes.size()) break;
  }
  verdict.length = verdict.sound = end;
  return verdict;
}

}  // namespace

extern const Validator text_validator;
const Validator text_validator = {"text", validate};

}  // namespace exhibit::carve
