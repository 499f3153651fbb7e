#include "expand/outlook.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.h"
#include "expand/pff_handle.h"
#include "expand/pst_blocks.h"

namespace exhibit::expand {
namespace {

constexpr std::size_t deepest = 64;                          // folders and messages within each other
constexpr std::size_t longest_text = std::size_t{64} << 20;  // a body, in memory
constexpr std::size_t longest_name = 4096;

using TextSize = int (*)(libpff_item_t*, std::size_t*, libpff_error_t**);
using TextGet = int (*)(libpff_item_t*, std::uint8_t*, std::size_t, libpff_error_t**);
using TimeGet = int (*)(libpff_item_t*, std::uint64_t*, libpff_error_t**);

// What a message consists of besides its attachments, as members.
struct Body {
  const char* name;
  TextSize size;
  TextGet get;
};
constexpr std::array<Body, 3> bodies = {{
    {"body.txt", libpff_message_get_plain_text_body_size, libpff_message_get_plain_text_body},
    {"body.html", libpff_message_get_html_body_size, libpff_message_get_html_body},
    {"body.rtf", libpff_message_get_rtf_body_size, libpff_message_get_rtf_body},
}};

// Those of a message's own words that stand in no body.
struct Field {
  const char* name;
  std::uint32_t entry;
};
constexpr std::array<Field, 5> fields = {{{"Subject", LIBPFF_ENTRY_TYPE_MESSAGE_SUBJECT},
                                          {"From", LIBPFF_ENTRY_TYPE_MESSAGE_SENDER_NAME},
                                          {"From-Address", LIBPFF_ENTRY_TYPE_MESSAGE_SENDER_EMAIL_ADDRESS},
                                          {"To", LIBPFF_ENTRY_TYPE_MESSAGE_DISPLAY_TO},
                                          {"Class", LIBPFF_ENTRY_TYPE_MESSAGE_CLASS}}};

// FILETIME: 100 ns since 1601 ([MS-DTYP] 2.3.3).
std::optional<std::string> time_of(libpff_item_t* message, TimeGet get) {
  constexpr std::uint64_t units = 10'000'000, until_1970 = 11'644'473'600;  // of a second; seconds
  std::uint64_t time = 0;
  if (get(message, &time, nullptr) != 1 || time == 0) return std::nullopt;
  const auto seconds = static_cast<std::int64_t>(time / units) - static_cast<std::int64_t>(until_1970);
  return base::rfc3339(seconds, static_cast<std::uint32_t>(time % units * 100), 7);
}

class StoreReader final : public Reader {
 public:
  explicit StoreReader(ByteSource& content) : store_(content) {}

  Result<void> open() {
    const auto trees = store_.read_trees();
    if (!trees.ok() && trees.error().code != ErrorCode::corrupt) return trees.error();
    if (!trees.ok()) unsound_ = trouble_ = trees.error();
    file_ = EXHIBIT_TRY(PffFile::open(store_));
    PffItem root = pff_item([&](auto** item) { return libpff_file_get_root_folder(file_->get(), item, nullptr); });
    if (root == nullptr) return Error{ErrorCode::corrupt, "the store's root folder can't be read", {}, {}};
    push_folder(std::move(root), "");
    if (libpff_file_get_number_of_orphan_items(file_->get(), &orphans_, nullptr) != 1) orphans_ = 0;
    return {};
  }

  Result<std::optional<Entry>> next() override {
    attachment_.reset();
    body_ = nullptr;
    text_.reset();
    given_ = 0;
    while (!frames_.empty() || next_orphan_ < orphans_) {
      if (frames_.empty()) {
        push_orphan(next_orphan_++);
        continue;
      }
      auto entry = frames_.back().is_message ? step_message() : step_folder();
      if (entry) return entry;
    }
    return std::optional<Entry>();
  }

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t got = EXHIBIT_TRY(read_content(buffer));
    if (got > 0) return got;
    if (unsound_) return *unsound_;
    if (store_.bad_reads() != bad_before_)
      return Error{ErrorCode::corrupt, "a block of its message contradicts its CRC-32", {}, {}};
    return got;
  }

