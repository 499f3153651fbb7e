#include "match/content.h"
namespace exhibit::match {
bool extension_mismatch(const std::string&, const std::string&) { return false; }
}  // namespace exhibit::match
