#pragma once
// What is asked of content while it is read: its type (libmagic) and YARA rules (libyara).
// Rules and the magic database are loaded before the process seals itself; nothing is opened afterwards.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>
#include <exhibit/result.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace exhibit::match {

// MIME type by content: libmagic's, by its distribution's database alone and the same in every locale. A program that
// is position-independent is application/x-sharedlib: only a file's mode, which content doesn't have, tells it apart.
class TypeDetector {
 public:
  static Result<std::unique_ptr<TypeDetector>> load();
  virtual ~TypeDetector() = default;
  // `head`: the content's first bytes, up to head_size of them. Empty content: inode/x-empty. An empty answer: libmagic
  // gave up, as it does where memory ends.
  virtual std::string type_of(std::span<const std::byte> head) = 0;
  static constexpr std::size_t head_size = std::size_t{1} << 18;
};

// Whether a name's extension promises another type than the content has. Unknown extensions (`.dat` too) and unknown
// types don't; nor do near kin (any text for a text, a ZIP for an office document), so that an alarm means something.
bool extension_mismatch(const std::string& path, const std::string& type);

// A scan that didn't go to its end, as a problem's cause and detail (stage `scan`).
struct ScanTrouble {
  // timeout; size-limit (too many matches, or another limit of libyara); memory-limit; io-error (bytes that read_at
  // refused were taken for zeros: no digest made of first_read holds); corrupt (libyara gave up for another reason).
  std::string cause;
  // Names rule file, rule and string where known, and says whether the rules were judged.
  std::string detail;
};

struct ScanResult {
  std::vector<Match> matches;  // item and region are the caller's to fill in; sorted by source, rule, first offset
  std::vector<ScanTrouble> troubles;
  // Scanned in several blocks: a string with a jump longer than about 56 KiB may be missed where it crosses a border,
  // and the modules (pe, elf, …) saw the first block only. All else is as in one block.
  bool windowed = false;
  // How many rules libyara was given; the others can't match. 0: no search of libyara's was needed.
  std::uint64_t rules_judged = 0;
};

struct ScanOptions {
  // Gives libyara the rules alone that can match a content, by what Vectorscan finds in it: the same matches, sooner.
  bool prefilter = true;
};

struct RuleFile {
  std::string name;    // base name, or path below the folder that was named
  std::string sha256;  // of the exact file
  std::uint64_t rules = 0;
};

// Scans alike whatever was scanned before, and prints nothing. Not for two threads at once. libyara's defects stay its
// own: a rule may still end the process (`crash`), or be slow past its limit, which libyara looks at every 4096 bytes.
class RuleScanner {
 public:
  // Rule files or folders (every .yar and .yara below, sorted). Each file is a namespace and compiled from source; a
  // compiled rule file is refused. A rule's meta `category`, `severity` and `handling` go into its matches; with the
  // meta `feature` (match/features.h) it matches by its checksum (feature_match.h). A file that doesn't compile is an
  // Error naming file and line, as is a string that makes libyara 4.2.3 abort. Includes are relative, stay inside the
  // folder that was named (or the named file's), and are told in files(). The variables that packs expect (filename,
  // filepath, extension, filetype, owner, md5) are defined and always empty, so that one answer holds for all equal
  // contents. Rules that import `time` are refused.
  static Result<std::unique_ptr<RuleScanner>> load(const std::vector<std::string>& paths, ScanOptions options = {});
  virtual ~RuleScanner() = default;
  virtual const std::vector<RuleFile>& files() const = 0;

  // Scans a content of any size: whole up to window_size + overlap, else in overlapping windows (window_size, overlap)
  // that libyara sees as blocks of one file. `first_read` is given each byte of the content once, in order, as it is
  // read, whether or not the scan goes to its end; so digests need no second reading.
  virtual Result<ScanResult> scan(ByteSource& content,
                                  const std::function<void(std::span<const std::byte>)>& first_read) = 0;

  // Fixed, so that findings don't depend on the memory given.
  static constexpr std::size_t window_size = std::size_t{16} << 20;
  static constexpr std::size_t overlap = std::size_t{1} << 16;
};

}  // namespace exhibit::match