  std::optional<Error> take_trouble() override { return std::exchange(trouble_, std::nullopt); }

 private:
  Result<std::size_t> read_content(std::span<std::byte> buffer) {
    if (attachment_ != nullptr) {
      const ssize_t got = libpff_attachment_data_read_buffer(
          attachment_.get(), reinterpret_cast<std::uint8_t*>(buffer.data()), buffer.size(), nullptr);
      if (got < 0) return Error{ErrorCode::corrupt, "the attachment can't be read to its end", {}, {}};
      if (got == 0 && given_ != attachment_size_)
        return Error{ErrorCode::corrupt, "the attachment is shorter than it says", {}, {}};
      given_ += static_cast<std::uint64_t>(got);
      return static_cast<std::size_t>(got);
    }
    if (!text_) EXHIBIT_TRY(fetch_body());
    const auto bytes = std::as_bytes(std::span(*text_)).subspan(static_cast<std::size_t>(given_));
    const std::size_t length = std::min(bytes.size(), buffer.size());
    std::copy_n(bytes.begin(), length, buffer.begin());
    given_ += length;
    return length;
  }

  struct Frame {
    PffItem holder;  // the attachment that `item` is, if it is one
    PffItem item;
    std::string path;  // with a slash at its end, but for the root's
    bool is_message = false;
    int next = 0;  // a folder: its messages, then its folders; a message: its texts, then its attachments
    int messages = 0, folders = 0, attachments = 0;
  };

  void trouble(ErrorCode code, std::string what) { trouble_ = Error{code, std::move(what), {}, {}}; }

  bool may_push(const std::string& path) {
    if (frames_.size() < deepest) return true;
    trouble(ErrorCode::depth_limit, "what lies in " + path + " isn't told: it lies too deep");
    return false;
  }

  void push_folder(PffItem folder, std::string path) {
    if (!may_push(path)) return;
    Frame frame{nullptr, std::move(folder), std::move(path)};
    if (libpff_folder_get_number_of_sub_messages(frame.item.get(), &frame.messages, nullptr) != 1 ||
        libpff_folder_get_number_of_sub_folders(frame.item.get(), &frame.folders, nullptr) != 1) {
      trouble(ErrorCode::corrupt, "folder " + frame.path + ": its lists can't be read");
    }
    frames_.push_back(std::move(frame));
  }

  void push_message(PffItem message, const std::string& folder) {
    std::uint32_t identifier = 0;
    const bool is_named = libpff_item_get_identifier(message.get(), &identifier, nullptr) == 1;
    const std::string path = folder + "message-" + (is_named ? std::to_string(identifier) : std::string("unnamed"));
    if (!may_push(path)) return;
    Frame frame{nullptr, std::move(message), path + "/", true};
    if (libpff_message_get_number_of_attachments(frame.item.get(), &frame.attachments, nullptr) < 0)
      trouble(ErrorCode::corrupt, path + ": its list of attachments can't be read");
    frames_.push_back(std::move(frame));
    begun_ = true;
  }

  void push_orphan(int index) {
    bad_before_ = store_.bad_reads();
    PffItem item =
        pff_item([&](auto** out) { return libpff_file_get_orphan_item_by_index(file_->get(), index, out, nullptr); });
    std::uint8_t type = LIBPFF_ITEM_TYPE_UNDEFINED;
    if (item == nullptr || libpff_item_get_type(item.get(), &type, nullptr) != 1)
      return trouble(ErrorCode::corrupt, "an orphan can't be read");
    if (type == LIBPFF_ITEM_TYPE_FOLDER) return push_folder(std::move(item), "$Orphans/" + std::to_string(index) + "/");
    const bool is_part = type == LIBPFF_ITEM_TYPE_ATTACHMENTS || type == LIBPFF_ITEM_TYPE_RECIPIENTS ||
                         type == LIBPFF_ITEM_TYPE_SUB_MESSAGES || type == LIBPFF_ITEM_TYPE_SUB_FOLDERS ||
                         type == LIBPFF_ITEM_TYPE_SUB_ASSOCIATED_CONTENTS;
    if (!is_part) push_message(std::move(item), "$Orphans/");
  }

