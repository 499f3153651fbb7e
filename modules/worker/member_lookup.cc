#include "worker/member_lookup.h"

#include <algorithm>

#include "base/container_types.h"
#include "worker/member_names.h"

namespace exhibit::worker {
namespace {

constexpr std::string_view within = "!/";
constexpr std::uint64_t held_in_memory = std::uint64_t{8} << 20;
constexpr std::size_t read_size = std::size_t{1} << 20;

class Lookup {
 public:
  Lookup(Context& context, const ExpandLimits& limits, const std::function<Result<void>(ByteSource&)>& use)
      : context_(context), limits_(limits), use_(use), meter_(limits.size, limits.size, [](std::uint64_t) {}) {}

  // True: it was found, and used.
  Result<bool> in(ByteSource& content, const std::string& container, std::string_view wanted, std::uint64_t depth) {
    const auto guess = base::container_of(EXHIBIT_TRY(type_of(content)), container);
    if (!guess || depth > limits_.depth) return false;
    Cursor cursor(content, guess->container, container.substr(container.rfind('/') + 1), meter_);
    EXHIBIT_TRY(cursor.open());
    MemberNames names;
    for (std::uint64_t told = 0; told < limits_.members; ++told) {
      const auto entry = EXHIBIT_TRY(cursor.next());
      if (!entry) return false;
      const std::string name = names.take(*entry).unique;
      const bool is_it = name == wanted;
      const bool may_hold_it = wanted.starts_with(name) && wanted.substr(name.size()).starts_with(within);
      if (!is_it && !may_hold_it) continue;
      if (entry->is_encrypted) return Error{ErrorCode::encrypted, "its content is encrypted", {}, {}};
      if (entry->kind != ItemKind::file || !entry->has_content) continue;
      MemberSource source(cursor);
      EXHIBIT_TRY(prepare(source, cursor, *entry));
      const bool is_done = is_it ? EXHIBIT_TRY(used(source))
                                 : EXHIBIT_TRY(in(source, name, wanted.substr(name.size() + within.size()), depth + 1));
      if (is_done) return true;
    }
    return false;
  }

 private:
  Result<std::string> type_of(ByteSource& content) {
    std::vector<std::byte> head(match::TypeDetector::head_size);
    const std::size_t got = EXHIBIT_TRY(content.read_at(0, head));
    return context_.types->type_of(std::span(head).first(got));
  }

  // Where the container doesn't say how long the member is, its end must be met first.
  static Result<void> prepare(MemberSource& source, Cursor& cursor, const expand::Entry& entry) {
    if (source.hold(entry.size.value_or(0), held_in_memory)) {
      if (source.error()) return *source.error();
      return {};
    }
    std::uint64_t size = source.held().size();
    std::vector<std::byte> buffer(read_size);
    for (std::size_t got = 1; !entry.size && got > 0; size += got) got = EXHIBIT_TRY(cursor.read(buffer));
    source.set_size(entry.size.value_or(size));
    return {};
  }

  Result<bool> used(MemberSource& source) {
    EXHIBIT_TRY(use_(source));
    if (source.error()) return *source.error();
    return true;
  }

  Context& context_;
  const ExpandLimits& limits_;
  const std::function<Result<void>(ByteSource&)>& use_;
  Meter meter_;
};

}  // namespace

Result<void> use_member(Context& context, const Item& item, ByteSource& content, std::string_view path,
                        const ExpandLimits& limits, const std::function<Result<void>(ByteSource&)>& use) {
  Lookup lookup(context, limits, use);
  if (EXHIBIT_TRY(lookup.in(content, item.path, path, 1))) return {};
  return Error{ErrorCode::not_found, "it holds no such item", item.id, {}};
}

}  // namespace exhibit::worker
