#pragma once
// For tests: a small findings file in canonical form and order, as lines.

#include <string>
#include <vector>

#include "base/json.h"

namespace exhibit::manifest::test {

using Lines = std::vector<std::string>;

inline std::string line_of(const base::Json& record) { return base::canonical(record); }

inline base::Json item_record(const std::string& volume, const std::string& name) {
  return {{"record", "item"},
          {"id", volume + "/i" + name + ":/" + name},
          {"volume", volume},
          {"path", "/" + name},
          {"content", volume + "/i" + name},
          {"kind", "file"},
          {"state", "allocated"},
          {"size", 5},
          {"digests", {{"sha256", std::string(64, 'a')}}},
          {"extents", {{0, 5}}}};
}
inline base::Json match_record(const std::string& item, const std::string& rule, std::uint64_t offset) {
  return {{"record", "match"},
          {"item", item},
          {"by", "yara"},
          {"source", "pack"},
          {"source_sha256", std::string(64, 'b')},
          {"rule", rule},
          {"where", {{{"offset", offset}, {"length", 3}, {"string", "$a"}}}}};
}
inline base::Json problem_record(const std::string& where, const std::string& stage, const std::string& detail) {
  return {{"record", "problem"}, {"where", where}, {"stage", stage}, {"cause", "corrupt"}, {"detail", detail}};
}
inline base::Json volume_record(const std::string& id, const std::string& parent, std::uint64_t offset,
                                std::uint64_t size) {
  return {{"record", "volume"}, {"id", id},         {"parent", parent}, {"kind", "partition"},
          {"scheme", "mbr"},    {"offset", offset}, {"size", size}};
}
inline base::Json coverage_record(const std::string& where, std::uint64_t allocated, std::uint64_t gap) {
  return {{"record", "coverage"},
          {"where", where},
          {"bytes", {{"allocated", allocated}, {"gap", gap}}},
          {"examined", {{"hashed", allocated}}}};
}
inline base::Json evidence_record(const std::string& id = "E1") {
  return {{"record", "evidence"},
          {"id", id},
          {"format", "raw"},
          {"size", 4096},
          {"sector_size", 512},
          {"digests", {{"sha256", std::string(64, '1')}, {"md5", std::string(32, '2')}}},
          {"integrity", "no-stored-digest"},
          {"block_root", std::string(64, '3')},
          {"block_size", 1048576}};
}

inline Lines sample_findings(const std::string& id = "E1") {
  const std::string gap = id + "/gap0";
  const std::string volume = id + "/p1";
  const std::string first = volume + "/i5:/5";
  const std::vector<base::Json> records = {
      evidence_record(id),
      volume_record(gap, id, 0, 512),
      match_record(gap, "rule", 7),
      coverage_record(gap, 0, 512),
      volume_record(volume, id, 512, 3584),
      item_record(volume, "5"),
      match_record(first, "rule-a", 1),
      match_record(first, "rule-a", 9),
      match_record(first, "rule-b", 0),
      problem_record(first, "hash", "a sector was lost"),
      problem_record(first, "read", "a sector was lost"),
      item_record(volume, "6"),
      item_record(volume, "7"),
      problem_record(volume + "/i8:/folder", "walk", "a folder was lost"),
      problem_record(volume, "walk", "the journal is damaged"),
      coverage_record(volume, 3000, 584),
      problem_record(id, "read", "the last sector"),
      coverage_record(id, 3000, 1096),
  };
  Lines lines;
  for (const base::Json& record : records) lines.push_back(line_of(record));
  return lines;
}

inline std::string bytes_of(const Lines& lines) {
  std::string bytes;
  for (const std::string& line : lines) bytes += line + "\n";
  return bytes;
}

}  // namespace exhibit::manifest::test
