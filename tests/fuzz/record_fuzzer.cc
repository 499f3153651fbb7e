// One line of JSON: the strict reader, the canonical form, and the records that are made of it.

#include "base/record.h"
#include "fuzz/fuzz.h"

using namespace exhibit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = base::parse_json(fuzz::text_of(data, size));
  if (!value.ok()) return 0;
  const std::string canonical = base::canonical(*value);
  const auto again = base::parse_json(canonical);
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(*again == *value);
  FUZZ_CHECK(base::canonical(*again) == canonical);
  base::RecordLine looked_at;
  FUZZ_CHECK(looked_at.read(canonical) == value->is_object());
  if (!value->is_object()) return 0;
  const bool sound = base::check_record(*value).ok();
  const auto item = base::item_from_record(*value);
  if (!item.ok()) {
    FUZZ_CHECK(!sound || (*value)["record"] != "item");
    return 0;
  }
  // What was read of it is written and read as the same.
  const std::string written = base::to_line(*item);
  base::RecordLine line;
  FUZZ_CHECK(line.read(written));
  const auto reread = base::item_from_record(line);
  FUZZ_CHECK(reread.ok() && base::to_line(*reread) == written);
  return 0;
}
