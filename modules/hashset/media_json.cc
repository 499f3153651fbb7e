#include "hashset/media_json.h"

#include <algorithm>
#include <array>
#include <istream>
#include <nlohmann/json.hpp>
#include <vector>

#include "hashset/file_reader.h"

namespace exhibit::hashset {
namespace {

using nlohmann::json;

constexpr std::size_t deepest = 64;  // the models go down five levels

// The names that AlternativeHashes uses, without hyphens and in lower case.
std::optional<Algorithm> alternative_algorithm(std::string name) {
  std::erase(name, '-');
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + ('a' - 'A')) : c; });
  return algorithm_named(name);
}

struct Medium {
  std::array<std::string, algorithm_count> digests;
  std::string category, id;
  bool is_case = false, has_photo_dna = false;

  std::string& digest(Algorithm algorithm) { return digests[static_cast<std::size_t>(algorithm)]; }
};

class MediaHandler final : public json::json_sax_t {
 public:
  MediaHandler(const FileReader& reader, Sink& sink) : reader_(reader), sink_(sink) {}

  const std::optional<Error>& error() const { return error_; }

  bool null() override { return scalar(""); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return scalar(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return scalar(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override {
    return scalar(text.ends_with(".0") ? text.substr(0, text.size() - 2) : text);
  }
  bool string(string_t& value) override { return scalar(value); }
  bool binary(binary_t&) override { return true; }

  bool key(string_t& value) override {
    key_ = value;
    return true;
  }
  bool start_array(std::size_t) override {
    if (!frames_.empty() && frames_.back().kind == Kind::medium && key_ == "Media") media_.back().is_case = true;
    return push(Kind::list);
  }
  bool end_array() override { return pop(); }
  bool start_object(std::size_t) override {
    const Kind kind = kind_of_object();
    if (kind == Kind::medium) media_.emplace_back();
    if (kind == Kind::alternative) alternative_name_.clear(), alternative_value_.clear();
    return push(kind);
  }
  bool end_object() override {
    const Kind kind = frames_.back().kind;
    if (kind == Kind::alternative && !media_.empty()) {
      const auto algorithm = alternative_algorithm(alternative_name_);
      if (algorithm && media_.back().digest(*algorithm).empty()) media_.back().digest(*algorithm) = alternative_value_;
    }
    return pop() && (kind != Kind::medium || take_medium());
  }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    if (!error_) {
      error_ = Error{ErrorCode::corrupt,
                     "line " + std::to_string(reader_.line()) + ": it isn't JSON, or it breaks off, at byte " +
                         std::to_string(position),
                     {},
                     {}};
    }
    return false;
  }

 private:
  enum class Kind : std::uint8_t { list, medium, alternative, other };
  struct Frame {
    Kind kind;
    std::string key;  // of the list or object in what holds it
  };

  Kind kind_of_object() const {
    if (frames_.empty() || frames_.back().kind != Kind::list) return Kind::other;
    const std::string& list = frames_.back().key;
    // `value` lies in the root; `Media` in a case.
    if ((list == "value" && frames_.size() == 2) || (list == "Media" && !media_.empty())) return Kind::medium;
    return list == "AlternativeHashes" && !media_.empty() ? Kind::alternative : Kind::other;
  }

  bool push(Kind kind) {
    if (frames_.size() == deepest) {
      error_ = Error{ErrorCode::depth_limit, "its JSON is deeper than 64 levels", {}, {}};
      return false;
    }
    frames_.push_back({kind, key_});
    return true;
  }
  bool pop() {
    key_.clear();
    frames_.pop_back();
    return true;
  }

  bool scalar(const std::string& text) {
    if (frames_.empty()) return true;
    if (frames_.back().kind == Kind::alternative) {
      if (key_ == "HashName") alternative_name_ = text;
      if (key_ == "HashValue") alternative_value_ = text;
    } else if (frames_.back().kind == Kind::medium) {
      Medium& medium = media_.back();
      if (key_ == "MD5") medium.digest(Algorithm::md5) = text;
      if (key_ == "SHA1") medium.digest(Algorithm::sha1) = text;
      if (key_ == "Category") medium.category = text;
      if (key_ == "MediaID") medium.id = text;
      if (key_ == "PhotoDNA") medium.has_photo_dna = !text.empty();
      if (key_ == "CaseID") medium.is_case = true;
    }
    return true;
  }

  bool take_medium() {
    const Medium medium = std::move(media_.back());
    media_.pop_back();
    if (medium.is_case) return true;
    ++count_;
    // Such files often have but one line: a refusal tells which medium.
    const std::string place = "medium " + std::to_string(count_) + ": ";
    Entry entry;
    entry.place = place;
    bool any = false;
    for (std::size_t i = 0; i < algorithm_count; ++i) {
      entry.digests[i] = medium.digests[i];
      any = any || !medium.digests[i].empty();
    }
    entry.category = medium.category;
    entry.name = medium.id;
    if (!any && medium.has_photo_dna) {
      sink_.refuse(reader_.line(), place + "it has PhotoDNA alone, which isn't evaluated");
      return true;
    }
    Result<void> taken = sink_.take(reader_.line(), entry);
    if (!taken.ok()) error_ = taken.take_error();
    return !error_;
  }

  const FileReader& reader_;
  Sink& sink_;
  std::vector<Frame> frames_;
  std::vector<Medium> media_;  // a case, and within it a medium
  std::string key_, alternative_name_, alternative_value_;
  std::uint64_t count_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<void> read_media(const InputFile& file, Sink& sink) {
  FileReader reader(file);
  std::istream stream(&reader);
  MediaHandler handler(reader, sink);
  const bool whole = json::sax_parse(stream, &handler);
  if (reader.error()) return *reader.error();
  if (whole && !handler.error()) return {};
  Error error = handler.error().value_or(Error{ErrorCode::corrupt, "its JSON isn't whole", {}, {}});
  error.message = file.name + ": " + error.message;
  error.where = file.name;
  return error;
}

std::string_view data_model(std::string_view beginning) {
  constexpr std::string_view sign = "ProjectVic/DataModels/";
  const std::size_t brace = beginning.find_first_not_of(" \t\r\n");
  const std::size_t found = beginning.find(sign);
  if (brace == std::string_view::npos || beginning[brace] != '{' || found == std::string_view::npos) return {};
  const std::string_view rest = beginning.substr(found + sign.size());
  return rest.substr(0, rest.find('"'));
}

}  // namespace exhibit::hashset
