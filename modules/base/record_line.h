#pragma once
// Canonical JSON looked at in place. Most records only pass through: whoever hands them on has to know that a line is
// what it must be, and some of its values, but need not build them all. Building each line's values several times was
// most of the coordinator's work.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace exhibit::base {

// A value within canonical text, which must outlive it.
class TextValue {
 public:
  TextValue() = default;
  explicit TextValue(std::string_view canonical) : text_(canonical) {}

  std::string_view canonical() const { return text_; }
  bool is_string() const { return text_.front() == '"'; }
  bool is_object() const { return text_.front() == '{'; }
  bool is_array() const { return text_.front() == '['; }
  bool is_boolean() const { return text_.front() == 't' || text_.front() == 'f'; }
  bool is_true() const { return text_.front() == 't'; }
  // A whole number, of at least 0 or any: what parse_json gives as an integer and not as a double.
  bool is_size() const { return is_digits(text_); }
  bool is_integer() const { return is_digits(text_.substr(text_.front() == '-')); }

  std::uint64_t size() const;    // of is_size
  std::int64_t integer() const;  // of is_integer
  std::string string() const;    // of is_string
  // The same in place; in `scratch` where the text holds it escaped.
  std::string_view string(std::string& scratch) const;

  // Each element of an array, or each member of an object with its key as it stands between its quotation marks, until
  // `call` returns false. Whether it never did.
  template <typename Call>
  bool each_element(const Call& call) const {
    for (std::size_t at = 1; text_[at] != ']';) {
      const TextValue element = value_at(at);
      at += element.text_.size();
      at += text_[at] == ',';
      if (!call(element)) return false;
    }
    return true;
  }
  template <typename Call>
  bool each_member(const Call& call) const {
    for (std::size_t at = 1; text_[at] != '}';) {
      const std::string_view key = value_at(at).text_;
      const TextValue value = value_at(at + key.size() + 1);
      at += key.size() + 1 + value.text_.size();
      at += text_[at] == ',';
      if (!call(key.substr(1, key.size() - 2), value)) return false;
    }
    return true;
  }
  // The first element of an array.
  std::optional<TextValue> first() const { return text_[1] == ']' ? std::nullopt : std::optional(value_at(1)); }
  // A member by its key, which holds nothing that is escaped.
  std::optional<TextValue> find(std::string_view key) const;

 private:
  static bool is_digits(std::string_view text);
  TextValue value_at(std::size_t at) const;

  std::string_view text_;
};

// One line: a JSON object with its members. Kept from line to line, so that it need not allocate again.
class RecordLine {
 public:
  struct Member {
    std::string_view key;  // as it stands between its quotation marks
    TextValue value;
  };

  // Whether `text` is an object in canonical form: parse_json takes it, and canonical() writes it so again. It must
  // outlive what is asked of the line.
  bool read(std::string_view text);

  // The same for what need not be canonical: then its canonical form is kept here and looked at. An Error where it is
  // no object.
  Result<void> read_any(std::string_view text);

  std::string_view text() const { return text_; }
  const std::vector<Member>& members() const { return members_; }
  // nullptr where it is absent. `key` holds nothing that is escaped.
  const TextValue* find(std::string_view key) const;
  // A member that is a string; empty where it is absent or something else. In `scratch` where the text holds it
  // escaped.
  std::string_view string(std::string_view key, std::string& scratch) const;
  std::string string(std::string_view key) const;

 private:
  std::string_view text_;
  std::vector<Member> members_;
  std::string own_text_;
};

// The record with these members too, in place of those with the same key; they are sorted by key, and their keys are
// ASCII without what is escaped. Canonical, as the record is.
std::string with_members(const RecordLine& record,
                         const std::vector<std::pair<std::string_view, std::string>>& members);

}  // namespace exhibit::base
