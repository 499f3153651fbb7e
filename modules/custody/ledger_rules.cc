#include "custody/ledger_rules.h"

#include <algorithm>

#include "base/text.h"

namespace exhibit::custody {
namespace {

// The event's exhibits; an event that names none is about the whole case.
std::set<std::string> exhibits_of(const Line& line) {
  std::set<std::string> ids = line.record["evidence"].get<std::set<std::string>>();
  if (ids.empty()) ids.insert("the case");
  return ids;
}

std::optional<manifest::SigningCertificate> signer_of(const Line& line) {
  const auto der = base::base64_decode(line.record["signature"].get<std::string>());
  if (!der.ok()) return {};
  auto found = manifest::signing_certificate(*der);
  if (!found.ok()) return {};
  return found.take();
}

std::string time_of(const Line& line) { return line.record["time"].get<std::string>(); }

// Times in UTC and in one form sort as text.
constexpr std::size_t to_the_second = std::string_view("2026-01-15T08:00:00").size();
constexpr std::size_t to_the_minute = std::string_view("2026-01-15T08:00").size();  // as people write handing over down

std::string text_of(std::int64_t seconds) { return base::rfc3339(seconds, 0, 0).value_or(""); }

}  // namespace

std::vector<LedgerRules::Complaint> LedgerRules::next(const Line& line) {
  std::vector<Complaint> complaints;
  const auto signer = signer_of(line);
  if (signer && line.record["actor"]["credential"] != signer->subject) {
    complaints.push_back({credentials_check, "the credential is told as \"" +
                                                 line.record["actor"]["credential"].get<std::string>() + "\", and \"" +
                                                 signer->subject + "\" signed"});
  }
  if (signer && signer->signing_time) {
    if (auto what = wrong_time(line, *signer->signing_time)) complaints.push_back({times_check, *what});
  }
  if (line.event() == "transferred") {
    transfers_[line.seq()] = {time_of(line), signer};
    open_[line.seq()] = exhibits_of(line);
  }
  if (line.event() == "accepted") {
    if (auto what = accept(line, signer)) complaints.push_back({transfers_check, *what});
  }
  return complaints;
}

std::optional<std::string> LedgerRules::wrong_time(const Line& line, std::int64_t signed_at) {
  const std::int64_t before = last_signed_;
  last_signed_ = std::max(last_signed_, signed_at);
  if (signed_at < before - clock_tolerance)
    return "was signed at " + text_of(signed_at) + ", and one before it at " + text_of(before);
  if (time_of(line).substr(0, to_the_second) > text_of(signed_at + clock_tolerance).substr(0, to_the_second))
    return "tells of " + time_of(line) + ", and was signed before that, at " + text_of(signed_at);
  return {};
}

std::optional<std::string> LedgerRules::accept(const Line& line, const Certificate& signer) {
  const base::Json& detail = line.record["detail"];
  const auto named = detail.is_object() ? detail.find("transfer") : detail.end();
  if (!detail.is_object() || named == detail.end() || !named->is_number_unsigned())
    return "must name in detail.transfer the seq of the transfer that it accepts";
  const auto seq = named->get<std::uint64_t>();
  const auto transfer = transfers_.find(seq);
  if (transfer == transfers_.end()) return "accepts seq " + std::to_string(seq) + ", which isn't a transfer before it";
  if (time_of(line).substr(0, to_the_minute) < transfer->second.time.substr(0, to_the_minute))
    return "accepts at " + time_of(line) + " what was handed over at " + transfer->second.time;
  if (signer && transfer->second.signer && manifest::is_same_credential(*signer, *transfer->second.signer))
    return "is signed by the side that handed over: " + signer->subject;
  std::set<std::string> open;
  if (const auto found = open_.find(seq); found != open_.end()) open = found->second;
  const std::set<std::string> ids = line.record["evidence"].empty() ? open : exhibits_of(line);
  if (ids.empty() || !std::includes(open.begin(), open.end(), ids.begin(), ids.end()))
    return "accepts what seq " + std::to_string(seq) + " didn't hand over, or what was accepted already";
  for (const std::string& id : ids) open.erase(id);
  open_[seq] = open;
  if (open.empty()) open_.erase(seq);
  return {};
}

}  // namespace exhibit::custody
