#include "engine/medium.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/disk.h"
#include "base/record.h"
#include "hash/merkle.h"

namespace exhibit::engine {
namespace {

using base::Json;

constexpr std::uint64_t digest_bytes = 32;  // SHA-256

std::optional<DoubtCause> doubt_cause(const std::string& name) {
  for (const DoubtCause cause :
       {DoubtCause::read_error, DoubtCause::crc_error, DoubtCause::missing_segment, DoubtCause::zero_filled}) {
    if (name == name_of(cause)) return cause;
  }
  return std::nullopt;
}

std::optional<Doubt> doubt_from(const Json& value) {
  const auto number = [&](const char* key) { return value.contains(key) && value.at(key).is_number_unsigned(); };
  if (!value.is_object() || !number("offset") || !number("length")) return std::nullopt;
  const auto name = value.find("cause");
  const auto cause = name != value.end() && name->is_string() ? doubt_cause(name->get<std::string>()) : std::nullopt;
  if (!cause) return std::nullopt;
  return Doubt{value.at("offset").get<std::uint64_t>(), value.at("length").get<std::uint64_t>(), *cause};
}

std::uint64_t blocks_in(std::uint64_t bytes) {
  return bytes / hash::BlockRoot::block_bytes + (bytes % hash::BlockRoot::block_bytes != 0 ? 1 : 0);
}

}  // namespace

Result<Medium> Medium::create(std::string blocks_file, std::string evidence_id, std::uint64_t bytes) {
  Medium medium;
  medium.blocks_.reset(open(blocks_file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!medium.blocks_) return base::write_error(blocks_file);
  medium.blocks_file_ = std::move(blocks_file);
  medium.evidence_ = std::move(evidence_id);
  medium.bytes_ = bytes;
  return medium;
}

Result<void> Medium::take(std::uint64_t offset, std::uint64_t length, const Json& link) {
  const auto text = [&](const char* key) {
    return link.contains(key) && link.at(key).is_string() ? link.at(key).get<std::string>() : std::string();
  };
  const auto blocks = base::from_hex(text("blocks"));
  const bool fits = blocks.ok() && blocks->size() == blocks_in(length) * digest_bytes;
  if (!fits || text("state").empty()) lost_ = true;
  if (fits) {
    const auto place = static_cast<off_t>(offset / hash::BlockRoot::block_bytes * digest_bytes);
    if (pwrite(blocks_.get(), blocks->data(), blocks->size(), place) != static_cast<ssize_t>(blocks->size()))
      return base::write_error(blocks_file_);
  }
  seen_ += length;
  for (const Json& value : link.value("doubt", Json::array())) {
    if (const auto doubt = doubt_from(value)) {
      doubts_.push_back(*doubt);
    } else {
      lost_ = true;
    }
  }
  if (link.contains("digests")) digests_ = link.at("digests");
  if (link.contains("stored")) stored_ = link.at("stored");
  return {};
}

Json Medium::doubts() const {
  std::vector<Doubt> sorted = doubts_, joined;
  std::sort(sorted.begin(), sorted.end(), [](const Doubt& a, const Doubt& b) { return a.offset < b.offset; });
  for (const Doubt& doubt : sorted) {
    const bool goes_on = !joined.empty() && joined.back().cause == doubt.cause &&
                         joined.back().offset + joined.back().length == doubt.offset;
    if (goes_on) {
      joined.back().length += doubt.length;
    } else {
      joined.push_back(doubt);
    }
  }
  return base::to_json(joined);
}

void Medium::tell(const char* cause, std::vector<std::uint64_t> extent, std::string detail) {
  Problem problem{evidence_, "read", cause, {}, std::move(detail)};
  if (!extent.empty()) problem.extent = {extent[0], extent[1]};
  problems_.push_back(base::to_record(problem));
}

Result<std::string> Medium::block_root() const {
  auto tree = EXHIBIT_TRY(hash::Tree::create("sha256"));
  std::array<char, digest_bytes * 2048> digests;
  std::uint64_t left = blocks_in(bytes_) * digest_bytes, at = 0;
  while (left > 0) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, digests.size()));
    if (pread(blocks_.get(), digests.data(), wanted, static_cast<off_t>(at)) != static_cast<ssize_t>(wanted))
      return Error{ErrorCode::io_error, blocks_file_ + ": cannot be read back", {}, {}};
    for (std::size_t i = 0; i < wanted; i += digest_bytes)
      tree.append(tree.hasher().leaf("", std::string_view(digests.data() + i, digest_bytes)));
    at += wanted;
    left -= wanted;
  }
  return tree.root();
}

Result<void> Medium::finish(Json& evidence, const std::vector<std::string>& wanted) {
  const Json damage = doubts();
  for (const Json& doubt : damage) {
    const std::string cause = doubt.at("cause").get<std::string>();
    tell(cause == name_of(DoubtCause::read_error) ? name_of(ErrorCode::io_error) : name_of(ErrorCode::corrupt),
         {doubt.at("offset").get<std::uint64_t>(), doubt.at("length").get<std::uint64_t>()},
         "the medium is damaged here: " + cause);
  }
  if (!damage.empty() || lost_ || seen_ != bytes_ || !digests_.is_object() || !stored_.is_object()) {
    evidence["integrity"] = "unreadable";
    evidence.erase("digests");
    // Whatever took a part of it away, that nothing is claimed never passes without a word.
    if (damage.empty())
      tell(name_of(ErrorCode::io_error), {}, "the medium was not read whole; no digest of it is claimed");
    blocks_file_.clear();
    return {};
  }
  Json& digests = evidence["digests"];
  if (digests.is_null()) digests = Json::object();
  for (const std::string& name : wanted) {
    if (digests_.contains(name)) digests[name] = digests_.at(name);
  }
  const Json stored = evidence.value("stored_digests", Json::object());
  const bool same = std::all_of(stored.items().begin(), stored.items().end(), [&](const auto& digest) {
    return stored_.contains(digest.key()) && stored_.at(digest.key()) == digest.value();
  });
  evidence["integrity"] = stored.empty() ? "no-stored-digest" : same ? "match" : "mismatch";
  evidence["block_root"] = base::to_hex(EXHIBIT_TRY(block_root()));
  evidence["block_size"] = hash::BlockRoot::block_bytes;
  if (!same) tell("corrupt", {}, "the medium's digest isn't the one that the container stores");
  return {};
}

}  // namespace exhibit::engine
