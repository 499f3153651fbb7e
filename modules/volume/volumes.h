#pragma once
// Partition tables (MBR with extended partitions, GPT, APM, BSD, Sun) through libtsk, and the gaps between partitions.

#include <exhibit/byte_source.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/reporter.h"

namespace exhibit::volume {

struct Range {
  std::uint64_t offset = 0, length = 0;  // bytes
  bool operator==(const Range&) const = default;
};

struct Volume {
  std::string id;      // E1/p1, E1/gap0
  std::string parent;  // E1
  std::string kind;    // partition, unpartitioned, gap; encrypted, snapshot, pool
  std::string scheme;  // mbr gpt apm bsd sun none
  std::optional<std::uint64_t> slot;
  std::uint64_t offset = 0;  // bytes of the parent
  std::uint64_t size = 0;    // bytes, cut at the medium's end
  std::optional<std::string> label, type;
  std::optional<std::string> transform;  // what makes its bytes of the parent's: luks2, bitlocker, vss
  base::Json facts;                      // what else its record tells; null: nothing
  // Bytes of this volume (relative to it) that hold partition tables: metadata, not gap.
  std::vector<Range> tables;
  // Bytes of this volume (relative to it) that no volume before it in the list claims: what it adds to the evidence's
  // coverage, so that overlapping partitions are not counted twice. The owned ranges of all volumes tile the medium.
  std::vector<Range> owned;
};

// In order of (offset, id); partitions p1… by offset, gaps gap0… by offset; together they cover each byte of the
// medium. No table: one volume p0, kind `unpartitioned`, offset 0, the medium's size. A table that is damaged, loops,
// overlaps or points past the end is a problem (stage `open`) told to `reporter`, and what could be read is returned.
// A partition cut at the medium's end or starting past it (then size 0) is told too.
Result<std::vector<Volume>> list_volumes(ByteSource& media, std::uint32_t sector_size, const std::string& evidence,
                                         base::Reporter& reporter);

// The `volume` record, without `filesystem`. tables and owned are not part of it.
base::Json to_record(const Volume& volume);

// A part of a source as a source of its own. `parent` must outlive it.
std::unique_ptr<ByteSource> slice(ByteSource& parent, std::uint64_t offset, std::uint64_t size);

}  // namespace exhibit::volume
