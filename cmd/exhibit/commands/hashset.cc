// exhibit hashset: builds the index of a hash set, says what it holds, asks it, compares two.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>

#include "base/text.h"
#include "exhibit/common.h"
#include "exhibit/session.h"
#include "hashset/diff.h"
#include "hashset/import.h"
#include "hashset/index.h"

namespace exhibit::cmd {

extern const Verb hashset_verb;

namespace {

namespace fs = std::filesystem;
namespace hs = hashset;
using base::Json;

Result<hs::Index> open_index(const std::string& path) {
  return hs::Index::open(EXHIBIT_TRY(hs::open_input(path)), hs::input_name(path));
}

// ---- build

std::string option(const options::variables_map& values, const char* key) {
  return values.count(key) != 0 ? values[key].as<std::string>() : std::string();
}

Result<hs::ImportOptions> import_options(const options::variables_map& values) {
  hs::ImportOptions chosen;
  chosen.refuse_trivial = option(values, "class") == "notable";
  chosen.categories = comma_list(option(values, "categories"));
  const std::string format = option(values, "format");
  for (const hs::FormatRow* row : hs::format_table()) {
    if (row->name == format) chosen.format = row;
  }
  if (!format.empty() && chosen.format == nullptr) {
    return Error{ErrorCode::invalid_argument, "there is no format '" + format + "'", {}, {}};
  }
  return chosen;
}

// A file without a name gets one only when it's whole.
Result<void> give_name(int fd, const std::string& path) {
  ::fchmod(fd, 0644);
  const std::string descriptor = "/proc/self/fd/" + std::to_string(fd);
  if (::fsync(fd) == 0 && ::linkat(AT_FDCWD, descriptor.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) {
    return {};
  }
  return Error{ErrorCode::io_error, path + ": cannot be written: " + std::strerror(errno), {}, {}};
}

struct Built {
  std::uint64_t entries = 0, malformed = 0, trivial = 0;
};

Result<Built> build(const std::vector<std::string>& inputs, const options::variables_map& values) {
  const hs::ImportOptions chosen = EXHIBIT_TRY(import_options(values));
  const std::string out = option(values, "out");
  if (fs::exists(fs::symlink_status(out))) {
    return Error{ErrorCode::invalid_argument, out + ": is there already; give another name", {}, {}};
  }
  const fs::path parent = fs::path(out).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const base::UniqueFd file = EXHIBIT_TRY(hs::nameless_file(folder));
  hs::Builder builder({.names = values.count("no-names") == 0, .folder = folder});
  std::string profile = option(values, "category-profile");
  Built built;
  for (const std::string& path : inputs) {
    const base::UniqueFd input = EXHIBIT_TRY(hs::open_input(path));
    const hs::Imported imported = EXHIBIT_TRY(hs::import({input.get(), hs::input_name(path)}, chosen, builder));
    tell_refused(path, imported.refused, imported.facts.refused);
    built.entries += imported.facts.entries;
    built.trivial += imported.facts.trivial;
    built.malformed += imported.facts.refused - imported.facts.trivial;
    const std::string& found = imported.category_profile;
    if (found.empty() || found == profile) continue;
    // A category means what its country says: sets of two can't be one.
    if (!profile.empty()) {
      return Error{ErrorCode::invalid_argument,
                   path + ": its categories are those of " + found + ", not of " + profile + "; build another index",
                   {},
                   {}};
    }
    profile = found;
  }
  EXHIBIT_TRY(
      builder.write(file.get(), {values.count("name") != 0 ? option(values, "name") : fs::path(out).stem().string(),
                                 option(values, "source"), option(values, "version"), option(values, "licence"),
                                 option(values, "class") == "known" ? hs::SetClass::known : hs::SetClass::notable,
                                 profile, values.count("restricted") != 0}));
  EXHIBIT_TRY(give_name(file.get(), out));
  return built;
}

int run_build(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  described.add_options()("out,o", options::value<std::string>()->required(), "the index to write, *.xhs")(
      "class", options::value<std::string>()->required(),
      "known (may be passed over in a view) or notable (a match is a lead)")(
      "name", options::value<std::string>(), "what match records call the set (default: the index's name)")(
      "source", options::value<std::string>(), "who publishes it")(
      "version", options::value<std::string>(), "of the publication")("licence", options::value<std::string>(),
                                                                      "under which it may be used")(
      "category-profile", options::value<std::string>(),
      "whose meaning the categories have (US, UK, …), where the files don't say")(
      "categories", options::value<std::string>(), "only entries of these, with commas")(
      "restricted", "what matches is not to be shown or copied without a word (docs/rules.md, Restricted leads)")(
      "no-names", "keep no names of entries: a smaller index")("format", options::value<std::string>(),
                                                               "of all inputs, where it isn't recognised");
  const Parsed parsed = parse(hashset_verb, arguments, described, "input");
  if (parsed.help) return exit_done;
  const std::string set_class = option(parsed.values, "class");
  if (set_class != "known" && set_class != "notable") throw Usage{"--class takes known or notable"};
  if (set_class == "known" && parsed.values.count("restricted") != 0)
    throw Usage{"--restricted is for notable sets: what is known may be passed over"};
  if (parsed.values.count("input") == 0) throw Usage{"name the files to build from"};
  const auto built = build(parsed.values["input"].as<std::vector<std::string>>(), parsed.values);
  if (!built.ok()) return fail(built.error());
  std::fprintf(stderr, "exhibit: %llu entries, %llu lines not taken, %llu of trivial content\n",
               static_cast<unsigned long long>(built->entries), static_cast<unsigned long long>(built->malformed),
               static_cast<unsigned long long>(built->trivial));
  return built->malformed > 0 ? exit_problems : exit_done;
}

// ---- info

Result<int> info(const std::string& path, bool check, bool records) {
  const hs::Index index = EXHIBIT_TRY(open_index(path));
  Json header = hs::to_json(index.header());
  header["bytes"] = index.file_bytes();
  header["checksum"] = index.stored_checksum();
  if (check) header["sha256"] = EXHIBIT_TRY(index.digest_file());
  if (records) {
    put_line(base::canonical(header));
    return exit_done;
  }
  Table about({"hash set", header["name"].get<std::string>()});
  for (const char* key : {"class", "source", "version", "licence", "category_profile", "checksum"}) {
    const auto text = header[key].get<std::string>();
    about.add({key, text.empty() ? "(not given)" : printable(text)});
  }
  if (header.contains("handling")) about.add({"handling", header["handling"].get<std::string>()});
  if (check) about.add({"sha256 of the file", header["sha256"].get<std::string>() + " (the checksum holds)"});
  about.add({"entries", std::to_string(index.header().entries)});
  about.print();
  put_line("");
  Table tables({"digest", "rows", "bytes a row"});
  for (const hs::TableFacts& table : index.header().tables) {
    const std::uint64_t bytes = table.rows.bytes + table.buckets.bytes + table.labels.bytes;
    char each[32];
    std::snprintf(each, sizeof each, "%.2f", static_cast<double>(bytes) / static_cast<double>(table.digests));
    tables.add({std::string(hs::facts(table.algorithm).name), std::to_string(table.digests), each});
  }
  tables.print();
  put_line("");
  Table inputs({"input", "format", "entries", "refused", "passed over", "sha256"});
  for (const hs::InputFacts& input : index.header().inputs) {
    inputs.add({printable(input.name), input.format, std::to_string(input.entries), std::to_string(input.refused),
                std::to_string(input.passed_over), input.sha256});
  }
  inputs.print();
  return exit_done;
}

int run_info(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  described.add_options()("check", "read all of it, and compare with its checksum")("json", "the header as JSON");
  const Parsed parsed = parse(hashset_verb, arguments, described, "set", 1);
  if (parsed.help) return exit_done;
  if (parsed.values.count("set") == 0) throw Usage{"name an index"};
  const auto status = info(parsed.values["set"].as<std::vector<std::string>>()[0], parsed.values.count("check") != 0,
                           wants_records(parsed.values));
  return status.ok() ? *status : fail(status.error());
}

// ---- query

// Asks for many digests at a time, and answers in their order.
class Query {
 public:
  Query(const hs::Index& index, bool records) : index_(index), records_(records) {}

  Result<void> ask(std::string digest) {
    asked_.push_back({std::move(digest), {}});
    return asked_.size() < batch ? Result<void>() : answer();
  }
  Result<void> answer();

  std::uint64_t found() const { return found_; }
  std::uint64_t refused() const { return refused_; }

 private:
  static constexpr std::size_t batch = 4096;
  struct Row {
    hs::Algorithm algorithm;
    hs::Index::Place place;
  };
  struct Asked {
    std::string digest;
    std::vector<Row> rows;
    bool is_digest = false;
  };

  void look_up(hs::Algorithm algorithm);
  Result<void> tell(const Asked& asked, const Row* row) const;

  const hs::Index& index_;
  bool records_;
  std::vector<Asked> asked_;
  std::uint64_t found_ = 0, refused_ = 0;
};

void Query::look_up(hs::Algorithm algorithm) {
  const std::size_t bytes = hs::facts(algorithm).bytes;
  std::vector<std::uint8_t> digests;
  std::vector<Asked*> of;
  for (Asked& each : asked_) {
    hs::RawDigest raw;
    if (!hs::decode_digest(each.digest, algorithm, raw)) continue;
    each.is_digest = true;
    digests.insert(digests.end(), raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(bytes));
    of.push_back(&each);
  }
  std::vector<hs::Index::Place> places(of.size());
  index_.find(algorithm, digests, places);
  for (std::size_t i = 0; i < of.size(); ++i) {
    if (places[i] == hs::Index::nowhere) continue;
    hs::RawDigest raw{};
    std::copy_n(digests.data() + i * bytes, bytes, raw.data());
    const hs::Index::Place rows = index_.rows_of_digest(algorithm, raw, places[i]);
    for (hs::Index::Place row = 0; row < rows; ++row) of[i]->rows.push_back({algorithm, places[i] + row});
  }
}

Result<void> Query::tell(const Asked& asked, const Row* row) const {
  Json answer = {{"digest", asked.digest}, {"found", row != nullptr}};
  if (row != nullptr) {
    const hs::Label& label = index_.label(row->algorithm, row->place);
    answer["algorithm"] = hs::facts(row->algorithm).name;
    answer["class"] = hs::name_of(index_.header().description.set_class);
    answer["category"] = label.category;
    answer["category_profile"] = index_.header().description.category_profile;
    answer["entry_source"] = label.source;
    answer["entry"] = base::clean_utf8(index_.name(row->algorithm, row->place)).text;
  }
  std::string line = base::canonical(answer);
  if (!records_) {
    line = asked.digest + (row == nullptr ? "  not in the set" : "");
    for (const char* key : {"class", "category", "entry_source", "entry"}) {
      if (answer.contains(key)) line += "  " + printable(answer[key].get<std::string>());
    }
  }
  if (!put_line(line)) return Error{ErrorCode::interrupted, "standard output is closed", {}, {}};
  return {};
}

Result<void> Query::answer() {
  for (std::size_t i = 0; i < hs::algorithm_count; ++i) look_up(static_cast<hs::Algorithm>(i));
  for (const Asked& each : asked_) {
    if (!each.is_digest) {
      ++refused_;
      std::fprintf(stderr, "exhibit: '%s' is no digest in hexadecimal\n", printable(each.digest).c_str());
      continue;
    }
    found_ += !each.rows.empty();
    if (each.rows.empty()) EXHIBIT_TRY(tell(each, nullptr));
    for (const Row& row : each.rows) EXHIBIT_TRY(tell(each, &row));
  }
  asked_.clear();
  return {};
}

Result<int> query(const std::vector<std::string>& words, bool records) {
  const hs::Index index = EXHIBIT_TRY(open_index(words[0]));
  Query query(index, records);
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] != "-") {
      EXHIBIT_TRY(query.ask(words[i]));
      continue;
    }
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);) {
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty()) EXHIBIT_TRY(query.ask(line));
    }
  }
  EXHIBIT_TRY(query.answer());
  if (query.refused() > 0) return exit_problems;
  return query.found() > 0 ? exit_done : exit_no;
}

