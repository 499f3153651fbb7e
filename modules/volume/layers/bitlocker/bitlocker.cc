// BitLocker and BitLocker To Go, through libbde.

#include "base/checked.h"
#include "volume/bytes.h"
#include "volume/derived_source.h"
#include "volume/guid.h"
#include "volume/layers/bitlocker/bde_volume.h"
#include "volume/table.h"

namespace exhibit::volume {
namespace bitlocker {
namespace {

using namespace std::string_view_literals;

// libbde's documentation, "BitLocker Drive Encryption (BDE) format", "Volume header": the signature of a volume made by
// Windows Vista or later; To Go has the boot sector of a FAT that holds nothing but the program for reading the rest,
// with BitLocker's GUID 4967d63b-2e29-4ad8-8399-f6a339e3d001 in it.
constexpr auto mark = "-FVE-FS-"sv, mark_to_go = "MSWIN4.1"sv;
constexpr std::size_t id_at = 160, id_to_go_at = 424, guid_bytes = 16;
constexpr auto id_to_go = "\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01"sv;

bool is_to_go(std::string_view boot) {
  return boot.substr(3).starts_with(mark_to_go) && boot.substr(id_to_go_at).starts_with(id_to_go);
}

bool recognise(ByteSource& volume) {
  const std::string boot = bytes_at(volume, 0, 512);
  if (boot.size() < 512) return false;
  return std::string_view(boot).substr(3).starts_with(mark) || is_to_go(boot);
}

// "FVE metadata block header": its state, 4 where all of the volume is encrypted; nothing where no block can be read.
std::optional<std::uint64_t> state_of(ByteSource& volume) {
  const std::string boot = bytes_at(volume, 0, 512);
  const std::size_t at = (is_to_go(boot) ? id_to_go_at : id_at) + guid_bytes;
  for (std::size_t copy = 0; copy < 3; ++copy) {
    const std::string block = bytes_at(volume, little(boot, at + 8 * copy, 8), 64);
    if (block.size() == 64 && block.starts_with(mark) && little(block, 10, 2) == 2) return little(block, 12, 2);
  }
  return std::nullopt;
}

class Decrypted final : public DerivedSource {
 public:
  Decrypted(ByteSource& volume, std::unique_ptr<BdeVolume> bde)
      : DerivedSource(volume, bde->size()), bde_(std::move(bde)) {}

 protected:
  Result<void> derive(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (bde_->read(offset, buffer)) return {};
    return Error{ErrorCode::corrupt, "libbde can't decrypt it here", {}, offset};
  }

 private:
  std::unique_ptr<BdeVolume> bde_;
};

void describe(const BdeVolume& bde, bool to_go, base::Json& layer) {
  layer["id"] = bde.id();
  layer["encryption"] = bde.encryption();
  if (to_go) layer["to_go"] = true;
  if (const std::string text = bde.description(); !text.empty()) layer["label"] = text;
  base::Json& protectors = layer["protectors"] = base::Json::array();
  for (const auto& protector : bde.protectors()) protectors.push_back({{"type", protector.type}, {"id", protector.id}});
}

Result<void> open(ByteSource& volume, const std::vector<Key>& keys, Holding& holding) {
  constexpr std::uint64_t all_encrypted = 4;
  holding.layer = {{"type", "bitlocker"}};
  const std::string boot = bytes_at(volume, 0, 512);
  const bool to_go = is_to_go(boot);
  const auto state = state_of(volume);
  auto bde = BdeVolume::open(volume, nullptr);
  if (bde != nullptr) describe(*bde, to_go, holding.layer);
  const std::string name =
      std::string("BitLocker") + (to_go ? " To Go" : "") + (bde != nullptr ? ", volume " + bde->id() : "");
  if (state && *state != all_encrypted)
    return Error{ErrorCode::unsupported,
                 "the volume is encrypted (" + name + ") in part only, as it was being encrypted or decrypted (state " +
                     std::to_string(*state) + "), which Exhibit doesn't read",
                 {},
                 {}};
  if (bde == nullptr && state)
    return Error{
        ErrorCode::unsupported,
        "the volume is encrypted (BitLocker), and libbde can't read its metadata: they are newer than it knows, "
        "of a volume encrypted as it was written to, or damaged",
        {},
        {}};
  if (bde == nullptr)
    return Error{
        ErrorCode::corrupt, "the volume bears the mark of " + name + ", but its metadata can't be read", {}, {}};
  std::string by = "clear-key";
  for (std::size_t i = 0; i < keys.size() && bde->is_locked(); ++i) {
    auto tried = BdeVolume::open(volume, &keys[i]);
    if (tried == nullptr || tried->is_locked()) continue;
    bde = std::move(tried);
    by = keys[i].kind;
  }
  if (bde->is_locked())
    return Error{
        ErrorCode::encrypted,
        "the volume is encrypted (" + name + ")" +
            (keys.empty() ? "; give its key with --unlock" : ", and what was given doesn't open it: it is not the key"),
        {},
        {}};
  holding.held = {{0, volume.size()}};
  Inner inner;
  inner.volume.id = "bitlocker";
  inner.volume.kind = "encrypted";
  inner.volume.size = bde->size();
  inner.volume.transform = "bitlocker";
  inner.volume.facts = {{"unlocked_by", by}};
  inner.bytes = std::make_unique<Decrypted>(volume, std::move(bde));
  holding.inner.push_back(std::move(inner));
  return {};
}

}  // namespace
}  // namespace bitlocker

extern const Layer bitlocker_layer;
const Layer bitlocker_layer = {"bitlocker", 20, false, bitlocker::recognise, bitlocker::open};

}  // namespace exhibit::volume
