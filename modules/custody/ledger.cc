#include "custody/ledger.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/unique_fd.h"
#include "custody/ledger_line.h"
#include "custody/ledger_rules.h"
#include "manifest/file.h"

namespace exhibit::custody {
namespace fs = std::filesystem;
namespace {

using base::Json;

Error system_error(const fs::path& path, std::string_view doing) {
  const int number = errno;
  return manifest::file_error(ErrorCode::io_error, path,
                              std::string(doing) + ": " + std::generic_category().message(number));
}

// Opened for appending and locked against others who append, until it is closed.
Result<base::UniqueFd> open_locked(const fs::path& path) {
  base::UniqueFd fd(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd) return system_error(path, "cannot open");
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return system_error(path, "cannot lock");
  }
  return fd;
}

Result<Chain> sound_chain(const fs::path& path, std::string_view bytes) {
  Chain chain = read_chain(bytes);
  for (const auto* complaints : {&chain.form, &chain.links}) {
    if (!complaints->empty())
      return manifest::file_error(ErrorCode::corrupt, path, "the ledger is damaged: " + complaints->front());
  }
  return chain;
}

Result<Line> signed_line(const Event& event, const Head& head, const manifest::Signer& signer, std::int64_t now) {
  Json record = unsigned_line(event, head.events + 1, head.digest);
  const std::string signature = EXHIBIT_TRY(signer.sign(base::canonical(record), now));
  record["signature"] = base::base64_encode(signature);
  return read_line(base::canonical(record));
}

LedgerRules rules_after(const Chain& chain) {
  LedgerRules rules;
  for (const auto& line : chain.lines) {
    if (line) rules.next(*line);
  }
  return rules;
}

// Writes at the end, or leaves the file as it was.
Result<void> append_durably(int fd, std::string_view bytes, const fs::path& path) {
  struct stat before = {};
  if (::fstat(fd, &before) != 0) return system_error(path, "cannot look at");
  auto written = manifest::write_all(fd, bytes, path);
  if (written.ok() && ::fsync(fd) != 0) written = system_error(path, "cannot synchronise");
  if (written.ok()) return {};
  // Our own unfinished line; the next to append would refuse the ledger because of it.
  if (::ftruncate(fd, before.st_size) != 0) return system_error(path, "cannot take an unfinished line back");
  return written;
}

}  // namespace

Result<Head> append(const fs::path& ledger, const Event& event, const manifest::Signer& signer, std::int64_t now) {
  const base::UniqueFd fd = EXHIBIT_TRY(open_locked(ledger));
  const std::string bytes = EXHIBIT_TRY(manifest::read_whole(ledger));
  const Chain chain = EXHIBIT_TRY(sound_chain(ledger, bytes));
  const Line line = EXHIBIT_TRY(signed_line(event, chain.head(), signer, now));
  const auto complaints = rules_after(chain).next(line);
  if (!complaints.empty()) {
    return manifest::file_error(ErrorCode::invalid_argument, ledger,
                                "not added: the event '" + event.event + "' " + complaints.front().what);
  }
  EXHIBIT_TRY(append_durably(fd.get(), line.text + "\n", ledger));
  EXHIBIT_TRY(manifest::sync_folder(ledger.parent_path()));
  return Head{chain.texts.size() + 1, link_of(line.text)};
}

Result<Head> head_of(const fs::path& ledger) {
  std::error_code ignored;
  if (!fs::exists(ledger, ignored)) return Head{};
  const std::string bytes = EXHIBIT_TRY(manifest::read_whole(ledger));
  const Chain chain = EXHIBIT_TRY(sound_chain(ledger, bytes));
  return chain.head();
}

Result<std::vector<OpenTransfer>> open_transfers(const fs::path& ledger) {
  const Chain chain = read_chain(EXHIBIT_TRY(manifest::read_whole(ledger)));
  if (!chain.form.empty()) return manifest::file_error(ErrorCode::corrupt, ledger, chain.form.front());
  std::vector<OpenTransfer> open;
  const LedgerRules rules = rules_after(chain);
  for (const auto& [seq, ids] : rules.open_transfers()) open.push_back({seq, {ids.begin(), ids.end()}});
  return open;
}

Result<std::vector<Json>> read_events(const fs::path& ledger) {
  const std::string bytes = EXHIBIT_TRY(manifest::read_whole(ledger));
  Chain chain = read_chain(bytes);
  if (!chain.form.empty()) return manifest::file_error(ErrorCode::corrupt, ledger, chain.form.front());
  std::vector<Json> events;
  for (auto& line : chain.lines) events.push_back(std::move(line->record));
  return events;
}

}  // namespace exhibit::custody
