#include "report/document.h"

#include "report/escape.h"

namespace exhibit::report {
namespace {

using base::Json;

constexpr double label_width = 0.36;

// visible(), but for the line feeds that part the lines of a value.
std::string shown(std::string_view text) {
  std::string out;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    if (start > 0) out += '\n';
    out += visible(text.substr(start, end - start));
    start = end + 1;
  }
  return out;
}

}  // namespace

void Document::set(const char* key, std::string_view text) { object_[key] = visible(text); }

void Document::text(const char* kind, std::string_view text) {
  blocks_.push_back({{"kind", kind}, {"text", shown(text)}});
}

void Document::row(const std::vector<DocumentCell>& cells) {
  Json all = Json::array();
  for (const DocumentCell& cell : cells)
    all.push_back({{"text", shown(cell.text)}, {"style", cell.style}, {"width", cell.width}});
  blocks_.push_back({{"kind", "row"}, {"cells", all}});
}

void Document::field(std::string_view label, std::string_view value, const char* style) {
  row({{std::string(label), "label", label_width}, {std::string(value), style, 1 - label_width}});
}

void Document::digest(std::string_view label, std::string_view hex) {
  constexpr std::size_t group = 4, line = 32;
  std::string groups;
  for (std::size_t at = 0; at < hex.size(); at += group) {
    if (at > 0) groups += at % line == 0 ? '\n' : ' ';
    groups += hex.substr(at, group);
  }
  constexpr double width = 0.28;
  row({{std::string(label), "label", width}, {groups, "digest", 1 - width}});
}

void Document::code(std::string_view text) { blocks_.push_back({{"kind", "code"}, {"text", text}}); }

void Document::signature(std::string_view label, std::string_view name, std::string_view beneath) {
  blocks_.push_back({{"kind", "signature"}, {"text", visible(label)}, {"name", visible(name)}, {"beneath", beneath}});
}

void Document::ruled(int lines) { blocks_.push_back({{"kind", "ruled"}, {"lines", lines}}); }

void Document::page() { blocks_.push_back({{"kind", "page"}}); }

std::string Document::json() const {
  Json whole = object_;
  whole["blocks"] = blocks_;
  return base::canonical(whole);
}

}  // namespace exhibit::report
