// DFXML 2.0.0-beta.0 (dfxml_schema, dfxml.xsd), the order of whose elements is that of the schema. What it has no word
// for stands in a namespace of our own, as the schema allows: states, doubts, leads, problems, exact bytes of names.

#include <algorithm>

#include "report/escape.h"
#include "report/exporter.h"
#include "report/item_text.h"
#include "report/times.h"

namespace exhibit::report {

extern const Exporter dfxml_exporter;

namespace {

using base::Json;

// hashdigest/@type is an enumeration; any other algorithm is OTHER, and which one an attribute of ours says.
const char* digest_type(std::string_view algorithm) {
  static constexpr std::pair<std::string_view, const char*> types[] = {
      {"md5", "MD5"}, {"sha1", "SHA1"}, {"sha256", "SHA256"}, {"sha512", "SHA512"}};
  const auto* found =
      std::find_if(std::begin(types), std::end(types), [&](auto& row) { return row.first == algorithm; });
  return found == std::end(types) ? "OTHER" : found->second;
}

// name_type and meta_type as libtsk numbers them; nothing where the record doesn't say of which sort a device is.
struct Type {
  char name;
  int meta;
};
std::optional<Type> type_of(ItemKind kind) {
  switch (kind) {
    case ItemKind::file:
      return Type{'r', 1};
    case ItemKind::directory:
      return Type{'d', 2};
    case ItemKind::fifo:
      return Type{'p', 3};
    case ItemKind::symlink:
      return Type{'l', 6};
    case ItemKind::socket:
      return Type{'s', 8};
    case ItemKind::virtual_file:
      return Type{'v', 10};
    case ItemKind::device:
      return std::nullopt;
  }
  return std::nullopt;
}

class Dfxml : public Writer {
 public:
  Dfxml(const CaseFacts& facts, std::string& out) : Writer(out), facts_(facts) {}

  void begin() override {
    out() +=
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<dfxml xmlns=\"http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML\" "
        "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:exhibit=\"urn:exhibit:dfxml\" "
        "version=\"2.0.0-beta.0\">\n";
    out() += "<metadata><dc:type>Disk Image</dc:type>";
    element("dc:identifier", facts_.field("number"));
    element("dc:description", lead_notice);
    out() += "</metadata>\n<creator>";
    element("program", text_of(facts_.tool, "name"));
    element("version", text_of(facts_.tool, "version"));
    if (const auto libraries = facts_.tool.find("libraries");
        libraries != facts_.tool.end() && libraries->is_object()) {
      for (const auto& [name, version] : libraries->items()) {
        if (!version.is_string()) continue;
        out() += "<library";
        attribute("name", name);
        attribute("version", version.get_ref<const std::string&>());
        out() += "/>";
      }
    }
    out() += "</creator>\n";
  }

  void evidence(const Json& record) override {
    id_ = text_of(record, "id");
    out() += "<diskimageobject";
    attribute("exhibit:id", id_);
    attribute("exhibit:format", text_of(record, "format"));
    attribute("exhibit:integrity", text_of(record, "integrity"));
    out() += ">";
    if (const auto segments = record.find("segments"); segments != record.end() && segments->is_array()) {
      for (const Json& segment : *segments) element("exhibit:segment", text_of(segment, "name"));
    }
    out() += "<byte_runs><byte_run img_offset=\"0\"";
    attribute("len", std::to_string(size_of(record, "size")));
    out() += ">";
    if (const auto digests = record.find("digests"); digests != record.end()) {
      for (const auto& [algorithm, digest] : digests->items())
        hashdigest(algorithm, digest.get_ref<const std::string&>());
    }
    out() += "</byte_run></byte_runs>";
    sector_size_ = size_of(record, "sector_size");
    if (sector_size_ > 0) element("sector_size", std::to_string(sector_size_));
    out() += "\n";
  }

