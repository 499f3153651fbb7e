#pragma once
// libvshadow's handles behind an owning type; no other file sees one.

#include <exhibit/byte_source.h>
#include <libbfio.h>
#include <libvshadow.h>

#include <memory>
#include <string>
#include <vector>

#include "volume/volumes.h"

namespace exhibit::volume::vss {

class ShadowVolume {
 public:
  // nullptr: libvshadow can't read the catalog. `source` must outlive it.
  static std::unique_ptr<ShadowVolume> open(ByteSource& source);
  ~ShadowVolume();
  ShadowVolume(const ShadowVolume&) = delete;
  ShadowVolume& operator=(const ShadowVolume&) = delete;

  // From the oldest on.
  struct Store {
    std::uint64_t size = 0;  // bytes of the volume as it was
    std::string id, copy_id, set_id, created;
    bool has_data = false;  // its blocks lie in the volume
  };
  std::size_t stores() const { return stores_.size(); }
  // How many the volume says it has; of more than Windows keeps the rest isn't opened.
  std::size_t said() const { return said_; }
  Store describe(std::size_t index) const;
  bool read(std::size_t index, std::uint64_t offset, std::span<std::byte> buffer);
  // The volume's bytes that the store keeps as they were; sorted. False: they can't be told.
  bool changed(std::size_t index, std::vector<Range>& ranges) const;

 private:
  ShadowVolume() = default;
  libvshadow_volume_t* volume_ = nullptr;
  libbfio_handle_t* input_ = nullptr;
  std::vector<libvshadow_store_t*> stores_;
  std::size_t said_ = 0;
};

}  // namespace exhibit::volume::vss
