#include "expand/pdf.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <qpdf/Pipeline.hh>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFExc.hh>
#include <qpdf/QUtil.hh>
#include <set>
#include <utility>

#include "base/json.h"
#include "expand/pdf_input.h"
#include "expand/stream.h"
#include "hash/multi_digest.h"

namespace exhibit::expand {
namespace {

// Content behind filters that libqpdf undoes, or encrypted, is held whole.
constexpr std::size_t most_held = std::size_t{16} << 20;
constexpr std::size_t md5_bytes = 16;
constexpr std::size_t farthest_header = 1024;
constexpr int deepest = 64;  // arrays and dictionaries within each other, in one object

Error corrupt(std::string why) { return Error{ErrorCode::corrupt, "pdf: " + std::move(why), {}, {}}; }

// libqpdf throws; nothing of that leaves this file.
template <typename Work>
auto guarded(const Work& work) -> Result<decltype(work())> {
  try {
    return work();
  } catch (const QPDFExc& error) {
    const bool is_password = error.getErrorCode() == qpdf_e_password;
    return Error{is_password ? ErrorCode::encrypted : ErrorCode::corrupt, "pdf: " + error.getMessageDetail(), {}, {}};
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::memory_limit, "pdf: its objects don't fit this worker's memory", {}, {}};
  } catch (const std::exception& error) {
    return corrupt(error.what());
  }
}

// Takes what libqpdf pushes, up to a bound.
class Held final : public Pipeline {
 public:
  Held() : Pipeline("held", nullptr) {}
  void write(unsigned char const* data, std::size_t length) override {
    if (length > most_held - bytes_.size()) throw std::length_error("the embedded file is too large for its filters");
    bytes_.append(reinterpret_cast<const char*>(data), length);
  }
  void finish() override {}
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// D:YYYYMMDDHHmmSSOHH'mm' (7.9.4), as RFC 3339 in UTC.
std::optional<std::string> time_of(QPDFObjectHandle value) {
  QUtil::QPDFTime time;
  if (!value.isString() || !QUtil::pdf_time_to_qpdf_time(value.getStringValue(), &time)) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year(time.year), std::chrono::month(unsigned(time.month)),
                                        std::chrono::day(unsigned(time.day))};
  if (!day.ok() || time.hour > 23 || time.minute > 59 || time.second > 59) return std::nullopt;
  const auto local = std::chrono::sys_days(day) + std::chrono::hours(time.hour) + std::chrono::minutes(time.minute) +
                     std::chrono::seconds(time.second);
  const auto utc = local + std::chrono::minutes(time.tz_delta);  // libqpdf counts westwards
  const auto date = std::chrono::floor<std::chrono::days>(utc);
  const std::chrono::year_month_day utc_day(date);
  const std::chrono::hh_mm_ss clock(utc - date);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", int(utc_day.year()), unsigned(utc_day.month()),
                unsigned(utc_day.day()), int(clock.hours().count()), int(clock.minutes().count()),
                int(clock.seconds().count()));
  return text;
}

// The name that a file specification (7.11.3) gives.
std::string name_of(QPDFObjectHandle specification) {
  for (const char* key : {"/UF", "/F", "/Unix", "/DOS", "/Mac"}) {
    QPDFObjectHandle name = specification.getKey(key);
    if (name.isString() && !name.getStringValue().empty()) return name.getUTF8Value();
  }
  return {};
}

class PdfReader final : public Reader {
 public:
  explicit PdfReader(ByteSource& content) : content_(content) {}

  Result<void> open() {
    auto opened = guarded([&] {
      pdf_.setSuppressWarnings(true);
      header_ = find_header();
      pdf_.processInputSource(std::make_shared<PdfInput>(content_));
      for (QPDFObjectHandle& object : pdf_.getAllObjects()) look(object);
      note_recovered();
      return 0;
    });
    if (!opened.ok()) return opened.error();
    next_ = found_.begin();
    return {};
  }