  void volume(const Json& record) override {
    close_volume();
    in_volume_ = true;
    const bool of_image = text_of(record, "parent") == id_;
    volume_offset_ = of_image ? std::optional(size_of(record, "offset")) : std::nullopt;
    out() += "<volume";
    if (of_image) attribute("offset", std::to_string(*volume_offset_));
    for (const char* key : {"id", "parent", "kind", "scheme", "type", "label", "transform", "time_zone"}) {
      if (const std::string value = text_of(record, key); !value.empty())
        attribute((std::string("exhibit:") + key).c_str(), value);
    }
    out() += ">";
    out() += "<byte_runs><byte_run";
    attribute(of_image ? "img_offset" : "exhibit:parent_offset", std::to_string(size_of(record, "offset")));
    attribute("len", std::to_string(size_of(record, "size")));
    out() += "/></byte_runs>";
    if (of_image) element("partition_offset", std::to_string(*volume_offset_));
    if (sector_size_ > 0) element("sector_size", std::to_string(sector_size_));
    const auto filesystem = record.find("filesystem");
    if (filesystem != record.end() && filesystem->is_object()) {
      if (const auto size = size_of(*filesystem, "block_size"); size > 0) element("block_size", std::to_string(size));
      element("ftype_str", text_of(*filesystem, "type"));
    }
    out() += "\n";
  }

  void item(const Item& item) override {
    close_item();
    in_item_ = true;
    item_ = item.id;
    out() += "<fileobject";
    attribute("exhibit:id", item.id);
    attribute("exhibit:state", name_of(item.state));
    if (item.tier) attribute("exhibit:tier", *item.tier);
    if (item.transform) attribute("exhibit:transform", *item.transform);
    out() += ">";
    element("filename",
            (item.path.starts_with('/') ? item.path.substr(1) : item.path) + (item.stream ? ":" + *item.stream : ""));
    put_entry(item);
    put_times(item.times);
    if (item.link_target) element("link_target", *item.link_target);
    if (item.type) element("libmagic", *item.type);
    if (item.extents) put_extents(item);
    for (const auto& [algorithm, digest] : item.digests) hashdigest(algorithm, digest);
    put_own(item);
  }

  void match(const Json& record) override {
    std::string text = "<exhibit:lead";
    for (const char* key : {"item", "by", "source", "source_sha256", "rule", "category", "severity"})
      put_attribute(text, key, text_of(record, key));
    text += ">";
    if (const auto places = record.find("where"); places != record.end()) {
      for (const Json& place : *places) {
        text += "<exhibit:place";
        put_attribute(text, "offset", std::to_string(size_of(place, "offset")));
        put_attribute(text, "len", std::to_string(size_of(place, "length")));
        text += "/>";
      }
    }
    own_element(text_of(record, "item"), text + "</exhibit:lead>\n");
  }

  void problem(const Json& record) override {
    std::string text = "<exhibit:problem";
    for (const char* key : {"where", "stage", "cause", "detail"}) put_attribute(text, key, text_of(record, key));
    own_element(text_of(record, "where"), text + "/>\n");
  }

  void coverage(const Json& record) override {
    std::string text = "<exhibit:coverage";
    put_attribute(text, "where", text_of(record, "where"));
    for (const char* group : {"bytes", "examined"}) {
      for (const auto& [key, count] : record.at(group).items()) {
        if (is_word(key)) put_attribute(text, key.c_str(), std::to_string(count.get<std::uint64_t>()));
      }
    }
    own_element(text_of(record, "where"), text + "/>\n");
    close_volume();
  }

  void end_of_evidence() override {
    close_volume();
    out() += "</diskimageobject>\n";
  }

  void end() override { out() += of_images_ + "</dfxml>\n"; }

 private:
  // An element may have this for a name: a class of bytes.
  static bool is_word(const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  }

  static void put_attribute(std::string& text, const char* name, std::string_view value) {
    text.append(" ").append(name).append("=\"");
    append_xml(text, value);
    text += '"';
  }
  void attribute(const char* name, std::string_view value) { put_attribute(out(), name, value); }

  // None where there is no value.
  void element(const char* name, std::string_view value) {
    if (value.empty()) return;
    out().append("<").append(name).append(">");
    append_xml(out(), value);
    out().append("</").append(name).append(">");
  }
  void flag(const char* name, bool value) { element(name, value ? "1" : "0"); }

  void hashdigest(const std::string& algorithm, const std::string& digest) {
    out() += "<hashdigest";
    attribute("type", digest_type(algorithm));
    if (std::string_view(digest_type(algorithm)) == "OTHER") attribute("exhibit:algorithm", algorithm);
    out() += ">";
    append_xml(out(), digest);
    out() += "</hashdigest>";
  }

