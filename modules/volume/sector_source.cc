#include "volume/sector_source.h"

#include <algorithm>

#include "volume/derived_source.h"

namespace exhibit::volume {
namespace {

class SectorSource final : public DerivedSource {
 public:
  SectorSource(ByteSource& volume, const Sectors& sectors, std::unique_ptr<SectorCipher> cipher)
      : DerivedSource(volume, sectors.size), sectors_(sectors), cipher_(std::move(cipher)) {}

 protected:
  Result<void> derive(std::uint64_t offset, std::span<std::byte> buffer) override {
    const auto sector = static_cast<std::size_t>(sectors_.sector_bytes);
    const std::uint64_t begin = offset / sector * sector;
    const auto before = static_cast<std::size_t>(offset - begin);
    const std::size_t length = (before + buffer.size() + sector - 1) / sector * sector;
    const bool is_aligned = before == 0 && length == buffer.size();
    if (!is_aligned) whole_.resize(length);
    const std::span<std::byte> bytes = is_aligned ? buffer : std::span(whole_);
    const std::size_t got = EXHIBIT_TRY(beneath().read_at(sectors_.offset + begin, bytes));
    if (got < bytes.size()) return Error{ErrorCode::io_error, "the volume ends early", {}, offset};
    cipher_->decrypt(sectors_.first + begin / 512, sector, bytes);
    if (!is_aligned) std::copy_n(whole_.begin() + static_cast<std::ptrdiff_t>(before), buffer.size(), buffer.begin());
    return {};
  }

 private:
  Sectors sectors_;
  std::unique_ptr<SectorCipher> cipher_;
  std::vector<std::byte> whole_;
};

}  // namespace

std::unique_ptr<ByteSource> decrypted_sectors(ByteSource& volume, const Sectors& sectors,
                                              std::unique_ptr<SectorCipher> cipher) {
  return std::make_unique<SectorSource>(volume, sectors, std::move(cipher));
}

}  // namespace exhibit::volume
