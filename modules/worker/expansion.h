#pragma once
// An item's members, and theirs: each is told, digested, typed and matched like any other item. Bounded in depth,
// number, bytes and time whatever the evidence says; where a bound is reached, what wasn't looked at is a problem.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>

#include <memory>
#include <string>
#include <vector>

#include "expand/reader.h"
#include "worker/examination.h"
#include "worker/member_source.h"
#include "worker/task.h"

namespace exhibit::worker {

// Of one item that isn't a member itself, with all that lies in it.
struct ExpandLimits {
  std::uint64_t depth = 0;   // containers within each other
  std::uint64_t size = 0;    // bytes of all members' contents
  std::uint64_t ratio = 0;   // times the item's own size, beyond `always`
  std::uint64_t always = 0;  // bytes
  std::uint64_t members = 0;
};

// As a task's arguments have them.
ExpandLimits expand_limits(const base::Json& arguments);

class Expander {
 public:
  Expander(Context& context, const Task& task, ExpandLimits limits, Output& output);

  // `content` is the item's, all of it.
  void expand(const Item& item, base::ContainerGuess guess, ByteSource& content);

 private:
  struct Level;
  void expand_level(Level& level);
  void end_of(const Level& level);
  Result<bool> take_member(Level& level);
  void take_content(Level& level, Item& item, const expand::Entry& entry);
  void take_small(Level& level, Item& item, MemberSource& source);
  void take_large(Level& level, Item& item, MemberSource& source, bool is_size_known);
  void examined(Level& level, const Item& item, MemberSource& source);
  std::optional<Digests> measure(Level& level, MemberSource& source);
  Item describe(Level& level, const expand::Entry& entry);
  void touch(std::string object, std::uint64_t bytes);
  void refuse(const Item& item, const Item& parent, const Error& error);
  void tell(const Item& container, const Error& error);

  Context& context_;
  const Task& task_;
  ExpandLimits limits_;
  Output& output_;
  std::vector<std::string> wanted_;
  Examiner examiner_;
  // Of the item at hand.
  std::optional<Meter> meter_;
  std::uint64_t members_ = 0, name_bytes_ = 0;
  std::string touched_;
  std::uint64_t room_ = 0;        // bytes of contents that may still be held in memory
  std::optional<Error> stopped_;  // a bound was reached
};

}  // namespace exhibit::worker
