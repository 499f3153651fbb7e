// LUKS1 and LUKS2, read by ourselves: libluksde stops before LUKS2, and libcryptsetup opens its devices by name, which
// a sealed worker can't (docs/decisions/0041).

#include <algorithm>

#include "volume/layer.h"
#include "volume/layers/luks/key_slots.h"
#include "volume/sector_source.h"

namespace exhibit::volume {
namespace luks {
namespace {

std::string name_of(const Header& header) { return "LUKS" + std::to_string(header.version) + ", UUID " + header.uuid; }

struct Opened {
  std::string key, by;  // the volume's; what kind of secret opened it
};

// Every slot is tried with every secret. What stands in the way of one slot is told only if none opens.
Result<Opened> open_slots(ByteSource& volume, const Header& header, const std::vector<Key>& keys) {
  std::optional<Error> obstacle;
  bool is_tried = false;
  for (const Key& key : keys) {
    for (const KeySlot& slot : header.slots) {
      auto opened = open_slot(volume, header, slot, key.secret);
      if (!opened.ok()) {
        obstacle = opened.take_error();
        continue;
      }
      is_tried = true;
      if (*opened) return Opened{**opened, key.kind};
    }
  }
  if (obstacle && !is_tried) return *obstacle;
  return Error{ErrorCode::encrypted,
               "the volume is encrypted (" + name_of(header) + "), and what was given opens none of its " +
                   std::to_string(header.slots.size()) + " key slots: it is not the key" +
                   (obstacle ? "; a slot could not be tried: " + obstacle->message : ""),
               {},
               {}};
}

bool recognise(ByteSource& volume) { return has_mark(volume); }

Result<void> open(ByteSource& volume, const std::vector<Key>& keys, Holding& holding) {
  holding.layer = {{"type", "luks"}};
  const Header header = EXHIBIT_TRY(read_header(volume));
  holding.may_be_left_over = header.is_second_copy_alone;
  const std::string type = "luks" + std::to_string(header.version);
  holding.layer = {{"type", type}, {"id", header.uuid}, {"encryption", header.encryption}};
  if (!header.label.empty()) holding.layer["label"] = header.label;
  if (header.remark) holding.problems.push_back({ErrorCode::corrupt, name_of(header) + ": " + *header.remark, {}, {}});
  if (header.unsupported)
    return Error{
        ErrorCode::unsupported, "the volume is encrypted (" + name_of(header) + "): " + *header.unsupported, {}, {}};
  if (keys.empty())
    return Error{
        ErrorCode::encrypted, "the volume is encrypted (" + name_of(header) + "); give its key with --unlock", {}, {}};
  if (header.offset >= volume.size())
    return Error{
        ErrorCode::corrupt, name_of(header) + ": its encrypted bytes would begin behind the volume's end", {}, {}};
  const Opened opened = EXHIBIT_TRY(open_slots(volume, header, keys));
  auto cipher = EXHIBIT_TRY(SectorCipher::create(header.encryption, opened.key));
  const std::uint64_t there = volume.size() - header.offset;
  if (header.size.value_or(0) > there)
    holding.problems.push_back(
        {ErrorCode::corrupt, name_of(header) + ": the volume is cut before its last byte", {}, {}});
  const std::uint64_t size = std::min(header.size.value_or(there), there) / header.sector_bytes * header.sector_bytes;
  holding.tables = {{0, header.offset}};
  holding.held = {{header.offset, size}};
  Inner inner;
  inner.volume.id = "luks";
  inner.volume.kind = "encrypted";
  inner.volume.offset = header.offset;
  inner.volume.size = size;
  inner.volume.transform = type;
  inner.volume.facts = {{"unlocked_by", opened.by}};
  inner.bytes =
      decrypted_sectors(volume, {header.offset, size, header.sector_bytes, header.iv_tweak}, std::move(cipher));
  holding.inner.push_back(std::move(inner));
  return {};
}

}  // namespace
}  // namespace luks

extern const Layer luks_layer;
const Layer luks_layer = {"luks", 20, false, luks::recognise, luks::open};

}  // namespace exhibit::volume
