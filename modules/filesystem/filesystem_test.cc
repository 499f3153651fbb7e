// Longer than 500 lines because it is a table of images and what independent tools found in them.
#include "filesystem/filesystem.h"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <fstream>
#include <random>
#include <sstream>

#include "base/record.h"
#include "filesystem/account.h"
#include "support/test_support.h"

namespace exhibit::filesystem {
namespace {

using test::TemporaryDirectory;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Bytes = std::shared_ptr<const std::string>;

// A part of an image in memory; bytes in `damage` come as zeros and are told as doubts.
class Memory final : public ByteSource {
 public:
  Memory(Bytes image, std::uint64_t offset, std::uint64_t size)
      : image_(std::move(image)), bytes_(std::string_view(*image_).substr(offset, size)) {}
  std::string_view bytes() const { return bytes_; }
  std::optional<Doubt> damage;

  std::uint64_t size() const override { return bytes_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const std::size_t length = std::min<std::size_t>(buffer.size(), bytes_.size() - offset);
    std::memcpy(buffer.data(), bytes_.data() + offset, length);
    for (const Doubt& doubt : doubts_in(offset, length)) {
      std::memset(buffer.data() + (doubt.offset - offset), 0, doubt.length);
      ++damaged_;
    }
    return length;
  }
  std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const override {
    return damaged_ == 0 ? std::vector<Doubt>() : doubts_in(offset, length);
  }
  std::uint64_t damaged_reads() const override { return damaged_; }

