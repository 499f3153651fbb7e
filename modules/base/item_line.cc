// An item's record as text: the most frequent record by far, written without building its values first.

#include <charconv>

#include "base/record.h"

namespace exhibit::base {
namespace {

// Writes the members of one object, in the order in which they are put: that of their keys.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  void end() { out_ += '}'; }

  std::string& key(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    return out_.append("\"").append(name).append("\":");
  }
  void text(std::string_view name, std::string_view value) { append_string(key(name), value); }
  void text_if_any(std::string_view name, const std::optional<std::string>& value) {
    if (value) text(name, *value);
  }
  template <typename Integer>
  void number(std::string_view name, Integer value) {
    append_number(key(name), value);
  }
  template <typename Integer>
  void number_if_any(std::string_view name, const std::optional<Integer>& value) {
    if (value) number(name, *value);
  }

  template <typename Integer>
  static void append_number(std::string& out, Integer value) {
    char buffer[24];
    out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
  }

 private:
  std::string& out_;
};

void append_extents(std::string& out, const std::vector<Extent>& extents) {
  out += '[';
  for (const Extent& extent : extents) {
    out += out.back() == '[' ? "[" : ",[";
    ObjectWriter::append_number(out, extent.offset);
    out += ',';
    ObjectWriter::append_number(out, extent.length);
    out += ']';
  }
  out += ']';
}

void append_times(ObjectWriter& record, std::string& out, const Times& times) {
  if (!times.accessed && !times.born && !times.changed && !times.modified) return;
  record.key("times");
  ObjectWriter object(out);
  object.text_if_any("accessed", times.accessed);
  object.text_if_any("born", times.born);
  object.text_if_any("changed", times.changed);
  object.text_if_any("modified", times.modified);
  object.end();
}

}  // namespace

std::string to_line(const Item& item) {
  constexpr std::size_t most_records = 1024;  // bytes
  std::string out;
  out.reserve(most_records);
  ObjectWriter record(out);
  record.text("content", item.content);
  if (!item.digests.empty()) record.key("digests") += canonical(Json(item.digests));
  if (!item.doubt.empty()) record.key("doubt") += canonical(to_json(item.doubt));
  if (item.extension_mismatch) record.key("extension_mismatch") += "true";
  if (item.extents) append_extents(record.key("extents"), *item.extents);
  record.number_if_any("gid", item.gid);
  record.text("id", item.id);
  record.text("kind", name_of(item.kind));
  record.text_if_any("link_target", item.link_target);
  record.number_if_any("mode", item.mode);
  record.text("path", item.path);
  record.text_if_any("path_raw", item.path_raw);
  record.text("record", "item");
  record.number("size", item.size);
  record.text("state", name_of(item.state));
  record.text_if_any("stream", item.stream);
  record.text_if_any("tier", item.tier);
  append_times(record, out, item.times);
  record.text_if_any("transform", item.transform);
  record.text_if_any("type", item.type);
  record.number_if_any("uid", item.uid);
  record.text_if_any("via", item.via);
  record.text("volume", item.volume);
  record.end();
  return out;
}

}  // namespace exhibit::base
