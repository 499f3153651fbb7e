#pragma once
// What a physical volume of LVM2 says of itself and its group (lvm2, lib/format_text/layout.h and lib/label/label.h).

#include <exhibit/byte_source.h>

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace exhibit::volume::lvm {

struct Segment {
  std::uint64_t start = 0, length = 0;  // bytes of the logical volume
  std::string type;                     // striped (with one stripe: linear), thin, raid1, …
  std::uint64_t stripe_bytes = 0;
  struct Stripe {
    std::string volume;        // the physical volume's name in the group
    std::uint64_t offset = 0;  // bytes of it
  };
  std::vector<Stripe> stripes;  // empty for types that aren't read
};

struct LogicalVolume {
  std::string name, id;
  bool is_visible = false;
  std::vector<Segment> segments;
};

struct Group {
  std::string name, id;
  std::string own_name;  // of this physical volume
  std::uint64_t physical_volumes = 0;
  std::uint64_t data_offset = 0;  // bytes; where this volume's first extent begins
  std::vector<LogicalVolume> volumes;
};

struct PhysicalVolume {
  std::string id;              // as LVM prints it
  std::optional<Group> group;  // nothing: it is in none
};

bool has_label(ByteSource& volume);
// `volume.id` is filled before an Error (corrupt).
Result<void> read_metadata(ByteSource& volume, PhysicalVolume& found);

// LVM's text format as an object; Error: corrupt.
Result<base::Json> parse_text(std::string_view text);

}  // namespace exhibit::volume::lvm
