#include "volume/layers/bitlocker/bde_volume.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bfio_source.h"
#include "base/text.h"
#include "volume/guid.h"

// The names under which our libbde's own libbfio is known (cmake/yal.cmake).
extern "C" {
decltype(libbfio_handle_initialize) bde_bfio_handle_initialize;
int bde_bfio_handle_free(libbfio_handle_t** handle, libbfio_error_t** error);
}

namespace exhibit::volume::bitlocker {
namespace {

// A .BEK file, for as long as libbde reads it.
class Bytes final : public ByteSource {
 public:
  explicit Bytes(const std::string& bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  std::uint64_t damaged_reads() const override { return 0; }
  std::vector<Doubt> doubts(std::uint64_t, std::uint64_t) const override { return {}; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const std::size_t length = std::min<std::size_t>(buffer.size(), bytes_.size() - offset);
    std::memcpy(buffer.data(), bytes_.data() + offset, length);
    return length;
  }

 private:
  const std::string& bytes_;
};

const std::uint8_t* bytes_of(const std::string& text) { return reinterpret_cast<const std::uint8_t*>(text.data()); }

const char* protector_name(std::uint16_t type) {
  switch (type) {
    case LIBBDE_KEY_PROTECTION_TYPE_CLEAR_KEY:
      return "clear-key";
    case LIBBDE_KEY_PROTECTION_TYPE_TPM:
      return "tpm";
    case LIBBDE_KEY_PROTECTION_TYPE_STARTUP_KEY:
      return "startup-key";
    case LIBBDE_KEY_PROTECTION_TYPE_RECOVERY_PASSWORD:
      return "recovery-key";
    case LIBBDE_KEY_PROTECTION_TYPE_PASSWORD:
      return "password";
    default:
      return nullptr;
  }
}

}  // namespace

std::unique_ptr<BdeVolume> BdeVolume::open(ByteSource& source, const Key* key) {
  std::unique_ptr<BdeVolume> opened(new BdeVolume);
  opened->input_ = base::bfio_source(source, bde_bfio_handle_initialize);
  if (opened->input_ == nullptr || libbde_volume_initialize(&opened->volume_, nullptr) != 1) return nullptr;
  // A key that isn't one (a recovery key with a wrong check digit) is like a wrong one.
  if (key != nullptr) static_cast<void>(opened->set_key(*key));
  // 1: it is open; 0: it is locked.
  const int is_open =
      libbde_volume_open_file_io_handle(opened->volume_, opened->input_, libbde_get_access_flags_read(), nullptr);
  if (is_open != 0 && is_open != 1) return nullptr;
  return opened;
}

BdeVolume::~BdeVolume() {
  if (volume_ != nullptr) libbde_volume_free(&volume_, nullptr);
  if (input_ != nullptr) bde_bfio_handle_free(&input_, nullptr);
}

bool BdeVolume::set_key(const Key& key) {
  const std::string& secret = key.secret;
  if (key.kind == "password")
    return libbde_volume_set_utf8_password(volume_, bytes_of(secret), secret.size(), nullptr) == 1;
  if (key.kind == "recovery-key")
    return libbde_volume_set_utf8_recovery_password(volume_, bytes_of(secret), secret.size(), nullptr) == 1;
  Bytes file(secret);
  libbfio_handle_t* handle = base::bfio_source(file, bde_bfio_handle_initialize);
  if (handle == nullptr) return false;
  const bool is_read = libbde_volume_read_startup_key_file_io_handle(volume_, handle, nullptr) == 1;
  bde_bfio_handle_free(&handle, nullptr);
  return is_read;
}

bool BdeVolume::is_locked() const { return libbde_volume_is_locked(volume_, nullptr) != 0; }

std::string BdeVolume::id() const {
  std::array<std::uint8_t, 16> bytes{};
  if (libbde_volume_get_volume_identifier(volume_, bytes.data(), bytes.size(), nullptr) != 1) return {};
  return guid_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string BdeVolume::description() const {
  constexpr std::size_t longest = 4096;
  std::size_t size = 0;
  if (libbde_volume_get_utf8_description_size(volume_, &size, nullptr) != 1 || size == 0 || size > longest) return {};
  std::string text(size, '\0');
  if (libbde_volume_get_utf8_description(volume_, reinterpret_cast<std::uint8_t*>(text.data()), size, nullptr) != 1)
    return {};
  return base::clean_utf8(text.substr(0, text.find('\0'))).text;
}

std::string BdeVolume::encryption() const {
  std::uint16_t method = 0;
  if (libbde_volume_get_encryption_method(volume_, &method, nullptr) != 1) return {};
  switch (method) {
    case LIBBDE_ENCRYPTION_METHOD_AES_128_CBC_DIFFUSER:
      return "aes-128-cbc-elephant";
    case LIBBDE_ENCRYPTION_METHOD_AES_256_CBC_DIFFUSER:
      return "aes-256-cbc-elephant";
    case LIBBDE_ENCRYPTION_METHOD_AES_128_CBC:
      return "aes-128-cbc";
    case LIBBDE_ENCRYPTION_METHOD_AES_256_CBC:
      return "aes-256-cbc";
    case LIBBDE_ENCRYPTION_METHOD_AES_128_XTS:
      return "aes-128-xts";
    case LIBBDE_ENCRYPTION_METHOD_AES_256_XTS:
      return "aes-256-xts";
    default:
      return std::to_string(method);
  }
}

std::vector<BdeVolume::Protector> BdeVolume::protectors() const {
  constexpr int most = 64;
  std::vector<Protector> found;
  int count = 0;
  if (libbde_volume_get_number_of_key_protectors(volume_, &count, nullptr) != 1) return {};
  for (int i = 0; i < std::min(count, most); ++i) {
    libbde_key_protector_t* protector = nullptr;
    if (libbde_volume_get_key_protector(volume_, i, &protector, nullptr) != 1) continue;
    std::uint16_t type = 0;
    std::array<std::uint8_t, 16> id{};
    const bool is_read = libbde_key_protector_get_type(protector, &type, nullptr) == 1 &&
                         libbde_key_protector_get_identifier(protector, id.data(), id.size(), nullptr) == 1;
    libbde_key_protector_free(&protector, nullptr);
    if (!is_read) continue;
    const char* name = protector_name(type);
    found.push_back({name != nullptr ? name : std::to_string(type),
                     guid_text({reinterpret_cast<const char*>(id.data()), id.size()})});
  }
  return found;
}

std::uint64_t BdeVolume::size() const {
  size64_t size = 0;
  return libbde_volume_get_size(volume_, &size, nullptr) == 1 ? size : 0;
}

bool BdeVolume::read(std::uint64_t offset, std::span<std::byte> buffer) {
  while (!buffer.empty()) {
    const ssize_t got = libbde_volume_read_buffer_at_offset(volume_, buffer.data(), buffer.size(),
                                                            static_cast<off64_t>(offset), nullptr);
    if (got <= 0) return false;
    offset += static_cast<std::uint64_t>(got);
    buffer = buffer.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace exhibit::volume::bitlocker
