#include "hashset/builder.h"

#include <algorithm>
#include <cstring>

#include "base/json.h"
#include "base/text.h"
#include "hash/multi_digest.h"
#include "hashset/index_format.h"

namespace exhibit::hashset {
namespace {

constexpr std::size_t writer_buffer = std::size_t{1} << 20;
constexpr std::size_t rows_ahead = 16;

template <typename Integer>
std::string_view bytes_of(const Integer& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

}  // namespace

// The file from its beginning to its end, and the digest of what was written.
class Builder::Writer {
 public:
  static Result<Writer> create(int fd) { return Writer(fd, EXHIBIT_TRY(hash::create("sha256"))); }

  std::uint64_t offset() const { return offset_; }
  Result<void> write(std::string_view bytes) {
    buffer_ += bytes;
    offset_ += bytes.size();
    return buffer_.size() < writer_buffer ? Result<void>() : flush();
  }
  // Zeros up to a multiple of the alignment.
  Result<void> align() {
    const std::uint64_t past = offset_ % index_alignment;
    return past == 0 ? Result<void>() : write(std::string(index_alignment - past, '\0'));
  }
  Result<void> finish() {
    EXHIBIT_TRY(flush());
    return write_fully(fd_, hasher_->finish());
  }

 private:
  Writer(int fd, std::unique_ptr<hash::Hasher> hasher) : fd_(fd), hasher_(std::move(hasher)) {}
  Result<void> flush() {
    hasher_->update(std::as_bytes(std::span(buffer_)));
    EXHIBIT_TRY(write_fully(fd_, buffer_));
    buffer_.clear();
    return {};
  }

  int fd_;
  std::unique_ptr<hash::Hasher> hasher_;
  std::string buffer_;
  std::uint64_t offset_ = 0;
};

// The sections of one algorithm.
class Builder::TableWriter {
 public:
  // `ranks`: a label's place in the sorted list, by the order of its coming.
  TableWriter(Algorithm algorithm, Partition& partition, const std::vector<std::uint16_t>& ranks,
              const BuildOptions& options, Writer& writer)
      : partition_(partition),
        ranks_(ranks),
        writer_(writer),
        with_names_(options.names),
        labels_(options.folder),
        names_(options.folder),
        blocks_(options.folder),
        hashes_(options.folder) {
    table_.algorithm = algorithm;
    table_.prefix_bits = prefix_bits_for(partition.rows());
    table_.dropped_bytes = algorithm == Algorithm::pdq ? 0 : dropped_bytes_for(table_.prefix_bits);
    table_.label_bits = label_bits_for(ranks.size());
    counts_.resize(std::size_t{1} << table_.prefix_bits);
  }

  Result<TableFacts> write() {
    EXHIBIT_TRY(begin(table_.rows));
    for (std::size_t part = 0; part < Partition::part_count; ++part) {
      EXHIBIT_TRY(write_rows(*EXHIBIT_TRY(partition_.sorted_part(part))));
    }
    EXHIBIT_TRY(end_names_block());
    end(table_.rows);
    EXHIBIT_TRY(write_buckets());
    EXHIBIT_TRY(write_labels());
    EXHIBIT_TRY(write_names());
    if (table_.algorithm == Algorithm::pdq) EXHIBIT_TRY(write_slots());
    return table_;
  }

 private:
  Result<void> begin(Section& section) {
    EXHIBIT_TRY(writer_.align());
    section.offset = writer_.offset();
    return {};
  }
  void end(Section& section) { section.bytes = writer_.offset() - section.offset; }

  // Rows of one digest become one for each of their labels, in the labels' order.
  Result<void> write_rows(const std::vector<WaitingRow>& rows) {
    for (std::size_t i = 0, next = 0; i < rows.size(); i = next) {
      next = i + 1;
      // Rows lie in the order of their coming: memory is fetched ahead.
      __builtin_prefetch(rows[std::min(i + rows_ahead, rows.size() - 1)].bytes);
      const auto same = [&](const WaitingRow& row) {
        return row.key == rows[i].key && std::memcmp(row.bytes, rows[i].bytes, partition_.digest_bytes()) == 0;
      };
      while (next < rows.size() && same(rows[next])) ++next;
      if (next == i + 1) {
        EXHIBIT_TRY(write_row(rows[i], ranks_[partition_.label_of(rows[i].bytes)], partition_.name_of(rows[i].bytes)));
        continue;
      }
      named_.clear();
      for (std::size_t row = i; row < next; ++row) {
        std::string_view& name = named_[ranks_[partition_.label_of(rows[row].bytes)]];
        const std::string_view other = partition_.name_of(rows[row].bytes);
        // Of several names one that doesn't depend on the order of coming.
        if (name.empty() || (!other.empty() && other < name)) name = other;
      }
      for (const auto& [rank, name] : named_) EXHIBIT_TRY(write_row(rows[i], rank, name));
    }
    return {};
  }

