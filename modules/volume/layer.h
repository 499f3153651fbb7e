#pragma once
// What a volume may hold in place of a file system or beside it: an encrypted volume, volumes of a manager, snapshots.
// One folder NAME of layers/ each. Whatever a layer yields is a ByteSource again, so that layers nest in any order
// (nest.h).

#include <span>

#include "volume/volumes.h"

namespace exhibit::volume {

// What was given to open a volume with. Never told, logged or stored.
struct Key {
  std::string kind;  // password, recovery-key, startup-key, key-file
  std::string secret;
};

// A volume that another one holds.
struct Inner {
  Volume volume;  // `id` is its last part alone, `parent` empty: nest.cc puts them together
  std::unique_ptr<ByteSource> bytes;
  // Of a snapshot: where alone its bytes may differ from the volume's that holds it; sorted, disjoint. Nothing: that
  // isn't known.
  std::optional<std::vector<Range>> differing;
};

// What a volume was found to hold.
struct Holding {
  base::Json layer;  // {type, id, …} for the volume's record; null: nothing that is known
  bool replaces_filesystem = false;
  // What tells of it is a copy alone that formatting anew may have left: where it can't be opened, the file system is
  // asked, too.
  bool may_be_left_over = false;
  std::vector<Range> tables;    // bytes of the volume that are the layer's own
  std::vector<Range> held;      // bytes of the volume that are looked at as those of `inner`
  std::vector<Error> problems;  // of the volume, stage `open`
  std::vector<Inner> inner;
};

struct Layer {
  const char* name;
  // Of two that are recognised the lower one is taken: it is the one around the other.
  unsigned order;
  bool beside_filesystem;
  // By its mark alone.
  bool (*recognise)(ByteSource& volume);
  // `holding.layer` is filled as far as is known, whatever the result. Error: no volume of it can be had; `encrypted`
  // where no key was given or none of those fits, `corrupt` where the layer's own structures are damaged. `volume` must
  // outlive what `holding` gets.
  Result<void> (*open)(ByteSource& volume, const std::vector<Key>& keys, Holding& holding);
};

// One a folder NAME of layers/: `extern const Layer NAME_layer;`.
std::span<const Layer* const> all_layers();

}  // namespace exhibit::volume
