#pragma once
// The central directory of a ZIP archive, and the ways from one of its records to another.

#include <functional>

#include "carve/zip_records.h"

namespace exhibit::carve::zip {

// What headers or records say of members, whatever their order: the same where they say the same.
struct Tally {
  std::uint64_t members = 0;
  std::uint64_t digest = 0;   // of places, names, lengths and checksums: without these there is no archive
  std::uint64_t details = 0;  // of flags and times: contradictions show that a byte is wrong
  void note(const Member& member, std::uint64_t offset);
  bool agrees_with(const Tally& other) const { return members == other.members && digest == other.digest; }
};

struct Directory {
  std::uint64_t begin = 0;
  End end;
  std::uint64_t stated() const { return end.offset; }
};

// How far records were in order: where the last of them begins, and what should have been the next.
struct Reached {
  std::uint64_t last = 0, next = 0;
};

// Goes over the records of the directory that begins at `begin`, and finds its end. Nothing: it breaks off or
// contradicts itself.
std::optional<Directory> read_directory(const Content& content, std::uint64_t begin,
                                        const std::function<void(const Member&)>& each, Reached* reached = nullptr);

// The directory behind the member at `member`, by way of the lengths that local headers state, over no more than `most`
// of them; `*reached`: where that way ends. No data are looked at.
std::optional<Directory> hop_to_directory(const Content& content, std::uint64_t member, std::uint64_t* reached,
                                          std::uint64_t most = UINT64_MAX);

// The first end record in [from, to) that states that its directory lies where it lies.
std::optional<Directory> find_directory(const Content& content, std::uint64_t from, std::uint64_t to);

// Whether no other end record lies in [begin, end), where a directory would lie: nobody names a file like that, and
// directories that hold each other would be gone over from each of their ends.
bool is_one_directory(const Content& content, std::uint64_t begin, std::uint64_t end);

// Whether the member before the one at `position` ends there.
bool has_predecessor(const Content& content, std::uint64_t position);

}  // namespace exhibit::carve::zip
