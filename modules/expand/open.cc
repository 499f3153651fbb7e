// Which reader goes with which container.

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "expand/archive.h"
#include "expand/mail.h"
#include "expand/outlook.h"
#include "expand/outlook_message.h"
#include "expand/pdf.h"
#include "expand/rar.h"
#include "expand/reader.h"
#include "expand/stream.h"

namespace exhibit::expand {
namespace {

using base::Container;

// Endings that a packer adds, and what stands in their place.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> packed_endings = {{{".gz", ""},
                                                                                           {".bz2", ""},
                                                                                           {".xz", ""},
                                                                                           {".lzma", ""},
                                                                                           {".lz", ""},
                                                                                           {".zst", ""},
                                                                                           {".lz4", ""},
                                                                                           {".Z", ""},
                                                                                           {".tgz", ".tar"},
                                                                                           {".tbz2", ".tar"},
                                                                                           {".tbz", ".tar"},
                                                                                           {".txz", ".tar"},
                                                                                           {".tzst", ".tar"},
                                                                                           {".svgz", ".svg"}}};

std::string unpacked_name(std::string_view packed) {
  const std::string_view name = packed.substr(packed.rfind('/') + 1);
  for (const auto& [ending, instead] : packed_endings) {
    if (name.size() > ending.size() && name.ends_with(ending))
      return std::string(name.substr(0, name.size() - ending.size())).append(instead);
  }
  return std::string(name) + ".unpacked";
}

// A packed stream as a container of one member.
class StreamReader final : public Reader {
 public:
  StreamReader(std::unique_ptr<Stream> stream, std::string name) : stream_(std::move(stream)), name_(std::move(name)) {}

  Result<std::optional<Entry>> next() override {
    if (std::exchange(is_told_, true)) return std::optional<Entry>();
    Entry entry;
    entry.path = name_;
    entry.size = stream_->size();
    return std::optional<Entry>(std::move(entry));
  }
  Result<std::size_t> read(std::span<std::byte> buffer) override { return stream_->read(buffer); }
  std::optional<Error> take_trouble() override {
    if (!stream_->trouble() || is_trouble_told_) return std::nullopt;
    is_trouble_told_ = true;
    return stream_->trouble();
  }

 private:
  std::unique_ptr<Stream> stream_;
  std::string name_;
  bool is_told_ = false, is_trouble_told_ = false;
};

// libmagic has one type for Outlook's stores and its messages.
Result<std::unique_ptr<Reader>> open_outlook(ByteSource& content) {
  std::array<std::byte, 4> magic{};
  const std::size_t got = EXHIBIT_TRY(content.read_at(0, magic));
  const bool is_store = got == magic.size() && std::memcmp(magic.data(), "!BDN", magic.size()) == 0;
  return is_store ? open_outlook_store(content) : open_outlook_message(content);
}

}  // namespace

Result<std::unique_ptr<Reader>> open(Container kind, ByteSource& content, std::string_view name) {
  switch (kind) {
    case Container::gzip:
    case Container::bzip2:
    case Container::xz:
    case Container::lzma:
    case Container::lzip:
    case Container::zstd:
    case Container::lz4:
    case Container::compress: {
      auto stream = EXHIBIT_TRY(open_stream(kind, content));
      std::string given = stream->name();
      given.erase(0, given.rfind('/') + 1);
      std::string member = given.empty() ? unpacked_name(name) : std::move(given);
      return std::unique_ptr<Reader>(std::make_unique<StreamReader>(std::move(stream), std::move(member)));
    }
    case Container::mail:
      return open_mail(content);
    case Container::outlook:
      return open_outlook(content);
    case Container::pdf:
      return open_pdf(content);
    case Container::rar:
      return open_rar(content);
    default:
      return open_archive(kind, content);
  }
}

}  // namespace exhibit::expand
