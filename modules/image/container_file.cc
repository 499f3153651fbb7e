#include "image/container_file.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "image/segment_file.h"

namespace exhibit::image {

std::size_t pieces_of_first(std::span<const SegmentFile> segments) {
  const auto first = piece_number(segments.front().name);
  std::size_t count = 1;
  while (first && count < segments.size() && piece_number(segments[count].name) == *first + count) ++count;
  return count;
}

ContainerFile::ContainerFile(std::span<const SegmentFile> pieces) : pieces_(pieces) {
  for (const SegmentFile& piece : pieces) size_ = base::checked_add(size_, piece.size).value_or(UINT64_MAX);
}

ContainerFile ContainerFile::first_of(const std::vector<SegmentFile>& segments) {
  return ContainerFile(std::span(segments).first(pieces_of_first(segments)));
}

Result<std::size_t> ContainerFile::read(std::uint64_t offset, std::span<std::byte> buffer) const {
  std::size_t done = 0;
  const std::uint64_t from = offset;
  for (const SegmentFile& piece : pieces_) {
    if (offset >= piece.size) {
      offset -= piece.size;
      continue;
    }
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size() - done, piece.size - offset));
    const std::size_t got = EXHIBIT_TRY(read_some(piece, offset, buffer.subspan(done, part)));
    done += got;
    if (got < part || done == buffer.size()) break;
    offset = 0;
  }
  if (patches_) apply_patches(from, buffer.first(done));
  return done;
}

void ContainerFile::apply_patches(std::uint64_t offset, std::span<std::byte> buffer) const {
  const std::uint64_t end = offset + buffer.size();
  for (auto patch = patches_->lower_bound(offset - offset % patch_size); patch != patches_->end() && patch->first < end;
       ++patch) {
    const std::uint64_t from = std::max(offset, patch->first), to = std::min(end, patch->first + patch_size);
    if (from >= to) continue;
    std::memcpy(buffer.data() + (from - offset), patch->second.data() + (from - patch->first),
                static_cast<std::size_t>(to - from));
  }
}

Result<std::string> ContainerFile::exactly(std::uint64_t offset, std::size_t length) const {
  if (!base::within(offset, length, size_)) {
    return corrupt(offset, "ends at " + std::to_string(size_) + ", but " + std::to_string(length) +
                               " bytes are needed at offset " + std::to_string(offset) + "; the file is truncated");
  }
  std::string bytes(length, '\0');
  const std::size_t got = EXHIBIT_TRY(read(offset, std::as_writable_bytes(std::span(bytes))));
  if (got != length) return corrupt(offset + got, "became shorter while it was read");
  return bytes;
}

std::string ContainerFile::some(std::uint64_t offset, std::size_t length) const {
  if (offset >= size_) return {};
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(length, size_ - offset)), '\0');
  const auto got = read(offset, std::as_writable_bytes(std::span(bytes)));
  bytes.resize(got.ok() ? *got : 0);
  return bytes;
}

std::string ContainerFile::last(std::size_t length) const {
  return some(size_ - std::min<std::uint64_t>(length, size_), length);
}

Error ContainerFile::corrupt(std::uint64_t offset, const std::string& what) const {
  return Error{ErrorCode::corrupt, name() + ": " + what, name(), offset};
}

Error ContainerFile::unsupported(const std::string& what) const {
  return Error{ErrorCode::unsupported, name() + ": " + what, name(), {}};
}

const std::string& TableReader::page(std::uint64_t number) {
  const auto found = std::find_if(pages_.begin(), pages_.end(), [&](const Page& p) { return p.number == number; });
  Page& page = found != pages_.end()
                   ? *found
                   : *std::min_element(pages_.begin(), pages_.end(),
                                       [](const Page& a, const Page& b) { return a.last_use < b.last_use; });
  page.last_use = ++uses_;
  if (page.number != number) {
    page.bytes = file_.some(number * page_size, page_size);
    page.number = number;
  }
  return page.bytes;
}

std::optional<std::string_view> TableReader::at(std::uint64_t offset, std::size_t width) {
  if (!base::within(offset, width, file_.size())) return std::nullopt;
  const auto within = static_cast<std::size_t>(offset % page_size);
  if (within + width <= page_size) {
    const std::string& bytes = page(offset / page_size);
    if (bytes.size() < within + width) return std::nullopt;
    return std::string_view(bytes).substr(within, width);
  }
  across_ = file_.some(offset, width);
  return across_.size() == width ? std::optional<std::string_view>(across_) : std::nullopt;
}

std::optional<std::uint64_t> TableReader::little(std::uint64_t offset, std::size_t width) {
  const auto bytes = at(offset, width);
  return bytes ? std::optional(image::little(*bytes, 0, width)) : std::nullopt;
}

std::optional<std::uint64_t> TableReader::big(std::uint64_t offset, std::size_t width) {
  const auto bytes = at(offset, width);
  return bytes ? std::optional(image::big(*bytes, 0, width)) : std::nullopt;
}

std::uint64_t little(std::string_view bytes, std::size_t offset, std::size_t width) {
  if (!base::within(offset, width, bytes.size())) return 0;
  std::uint64_t value = 0;
  for (std::size_t i = width; i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[offset + i - 1]);
  return value;
}

std::uint64_t big(std::string_view bytes, std::size_t offset, std::size_t width) {
  if (!base::within(offset, width, bytes.size())) return 0;
  std::uint64_t value = 0;
  for (const char c : bytes.substr(offset, width)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

bool has_extension(const std::string& name, std::string_view extension) {
  if (name.size() < extension.size()) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::equal(extension.rbegin(), extension.rend(), name.rbegin(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace exhibit::image