int run_query(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  described.add_options()("json", "JSON lines even on a terminal");
  const Parsed parsed = parse(hashset_verb, arguments, described, "word");
  if (parsed.help) return exit_done;
  const auto words = parsed.values.count("word") != 0 ? parsed.values["word"].as<std::vector<std::string>>()
                                                      : std::vector<std::string>();
  if (words.size() < 2) throw Usage{"name an index, and digests or - for those on standard input"};
  const auto status = query(words, wants_records(parsed.values));
  return status.ok() ? *status : fail(status.error());
}

// ---- diff

std::string joined(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + (word.empty() ? "(none)" : word);
  return text;
}

Result<int> diff(const std::string& before, const std::string& after, bool records) {
  const hs::Index old = EXHIBIT_TRY(open_index(before)), now = EXHIBIT_TRY(open_index(after));
  std::map<hs::Change::Kind, std::uint64_t> counts;
  std::uint64_t changes = 0;
  bool reads = true;
  hs::diff(old, now, [&](const hs::Change& change) {
    ++counts[change.kind], ++changes;
    const Json record = {{"change", hs::name_of(change.kind)},
                         {"algorithm", hs::facts(change.algorithm).name},
                         {"digest", change.digest},
                         {"before", change.before},
                         {"after", change.after}};
    reads = reads && put_line(records ? base::canonical(record)
                                      : std::string(hs::name_of(change.kind)) + "  " + change.digest + "  " +
                                            printable(joined(change.before)) + " > " + printable(joined(change.after)));
  });
  if (!reads) return Error{ErrorCode::interrupted, "standard output is closed", {}, {}};
  std::fprintf(stderr, "exhibit: %llu digests added, %llu removed, %llu of another category\n",
               static_cast<unsigned long long>(counts[hs::Change::Kind::added]),
               static_cast<unsigned long long>(counts[hs::Change::Kind::removed]),
               static_cast<unsigned long long>(counts[hs::Change::Kind::category]));
  const hs::Description &a = old.header().description, &b = now.header().description;
  if (a.set_class != b.set_class || a.category_profile != b.category_profile) {
    std::fprintf(stderr, "exhibit: the sets' classes or the meaning of their categories differ: see `hashset info`\n");
    return exit_no;
  }
  return changes == 0 ? exit_done : exit_no;
}

