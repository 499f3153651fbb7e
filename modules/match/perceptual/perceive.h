#pragma once
// What content is like, beside what it is: PDQ of pictures, ssdeep and TLSH of documents. Nearness of such digests is a
// lead for a person, never identity.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>
#include <exhibit/result.h>

#include <optional>
#include <string>

#include "base/json.h"

namespace exhibit::match {

struct Wanted {
  bool pictures = false, documents = false;
};

struct Perceived {
  Digests digests;                  // `pdq`; `ssdeep`, `tlsh`
  std::optional<base::Json> facts;  // how the PDQ was made, the record's key `pdq`
  std::optional<Error> trouble;     // what couldn't be decoded, or not to its end
  bool is_passed_over = false;      // nothing was asked: a worker died of it before
};

// Before the process seals itself.
void prepare(Wanted wanted);

// Whether content of this type has anything to be asked. Types of pictures that aren't decoded do: it is told.
bool is_perceived(const std::string& type, Wanted wanted);

// `content` is read once more, into memory. Larger contents than most_perceived are refused.
inline constexpr std::uint64_t most_perceived = std::uint64_t{128} << 20;
Perceived perceive(const std::string& type, ByteSource& content, Wanted wanted);

}  // namespace exhibit::match
