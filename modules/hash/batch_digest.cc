#include "hash/batch_digest.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
#include <optional>

#include "base/zeros.h"
#include "hash/interleaved_digest.h"
#include "hash/merkle.h"
#include "hash/multi_digest.h"

namespace exhibit::hash {
namespace {

// Blocks that stand one after another; `last` where it is one block, and the message's last.
struct Run {
  const std::byte* blocks = nullptr;
  std::size_t count = 0;
  bool last = false;
};

// Gives a content's blocks, padding included. The runs point into the content, or into the reader until the next call.
class BlockReader {
 public:
  explicit BlockReader(const BatchContent& content) : pieces_(content.pieces) {}
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;

  // Not to be called after the last run.
  Run next() {
    if (ending_ && ending_->count == 2) return {ending_->blocks.data() + compression_block, 1, true};
    skip_empty();
    if (const std::size_t whole = first_.size() / compression_block; whole > 0) {
      const Run run{first_.data(), whole, false};
      take(whole * compression_block);
      return run;
    }
    std::size_t filled = 0;
    for (; !first_.empty() && filled < compression_block; skip_empty()) {
      const std::size_t part = std::min(first_.size(), compression_block - filled);
      std::memcpy(joined_.data() + filled, first_.data(), part);
      filled += part;
      take(part);
    }
    if (filled == compression_block) return {joined_.data(), 1, false};
    ending_.emplace(std::span<const std::byte>(joined_.data(), filled), length_);
    return {ending_->blocks.data(), 1, ending_->count == 1};
  }

 private:
  void take(std::size_t bytes) {
    first_ = first_.subspan(bytes);
    length_ += bytes;
  }
  void skip_empty() {
    for (; first_.empty() && !pieces_.empty(); pieces_ = pieces_.subspan(1)) first_ = pieces_.front();
  }

  std::span<const std::byte> first_;  // what is left of the first piece
  std::span<const std::span<const std::byte>> pieces_;
  std::uint64_t length_ = 0;                         // bytes read
  std::array<std::byte, compression_block> joined_;  // a block that stands in several pieces
  std::optional<LastBlocks> ending_;
};

template <std::size_t words>
void set_column(std::uint32_t (&rows)[words][lanes], std::size_t lane, const std::uint32_t (&values)[words]) {
  for (std::size_t i = 0; i < words; ++i) rows[i][lane] = values[i];
}
template <std::size_t words>
void get_column(const std::uint32_t (&rows)[words][lanes], std::size_t lane, std::uint32_t (&values)[words]) {
  for (std::size_t i = 0; i < words; ++i) values[i] = rows[i][lane];
}

// A content that is being hashed.
struct Job {
  std::size_t content;
  BlockReader reader;
  Run run;

  Job(std::size_t index, const BatchContent& bytes) : content(index), reader(bytes), run(reader.next()) {}
};

// Hashes what is left of a content by itself.
void finish_alone(const StreamKernel& kernel, DigestSet set, ChainingValues& values, Job& job) {
  for (; !job.run.last; job.run = job.reader.next()) {
    kernel.take_blocks[set](values, job.run.blocks, job.run.count);
  }
  take_last_block(kernel, set, values, job.run.blocks);
}

std::uint64_t size_of(const BatchContent& content) {
  std::uint64_t size = 0;
  for (const auto& piece : content.pieces) size += piece.size();
  return size;
}

// The largest first, so that the lanes end together.
std::vector<std::size_t> by_size(std::span<const BatchContent> contents) {
  std::vector<std::uint64_t> sizes;
  for (const BatchContent& content : contents) sizes.push_back(size_of(content));
  std::vector<std::size_t> order(contents.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t i) { return sizes[i]; });
  return order;
}

// Contents side by side: as one ends, the next takes its lane.
class Lanes {
 public:
  Lanes(const LaneKernel& kernel, DigestSet set, std::span<const BatchContent> contents,
        std::vector<ChainingValues>& results)
      : kernel_(kernel), set_(set), contents_(contents), results_(results), waiting_(by_size(contents)) {
    for (std::size_t lane = 0; lane < lanes; ++lane) start_next(lane);
  }

  bool crowded() const { return next_ < waiting_.size() || busy() > kernel_.few; }

