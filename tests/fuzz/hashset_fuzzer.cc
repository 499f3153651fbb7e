// The importers of hash sets: whatever is taken can be looked up.

#include "base/record.h"
#include "fuzz/fuzz.h"
#include "hashset/hashset.h"

using namespace exhibit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile file(fuzz::text_of(data, size));
  const auto set = hashset::load(file.path());
  if (!set.ok()) return 0;
  const hashset::HashSet& loaded = **set;
  FUZZ_CHECK(loaded.entries() > 0 && loaded.refused().size() <= loaded.refused_total());
  Item item;
  item.id = "E1/p0/i1:/x";
  item.size = 1;
  item.digests = {
      {"md5", "d41d8cd98f00b204e9800998ecf8427e"}, {"sha1", std::string(40, 'a')}, {"sha256", std::string(64, '0')}};
  // A rule's name comes from the file: the record that carries it must be one that can be read again.
  const auto alike = loaded.look_up_alike({item.id, {hashset::RawDigest{0x99, 0x2d}}, 100});
  FUZZ_CHECK(alike.ok() && (loaded.has_pictures() || alike->empty()));
  const auto matches = loaded.look_up(item);
  FUZZ_CHECK(matches.ok());
  for (const hashset::SetMatch& match : *matches) {
    const auto again = base::parse_json(base::canonical(hashset::to_record(match)));
    FUZZ_CHECK(again.ok() && base::check_record(*again).ok());
  }
  return 0;
}
