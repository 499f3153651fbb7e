#pragma once
// The forms of the specification's JSON files, written nearly as the specification writes them.

#include <set>

#include "digest.h"
#include "json.h"

namespace exhibit_verify {

// RFC 3339 with Z, and no more than nine digits of a second's fraction.
inline bool is_utc_time(View text) {
  constexpr View form = "0000-00-00T00:00:00", digits = "0123456789";
  if (text.size() <= form.size() || text.back() != 'Z') return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == '0' ? digits.find(text[i]) == View::npos : text[i] != form[i]) return false;
  }
  const View fraction = text.substr(form.size(), text.size() - form.size() - 1);
  const bool of_digits = fraction.find_first_not_of(digits, 1) == View::npos;
  return fraction.empty() || (fraction[0] == '.' && of_digits && fraction.size() > 1 && fraction.size() <= 10);
}

// Takes from the front of `rest` what stands before the first `mark` outside of brackets.
inline View split(View& rest, char mark) {
  std::size_t end = 0;
  for (int depth = 0; end < rest.size() && (depth > 0 || rest[end] != mark); ++end)
    depth += (rest[end] == '{' || rest[end] == '[') - (rest[end] == '}' || rest[end] == ']');
  const View front = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return front;
}

// Refuses a value that isn't of a form: s text, n a whole number, t a time, h a SHA-256, d digests by their algorithms,
// sha256 among them; [form] a list; {key:form,key?:form} an object with these members, * for any others;
// ? anything.
inline void check_form(const Value& value, View form, const std::string& where) {
  const auto need = [&](bool good, const std::string& why) { good ? void() : throw Refused{where + " " + why}; };
  const auto* text = std::get_if<std::string>(&value.held);
  const auto* number = std::get_if<std::int64_t>(&value.held);
  if (form == "s") need(text != nullptr, "isn't a string");
  if (form == "n") need(number != nullptr && *number >= 0, "isn't a whole number");
  if (form == "t") need(text != nullptr && is_utc_time(*text), "isn't a time in RFC 3339 and UTC");
  if (form == "h") digest_from_hex(text == nullptr ? "" : *text, 32, where);
  if (form == "d") {
    check_form(value, "{sha256:h,*}", where);
    for (const auto& [algorithm, digest] : std::get<Object>(value.held)) {
      const std::string& hex = value.text_at(algorithm);
      digest_from_hex(
          hex, digest_size(algorithm) != 0 ? digest_size(algorithm) : std::max<std::size_t>(1, hex.size() / 2), where);
    }
  }
  if (form.front() == '[') {
    need(std::holds_alternative<Array>(value.held), "isn't a list");
    for (const Value& one : std::get<Array>(value.held)) check_form(one, form.substr(1, form.size() - 2), where + "[]");
  }
  if (form.front() != '{') return;
  need(std::holds_alternative<Object>(value.held), "isn't an object");
  std::set<View> known;
  for (View members = form.substr(1, form.size() - 2); !members.empty();) {
    View member = split(members, ',');
    View key = split(member, ':');
    const bool optional = key.back() == '?';
    key.remove_suffix(optional);
    known.insert(key);
    if (key == "*") continue;
    if (const Value* found = value.find(key)) {
      check_form(*found, member, where + "." + Bytes(key));
    } else {
      need(optional, "has no \"" + Bytes(key) + "\"");
    }
  }
  for (const auto& [key, unused] : std::get<Object>(value.held))
    need(known.count(key) != 0 || known.count("*") != 0, "has a key that this format doesn't have: \"" + key + "\"");
}

// manifest.md, "manifest.json". Of media that can't be read whole nothing is claimed that hangs on their every byte.
inline Value read_manifest(View text) {
  constexpr View letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  Value manifest = parse_canonical(text);
  check_form(manifest,
             "{format:s,case:{*},tool:{name:s,version:s,*},inputs:[{kind:s,name:s,version:s,entries:n,digests:d}],"
             "evidence:[{id:s,size:n,integrity:s,digests?:d,block_root?:h,findings:{file:s,records:n,bytes:n,digests:d,"
             "trees:d,counts:{items:n,matches:n,problems:n},salt_commitment:h,"
             "content?:{digest:s,entries:n,without:n,trees:d}}}],custody:{events:n,head:h},previous?:h,created:t}",
             "the manifest");
  if (manifest.text_at("format") != "exhibit-manifest/1") throw Refused{"the manifest is of another format"};
  std::set<std::string> ids;
  for (const Value& evidence : manifest.array_at("evidence")) {
    const std::string &id = evidence.text_at("id"), integrity = evidence.text_at("integrity");
    if (id.empty() || id.size() > 64 || id[0] == '.' || id.find_first_not_of(letters) != Bytes::npos ||
        !ids.insert(id).second)
      throw Refused{"\"" + id + "\" can't be an exhibit's id, or is twice"};
    if (integrity != "match" && integrity != "mismatch" && integrity != "no-stored-digest" && integrity != "unreadable")
      throw Refused{"the integrity \"" + integrity + "\" is unknown"};
    for (const char* key : {"digests", "block_root"}) {
      if ((evidence.find(key) == nullptr) != (integrity == "unreadable"))
        throw Refused{id + ": " + key + " of what is " + integrity};
    }
    const Value& findings = evidence.at("findings");
    if (findings.text_at("file") != "findings/" + id + ".jsonl")
      throw Refused{"the findings file of " + id + " has another name"};
    const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
    const Object& trees = findings.object_at("trees");
    const Object& others = findings.find("content") == nullptr ? trees : findings.at("content").object_at("trees");
    if (!std::equal(trees.begin(), trees.end(), others.begin(), others.end(), same))
      throw Refused{"the content tree has other digests than the tree"};
  }
  if (ids.empty()) throw Refused{"the manifest names no exhibit"};
  return manifest;
}

}  // namespace exhibit_verify
