#pragma once
// The data of a ZIP member: inflated, or summed up, and compared with what its headers say.

#include "carve/inflate.h"
#include "carve/zip_records.h"

namespace exhibit::carve::zip {

struct Data {
  enum class Proof {
    proved,    // the CRC-32 and the lengths are right
    unproved,  // nothing can be said without a key, or of a method that we don't unpack; the lengths are right
    broken,
  };
  Proof proof = Proof::broken;
  std::uint32_t crc = 0;
  std::uint64_t compressed = 0, plain = 0;
  std::uint64_t end = 0;        // behind the data and their descriptor; of broken data: where they should end, if known
  std::uint64_t broken_at = 0;  // of broken data: a gap can't begin behind
};

// Checks the data of `member` from `from` on. The last places worth going on from are put in `recent`. `strict`: data
// behind which no record lies are broken, without a look at them.
Data check_data(const Content& content, const Member& member, const Checkpoint* from, bool strict,
                std::deque<Checkpoint>& recent);

// Whether one of the archive's records, or an APK's signing block, begins here.
bool is_record(const Content& content, std::uint64_t position);
// The length of the signing block of an APK here, right before the directory (source.android.com, APK Signature
// Scheme v2); 0: none.
std::uint64_t signing_block(const Content& content, std::uint64_t position);

}  // namespace exhibit::carve::zip
