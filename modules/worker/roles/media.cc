// The whole medium in one stream: its digests, block_root, and whether they are what the container says.

#include <algorithm>

#include "base/record.h"
#include "hash/merkle.h"
#include "worker/task.h"

namespace exhibit::worker {
namespace {

using base::Json;

constexpr std::size_t read_size = hash::BlockRoot::block_bytes;
// How often the coordinator hears of it: progress, and more time.
constexpr std::uint64_t bytes_per_touch = std::uint64_t{64} << 20;

const char* problem_cause(DoubtCause cause) {
  return cause == DoubtCause::read_error ? name_of(ErrorCode::io_error) : name_of(ErrorCode::corrupt);
}

// What is asked of each byte.
struct MediaDigests {
  hash::MultiDigest wanted;  // over the medium
  hash::MultiDigest stored;  // what the container has digests of: the medium and its tail
  hash::BlockRoot blocks;

  void update(std::span<const std::byte> bytes) {
    wanted.update(bytes);
    stored.update(bytes);
    blocks.update(bytes);
  }
};

Result<void> read_all(image::Image& media, const std::string& id, MediaDigests& digests, Output& output) {
  std::vector<std::byte> buffer(read_size);
  for (std::uint64_t offset = 0; offset < media.size(); offset += buffer.size()) {
    if (offset % bytes_per_touch == 0) output.touch(id, std::min(bytes_per_touch, media.size() - offset));
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), media.size() - offset));
    const std::size_t got = EXHIBIT_TRY(media.read_at(offset, std::span(buffer).first(wanted)));
    if (got != wanted) return Error{ErrorCode::io_error, "the medium ends before its size", id, offset + got};
    digests.update(std::span(buffer).first(got));
  }
  return {};
}

// Tells the damage. Digests over bytes that nobody vouches for are not claimed.
void tell_unreadable(const std::vector<Doubt>& doubts, const std::string& id, Json& result, Output& output) {
  for (const Doubt& doubt : doubts) {
    output.problem({id,
                    "read",
                    problem_cause(doubt.cause),
                    {{doubt.offset, doubt.length}},
                    std::string("the medium is damaged here: ") + name_of(doubt.cause)});
  }
  result["integrity"] = "unreadable";
  result["doubt"] = base::to_json(doubts);
  output.message(result);
}

std::string integrity_of(const Digests& stored, const Digests& computed) {
  if (stored.empty()) return "no-stored-digest";
  const bool same = std::all_of(stored.begin(), stored.end(), [&](const auto& digest) {
    const auto found = computed.find(digest.first);
    return found != computed.end() && found->second == digest.second;
  });
  return same ? "match" : "mismatch";
}

}  // namespace

Result<void> run_media(Context& context, const Task& task, Output& output) {
  image::Image* media = EXHIBIT_TRY(context.image(task.arguments));
  const std::string id = task.arguments.at("evidence").get<std::string>();
  const image::ImageDescription& description = media->description();
  std::vector<std::string> stored_names;
  for (const auto& [name, digest] : description.stored_digests) stored_names.push_back(name);
  std::string block_digests;
  MediaDigests digests{
      EXHIBIT_TRY(hash::MultiDigest::create(task.arguments.at("digests").get<std::vector<std::string>>())),
      EXHIBIT_TRY(hash::MultiDigest::create(stored_names)),
      EXHIBIT_TRY(hash::BlockRoot::create([&](std::string_view digest) { block_digests += digest; }))};
  EXHIBIT_TRY(read_all(*media, id, digests, output));
  Json result = {{"message", "media"}};
  if (const auto doubts = media->doubts(0, media->size()); !doubts.empty()) {
    tell_unreadable(doubts, id, result, output);
    return {};
  }
  const std::string tail = EXHIBIT_TRY(media->tail());
  digests.stored.update(std::as_bytes(std::span(tail)));
  result["digests"] = digests.wanted.finish();
  result["integrity"] = integrity_of(description.stored_digests, digests.stored.finish());
  result["block_root"] = base::to_hex(digests.blocks.finish());
  result["block_size"] = hash::BlockRoot::block_bytes;
  output.message(result);
  if (result.at("integrity") == "mismatch") {
    output.problem({id, "read", "corrupt", {}, "the medium's digest isn't the one that the container stores"});
  }
  constexpr std::size_t digests_per_message = 32 * 4096;
  for (std::size_t first = 0; first < block_digests.size(); first += digests_per_message) {
    output.message({{"message", "blocks"}, {"sha256", base::to_hex(block_digests.substr(first, digests_per_message))}});
  }
  return {};
}

extern const Role media_role;
const Role media_role = {"media", run_media};

}  // namespace exhibit::worker
