// NIST's NSRL Reference Data Set version 3: an SQLite database whose table (minimal edition) or view (full edition)
// FILE has sha256, sha1, md5 and file_name. Read in the order in which it lies; the view DISTINCT_HASH, which sorts
// everything, isn't asked. Rows are counted from 1.

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "hashset/format.h"

namespace exhibit::hashset {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic("SQLite format 3\0", 16);
constexpr const char* question = "SELECT sha256, sha1, md5, file_name FROM FILE";

Error of_database(const InputFile& file, ErrorCode code, const std::string& why) {
  return Error{code, file.name + ": " + why, file.name, {}};
}

class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  int step() { return sqlite3_step(statement_); }
  // Empty where it is null.
  std::string_view text(int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return text == nullptr ? std::string_view()
                           : std::string_view(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
  }

 private:
  sqlite3_stmt* statement_;
};

class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { sqlite3_close(database_); }

  // Without locks, journals or writing: the file is taken as it lies.
  bool open(int fd) {
    const std::string uri = "file:/proc/self/fd/" + std::to_string(fd) + "?mode=ro&immutable=1";
    if (sqlite3_open_v2(uri.c_str(), &database_, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr) != SQLITE_OK) {
      return false;
    }
    // A schema from elsewhere calls no functions with effects.
    sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    return true;
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr);
    return statement;
  }
  std::string complaint() const { return sqlite3_errmsg(database_); }

 private:
  sqlite3* database_ = nullptr;
};

// SQLite reads a file that was cut as far as nothing points beyond its end.
Result<void> check_size(const InputFile& file) {
  std::array<unsigned char, 100> head{};  // SQLite's file format, 1.3: page size at 16, pages at 28, big-endian
  struct stat status = {};
  if (::pread(file.fd, head.data(), head.size(), 0) != static_cast<ssize_t>(head.size()) ||
      ::fstat(file.fd, &status) != 0) {
    return of_database(file, ErrorCode::corrupt, "cut within the head of its database");
  }
  const std::uint64_t given = std::uint64_t{head[16]} << 8 | head[17], page = given == 1 ? 65536 : given;
  const std::uint64_t pages =
      std::uint64_t{head[28]} << 24 | std::uint64_t{head[29]} << 16 | std::uint64_t{head[30]} << 8 | head[31];
  if (page * pages > static_cast<std::uint64_t>(status.st_size)) {
    return of_database(file, ErrorCode::corrupt,
                       "its database was cut: it says that it has " + std::to_string(page * pages) + " bytes");
  }
  std::error_code ignored;
  const fs::path path = fs::read_symlink("/proc/self/fd/" + std::to_string(file.fd), ignored);
  for (const char* suffix : {"-wal", "-journal"}) {
    if (const auto size = fs::file_size(path.string() + suffix, ignored); !ignored && size > 0) {
      return of_database(
          file, ErrorCode::unsupported,
          "a journal lies beside the database, so it isn't finished: open and close it with sqlite3 first");
    }
  }
  return {};
}

Result<void> read(const InputFile& file, Sink& sink) {
  EXHIBIT_TRY(check_size(file));
  Database database;
  if (!database.open(file.fd)) return of_database(file, ErrorCode::corrupt, database.complaint());
  Statement rows(database.prepare(question));
  int step = rows.step();
  for (std::uint64_t row = 1; step == SQLITE_ROW; ++row, step = rows.step()) {
    Entry entry;
    entry[Algorithm::sha256] = rows.text(0);
    entry[Algorithm::sha1] = rows.text(1);
    entry[Algorithm::md5] = rows.text(2);
    entry.name = rows.text(3);
    EXHIBIT_TRY(sink.take(row, entry));
  }
  if (step == SQLITE_DONE) return {};
  if (step == SQLITE_MISUSE) {
    return of_database(file, ErrorCode::unsupported, "no NSRL RDSv3: " + database.complaint());
  }
  return of_database(file, ErrorCode::corrupt, database.complaint());
}

// The digests of "a" and "b".
constexpr ExpectedEntry expected[] = {
    {"md5", "0cc175b9c0f1b6a831c399e269772661", "a.txt"},
    {"sha1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "a.txt"},
    {"sha256", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", "a.txt"},
    {"md5", "92eb5ffee6ae2fec3ad71c777531578f", "b.txt"},
};

std::string sample() {
  sqlite3* database = nullptr;
  std::string bytes;
  if (sqlite3_open(":memory:", &database) == SQLITE_OK) {
    sqlite3_exec(
        database,
        "CREATE TABLE FILE(sha256 VARCHAR, sha1 VARCHAR, md5 VARCHAR, crc32 VARCHAR, file_name VARCHAR, "
        "file_size INTEGER, package_id INTEGER);"
        "INSERT INTO FILE VALUES('CA978112CA1BBDCAFAC231B39A23DC4DA786EFF8147C4E72B9807785AFEE48BB',"
        "'86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8','0CC175B9C0F1B6A831C399E269772661','E8B7BE43','a.txt',1,1);"
        "INSERT INTO FILE VALUES(NULL,NULL,'92EB5FFEE6AE2FEC3AD71C777531578F',NULL,'b.txt',1,1);"
        "INSERT INTO FILE VALUES(NULL,NULL,'92EB5FFE',NULL,'c.txt',1,1);",
        nullptr, nullptr, nullptr);
    sqlite3_int64 size = 0;
    if (unsigned char* image = sqlite3_serialize(database, "main", &size, 0); image != nullptr) {
      bytes.assign(reinterpret_cast<const char*>(image), static_cast<std::size_t>(size));
      sqlite3_free(image);
    }
  }
  sqlite3_close(database);
  return bytes;
}

}  // namespace

extern constinit const FormatRow nsrl_rds3_row = {
    .name = "nsrl-rds3",
    .has_beginning = [](std::string_view bytes) { return bytes.starts_with(magic); },
    .read = read,
    .sample = sample,
    .expected = expected,
    .sample_refused = 1};

}  // namespace exhibit::hashset
