#pragma once
// What this program answers (one line a check, then one verdict); bytes and their spellings as text; files.

#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exhibit_verify {

// A std::string holds bytes in all of this program; text is UTF-8.
using Bytes = std::string;
using View = std::string_view;

// The bytes aren't what their format says. Thrown by whatever reads; Report::guard turns it into a line.
struct Refused {
  std::string why;
};

// The verdict needs a check of this name that is ok.
inline constexpr const char* signature_check = "signature";

// Prints each check as it comes. A name is what was asked; a subject, of what: a file of the case, an exhibit's id, …
class Report {
 public:
  void ok(View name, View subject, View detail = {});
  void failed(View name, View subject, View why);
  void not_checked(View name, View subject, View why);
  void expect(bool holds, View name, View subject, View right, View wrong);  // ok with `right`, or FAILED with `wrong`
  // Does `check`. If it comes to its end, true; if it throws, that is a FAILED.
  template <typename Check>
  bool guard(View name, View subject, Check&& check) {
    try {
      check();
      return true;
    } catch (const Refused& refused) {
      failed(name, subject, refused.why);
    } catch (const std::exception& error) {  // out of memory, a file system that fails
      failed(name, subject, error.what());
    }
    return false;
  }
  // Prints it and gives the exit code: 0 only if nothing failed and a signature is good, else 1.
  int verdict() const;

 private:
  int failures_ = 0, signatures_ = 0, unchecked_ = 0;
};

// Lower-case hex; the other way, nothing for any other text.
std::string to_hex(View bytes);
std::optional<Bytes> from_hex(View text);
// A digest of `size` bytes in lower-case hex; Refused, with `what`, for anything else.
Bytes digest_from_hex(View text, std::size_t size, View what);
// RFC 4648 section 4, with padding and nothing else; Refused, with `what`, for anything else.
Bytes from_base64(View text, View what);
// The DER of each certificate in a PEM file (RFC 7468); Refused where there is none or one that can't be read.
std::vector<Bytes> certificates_from_pem(View text);
// A number as `size` bytes, the most significant first.
Bytes big_endian(std::uint64_t number, std::size_t size);

// A regular file, opened, or read whole; Refused says why not.
std::ifstream open_file(const std::filesystem::path& path);
Bytes read_file(const std::filesystem::path& path, std::uint64_t limit = std::uint64_t{256} << 20);

}  // namespace exhibit_verify
