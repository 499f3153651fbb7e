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

// MIME type by content.
class TypeDetector {
 public:
  static Result<std::unique_ptr<TypeDetector>> load();
  virtual ~TypeDetector() = default;
  // `head`: the content's first bytes, up to head_size of them. Empty content: inode/x-empty.
  virtual std::string type_of(std::span<const std::byte> head) = 0;
  static constexpr std::size_t head_size = std::size_t{1} << 18;
};

// Whether a name's extension promises another type than the content has. Unknown extensions and unknown types don't.
bool extension_mismatch(const std::string& path, const std::string& type);

// A scan that didn't go to its end, as a problem's cause and detail (stage `scan`).
struct ScanTrouble {
  std::string cause;   // timeout, size-limit (too many matches), memory-limit, corrupt
  std::string detail;  // names rule file, rule and string where known
};

struct ScanResult {
  std::vector<Match> matches;  // item and region are the caller's to fill in; sorted by source, rule, first offset
  std::vector<ScanTrouble> troubles;
  bool windowed = false;  // scanned in several blocks: a string across the overlap may be missed
};

struct RuleFile {
  std::string name;    // base name, or path below the folder that was named
  std::string sha256;  // of the exact file
  std::uint64_t rules = 0;
};

class RuleScanner {
 public:
  // Rule files or folders (every .yar and .yara below, sorted). Each file is a namespace and compiled from source; a
  // compiled rule file is refused. A file that doesn't compile is an Error naming file and line.
  static Result<std::unique_ptr<RuleScanner>> load(const std::vector<std::string>& paths);
  virtual ~RuleScanner() = default;
  virtual const std::vector<RuleFile>& files() const = 0;

  // Scans a content of any size: whole where it fits a window, else in overlapping windows (window_size, overlap) that
  // libyara sees as blocks of one file. `first_read` is given each byte of the content once, in order, as it is read,
  // whether or not the scan goes to its end; so digests need no second reading.
  virtual Result<ScanResult> scan(ByteSource& content,
                                  const std::function<void(std::span<const std::byte>)>& first_read) = 0;

  // Fixed, so that findings don't depend on the memory given.
  static constexpr std::size_t window_size = std::size_t{16} << 20;
  static constexpr std::size_t overlap = std::size_t{1} << 16;
};

}  // namespace exhibit::match
