#include "worker/carving.h"

#include <algorithm>

#include "base/record.h"
#include "carve/resolve.h"
#include "hash/multi_digest.h"

namespace exhibit::worker {
namespace {

using base::Json;
using carve::Tier;

constexpr std::pair<Tier, const char*> tiers[] = {
    {Tier::validated, "validated"}, {Tier::plausible, "plausible"}, {Tier::header_only, "header-only"}};

Result<Tier> tier_named(const std::string& name) {
  for (const auto& [tier, known] : tiers) {
    if (name == known) return tier;
  }
  return Error{ErrorCode::invalid_argument, "no such tier: " + name, {}, {}};
}

}  // namespace

const char* name_of(Tier tier) {
  for (const auto& [known, name] : tiers) {
    if (tier == known) return name;
  }
  return "";
}

Result<std::unique_ptr<Carving>> Carving::load(const std::vector<std::string>& types, const std::string& tier) {
  auto carving = std::make_unique<Carving>();
  carving->signatures = EXHIBIT_TRY(carve::signatures());
  auto digest = EXHIBIT_TRY(hash::MultiDigest::create(std::vector<std::string>{"sha256"}));
  for (const carve::SignatureFile& file : carve::signature_files()) {
    for (const std::string_view part : {std::string_view(file.name), std::string_view("\n"), file.text})
      digest.update(std::as_bytes(std::span(part)));
  }
  carving->files_sha256 = digest.finish().at("sha256");
  carving->least = EXHIBIT_TRY(tier_named(tier));
  std::vector<bool> wanted(carving->signatures.size(), types.empty());
  for (const std::string& type : types) wanted[EXHIBIT_TRY(carving->index_of(type))] = true;
  carving->search = EXHIBIT_TRY(carve::CandidateSearch::compile(carving->signatures, wanted));
  return carving;
}

Result<std::uint32_t> Carving::index_of(const std::string& name) const {
  for (std::uint32_t i = 0; i < signatures.size(); ++i) {
    if (signatures[i].name == name) return i;
  }
  return Error{ErrorCode::invalid_argument, "no such carving signature: " + name, {}, {}};
}

CandidateTeller::CandidateTeller(const Carving& carving, std::function<void(const Json&)> message)
    : carving_(carving),
      message_(std::move(message)),
      counts_(carving.signatures.size()),
      left_out_(carving.signatures.size()) {}

void CandidateTeller::take(const carve::Candidate& candidate) {
  constexpr std::size_t candidates_per_message = 4096;
  if (counts_[candidate.signature] == most_of_a_signature || told_ == most_of_a_stretch) {
    left_out_[candidate.signature] = true;
    return;
  }
  ++counts_[candidate.signature];
  ++told_;
  pending_.push_back({candidate.offset, candidate.signature, candidate.is_anchor ? 1U : 0U});
  if (pending_.size() == candidates_per_message) flush();
}

void CandidateTeller::finish() {
  flush();
  Json names = Json::array();
  for (std::size_t i = 0; i < left_out_.size(); ++i) {
    if (left_out_[i]) names.push_back(carving_.signatures[i].name);
  }
  message_({{"message", "searched"}, {"left_out", std::move(names)}});
}

void CandidateTeller::flush() {
  if (!pending_.empty()) message_({{"message", "candidates"}, {"at", std::exchange(pending_, Json::array())}});
}

Json to_message(const carve::Found& found, const Carving& carving) {
  const auto [begin, end] = carve::Resolver::place(found);
  Json message = {{"message", "found"},
                  {"place", {begin, end}},
                  {"signature", carving.signatures[found.signature].name},
                  {"tier", name_of(found.tier)},
                  {"extension", found.extension},
                  {"extents", base::to_json(found.extents)},
                  {"size", found.size},
                  {"sound", found.sound},
                  {"joined", found.is_joined}};
  if (!found.doubts.empty()) message["doubt"] = base::to_json(found.doubts);
  if (!found.digests.empty()) message["digests"] = found.digests;
  if (!found.type.empty()) message["type"] = found.type;
  return message;
}

Result<carve::Found> found_from_message(const Json& message, const Carving& carving) {
  carve::Found found;
  found.signature = EXHIBIT_TRY(carving.index_of(message.value("signature", "")));
  found.tier = EXHIBIT_TRY(tier_named(message.value("tier", "")));
  found.extension = message.value("extension", "");
  found.extents = EXHIBIT_TRY(base::extents_from_json(message.value("extents", Json::array())));
  found.size = message.value("size", std::uint64_t{0});
  found.sound = message.value("sound", std::uint64_t{0});
  found.is_joined = message.value("joined", false);
  found.digests = message.value("digests", Digests());
  found.type = message.value("type", "");
  if (message.contains("doubt")) found.doubts = EXHIBIT_TRY(base::doubts_from_json(message.at("doubt")));
  return found;
}

}  // namespace exhibit::worker