  std::optional<Entry> step_folder() {
    Frame& frame = frames_.back();
    const int at = frame.next++;
    // libpff may keep blocks of a message for what is attached to it, but not beyond.
    bad_before_ = store_.bad_reads();
    if (at < frame.messages) {
      PffItem message =
          pff_item([&](auto** item) { return libpff_folder_get_sub_message(frame.item.get(), at, item, nullptr); });
      if (message == nullptr) {
        trouble(ErrorCode::corrupt, "folder " + frame.path + ": a message can't be read");
        return std::nullopt;
      }
      push_message(std::move(message), frame.path);
      return std::nullopt;
    }
    if (at - frame.messages >= frame.folders) {
      frames_.pop_back();
      return std::nullopt;
    }
    PffItem folder = pff_item([&](auto** item) {
      return libpff_folder_get_sub_folder(frame.item.get(), at - frame.messages, item, nullptr);
    });
    if (folder == nullptr) {
      trouble(ErrorCode::corrupt, "folder " + frame.path + ": a folder in it can't be read");
      return std::nullopt;
    }
    Entry entry;
    entry.kind = ItemKind::directory;
    entry.path = frame.path + folder_name(folder.get());
    push_folder(std::move(folder), entry.path + "/");
    return entry;
  }

  static std::string folder_name(libpff_item_t* folder) {
    std::string name;
    pff_text([&](auto* size) { return libpff_folder_get_utf8_name_size(folder, size, nullptr); },
             [&](auto* text, auto size) { return libpff_folder_get_utf8_name(folder, text, size, nullptr); },
             longest_name, name);
    return name.empty() ? "unnamed" : name;
  }

  // The message itself first; then its fields, its transport headers, its bodies, and its attachments.
  std::optional<Entry> step_message() {
    Frame& frame = frames_.back();
    libpff_item_t* message = frame.item.get();
    if (std::exchange(begun_, false)) {
      Entry entry;
      entry.kind = ItemKind::directory;
      entry.path = frame.path;
      entry.times.modified = time_of(message, libpff_message_get_modification_time);
      entry.times.born = time_of(message, libpff_message_get_creation_time);
      return entry;
    }
    const int at = frame.next++;
    if (at == 0) return text_entry(frame.path + "fields.txt", fields_of(message));
    if (at == 1) {
      std::string headers;
      pff_property(message, LIBPFF_ENTRY_TYPE_MESSAGE_TRANSPORT_HEADERS, longest_text, headers);
      return text_entry(frame.path + "headers.txt", std::move(headers));
    }
    const int first_attachment = 2 + static_cast<int>(bodies.size());
    if (at < first_attachment) return body_entry(frame, bodies[static_cast<std::size_t>(at - 2)]);
    if (at - first_attachment < frame.attachments) return attachment_entry(frame, at - first_attachment);
    frames_.pop_back();
    return std::nullopt;
  }

  static std::string fields_of(libpff_item_t* message) {
    std::string all, value;
    for (const Field& field : fields) {
      if (pff_property(message, field.entry, longest_text, value) != PffTextState::there || value.empty()) continue;
      // A subject may begin with two characters that say how long its "RE: " is ([MS-OXPROPS], PidTagSubject).
      if (value.front() == '\1' && value.size() >= 2) value.erase(0, 2);
      all += std::string(field.name) + ": " + value + "\n";
    }
    const std::pair<const char*, TimeGet> times[] = {{"Sent", libpff_message_get_client_submit_time},
                                                     {"Delivered", libpff_message_get_delivery_time}};
    for (const auto& [name, get] : times) {
      if (const auto time = time_of(message, get)) all += std::string(name) + ": " + *time + "\n";
    }
    return all;
  }

  std::optional<Entry> text_entry(std::string path, std::string text) {
    if (text.empty()) return std::nullopt;
    Entry entry;
    entry.path = std::move(path);
    entry.size = text.size();
    text_ = std::move(text);
    return entry;
  }