int run_diff(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  described.add_options()("json", "JSON lines even on a terminal");
  const Parsed parsed = parse(hashset_verb, arguments, described, "set", 2);
  if (parsed.help) return exit_done;
  const auto words = parsed.values.count("set") != 0 ? parsed.values["set"].as<std::vector<std::string>>()
                                                     : std::vector<std::string>();
  if (words.size() != 2) throw Usage{"name two indexes: the older, then the newer"};
  const auto status = diff(words[0], words[1], wants_records(parsed.values));
  return status.ok() ? *status : fail(status.error());
}

int run_hashset(const std::vector<std::string>& arguments) {
  const std::string act = arguments.empty() ? "" : arguments[0];
  const std::vector<std::string> rest(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  if (act == "build" || act == "--help" || act == "-h") return run_build(act == "build" ? rest : arguments);
  if (act == "info") return run_info(rest);
  if (act == "query") return run_query(rest);
  if (act == "diff") return run_diff(rest);
  throw Usage{"say build, info, query or diff"};
}

}  // namespace

const Verb hashset_verb = {"hashset",
                           "build INPUT… -o SET.xhs --class known|notable [options]\n"
                           "       exhibit hashset info SET.xhs [--check]\n"
                           "       exhibit hashset query SET.xhs DIGEST…|-\n"
                           "       exhibit hashset diff OLDER.xhs NEWER.xhs",
                           "one mapped index of a hash set, from NSRL, VICS, CSV, hashdeep and others", run_hashset};

}  // namespace exhibit::cmd