  Result<std::optional<Entry>> next() override {
    if (next_ == found_.end()) return std::optional<Entry>();
    const auto& [object, name] = *next_++;
    auto entry = guarded([&] { return begin(pdf_.getObject(object), name); });
    if (!entry.ok()) return entry.error();
    return std::optional<Entry>(entry.take());
  }

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    if (trouble_) return *trouble_;
    const std::size_t got = EXHIBIT_TRY(read_content(buffer));
    given_ += got;
    if (digest_) digest_->update(buffer.first(got));
    if (got == 0) EXHIBIT_TRY(check_whole());
    return got;
  }

 private:
  // libqpdf counts from the header, which need not be the file's beginning but near it (Adobe's implementation note
  // 13).
  std::uint64_t find_header() {
    std::string head(farthest_header, '\0');
    const auto got = content_.read_at(0, std::as_writable_bytes(std::span(head)));
    head.resize(got.ok() ? *got : 0);
    const std::size_t at = head.find("%PDF-");
    return at == std::string::npos ? 0 : at;
  }

  // Where a stream hasn't the stated length, libqpdf looks for its end and says so; other readers find other ends.
  void note_recovered() {
    for (const QPDFExc& warning : pdf_.getWarnings()) {
      if (warning.getMessageDetail().find("recover stream length") != std::string::npos)
        recovered_.insert(warning.getObject());
    }
  }

  // Remembers the streams that an object's file specifications lead to, and the object itself where it says that it is
  // such a stream. What it refers to has its own turn.
  void look(QPDFObjectHandle object, int depth = 0) {
    if (object.isStream()) {
      QPDFObjectHandle dictionary = object.getDict();
      if (dictionary.getKey("/Type").isNameAndEquals("/EmbeddedFile")) found_.try_emplace(object.getObjGen());
      return look_within(dictionary, depth);
    }
    look_within(object, depth);
  }

  void look_within(QPDFObjectHandle object, int depth) {
    if (depth > deepest) return;
    if (object.isArray()) {
      for (int i = 0; i < object.getArrayNItems(); ++i) {
        QPDFObjectHandle element = object.getArrayItem(i);
        if (!element.isIndirect()) look_within(element, depth + 1);
      }
    }
    if (!object.isDictionary()) return;
    if (QPDFObjectHandle files = object.getKey("/EF"); files.isDictionary()) take(object, files);
    for (const std::string& key : object.getKeys()) {
      QPDFObjectHandle value = object.getKey(key);
      if (!value.isIndirect()) look_within(value, depth + 1);
    }
  }

  void take(QPDFObjectHandle specification, QPDFObjectHandle files) {
    for (const std::string& key : files.getKeys()) {
      QPDFObjectHandle file = files.getKey(key);
      if (!file.isStream()) continue;
      std::string& name = found_[file.getObjGen()];
      if (name.empty()) name = name_of(specification);
    }
  }

  Entry begin(QPDFObjectHandle stream, const std::string& name) {
    const QPDFObjGen number = stream.getObjGen();
    inflated_.reset();
    held_.reset();
    plain_.reset();
    trouble_.reset();
    digest_.reset();
    given_ = 0;
    Entry entry;
    entry.path = name.empty() ? "embedded-" + std::to_string(number.getObj()) : name;
    if (!stream.isStream()) {
      trouble_ = corrupt("an embedded file's object isn't a stream");
      return entry;
    }
    QPDFObjectHandle dictionary = stream.getDict();
    describe(dictionary.getKey("/Params"), entry);
    open_content(stream, dictionary);
    return entry;
  }

  // Table 46 of 7.11.4: what the document says of the file itself.
  void describe(QPDFObjectHandle parameters, Entry& entry) {
    size_.reset();
    sum_.clear();
    if (!parameters.isDictionary()) return;
    if (QPDFObjectHandle size = parameters.getKey("/Size"); size.isInteger() && size.getIntValue() >= 0)
      size_ = static_cast<std::uint64_t>(size.getIntValue());
    if (QPDFObjectHandle sum = parameters.getKey("/CheckSum"); sum.isString()) sum_ = sum.getStringValue();
    entry.times.born = time_of(parameters.getKey("/CreationDate"));
    entry.times.modified = time_of(parameters.getKey("/ModDate"));
    if (sum_.size() != md5_bytes) return sum_.clear();
    const std::vector<std::string> wanted = {"md5"};
    auto digest = hash::MultiDigest::create(wanted);
    if (digest.ok()) digest_ = digest.take();
  }

  void open_content(QPDFObjectHandle stream, QPDFObjectHandle dictionary) {
    const std::uint64_t at = header_ + static_cast<std::uint64_t>(stream.getParsedOffset());
    QPDFObjectHandle filter = dictionary.getKey("/Filter"), parameters = dictionary.getKey("/DecodeParms");
    const bool is_direct = !pdf_.isEncrypted() && parameters.isNull() && follows_keyword(at);
    // Without a filter nothing but its length says where it ends.
    is_length_sound_ = !filter.isNull() || !recovered_.contains("object " + stream.getObjGen().unparse(' '));
    if (is_direct && names_deflate(filter)) {
      inflated_ = open_zlib(content_, at);
    } else if (is_direct && filter.isNull() && is_length_sound_ && dictionary.getKey("/Length").isInteger()) {
      plain_ = {at, at + static_cast<std::uint64_t>(std::max(0LL, dictionary.getKey("/Length").getIntValue()))};
    } else {
      hold(stream);
    }
  }

  void hold(QPDFObjectHandle stream) {
    Held held;
    auto piped = guarded([&] { return stream.pipeStreamData(&held, 0, qpdf_dl_specialized, true, false); });
    if (!piped.ok()) {
      trouble_ = piped.error();
    } else if (!*piped) {
      trouble_ = Error{ErrorCode::unsupported, "pdf: a filter of the embedded file isn't known", {}, {}};
    } else {
      held_ = held.take();
    }
  }

  static bool names_deflate(QPDFObjectHandle filter) {
    if (filter.isArray() && filter.getArrayNItems() == 1) filter = filter.getArrayItem(0);
    return filter.isNameAndEquals("/FlateDecode") || filter.isNameAndEquals("/Fl");
  }

  // libqpdf repairs what it reads, and then places may be others.
  bool follows_keyword(std::uint64_t at) {
    constexpr std::string_view keyword = "stream\n";
    std::string before(keyword.size() + 1, '\0');
    if (at < before.size()) return false;
    const auto got = content_.read_at(at - before.size(), std::as_writable_bytes(std::span(before)));
    return got.ok() && *got == before.size() && (before.ends_with(keyword) || before == "stream\r\n");
  }

  Result<std::size_t> read_content(std::span<std::byte> buffer) {
    if (inflated_ != nullptr) return inflated_->read(buffer);
    if (held_) {
      const auto rest = std::as_bytes(std::span(*held_)).subspan(given_);
      const auto part = rest.first(std::min(rest.size(), buffer.size()));
      std::copy(part.begin(), part.end(), buffer.begin());
      return part.size();
    }
    const std::uint64_t at = plain_->first + given_;
    const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), plain_->second - at);
    if (wanted == 0) return std::size_t{0};
    const std::size_t got = EXHIBIT_TRY(content_.read_at(at, buffer.first(wanted)));
    if (got == 0) return corrupt("the embedded file ends early");
    return got;
  }

  // MD5 says it all; sizes are compared only where there is none.
  Result<void> check_whole() {
    if (digest_) {
      if (std::exchange(digest_, std::nullopt)->finish().at("md5") != base::to_hex(sum_))
        trouble_ = corrupt("the embedded file contradicts its checksum");
    } else if (sum_.empty() && !is_length_sound_) {
      trouble_ = corrupt("the embedded file doesn't end where its stream's length says");
    } else if (sum_.empty() && size_ && *size_ != given_) {
      trouble_ = corrupt("the embedded file hasn't the size that the document says");
    }
    if (trouble_) return *trouble_;
    return {};
  }

  ByteSource& content_;
  QPDF pdf_;
  std::uint64_t header_ = 0;                 // its place in the content
  std::map<QPDFObjGen, std::string> found_;  // embedded files, with their names
  std::set<std::string> recovered_;          // "object 4 0": streams without the stated length
  std::map<QPDFObjGen, std::string>::const_iterator next_ = found_.end();
  // The member at hand: one of three ways to its content, or why there is none.
  std::unique_ptr<Stream> inflated_;
  std::optional<std::string> held_;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> plain_;  // from, to
  std::optional<Error> trouble_;
  std::optional<hash::MultiDigest> digest_;
  std::string sum_;  // MD5, raw; empty: none is said
  std::optional<std::uint64_t> size_;
  bool is_length_sound_ = true;
  std::uint64_t given_ = 0;
};

}  // namespace

Result<std::unique_ptr<Reader>> open_pdf(ByteSource& content) {
  auto reader = std::make_unique<PdfReader>(content);
  EXHIBIT_TRY(reader->open());
  return std::unique_ptr<Reader>(std::move(reader));
}

}  // namespace exhibit::expand
