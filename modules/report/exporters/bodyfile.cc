// The body file of The Sleuth Kit 3 and later, for mactime: MD5|name|inode|mode|UID|GID|size|atime|mtime|ctime|crtime.
// Names begin with the volume's id, as `fls -r -m /E1/p1` writes them for that volume.

#include "report/escape.h"
#include "report/exporter.h"
#include "report/item_text.h"
#include "report/times.h"

namespace exhibit::report {

extern const Exporter bodyfile_exporter;

namespace {

// As libtsk spells the type of an entry.
char type_of(ItemKind kind) {
  switch (kind) {
    case ItemKind::file:
      return 'r';
    case ItemKind::directory:
      return 'd';
    case ItemKind::symlink:
      return 'l';
    case ItemKind::fifo:
      return 'p';
    case ItemKind::socket:
      return 's';
    case ItemKind::virtual_file:
      return 'v';
    case ItemKind::device:  // the record doesn't say of which sort
      return '-';
  }
  return '-';
}

// rwxr-xr-x, with s, S, t and T as ls(1) shows them.
std::string permissions(std::uint32_t mode) {
  static constexpr std::string_view all = "rwxrwxrwx";
  std::string text(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if ((mode >> (all.size() - 1 - i) & 1U) == 0) text[i] = '-';
  }
  const auto special = [&](std::uint32_t bit, std::size_t at, char with, char without) {
    if ((mode & bit) != 0) text[at] = text[at] == '-' ? without : with;
  };
  special(04000, 2, 's', 'S');
  special(02000, 5, 's', 'S');
  special(01000, 8, 't', 'T');
  return text;
}

// As fls marks entries that are no longer allocated, and ours that it doesn't know.
const char* mark_of(ItemState state) {
  switch (state) {
    case ItemState::deleted:
    case ItemState::orphan:
      return " (deleted)";
    case ItemState::overwritten:
      return " (deleted-realloc)";
    case ItemState::carved:
      return " (carved)";
    case ItemState::member:
      return " (member)";
    case ItemState::allocated:
      return "";
  }
  return "";
}

// mactime cuts at every bar.
std::string without_bars(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos;) text.replace(at, 1, "\\u{7C}");
  return text;
}

class Bodyfile : public Writer {
 public:
  using Writer::Writer;

  // mactime passes over lines with a hash sign in front.
  void begin() override {
    out() += std::string(
                 "# Exhibit body file. Times are seconds since 1970, 0 where none is stored; those of FAT have no ") +
             "zone and count as UTC. Leads stand elsewhere: " + lead_notice + "\n";
  }

  void item(const Item& item) override {
    const auto digest = item.digests.find("md5");
    put(digest == item.digests.end() ? "0" : without_bars(visible(digest->second)));
    std::string name = "/" + place_of(item);
    if (item.link_target) name += " -> " + *item.link_target;
    put(without_bars(visible(name)) + mark_of(item.state));
    const std::string address = address_of(item);
    put(address.empty() ? "0" : address);
    put(std::string(1, type_of(item.kind)) + "/" + type_of(item.kind) +
        (item.mode ? permissions(*item.mode) : "---------"));
    put(std::to_string(item.uid.value_or(0)));
    put(std::to_string(item.gid.value_or(0)));
    put(std::to_string(item.size));
    put(seconds(item.times.accessed));
    put(seconds(item.times.modified));
    put(seconds(item.times.changed));
    out() += seconds(item.times.born) + '\n';
  }

 private:
  static std::string seconds(const std::optional<std::string>& time) {
    return std::to_string(time ? epoch_seconds(*time).value_or(0) : 0);
  }
  void put(const std::string& field) { out() += field + '|'; }
};

std::unique_ptr<Writer> open(const CaseFacts& /*facts*/, std::string& out) { return std::make_unique<Bodyfile>(out); }

}  // namespace

const Exporter bodyfile_exporter = {"bodyfile", "times of every item, for mactime", open};

}  // namespace exhibit::report
