#pragma once
// What objects of a format look like from outside: signatures/carver/NAME.json, built into the program. Adding a format
// is adding such a file, and a validator where none fits.

#include <exhibit/result.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carve/validator.h"

namespace exhibit::carve {

// What lets a reader rely on `validated`.
enum class Strength {
  weak,       // little more than a header: yields to any other format that claims the same bytes
  structure,  // fields that must agree with each other, to the end
  checksum,   // checksums over most of the content
};

struct Pattern {
  std::string bytes;         // exact
  std::uint64_t offset = 0;  // from the object's first byte
  // Of two bytes, for what begins with some bits alone (a frame's sync): those that must be as in `bytes`, the first
  // one whole. Empty: all.
  std::string mask;
  bool is_anchor = false;  // lies at the object's end or in its midst: Validator::begin_of finds the beginning
};

struct Signature {
  std::string name;       // the file's name; what `--types` takes
  std::string extension;  // without the dot; a Verdict may know better
  const Validator* validator = nullptr;
  std::vector<Pattern> patterns;
  std::uint64_t minimum = 0, maximum = 0;  // bytes of an object
  Strength strength = Strength::structure;
  bool is_nested = true;   // may be reported as a part of another object
  bool is_joined = false;  // fragments are looked for
  bool is_text = false;    // has no pattern: begins where text begins
};

// All of them, sorted by name. The files were checked when the program was built; an Error is our own bug.
Result<std::vector<Signature>> signatures();
// Reads one file's text.
Result<Signature> parse_signature(std::string_view name, std::string_view json);

// The files as they were built in, sorted by name: what the manifest's `inputs` digest.
struct SignatureFile {
  const char* name;  // without `.json`
  std::string_view text;
};
std::span<const SignatureFile> signature_files();

}  // namespace exhibit::carve