 private:
  std::vector<Doubt> doubts_in(std::uint64_t offset, std::uint64_t length) const {
    if (!damage) return {};
    const std::uint64_t from = std::max(offset, damage->offset);
    const std::uint64_t to = std::min(offset + length, damage->offset + damage->length);
    if (from >= to) return {};
    return {{from, to - from, damage->cause}};
  }
  Bytes image_;
  std::string_view bytes_;
  std::uint64_t damaged_ = 0;
};

class Collector final : public base::Reporter {
 public:
  void touch(std::string_view object, std::uint64_t) override { touched.emplace_back(object); }
  void problem(const Problem& told) override { problems.push_back(told); }
  std::vector<std::string> touched;
  std::vector<Problem> problems;
};

std::string sha256(ByteSource& source) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit(context.get(), EVP_sha256());
  std::vector<std::byte> buffer(100'003);  // no multiple of anything
  for (std::uint64_t at = 0; at < source.size();) {
    const auto got = source.read_at(at, buffer);
    if (!got.ok() || *got == 0) return "unreadable";
    EVP_DigestUpdate(context.get(), buffer.data(), *got);
    at += *got;
  }
  std::string digest(32, '\0');
  EVP_DigestFinal(context.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return base::to_hex(digest);
}

// What a checker without The Sleuth Kit reads: the extents' bytes one after the other.
std::string plain_read(std::string_view volume, const std::vector<Extent>& extents) {
  std::string content;
  for (const Extent& extent : extents) {
    if (extent.offset == sparse_run) {
      content.append(extent.length, '\0');
    } else {
      content += volume.substr(static_cast<std::size_t>(extent.offset), extent.length);
    }
  }
  return content;
}

std::string whole(ByteSource& source) {
  std::string bytes(source.size(), '\0');
  const auto got = source.read_at(0, {reinterpret_cast<std::byte*>(bytes.data()), bytes.size()});
  bytes.resize(got.ok() ? *got : 0);
  return bytes;
}

std::string stream_path(const Item& item) { return item.path + (item.stream ? ":" + *item.stream : ""); }

// An open volume of an image and all that its walk tells.
struct Volume {
  explicit Volume(const std::string& bytes) : Volume(std::make_shared<const std::string>(bytes)) {}
  explicit Volume(Bytes image, std::uint64_t offset = 0, std::uint64_t size = UINT64_MAX)
      : source(std::move(image), offset, size) {
    auto opened = open_filesystem(source, 512, "E1/p0");
    if (!opened.ok()) {
      error = opened.error();
      return;
    }
    fs = opened.take();
    if (fs == nullptr) return;
    EXPECT_TRUE(fs->walk({}, reporter, [this](Item item) { items.push_back(std::move(item)); }).ok());
  }
  std::unique_ptr<ByteSource> content(const Item& item) {
    auto opened = fs->open_content(std::string_view(item.content).substr(std::strlen("E1/p0/")));
    return opened.ok() ? opened.take() : nullptr;
  }
  const Item* find(const std::string& path) const {
    for (const Item& item : items)
      if (stream_path(item) == path) return &item;
    return nullptr;
  }
  Memory source;
  Collector reporter;
  std::unique_ptr<FileSystem> fs;
  std::optional<Error> error;
  std::vector<Item> items;
};

Bytes image_bytes(const std::string& relative) {
  const TemporaryDirectory directory;
  return std::make_shared<const std::string>(test::read_file(test::unpack(relative, directory)));
}

bool has_content(const Item& item) {
  return item.kind == ItemKind::file || item.kind == ItemKind::symlink || item.kind == ItemKind::virtual_file;
}

// Raw images in scope; ntfs-ptrn, of 1 GiB, is left to `make corpora`.
struct Truth {
  const char* name;
  friend std::ostream& operator<<(std::ostream& out, const Truth& truth) { return out << truth.name; }
};
constexpr Truth truths[] = {
    {"con-apm-p"},          {"con-ext2-p"},         {"con-ext3-p"},          {"con-ext4-p"},
    {"con-gptfat-p"},       {"con-iso-p"},          {"con-ntfs-p"},          {"con-ufs-p"},
    {"deb-fs-multiple"},    {"dftt01-extend-part"}, {"dftt05-fat-daylight"}, {"dftt06-undel-fat"},
    {"dftt08-jpeg-search"}, {"dftt10b-part1"},      {"dftt14-iso-dirtree1"}, {"exfat-dissect"},
    {"exfat-lin"},          {"exfat-win7"},         {"ext4-dissect"},        {"ext4-symlink"},
    {"fat12-dissect"},      {"fat12-rust"},         {"fat12-veryverysmall"}, {"fat16-513"},
    {"fat32-deldir"},       {"fat32-loop"},         {"ffs-dissect"},         {"ffs-symlink1-dissect"},
    {"hfsplus-dfvfs"},      {"iso-dfvfs"},          {"iso-sk-image"},        {"mbr-dfvfs"},
    {"ntfs-index"},         {"raw-sk-image"},       {"xfs-dissect"},         {"xfs-symlink1-dissect"},
    {"con-xfs-p"},          {"xfs-v4-cryptsetup"},
};

// docs/known-differences.md says why.
bool is_known_difference(const base::Json& file) {
  const std::string path = file.at("path");
  // What only 7-Zip tells: an extended attribute, and its own spelling of HFS+'s private folders.
  return path.ends_with(":myxattr") || path.find("HFS+ Private") != std::string::npos;
}

class AgainstTruth : public ::testing::TestWithParam<Truth> {
 protected:
  void SetUp() override {
    std::ifstream lines(test::corpus(std::string("truth/") + GetParam().name + ".jsonl"));
    for (std::string line; std::getline(lines, line);) {
      base::Json record = base::Json::parse(line);
      const std::string kind = record.value("rec", "");
      if (kind == "media") media_ = record;
      if (kind == "file") files_.push_back(record);
      if (kind == "fs" && record.at("type").is_string() && is_in_scope(record.at("type")))
        file_systems_.push_back(record);
      if (kind == "volume") sizes_[record.at("start")] = record.at("length");
    }
    ASSERT_FALSE(file_systems_.empty());
    image_ = image_bytes(media_.at("files").at(0));
  }
  static bool is_in_scope(const std::string& type) { return type != "btrfs" && type != "apfs"; }

  std::uint64_t size_at(std::uint64_t offset) const {
    const auto size = sizes_.find(offset);
    return size == sizes_.end() ? UINT64_MAX : size->second;
  }
  void files_equal(Volume& volume, std::uint64_t offset);
  base::Json media_;
  std::vector<base::Json> files_, file_systems_;
  std::map<std::uint64_t, std::uint64_t> sizes_;
  Bytes image_;
};

// The item for a truth file: same path, and same metadata address where the truth has one.
const Item* match(const Volume& volume, const base::Json& file) {
  const std::string path = "/" + file.at("path").get<std::string>();
  for (const Item& item : volume.items) {
    if (stream_path(item) != path) continue;
    if (!file.contains("inode")) return &item;
    const std::string inode = file.at("inode");
    const std::string number = "E1/p0/i" + inode.substr(0, inode.find('-'));
    if (item.content == number || item.content.starts_with(number + "-")) return &item;
  }
  return nullptr;
}

// Of a deleted file that the journal gives back, libtsk and so the truth has nothing (tests/cli/journal_test.py has).
bool is_given_back(const Volume& volume, const base::Json& file) {
  if (file.at("alloc").get<bool>() || !file.contains("inode")) return false;
  const std::string content = "E1/p0/i" + file.at("inode").get<std::string>();
  return std::any_of(volume.items.begin(), volume.items.end(),
                     [&](const Item& item) { return item.via && item.content == content; });
}

void AgainstTruth::files_equal(Volume& volume, std::uint64_t offset) {
  for (const base::Json& file : files_) {
    if (file.at("fs_offset") != offset || is_known_difference(file) || is_given_back(volume, file)) continue;
    const Item* item = match(volume, file);
    ASSERT_NE(item, nullptr) << file;
    EXPECT_EQ(item->state == ItemState::allocated, file.at("alloc").get<bool>()) << file;
    if (item->state == ItemState::overwritten) continue;  // no digest is claimed
    if (file.value("orphan", false)) {
      EXPECT_EQ(item->state, ItemState::orphan) << file;
    }
    if (file.contains("symlink")) {
      EXPECT_EQ(item->link_target, file.at("symlink").get<std::string>()) << file;
    }
    if (!file.contains("sha256") || file.at("meta_type") != "r") continue;
    EXPECT_EQ(item->size, file.at("size").get<std::uint64_t>()) << file;
    const auto content = volume.content(*item);
    ASSERT_NE(content, nullptr) << file;
    EXPECT_EQ(sha256(*content), file.at("sha256").get<std::string>()) << file;
  }
}

void plain_reads_give_the_content(Volume& volume) {
  std::set<std::string> ids;
  for (const Item& item : volume.items) {
    EXPECT_TRUE(ids.insert(item.id).second) << "told twice: " << item.id;
    EXPECT_TRUE(base::check_record(*base::parse_json(base::to_line(item))).ok()) << item.id;
    if (!item.extents || !has_content(item) || item.state == ItemState::overwritten) continue;
    const auto content = volume.content(item);
    ASSERT_NE(content, nullptr) << item.id;
    ASSERT_EQ(content->size(), item.size) << item.id;
    EXPECT_TRUE(plain_read(volume.source.bytes(), *item.extents) == whole(*content)) << item.id;
  }
}

void is_described_as_by_blkid(const Description& description, const base::Json& blkid) {
  if (blkid.contains("UUID")) {
    EXPECT_EQ(description.id, blkid.at("UUID").get<std::string>());
  }
  // blkid cuts exFAT's labels at 11 characters, prefers Joliet's short ones, and escapes spaces.
  if (!blkid.contains("LABEL") || description.type == "exfat" || description.type == "iso9660") return;
  std::string label = blkid.at("LABEL");
  for (std::size_t at; (at = label.find("\\ ")) != std::string::npos;) label.erase(at, 1);
  EXPECT_EQ(description.label, label);
}

void coverage_adds_up(Volume& volume) {
  Account account(volume.source.size(), ByteClass::unallocated);
  const auto blocks = volume.fs->block_classes(volume.reporter);
  ASSERT_TRUE(blocks.ok());
  std::uint64_t end = 0;
  for (const ClassRun& run : *blocks) {
    EXPECT_GE(run.offset, end);
    end = run.offset + run.length;
  }
  EXPECT_LE(end, volume.source.size());
  account.claim_blocks(*blocks);
  for (const Item& item : volume.items) account.claim_item(item, volume.fs->description().block_size);
  std::uint64_t sum = 0;
  for (const auto& [byte_class, bytes] : account.totals({{0, volume.source.size()}}).bytes) sum += bytes;
  EXPECT_EQ(sum, volume.source.size());
}

TEST_P(AgainstTruth, FilesExtentsDescriptionAndCoverage) {
  for (const base::Json& file_system : file_systems_) {
    const std::uint64_t offset = file_system.at("offset");
    Volume volume(image_, offset, size_at(offset));
    ASSERT_NE(volume.fs, nullptr) << (volume.error ? volume.error->message : "nothing found");
    files_equal(volume, offset);
    plain_reads_give_the_content(volume);
    is_described_as_by_blkid(volume.fs->description(), file_system.at("blkid"));
    coverage_adds_up(volume);
  }
}

INSTANTIATE_TEST_SUITE_P(Corpus, AgainstTruth, ::testing::ValuesIn(truths), [](const auto& parameter) {
  std::string name = parameter.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// fls's lines as "address path", without what it adds by itself.
std::set<std::string> fls(const std::filesystem::path& image) {
  std::set<std::string> names;
  std::istringstream lines(test::run({"fls", "-r", "-p", image.string()}).out);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(":\t");
    std::string address = line.substr(0, colon);
    if (const auto realloc = address.find("(realloc)"); realloc != std::string::npos) address.resize(realloc);
    names.insert("i" + address.substr(address.rfind(' ') + 1) + " /" + line.substr(colon + 2));
  }
  return names;
}

TEST(FileSystem, TellsJustTheNamesThatFlsTells) {
  for (const char* image : {"images/con-p-ntfs.raw.xz", "images/con-p-ext4.raw.xz", "images/fat_deleted_dir.raw.xz",
                            "images/8-jpeg-search.dd.xz", "images/con-p-iso.raw.xz"}) {
    const TemporaryDirectory directory;
    const auto path = test::unpack(image, directory);
    Volume volume(test::read_file(path));
    std::set<std::string> names;
    for (const Item& item : volume.items) {
      const std::string address = item.content.substr(std::strlen("E1/p0/"));
      // fls doesn't know the names that the journal gives back.
      names.insert(address + " " + (item.via ? "/$OrphanFiles/OrphanFile-" + address.substr(1) : stream_path(item)));
    }
    EXPECT_EQ(names, fls(path)) << image;
  }
}

TEST(FileSystem, ReadsNothingIntoBytesWithoutAFileSystem) {
  for (const char fill : {'\0', 'x', '\xff'}) {
    Volume volume(std::string(1 << 20, fill));
    EXPECT_EQ(volume.fs, nullptr);
    EXPECT_FALSE(volume.error);
  }
}

TEST(FileSystem, NamesWhatItCannotRead) {
  const auto with = [](std::size_t at, const std::string& bytes) {
    std::string volume(1 << 20, '\0');
    return volume.replace(at, bytes.size(), bytes);
  };
  const auto error_is = [](ErrorCode code, const std::string& name) {
    return ::testing::Optional(AllOf(Field(&Error::code, code), Field(&Error::message, HasSubstr(name))));
  };
  EXPECT_THAT(Volume(with(0, "XFSB")).error, error_is(ErrorCode::corrupt, "XFS"));
  EXPECT_THAT(Volume(with(0, "\xfe\xed\xba\xbe")).error, error_is(ErrorCode::unsupported, "external log of XFS"));
  EXPECT_THAT(Volume(with(3, "NTFS    ")).error, error_is(ErrorCode::corrupt, "NTFS"));
  EXPECT_THAT(Volume(with(32769, "CD001")).error, error_is(ErrorCode::corrupt, "ISO 9660"));
}

TEST(FileSystem, TellsThatAnExtSuperBlockIsDestroyed) {
  const TemporaryDirectory directory;
  Volume volume(test::read_file(test::unpack("corrupt/ext/ext-f_zero_super-image.gz", directory)));
  ASSERT_TRUE(volume.error);
  EXPECT_EQ(volume.error->code, ErrorCode::corrupt);
  EXPECT_THAT(volume.error->message, HasSubstr("8389632"));
}

TEST(FileSystem, DoesNotChooseBetweenTwoFileSystemsInSilence) {
  Volume volume(image_bytes("images/10-ntfs-part1.dd.xz"));
  ASSERT_NE(volume.fs, nullptr);
  EXPECT_EQ(volume.fs->description().type, "ntfs");
  EXPECT_THAT(volume.reporter.problems, Contains(Field(&Problem::detail, AllOf(HasSubstr("NTFS"), HasSubstr("ext")))));
}

TEST(FileSystem, NtfsStreamsAreItemsOfTheirOwn) {
  Volume volume(image_bytes("images/con-p-ntfs.raw.xz"));
  const Item* file = volume.find("/tiny.txt");
  const Item* zone = volume.find("/tiny.txt:Zone.Identifier");
  ASSERT_NE(file, nullptr);
  ASSERT_NE(zone, nullptr);
  EXPECT_EQ(zone->path, "/tiny.txt");
  EXPECT_EQ(zone->id, "E1/p0/i78-128-4:/tiny.txt:Zone.Identifier");
  EXPECT_EQ(zone->transform, "resident");
  ASSERT_TRUE(zone->extents);
  EXPECT_THAT(plain_read(volume.source.bytes(), *zone->extents), ::testing::StartsWith("[ZoneTransfer]"));
  EXPECT_EQ(volume.find("/dir1/plain.mp3")->transform, "ntfs-lznt1");
  EXPECT_FALSE(volume.find("/dir1/plain.mp3")->extents);
  EXPECT_EQ(volume.find("/hard_link")->content, volume.find("/dir1/dir2/глубоко/深い/doc.pdf")->content);
}

TEST(FileSystem, BadClustersAreZerosOfTheVolumesSizeInNoByteOfIt) {
  Volume volume(image_bytes("images/con-p-ntfs.raw.xz"));
  const Item* bad = volume.find("/$BadClus:$Bad");
  ASSERT_NE(bad, nullptr);
  EXPECT_EQ(bad->size, 25161728U);
  EXPECT_THAT(*bad->extents, ElementsAre(Extent{sparse_run, 25161728}));
  EXPECT_THAT(bad->doubt, IsEmpty());
}

TEST(FileSystem, HfsResourceForksAreStreams) {
  Volume volume(image_bytes("images/hfsplus.raw.xz"));
  const Item* fork = volume.find("/a_directory/a_resourcefork:rsrc");
  ASSERT_NE(fork, nullptr);
  EXPECT_EQ(fork->content, "E1/p0/i25-4353-1");
  EXPECT_EQ(sha256(*volume.content(*fork)), "8c9eea71ce8d2f7c15dd3918235881aa9067f87df6e147639c60601c9028fb3a");
}

TEST(FileSystem, TimesHaveTheDigitsThatAreStoredInAnyTimeZone) {
  setenv("TZ", "America/New_York", 1);
  tzset();
  Volume fat(image_bytes("images/daylight.dd.xz"));
  Volume ext(image_bytes("images/con-p-ext4.raw.xz"));
  Volume iso(image_bytes("images/con-p-iso.raw.xz"));
  setenv("TZ", "UTC", 1);
  tzset();
  // As documented with the image (DFTT #5); a FAT time knows no zone.
  EXPECT_THAT(fat.find("/winter.txt")->times.born,
              ::testing::Optional(::testing::MatchesRegex("2004-01-01T14:00:0.\\...")));
  EXPECT_THAT(fat.find("/summer.txt")->times.born,
              ::testing::Optional(::testing::MatchesRegex("2004-06-01T15:00:0.\\...")));
  EXPECT_TRUE(fat.fs->description().local_times);
  // istat: File Modified: 2026-11-23 16:42:49.380967650 (UTC)
  EXPECT_EQ(ext.find("/dir1/dir2/n000.txt")->times.modified, "2026-11-23T16:42:49.380967650Z");
  // istat: Created: 2026-11-23 16:42:50 (UTC)
  EXPECT_EQ(iso.find("/dir1/Fotografía ñ.ogg")->times.born, "2026-11-23T16:42:50Z");
}

TEST(FileSystem, NamesInOtherEncodingsKeepTheirBytes) {
  const TemporaryDirectory directory;
  const std::string image = (directory / "fat").string();
  test::write_file(image, std::string(2 << 20, '\0'));
  test::write_file(directory / "f", "hi");
  ASSERT_EQ(test::run({"/usr/sbin/mkfs.fat", "-F", "12", image}).status, 0);
  ASSERT_EQ(test::run({"mcopy", "-i", image, (directory / "f").string(), "::TEST.TXT"}).status, 0);
  std::string bytes = test::read_file(image);
  bytes[bytes.find("TEST    TXT") + 1] = '\x82';  // é in code page 437
  Volume volume(bytes);
  const Item* file = volume.find("/T\xef\xbf\xbdST.TXT");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->path_raw, base::base64_encode("/T\x82ST.TXT"));
}

TEST(FileSystem, DamageBeneathAFileIsADoubtAtItsPlaceInTheContent) {
  Volume clean(image_bytes("images/con-p-ext2.raw.xz"));
  const Item* file = clean.find("/dir1/plain.mp3");
  ASSERT_NE(file, nullptr);
  ASSERT_GE(file->extents->front().length, 2048U);
  Volume volume(std::string(clean.source.bytes()));
  volume.source.damage =
      Doubt{static_cast<std::uint64_t>(file->extents->front().offset) + 512, 100, DoubtCause::crc_error};
  const auto content = volume.content(*file);
  sha256(*content);
  EXPECT_THAT(content->doubts(0, content->size()), ElementsAre(Doubt{512, 100, DoubtCause::crc_error}));
  EXPECT_GT(content->damaged_reads(), 0U);
}

TEST(FileSystem, DamageBeneathCompressedContentPutsItsUnitInDoubt) {
  Volume clean(image_bytes("images/con-p-ntfs.raw.xz"));
  // The first compressed cluster of dir1/plain.mp3, from istat.
  std::istringstream lines;
  {
    const TemporaryDirectory directory;
    lines.str(test::run({"istat", test::unpack("images/con-p-ntfs.raw.xz", directory).string(), "68"}).out);
  }
  std::string line, last;
  while (std::getline(lines, line) && !line.starts_with("Type: $DATA")) last = line;
  std::uint64_t cluster = 0;
  ASSERT_TRUE(static_cast<bool>(lines >> cluster));
  Volume volume(std::string(clean.source.bytes()));
  volume.source.damage = Doubt{cluster * 4096 + 10, 1, DoubtCause::read_error};
  const auto content = volume.content(*volume.find("/dir1/plain.mp3"));
  sha256(*content);
  EXPECT_THAT(content->doubts(0, content->size()), ElementsAre(Doubt{0, 28970, DoubtCause::read_error}));
  // libtsk's cache doesn't hide it from who reads next.
  const auto again = volume.content(*volume.find("/dir1/plain.mp3"));
  sha256(*again);
  EXPECT_THAT(again->doubts(0, again->size()), Not(IsEmpty()));
}

TEST(FileSystem, AnObjectToSkipIsPassedOverAndNothingElse) {
  Volume volume(image_bytes("images/con-p-ext4.raw.xz"));
  const std::string skipped = "E1/p0/i21:/dir1/dir2/глубоко/深い/doc.pdf";
  ASSERT_THAT(volume.reporter.touched, Contains(skipped));
  std::vector<Item> items;
  Collector reporter;
  ASSERT_TRUE(volume.fs->walk({skipped}, reporter, [&](Item item) { items.push_back(std::move(item)); }).ok());
  EXPECT_EQ(items.size() + 1, volume.items.size());
  EXPECT_THAT(items, Not(Contains(Field(&Item::id, skipped))));
}

TEST(FileSystem, TwoWalksTellTheSame) {
  const Bytes bytes = image_bytes("images/fat_deleted_dir.raw.xz");
  Volume one(bytes), two(bytes);
  ASSERT_EQ(one.items.size(), two.items.size());
  for (std::size_t i = 0; i < one.items.size(); ++i)
    EXPECT_EQ(base::to_line(one.items[i]), base::to_line(two.items[i]));
}

// Runs in a process of its own, as in the worker.
int survive(const Bytes& bytes, int seconds) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(static_cast<unsigned>(seconds));
    Volume volume(bytes);
    if (volume.fs != nullptr) {
      (void)volume.fs->block_classes(volume.reporter);
      for (const Item& item : volume.items)
        if (const auto content = has_content(item) && item.size < (1U << 24) ? volume.content(item) : nullptr)
          sha256(*content);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(FileSystem, DamagedFileSystemsDoNotCrashIt) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::corpus("corrupt/ext"))) {
    const std::string name = entry.path().filename().string();
    if (name.find(".tar.") != std::string::npos) continue;
    if (count++ % 4 == 0) {
      EXPECT_EQ(survive(image_bytes("corrupt/ext/" + name), 20), 0) << name;
    }
  }
  EXPECT_GT(count, 100);
}

TEST(Account, TheFirstClassInOrderHolds) {
  Account account(1000, ByteClass::unallocated);
  account.claim(ByteClass::deleted, 0, 500);
  account.claim(ByteClass::allocated, 100, 100);
  account.claim(ByteClass::metadata, 150, 10);
  account.claim(ByteClass::unreadable, 990, 100);
  EXPECT_THAT(account.runs(),
              ElementsAre(ClassRun{0, 100, ByteClass::deleted}, ClassRun{100, 50, ByteClass::allocated},
                          ClassRun{150, 10, ByteClass::metadata}, ClassRun{160, 40, ByteClass::allocated},
                          ClassRun{200, 300, ByteClass::deleted}, ClassRun{500, 490, ByteClass::unallocated},
                          ClassRun{990, 10, ByteClass::unreadable}));
}

// Against a class for each byte; claims come in any order, touch and overlap.
TEST(Account, ManyClaimsInAnyOrderComeToWhatEachByteSays) {
  constexpr std::uint64_t size = 20000;
  constexpr std::array claimed = {ByteClass::deleted, ByteClass::slack, ByteClass::allocated, ByteClass::metadata,
                                  ByteClass::unreadable};  // the later holds
  std::mt19937 random(1);
  for (const std::size_t claims : {10U, 300U, 6000U}) {
    Account account(size, ByteClass::gap);
    std::vector<std::size_t> winner(size, 0);  // 1 + index in `claimed`
    for (std::size_t i = 0; i < claims; ++i) {
      // Some one behind the other, as files lie.
      const std::uint64_t offset = i % 2 == 0 ? i * 2 % size : random() % (size + 10);
      const std::uint64_t length = random() % (claims < 1000 ? 50 : 4);
      const std::size_t which = random() % claimed.size();
      account.claim(claimed[which], offset, length);
      for (std::uint64_t at = offset; at < std::min(offset + length, size); ++at)
        winner[at] = std::max(winner[at], which + 1);
      if (i % 1000 == 999) account.runs();  // looked at while more comes
    }
    std::vector<ClassRun> expected;
    for (std::uint64_t at = 0; at < size; ++at) {
      const ByteClass byte_class = winner[at] == 0 ? ByteClass::gap : claimed[winner[at] - 1];
      if (expected.empty() || expected.back().byte_class != byte_class) expected.push_back({at, 0, byte_class});
      ++expected.back().length;
    }
    EXPECT_EQ(account.runs(), expected) << claims;
    std::map<ByteClass, std::uint64_t> bytes;
    for (std::uint64_t at = 0; at < size; ++at) {
      const bool asked = (at >= 7 && at < 5000) || (at >= 5000 && at < 5001) || at >= 19000;
      if (asked) ++bytes[winner[at] == 0 ? ByteClass::gap : claimed[winner[at] - 1]];
    }
    auto totals = account.totals({{7, 4993}, {5000, 1}, {19000, 1000}}).bytes;
    std::erase_if(totals, [](const auto& each) { return each.second == 0; });
    EXPECT_EQ(totals, bytes) << claims;
  }
}

TEST(Account, KeepsNoMoreRangesThanThereAre) {
  Account account(std::uint64_t{1} << 40, ByteClass::unallocated);
  for (std::uint64_t i = 0; i < 100000; ++i) account.claim(ByteClass::allocated, i % 100 * 1000, 10);
  EXPECT_LE(account.ranges(), 3000U);
  EXPECT_THAT(account.runs(), SizeIs(200));
}

Item plain_item(ItemState state, std::uint64_t size, std::vector<Extent> extents) {
  Item item;
  item.content = "E1/p0/i5";
  item.path = "/a";
  item.state = state;
  item.size = size;
  item.extents = std::move(extents);
  return item;
}

TEST(Account, SlackIsWhatAFileLeavesOfItsLastBlock) {
  Account account(8192, ByteClass::unallocated);
  account.claim_blocks({{0, 8192, ByteClass::allocated}});
  account.claim_item(plain_item(ItemState::allocated, 4100, {{0, 4096}, {4096, 4}}), 4096);
  EXPECT_THAT(account.runs(),
              ElementsAre(ClassRun{0, 4100, ByteClass::allocated}, ClassRun{4100, 4092, ByteClass::slack}));
}

TEST(Account, AnOverwrittenItemClaimsNothingAndADeletedOneYieldsToOthers) {
  Account account(100, ByteClass::unallocated);
  account.claim_item(plain_item(ItemState::overwritten, 50, {{0, 50}}), 10);
  account.claim_item(plain_item(ItemState::deleted, 50, {{50, 50}}), 10);
  account.claim_item(plain_item(ItemState::allocated, 10, {{60, 10}}), 10);
  EXPECT_THAT(account.runs(),
              ElementsAre(ClassRun{0, 50, ByteClass::unallocated}, ClassRun{50, 10, ByteClass::deleted},
                          ClassRun{60, 10, ByteClass::allocated}, ClassRun{70, 30, ByteClass::deleted}));
}

TEST(Account, DoubtsAreUnreadableAndHashedBytesCountOnce) {
  Account account(100, ByteClass::unallocated);
  Item item = plain_item(ItemState::allocated, 40, {{10, 20}, {sparse_run, 10}, {50, 10}});
  item.doubt = {{15, 20, DoubtCause::read_error}};
  account.claim_item(item, 10);
  account.mark_hashed(item);
  account.mark_hashed(item);
  EXPECT_THAT(account.runs(), Contains(ClassRun{25, 5, ByteClass::unreadable}));
  EXPECT_THAT(account.runs(), Contains(ClassRun{50, 5, ByteClass::unreadable}));
  EXPECT_EQ(account.hashed_bytes(), 30U);
  const auto totals = account.totals({{0, 20}, {50, 10}});
  EXPECT_EQ(totals.hashed, 20U);
  EXPECT_EQ(totals.bytes.at(ByteClass::unreadable), 5U);
  EXPECT_THAT(totals.bytes, SizeIs(7));
}

}  // namespace
}  // namespace exhibit::filesystem
