#pragma once
// The records of a ZIP archive (PKWARE APPNOTE 6.3.10, 4.3), read and checked one by one.

#include <optional>
#include <string>

#include "carve/content.h"

namespace exhibit::carve::zip {

// 4.3.7, 4.3.9, 4.3.11, 4.3.12, 4.3.13, 4.3.14, 4.3.15, 4.3.16
inline constexpr std::string_view local_mark = "PK\3\4", descriptor_mark = "PK\7\x08", extra_mark = "PK\6\x08",
                                  central_mark = "PK\1\2", signature_mark = "PK\5\5", end64_mark = "PK\6\6",
                                  locator_mark = "PK\6\7", end_mark = "PK\5\6";
inline constexpr std::uint64_t local_length = 30, central_length = 46, locator_length = 20, end_length = 22,
                               end64_length = 56;  // bytes of the fixed parts

// Compression methods (4.4.5).
enum Method : std::uint16_t { stored = 0, deflated = 8 };

// A member, as its local header or its record of the central directory tells of it.
struct Member {
  std::uint64_t offset = 0;      // of the local header: of where it was found, or as the directory says
  std::uint64_t compressed = 0;  // bytes
  std::uint64_t plain = 0;       // bytes
  std::uint32_t crc = 0;         // of the plain bytes
  std::uint32_t time = 0;        // of its last change, with the date (4.4.6)
  std::uint16_t flags = 0, method = 0;
  std::string name;
  std::uint64_t end = 0;  // of the record: where the data begin, or the next record of the directory

  bool is_encrypted() const { return (flags & 1) != 0; }
  bool has_descriptor() const { return (flags & 8) != 0; }  // 4.4.4, bit 3
  // A local header may leave them to the data descriptor.
  bool has_sizes() const { return !has_descriptor() || compressed > 0; }
  bool is_provable() const { return !is_encrypted() && (method == stored || method == deflated); }
};

// Nothing: no such record, or one that no program writes.
std::optional<Member> read_local(const Content& content, std::uint64_t position);
std::optional<Member> read_central(const Content& content, std::uint64_t position);

// The end of the central directory, with its 64-bit companions.
struct End {
  std::uint64_t end = 0;         // behind its comment
  std::uint64_t records = 0;     // of the directory
  std::uint64_t size = 0;        // of the directory, bytes
  std::uint64_t offset = 0;      // of the directory, from the archive's begin, as stated
  std::uint64_t companions = 0;  // bytes of the 64-bit records before it
};
// What ends the directory at `position`, where its records are over.
std::optional<End> read_end(const Content& content, std::uint64_t position);
// The same where only the end record itself, at `position`, is known.
std::optional<End> read_end_backward(const Content& content, std::uint64_t position);

}  // namespace exhibit::carve::zip