  std::optional<Entry> body_entry(const Frame& frame, const Body& body) {
    std::size_t size = 0;
    const int has = body.size(frame.item.get(), &size, nullptr);
    if (has < 0) trouble(ErrorCode::corrupt, frame.path + body.name + " can't be read");
    if (has != 1 || size == 0) return std::nullopt;
    body_ = &body;
    Entry entry;
    entry.path = frame.path + body.name;
    return entry;
  }

  Result<void> fetch_body() {
    libpff_item_t* message = frames_.back().item.get();
    std::string text;
    const auto state =
        pff_text([&](auto* size) { return body_->size(message, size, nullptr); },
                 [&](auto* out, auto size) { return body_->get(message, out, size, nullptr); }, longest_text, text);
    if (state == PffTextState::too_long)
      return Error{ErrorCode::size_limit, "a body longer than is held in memory (64 MiB)", {}, {}};
    if (state != PffTextState::there) return Error{ErrorCode::corrupt, "the body can't be read", {}, {}};
    text_ = std::move(text);
    return {};
  }

  std::optional<Entry> attachment_entry(Frame& frame, int index) {
    PffItem attachment =
        pff_item([&](auto** item) { return libpff_message_get_attachment(frame.item.get(), index, item, nullptr); });
    int type = LIBPFF_ATTACHMENT_TYPE_UNDEFINED;
    if (attachment == nullptr || libpff_attachment_get_type(attachment.get(), &type, nullptr) < 0) {
      trouble(ErrorCode::corrupt, frame.path + "an attachment can't be read");
      return std::nullopt;
    }
    const std::string folder = frame.path + "attachments/";
    if (type == LIBPFF_ATTACHMENT_TYPE_ITEM) {
      PffItem item = pff_item([&](auto** out) { return libpff_attachment_get_item(attachment.get(), out, nullptr); });
      if (item == nullptr) {
        trouble(ErrorCode::corrupt, frame.path + "an attached message can't be read");
      } else {
        push_message(std::move(item), folder);
        if (begun_) frames_.back().holder = std::move(attachment);
      }
      return std::nullopt;
    }
    Entry entry;
    entry.path = folder + attachment_name(attachment.get(), index);
    if (type != LIBPFF_ATTACHMENT_TYPE_DATA) {
      trouble(ErrorCode::unsupported, entry.path + ": its content lies outside of the store");
      entry.has_content = false;
      return entry;
    }
    size64_t size = 0;
    if (libpff_attachment_get_data_size(attachment.get(), &size, nullptr) != 1) {
      trouble(ErrorCode::corrupt, entry.path + ": its size can't be read");
      entry.has_content = false;
      return entry;
    }
    entry.size = attachment_size_ = size;
    attachment_ = std::move(attachment);
    return entry;
  }

  static std::string attachment_name(libpff_item_t* attachment, int index) {
    std::string name;
    for (const std::uint32_t entry :
         {LIBPFF_ENTRY_TYPE_ATTACHMENT_FILENAME_LONG, LIBPFF_ENTRY_TYPE_ATTACHMENT_FILENAME_SHORT}) {
      pff_property(attachment, entry, longest_name, name);
      if (!name.empty()) return name;
    }
    return "attachment-" + std::to_string(index + 1);
  }

  CheckedStore store_;
  std::uint64_t bad_before_ = 0;   // the outermost message at hand
  std::optional<Error> unsound_;   // nothing in the store is vouched for
  std::unique_ptr<PffFile> file_;  // outlives its items
  std::vector<Frame> frames_;
  int orphans_ = 0, next_orphan_ = 0;
  bool begun_ = false;  // the message on top hasn't been told yet
  std::optional<Error> trouble_;
  // The content at hand: an attachment, a body that is fetched when it is read, or a text.
  PffItem attachment_;
  std::uint64_t attachment_size_ = 0;
  const Body* body_ = nullptr;
  std::optional<std::string> text_;
  std::uint64_t given_ = 0;
};

}  // namespace

Result<std::unique_ptr<Reader>> open_outlook_store(ByteSource& content) {
  auto reader = std::make_unique<StoreReader>(content);
  EXHIBIT_TRY(reader->open());
  return std::unique_ptr<Reader>(std::move(reader));
}

}  // namespace exhibit::expand
