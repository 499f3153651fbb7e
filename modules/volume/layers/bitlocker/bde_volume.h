#pragma once
// libbde's handles behind an owning type; no other file sees one.

#include <exhibit/byte_source.h>
#include <libbde.h>
#include <libbfio.h>

#include <memory>
#include <string>
#include <vector>

#include "volume/layer.h"

namespace exhibit::volume::bitlocker {

class BdeVolume {
 public:
  // `key`: nullptr for none. nullptr: libbde can't read the volume's structures. `source` must outlive it.
  static std::unique_ptr<BdeVolume> open(ByteSource& source, const Key* key);
  ~BdeVolume();
  BdeVolume(const BdeVolume&) = delete;
  BdeVolume& operator=(const BdeVolume&) = delete;

  bool is_locked() const;
  std::string id() const;           // GUID
  std::string description() const;  // as Windows made it: machine, volume, date
  std::string encryption() const;
  struct Protector {
    std::string type, id;
  };
  std::vector<Protector> protectors() const;
  std::uint64_t size() const;
  bool read(std::uint64_t offset, std::span<std::byte> buffer);

 private:
  BdeVolume() = default;
  bool set_key(const Key& key);

  libbde_volume_t* volume_ = nullptr;
  libbfio_handle_t* input_ = nullptr;
};

}  // namespace exhibit::volume::bitlocker
