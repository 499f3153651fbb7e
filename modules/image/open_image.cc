#include <algorithm>

#include "image/format.h"

namespace exhibit::image {
namespace {

struct Claims {
  std::vector<const Format*> mine;
  const Format* damaged = nullptr;
};

Claims ask_all(const std::vector<SegmentFile>& segments) {
  Claims claims;
  for (const Format* format : all_formats()) {
    switch (format->recognise(segments)) {
      case Recognition::mine:
        claims.mine.push_back(format);
        break;
      case Recognition::damaged:
        if (claims.damaged == nullptr) claims.damaged = format;
        break;
      case Recognition::not_mine:
        break;
    }
  }
  return claims;
}

const Format* find(const std::string& name) {
  const auto formats = all_formats();
  const auto found = std::find_if(formats.begin(), formats.end(), [&](const Format* f) { return f->name == name; });
  return found == formats.end() ? nullptr : *found;
}

Error unknown_format(const std::string& name) {
  std::string known;
  for (const Format* format : all_formats()) known += (known.empty() ? "" : ", ") + std::string(format->name);
  return Error{ErrorCode::invalid_argument, "--as " + name + ": no such format; known are " + known, {}, {}};
}

Error ambiguous(const std::vector<SegmentFile>& segments, const std::vector<const Format*>& claims) {
  std::string names;
  for (const Format* format : claims) names += (names.empty() ? "" : " and ") + std::string(format->name);
  return Error{ErrorCode::ambiguous,
               segments.front().name + ": could be " + names + "; say which with --as",
               segments.front().name,
               {}};
}

}  // namespace

Result<std::unique_ptr<Image>> open_image(std::vector<SegmentFile> segments, const std::optional<std::string>& as) {
  if (segments.empty()) return Error{ErrorCode::invalid_argument, "no image file was given", {}, {}};
  const Format* chosen = nullptr;
  if (as) {
    chosen = find(*as);
    if (chosen == nullptr) return unknown_format(*as);
  }
  const Claims claims = ask_all(segments);
  // What is broken is never read as something else, whatever was asked for: its bytes would be taken for the medium's.
  if (claims.damaged != nullptr) {
    const std::string name = segments.front().name;
    auto opened = claims.damaged->open(std::move(segments));
    if (!opened.ok()) return opened.take_error();
    return Error{ErrorCode::corrupt, name + ": is a damaged " + claims.damaged->name + " image", name, {}};
  }
  if (chosen == nullptr && claims.mine.size() > 1) return ambiguous(segments, claims.mine);
  if (chosen == nullptr) chosen = claims.mine.empty() ? find("raw") : claims.mine.front();
  EXHIBIT_CHECK(chosen != nullptr);
  return chosen->open(std::move(segments));
}

}  // namespace exhibit::image