  // Takes all lanes to where the first of them needs other bytes.
  void advance() {
    const std::byte* blocks[lanes] = {};
    unsigned busy = 0;
    std::size_t count = SIZE_MAX;
    const std::byte* any = nullptr;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      if (!jobs_[lane]) continue;
      const Run& run = jobs_[lane]->run;
      any = blocks[lane] = run.blocks;
      busy |= 1U << lane;
      count = std::min(count, run.count);
      values_.ends[lane] = run.last ? ~std::uint32_t{0} : 0;
    }
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      if (!jobs_[lane]) blocks[lane] = any;
    }
    kernel_.take_blocks[set_](values_, blocks, busy, count);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      if (jobs_[lane]) skip(lane, count);
    }
  }

  // Gives each content that is left, with the chaining values that it has reached.
  template <typename Finish>
  void drain(const Finish& finish) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      if (!jobs_[lane]) continue;
      ChainingValues& values = results_[jobs_[lane]->content];
      get(lane, values);
      finish(values, *jobs_[lane]);
    }
  }

 private:
  std::size_t busy() const {
    return static_cast<std::size_t>(std::ranges::count_if(jobs_, [](const auto& job) { return job.has_value(); }));
  }

  void skip(std::size_t lane, std::size_t count) {
    Job& job = *jobs_[lane];
    job.run.count -= count;
    job.run.blocks += count * compression_block;
    if (job.run.count > 0) return;
    if (!job.run.last) {
      job.run = job.reader.next();
      return;
    }
    get(lane, results_[job.content]);
    start_next(lane);
  }

  void start_next(std::size_t lane) {
    jobs_[lane].reset();
    if (next_ == waiting_.size()) return;
    const std::size_t content = waiting_[next_++];
    jobs_[lane].emplace(content, contents_[content]);
    set_column(values_.md5, lane, initial_.md5);
    set_column(values_.sha1, lane, initial_.sha1);
    set_column(values_.sha256, lane, initial_.sha256);
  }

  void get(std::size_t lane, ChainingValues& values) const {
    get_column(values_.md5, lane, values.md5);
    get_column(values_.sha1, lane, values.sha1);
    get_column(values_.sha256, lane, values.sha256);
  }

  const LaneKernel& kernel_;
  DigestSet set_;
  std::span<const BatchContent> contents_;
  std::vector<ChainingValues>& results_;
  std::vector<std::size_t> waiting_;  // from next_ on, these contents haven't begun
  std::size_t next_ = 0;
  ChainingValues initial_ = initial_values();
  LaneValues values_{};
  std::array<std::optional<Job>, lanes> jobs_;
};

}  // namespace

std::vector<ChainingValues> compress_batch(DigestSet set, std::span<const BatchContent> contents,
                                           const StreamKernel& stream, const LaneKernel* lane_kernel) {
  std::vector<ChainingValues> results(contents.size(), initial_values());
  const auto alone = [&](ChainingValues& values, Job& job) { finish_alone(stream, set, values, job); };
  if (lane_kernel == nullptr || contents.size() <= lane_kernel->few) {
    for (std::size_t i = 0; i < contents.size(); ++i) {
      Job job(i, contents[i]);
      alone(results[i], job);
    }
    return results;
  }
  Lanes side_by_side(*lane_kernel, set, contents, results);
  while (side_by_side.crowded()) side_by_side.advance();
  side_by_side.drain(alone);
  return results;
}

Result<std::vector<Digests>> digest_batch(std::span<const std::string> algorithms,
                                          std::span<const BatchContent> contents) {
  DigestSet together = 0;
  std::vector<std::string> others;
  for (const std::string& name : algorithms) {
    const DigestSet one = (*stream_kernels())->fast ? kernel_set(name) : 0;
    together |= one;
    if (one == 0) others.push_back(name);
  }
  std::vector<Digests> digests(contents.size());
  if (!others.empty()) {
    MultiDigest digest = EXHIBIT_TRY(MultiDigest::create(others));
    for (std::size_t i = 0; i < contents.size(); ++i) {
      for (const auto& piece : contents[i].pieces) digest.update(piece);
      digests[i] = digest.finish();
    }
  }
  if (together == 0) return digests;
  const auto values = compress_batch(together, contents, **stream_kernels(), *lane_kernels());
  for (std::size_t i = 0; i < contents.size(); ++i) add_digests(values[i], together, digests[i]);
  return digests;
}

std::vector<std::string> block_digests(std::span<const std::byte> media) {
  static const std::string of_zeros = digest_of("sha256", std::string(BlockRoot::block_bytes, '\0'));
  std::vector<std::string> digests;
  std::vector<BatchContent> blocks;  // those that aren't a whole block of zeros; their digests are still empty
  while (!media.empty()) {
    const auto block = media.first(std::min<std::uint64_t>(media.size(), BlockRoot::block_bytes));
    media = media.subspan(block.size());
    const bool is_known = block.size() == BlockRoot::block_bytes && base::all_zeros(block);
    digests.push_back(is_known ? of_zeros : std::string());
    if (!is_known) blocks.push_back({{block}});
  }
  auto next = digests.begin();
  const auto put = [&](std::string digest) {
    next = std::find(next, digests.end(), std::string());
    *next = std::move(digest);
  };
  if (!(*stream_kernels())->fast) {
    for (const BatchContent& block : blocks) {
      const auto& bytes = block.pieces[0];
      put(digest_of("sha256", {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
    }
    return digests;
  }
  for (const ChainingValues& values : compress_batch(with_sha256, blocks, **stream_kernels(), *lane_kernels()))
    put(chaining_value(values, with_sha256));
  return digests;
}

}  // namespace exhibit::hash