  void put_entry(const Item& item) {
    const auto type = type_of(item.kind);
    if (type) element("name_type", std::string(1, type->name));
    element("filesize", std::to_string(item.size));
    switch (item.state) {
      case ItemState::allocated:
        flag("alloc_inode", true);
        flag("alloc_name", true);
        break;
      case ItemState::deleted:
      case ItemState::overwritten:
        flag("alloc_name", false);
        break;
      case ItemState::orphan:
        flag("orphan", true);
        break;
      case ItemState::carved:
        flag("alloc", false);
        break;
      case ItemState::member:  // that of its container
        break;
    }
    element("inode", inode_of(item));
    if (type) element("meta_type", std::to_string(type->meta));
    if (item.mode) element("mode", std::to_string(*item.mode));
    if (item.uid) element("uid", std::to_string(*item.uid));
    if (item.gid) element("gid", std::to_string(*item.gid));
  }

  static std::string inode_of(const Item& item) {
    const std::string address = address_of(item);
    return address.substr(0, address.find('-'));
  }

  void put_times(const Times& times) {
    const auto put = [&](const char* name, const std::optional<std::string>& time) {
      if (time && is_xml_time(*time)) element(name, *time);
    };
    put("mtime", times.modified);
    put("ctime", times.changed);
    put("atime", times.accessed);
    put("crtime", times.born);
  }

  // The last run is cut where the content ends. Sparse runs have a fill and no offset.
  void put_extents(const Item& item) {
    out() += "<byte_runs>";
    std::uint64_t at = 0;
    for (const Extent& extent : *item.extents) {
      const std::uint64_t length = std::min(extent.length, item.size - at);
      if (length == 0) break;
      out() += "<byte_run";
      attribute("file_offset", std::to_string(at));
      if (extent.offset < 0) {
        attribute("fill", "0");
      } else {
        const auto offset = static_cast<std::uint64_t>(extent.offset);
        attribute("fs_offset", std::to_string(offset));
        if (volume_offset_) attribute("img_offset", std::to_string(*volume_offset_ + offset));
      }
      attribute("len", std::to_string(length));
      out() += "/>";
      at += length;
    }
    out() += "</byte_runs>";
  }

  // What the schema has no word for, at the end of the element.
  void put_own(const Item& item) {
    if (item.path_raw) element("exhibit:path_raw", *item.path_raw);
    put_time_as_it_stands("modified", item.times.modified);
    put_time_as_it_stands("changed", item.times.changed);
    put_time_as_it_stands("accessed", item.times.accessed);
    put_time_as_it_stands("born", item.times.born);
    for (const Doubt& doubt : item.doubt) {
      out() += "<exhibit:doubt";
      attribute("offset", std::to_string(doubt.offset));
      attribute("len", std::to_string(doubt.length));
      attribute("cause", name_of(doubt.cause));
      out() += "/>";
    }
  }

  void put_time_as_it_stands(const char* which, const std::optional<std::string>& time) {
    if (!time || is_xml_time(*time)) return;
    out() += "<exhibit:time";
    attribute("which", which);
    attribute("value", *time);
    out() += "/>";
  }

  // A lead, a problem or a coverage: within the item or the volume that it is about. The schema lets nothing of ours
  // stand at the end of an image, so what is about that comes behind all images.
  void own_element(const std::string& about, const std::string& text) {
    if (in_item_ && about != item_) close_item();
    (in_volume_ ? out() : of_images_) += text;
  }

  void close_item() {
    if (in_item_) out() += "</fileobject>\n";
    in_item_ = false;
  }

  void close_volume() {
    close_item();
    if (in_volume_) out() += "</volume>\n";
    in_volume_ = false;
  }

  const CaseFacts& facts_;
  std::string id_;    // of the evidence
  std::string item_;  // id of the last item
  std::uint64_t sector_size_ = 0;
  std::optional<std::uint64_t> volume_offset_;  // within the image, where the volume is a part of it
  bool in_volume_ = false, in_item_ = false;
  std::string of_images_;
};

std::unique_ptr<Writer> open(const CaseFacts& facts, std::string& out) { return std::make_unique<Dfxml>(facts, out); }

}  // namespace

const Exporter dfxml_exporter = {"dfxml", "Digital Forensics XML 2.0.0-beta.0", open};

}  // namespace exhibit::report
