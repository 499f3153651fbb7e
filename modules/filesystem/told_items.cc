#include "filesystem/told_items.h"

#include <algorithm>
#include <cstring>

namespace exhibit::filesystem {

namespace {

// Whatever two items of one id can differ in.
std::string all_of(const Item& item) {
  std::string all;
  const auto put = [&](std::string_view text) {
    const std::uint64_t length = text.size();
    all.append(reinterpret_cast<const char*>(&length), sizeof length).append(text);
  };
  const auto put_text = [&](const std::optional<std::string>& text) {
    all += text ? '+' : '-';
    if (text) put(*text);
  };
  const auto put_number = [&](std::optional<std::uint64_t> number) {
    all += number ? '+' : '-';
    if (number) all.append(reinterpret_cast<const char*>(&*number), sizeof *number);
  };
  for (const auto* text : {&item.path_raw, &item.stream, &item.link_target, &item.transform, &item.times.modified,
                           &item.times.accessed, &item.times.changed, &item.times.born})
    put_text(*text);
  put(item.path);
  put(item.content);
  for (const std::optional<std::uint64_t> number :
       {std::optional(static_cast<std::uint64_t>(item.kind)), std::optional(static_cast<std::uint64_t>(item.state)),
        std::optional(item.size), std::optional<std::uint64_t>(item.mode), item.uid, item.gid})
    put_number(number);
  put_number(item.extents ? std::optional<std::uint64_t>(item.extents->size()) : std::nullopt);
  if (item.extents) {
    for (const Extent& extent : *item.extents) {
      put_number(static_cast<std::uint64_t>(extent.offset));
      put_number(extent.length);
    }
  }
  for (const Doubt& doubt : item.doubt) {
    put_number(doubt.offset);
    put_number(doubt.length);
    put_number(static_cast<std::uint64_t>(doubt.cause));
  }
  return all;
}

}  // namespace

ToldItems::ToldItems() {
  auto digest = hash::create("sha256");
  EXHIBIT_CHECK(digest.ok());
  digest_ = digest.take();
}

bool ToldItems::add(Item& item) {
  const std::string id = item.id;
  for (int copy = 2;; ++copy) {
    const auto [known, is_new] = told_.try_emplace(fingerprint(item.id));
    item.id = id;  // two entries are the same where they differ in nothing but the suffix
    const Fingerprint content = fingerprint(all_of(item));
    if (is_new) {
      known->second = content;
      if (copy > 2) item.id = id + "#" + std::to_string(copy - 1);
      return true;
    }
    if (known->second == content) return false;
    item.id = id + "#" + std::to_string(copy);
  }
}

ToldItems::Fingerprint ToldItems::fingerprint(std::string_view text) {
  digest_->update(std::as_bytes(std::span(text)));
  const std::string digest = digest_->finish();
  Fingerprint out;
  std::memcpy(out.data(), digest.data(), sizeof out);
  return out;
}

}  // namespace exhibit::filesystem
