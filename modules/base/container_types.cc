#include "base/container_types.h"

#include <algorithm>

namespace exhibit::base {
namespace {

// As libmagic 5.44 names them; a type ending in `*` stands for all that begin so.
struct Row {
  std::string_view type;
  Container container;
};

constexpr Row rows[] = {
    {"application/zip", Container::zip},
    {"application/java-archive", Container::zip},
    {"application/epub+zip", Container::zip},
    {"application/vnd.android.package-archive", Container::zip},
    {"application/vnd.google-earth.kmz", Container::zip},
    {"application/vnd.openxmlformats-officedocument.*", Container::zip},
    {"application/vnd.oasis.opendocument.*", Container::zip},
    {"application/vnd.sun.xml.*", Container::zip},
    {"application/x-7z-compressed", Container::sevenzip},
    {"application/x-rar", Container::rar},
    {"application/vnd.rar", Container::rar},
    {"application/x-tar", Container::tar},
    {"application/x-gtar", Container::tar},
    {"application/x-ustar", Container::tar},
    {"application/x-cpio", Container::cpio},
    {"application/x-archive", Container::ar},
    {"application/vnd.debian.binary-package", Container::ar},
    {"application/vnd.ms-cab-compressed", Container::cab},
    {"application/x-lzh-compressed", Container::lha},
    {"application/x-lha", Container::lha},
    {"application/x-xar", Container::xar},
    {"application/x-iso9660-image", Container::iso9660},
    {"application/gzip", Container::gzip},
    {"application/x-gzip", Container::gzip},
    {"application/x-bzip2", Container::bzip2},
    {"application/x-xz", Container::xz},
    {"application/x-lzma", Container::lzma},
    {"application/x-lzip", Container::lzip},
    {"application/zstd", Container::zstd},
    {"application/x-zstd", Container::zstd},
    {"application/x-lz4", Container::lz4},
    {"application/x-compress", Container::compress},
    {"message/rfc822", Container::mail},
    {"message/news", Container::mail},
    {"application/mbox", Container::mail},
    {"application/vnd.ms-outlook", Container::outlook},
    {"application/pdf", Container::pdf},
};

// What libmagic misses, or calls a text: by the ends of paths. Mail programs have mailboxes without an extension.
struct NameRow {
  std::string_view type, ending;
  Container container;
};
constexpr std::string_view unknown = "application/octet-stream", any_text = "text/*";
constexpr NameRow names_of_files[] = {{unknown, ".cab", Container::cab},      {unknown, ".tar", Container::tar},
                                      {unknown, ".lzh", Container::lha},      {unknown, ".lha", Container::lha},
                                      {unknown, ".iso", Container::iso9660},  {unknown, ".pdf", Container::pdf},
                                      {any_text, ".eml", Container::mail},    {any_text, ".mbox", Container::mail},
                                      {any_text, ".mbx", Container::mail},    {any_text, "/mbox", Container::mail},
                                      {any_text, "/inbox", Container::mail},  {any_text, "/sent", Container::mail},
                                      {any_text, "/drafts", Container::mail}, {any_text, "/trash", Container::mail},
                                      {any_text, "/junk", Container::mail},   {any_text, "/archives", Container::mail}};

bool ends_with(std::string_view path, std::string_view ending) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return path.size() >= ending.size() &&
         std::equal(ending.rbegin(), ending.rend(), path.rbegin(), [&](char a, char b) { return a == lower(b); });
}

bool names(std::string_view pattern, std::string_view type) {
  if (pattern.ends_with('*')) return type.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == type;
}

}  // namespace

std::optional<ContainerGuess> container_of(std::string_view type, std::string_view path) {
  for (const Row& row : rows) {
    if (names(row.type, type)) return ContainerGuess{row.container, true};
  }
  for (const NameRow& row : names_of_files) {
    if (names(row.type, type) && ends_with(path, row.ending)) return ContainerGuess{row.container, false};
  }
  return std::nullopt;
}

}  // namespace exhibit::base
