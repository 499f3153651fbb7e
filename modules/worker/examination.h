#pragma once
// What is done with one item's content, whoever brings it: digests, type, rules; and what is said of it.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "worker/task.h"

namespace exhibit::worker {

// Whether content belongs to the entry: none is claimed for an overwritten one, nor for the folders that a library
// makes up, nor where what is left of a deleted entry names no byte (that it was empty is not known).
bool has_content(const Item& item);

// Why an item's content isn't read at all: a size that no content of such a volume has, as one flipped bit makes it.
std::optional<Error> too_large(const Item& item, std::uint64_t volume_bytes);

// Answers items one by one with their records, which come and go as canonical text. What a record says besides is
// passed on as it came.
class Examiner {
 public:
  // `digests`: names from hash::algorithms(). `stage`: of the problems of reading. All must outlive the examiner.
  Examiner(Context& context, std::vector<std::string> digests, Output& output, const char* stage = "read");

  // Objects that a worker died on (Task::skip): an item's id and base::decoding_mark is what its content is like.
  void pass_over(std::set<std::string> objects) { passed_over_ = std::move(objects); }

  // The item as it came.
  void pass_on(std::string_view record);

  // Reads the content once; what can't be read to its end is a problem of the item.
  void examine(const Item& item, std::string_view record, ByteSource& content);

  // The same for content that was digested already and holds no doubt; `head`: its first bytes, as many as a type
  // needs. Equal contents are judged once.
  void examine(const Item& item, std::string_view record, ByteSource& content, const Digests& digests,
               std::span<const std::byte> head);

  // The content can't be had at all.
  void refuse(const Item& item, std::string_view record, const Error& error);

  // The type of the content that was examined last; empty: it isn't known.
  const std::string& last_type() const { return last_type_; }

 private:
  Result<void> read(const Item& item, ByteSource& content, std::string_view record);
  void tell_found(const Item& item, std::string_view record, const Digests& digests, const std::vector<Doubt>& doubts,
                  const Judgement& judged);
  match::Perceived perceive(const Item& item, const std::string& type, ByteSource& content);
  void tell_type(const Item& item, const std::string& type);
  void tell_perceived(const Item& item, const match::Perceived& perceived);
  void tell_scan(const Item& item, const match::ScanResult& scanned);

  Context& context_;
  Output& output_;
  std::vector<std::string> wanted_;
  const char* stage_;
  std::set<std::string> passed_over_;
  std::string last_type_;
  base::RecordLine line_;  // the one being answered
};

}  // namespace exhibit::worker
