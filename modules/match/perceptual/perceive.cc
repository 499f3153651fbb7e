#include "match/perceptual/perceive.h"

#include <fuzzy.h>
#include <tlsh.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "match/perceptual/picture.h"

namespace exhibit::match {
namespace {

using base::Json;

constexpr Scaling scaling = Scaling::nearest_512;
constexpr std::string_view picture = "image/";

// Drawings, which have no points.
constexpr std::array drawings = {"image/svg+xml", "image/wmf", "image/emf"};

bool is_document(std::string_view type) {
  constexpr std::array<std::string_view, 4> families = {"text/", "application/vnd.oasis.opendocument.",
                                                        "application/vnd.openxmlformats-officedocument.",
                                                        "application/vnd.ms-"};
  constexpr std::array<std::string_view, 8> others = {
      "application/pdf",  "application/rtf", "application/msword",   "application/CDFV2",
      "application/json", "application/xml", "application/epub+zip", "application/postscript"};
  return std::ranges::any_of(families, [&](std::string_view family) { return type.starts_with(family); }) ||
         std::ranges::find(others, type) != others.end();
}

bool is_picture(std::string_view type) {
  return type.starts_with(picture) && std::ranges::find(drawings, type) == drawings.end();
}

std::string hex(const PdqBits& bits) { return base::to_hex({reinterpret_cast<const char*>(bits.data()), bits.size()}); }

std::optional<Error> read_whole(ByteSource& content, std::vector<std::uint8_t>& bytes) {
  if (content.size() > most_perceived)
    return Error{ErrorCode::size_limit, "it is larger than what is decoded, 128 MiB", {}, {}};
  bytes.resize(static_cast<std::size_t>(content.size()));
  for (std::size_t done = 0; done < bytes.size();) {
    const auto got = content.read_at(done, std::as_writable_bytes(std::span(bytes).subspan(done)));
    if (!got.ok()) return got.error();
    if (*got == 0) return Error{ErrorCode::io_error, "the content ends before its size", {}, {}};
    done += *got;
  }
  return std::nullopt;
}

void perceive_picture(const std::string& type, std::span<const std::uint8_t> file, Perceived& perceived) {
  const PictureDecoder* decoder = decoder_of(type);
  if (decoder == nullptr) {
    perceived.trouble = Error{ErrorCode::unsupported, "pictures of type " + type + " aren't decoded", {}, {}};
    return;
  }
  auto hashed = hash_picture(*decoder, file, scaling);
  if (!hashed.ok()) {
    perceived.trouble = hashed.take_error();
    return;
  }
  if (!hashed->is_whole)
    perceived.trouble =
        Error{ErrorCode::corrupt, "the picture couldn't be decoded to its end; its PDQ is of the rest", {}, {}};
  Json turned = Json::array();
  for (std::size_t i = 1; i < pdq_variants; ++i) turned.push_back(hex(hashed->pdq.variants[i]));
  perceived.digests["pdq"] = hex(hashed->pdq.variants[0]);
  perceived.facts = {{"decoder", decoder->name + std::string(" ") + decoder->version()},
                     {"height", hashed->height},
                     {"implementation", pdq_implementation},
                     {"quality", static_cast<std::uint64_t>(hashed->pdq.quality)},
                     {"scaling", name_of(scaling)},
                     {"turned", turned},
                     {"whole", hashed->is_whole},
                     {"width", hashed->width}};
}

// Content of less than some hundred bytes, or of a few values alone, has no TLSH: nothing is told of it then.
void perceive_document(std::span<const std::uint8_t> file, Perceived& perceived) {
  std::array<char, FUZZY_MAX_RESULT> text{};
  if (fuzzy_hash_buf(file.data(), static_cast<std::uint32_t>(file.size()), text.data()) == 0)
    perceived.digests["ssdeep"] = text.data();
  Tlsh tlsh;
  tlsh.update(file.data(), static_cast<unsigned>(file.size()));
  tlsh.final();
  std::string digest = tlsh.getHash();
  std::ranges::transform(digest, digest.begin(),
                         [](char c) { return c >= 'A' && c <= 'F' ? char(c + ('a' - 'A')) : c; });
  if (!digest.empty()) perceived.digests["tlsh"] = digest;
}

}  // namespace

void prepare(Wanted wanted) {
  if (!wanted.pictures) return;
  for (const PictureDecoder* decoder : picture_decoders()) {
    if (decoder->prepare != nullptr) decoder->prepare();
  }
}

bool is_perceived(const std::string& type, Wanted wanted) {
  return (wanted.pictures && is_picture(type)) || (wanted.documents && is_document(type));
}

Perceived perceive(const std::string& type, ByteSource& content, Wanted wanted) {
  Perceived perceived;
  std::vector<std::uint8_t> bytes;
  perceived.trouble = read_whole(content, bytes);
  if (perceived.trouble) return perceived;
  if (wanted.pictures && is_picture(type)) {
    perceive_picture(type, bytes, perceived);
  } else {
    perceive_document(bytes, perceived);
  }
  return perceived;
}

}  // namespace exhibit::match