  Result<void> write_row(const WaitingRow& row, std::uint16_t rank, std::string_view name) {
    if (table_.digests == most_digests) {
      return Error{ErrorCode::size_limit, "an index holds up to 4294967295 digests of an algorithm", {}, {}};
    }
    EXHIBIT_TRY(writer_.write({row.bytes + table_.dropped_bytes, partition_.digest_bytes() - table_.dropped_bytes}));
    if (table_.algorithm == Algorithm::pdq) EXHIBIT_TRY(hashes_.append({row.bytes, partition_.digest_bytes()}));
    ++counts_[bucket_of(row.key, table_.prefix_bits)];
    if (table_.label_bits != 0) EXHIBIT_TRY(labels_.append(bytes_of(rank)));
    if (with_names_) {
      if (table_.digests % names_a_block == 0) EXHIBIT_TRY(end_names_block());
      append_varint(block_, name.size());
      block_ += name;
      has_names_ = has_names_ || !name.empty();
    }
    ++table_.digests;
    return {};
  }

  // A block's place is where the last one ended.
  Result<void> end_names_block() {
    EXHIBIT_TRY(names_.append(block_));
    block_.clear();
    return blocks_.append(bytes_of(names_.size()));
  }

  // How many buckets there should have been shows once rows of one digest are one.
  Result<void> write_buckets() {
    const unsigned fewest = 8 * table_.dropped_bytes;
    while (table_.prefix_bits > std::max(fewest, prefix_bits_for(table_.digests))) {
      --table_.prefix_bits;
      for (std::size_t i = 0; i < counts_.size() / 2; ++i) counts_[i] = counts_[2 * i] + counts_[2 * i + 1];
      counts_.resize(counts_.size() / 2);
    }
    EXHIBIT_TRY(begin(table_.buckets));
    std::uint32_t place = 0;
    for (const std::uint32_t count : counts_) {
      EXHIBIT_TRY(writer_.write(bytes_of(place)));
      place += count;
    }
    EXHIBIT_TRY(writer_.write(bytes_of(place)));
    end(table_.buckets);
    return {};
  }

  // Packed, the lowest bits first.
  Result<void> write_labels() {
    EXHIBIT_TRY(begin(table_.labels));
    std::uint64_t waiting = 0;
    unsigned bits = 0;
    EXHIBIT_TRY(labels_.read([&](std::string_view ranks) -> Result<void> {
      std::string packed;
      for (std::size_t i = 0; i < ranks.size(); i += sizeof(std::uint16_t)) {
        std::uint16_t rank;
        std::memcpy(&rank, ranks.data() + i, sizeof rank);
        waiting |= std::uint64_t{rank} << bits;
        for (bits += table_.label_bits; bits >= 8; bits -= 8, waiting >>= 8) packed += static_cast<char>(waiting);
      }
      return writer_.write(packed);
    }));
    if (bits != 0) EXHIBIT_TRY(writer_.write({reinterpret_cast<const char*>(&waiting), 1}));
    end(table_.labels);
    return {};
  }

  Result<void> write_names() {
    EXHIBIT_TRY(begin(table_.names));
    const auto copy = [&](std::string_view bytes) { return writer_.write(bytes); };
    if (has_names_) EXHIBIT_TRY(names_.read(copy));
    end(table_.names);
    EXHIBIT_TRY(begin(table_.name_blocks));
    if (has_names_) EXHIBIT_TRY(blocks_.read(copy));
    end(table_.name_blocks);
    return {};
  }

  // The rows by the value of each slot: read once to count them, and once to put them in their places.
  Result<void> write_slots() {
    EXHIBIT_TRY(begin(table_.slots));
    const std::size_t bytes = partition_.digest_bytes();
    for (std::size_t slot = 0; slot < pdq_slots; ++slot) {
      const auto each_value = [&](auto take) {
        return hashes_.read([&](std::string_view hashes) -> Result<void> {
          for (std::size_t at = 2 * slot; at < hashes.size(); at += bytes) take(pdq_slot_value(hashes.data() + at));
          return {};
        });
      };
      std::vector<std::uint32_t> starts(pdq_slot_values + 1), rows(table_.digests);
      EXHIBIT_TRY(each_value([&](std::size_t value) { ++starts[value + 1]; }));
      for (std::size_t value = 0; value < pdq_slot_values; ++value) starts[value + 1] += starts[value];
      EXHIBIT_TRY(writer_.write(view_of(starts)));
      std::uint32_t row = 0;
      EXHIBIT_TRY(each_value([&](std::size_t value) { rows[starts[value]++] = row++; }));
      EXHIBIT_TRY(writer_.write(view_of(rows)));
    }
    end(table_.slots);
    return {};
  }
  static std::string_view view_of(const std::vector<std::uint32_t>& numbers) {
    return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof numbers[0]};
  }

  Partition& partition_;
  const std::vector<std::uint16_t>& ranks_;
  Writer& writer_;
  bool with_names_;
  TableFacts table_;
  std::vector<std::uint32_t> counts_;  // of each bucket
  Spool labels_, names_, blocks_;
  Spool hashes_;       // of pdq, once more
  std::string block_;  // names of the block at hand
  bool has_names_ = false;
  std::map<std::uint16_t, std::string_view> named_;  // the labels of one digest
};

Result<std::uint16_t> Builder::label_for(std::string_view category) {
  if (const auto known = labels_of_source_.find(category); known != labels_of_source_.end()) return known->second;
  const Label label{base::clean_utf8(category).text, source_};
  auto found = labels_.find(label);
  if (found == labels_.end()) {
    if (labels_.size() == most_labels) {
      return Error{ErrorCode::size_limit, "the inputs have more than 65535 categories", {}, {}};
    }
    found = labels_.emplace(label, static_cast<std::uint16_t>(labels_.size())).first;
  }
  labels_of_source_.emplace(category, found->second);
  return found->second;
}

Result<Builder::Taken> Builder::take(const Entry& entry, bool refuse_trivial) {
  std::array<RawDigest, algorithm_count> raw;
  bool any = false;
  for (std::size_t i = 0; i < algorithm_count; ++i) {
    if (entry.digests[i].empty()) continue;
    const auto algorithm = static_cast<Algorithm>(i);
    if (!decode_digest(entry.digests[i], algorithm, raw[i])) {
      return Taken{Refusal{"its " + std::string(algorithm_facts[i].name) + " isn't one"}, false};
    }
    if (is_of_empty_content(algorithm, raw[i])) {
      return Taken{Refusal{"the digest of empty content, which is never matched"}, true};
    }
    if (refuse_trivial) {
      if (std::string what = trivial_content(algorithm, raw[i]); !what.empty()) {
        return Taken{Refusal{"the digest of " + what + ", which every medium is full of"}, true};
      }
    }
    any = true;
  }
  if (!any) return Taken{Refusal{"it has no digest"}, false};
  const std::uint16_t label = EXHIBIT_TRY(label_for(entry.category));
  const std::string_view name = options_.names ? entry.name : std::string_view();
  for (std::size_t i = 0; i < algorithm_count; ++i) {
    if (entry.digests[i].empty()) continue;
    auto& partition = partitions_[i];
    if (!partition) {
      partition = std::make_unique<Partition>(static_cast<Algorithm>(i), options_.names, options_.folder);
    }
    EXHIBIT_TRY(partition->add(raw[i], label, name));
  }
  ++entries_;
  return Taken{};
}

Result<void> Builder::write(int fd, const Description& description) {
  IndexHeader header{description, std::move(inputs_), {}, {}, entries_};
  std::ranges::sort(header.inputs, {}, [](const InputFacts& input) { return std::tie(input.name, input.sha256); });
  std::vector<std::uint16_t> ranks(labels_.size());
  for (const auto& [label, order] : labels_) {
    ranks[order] = static_cast<std::uint16_t>(header.labels.size());
    header.labels.push_back(label);
  }
  Writer writer = EXHIBIT_TRY(Writer::create(fd));
  EXHIBIT_TRY(writer.write(index_magic));
  EXHIBIT_TRY(writer.write(bytes_of(index_version)));
  EXHIBIT_TRY(writer.align());
  for (std::size_t i = 0; i < algorithm_count; ++i) {
    if (!partitions_[i]) continue;
    TableWriter table(static_cast<Algorithm>(i), *partitions_[i], ranks, options_, writer);
    header.tables.push_back(EXHIBIT_TRY(table.write()));
    partitions_[i].reset();
  }
  EXHIBIT_TRY(writer.align());
  const std::uint64_t offset = writer.offset();
  const std::string json = base::canonical(to_json(header));
  if (json.size() > longest_index_header) {
    return Error{ErrorCode::size_limit, "the index's header would be longer than 16 MiB: too many inputs", {}, {}};
  }
  EXHIBIT_TRY(writer.write(json));
  EXHIBIT_TRY(writer.align());
  const std::uint64_t length = json.size(), size = writer.offset() + index_foot_bytes;
  for (const std::uint64_t number : {offset, length, size}) EXHIBIT_TRY(writer.write(bytes_of(number)));
  EXHIBIT_TRY(writer.write(index_foot_magic));
  return writer.finish();
}

}  // namespace exhibit::hashset
