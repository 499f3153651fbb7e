#include "volume/layers/vss/shadow_volume.h"

#include <algorithm>
#include <array>

#include "base/bfio_source.h"
#include "base/text.h"
#include "volume/guid.h"

// The names under which our libvshadow's own libbfio is known (cmake/yal.cmake).
extern "C" {
decltype(libbfio_handle_initialize) vshadow_bfio_handle_initialize;
int vshadow_bfio_handle_free(libbfio_handle_t** handle, libbfio_error_t** error);
}

namespace exhibit::volume::vss {
namespace {

constexpr int most_stores = 512;              // Windows keeps 64 to 512 of a volume
constexpr std::uint64_t block_bytes = 16384;  // libvshadow's documentation, "Store": blocks of 16 KiB

template <typename Get>
std::string guid_of(libvshadow_store_t* store, const Get& get) {
  std::array<std::uint8_t, 16> bytes{};
  if (get(store, bytes.data(), bytes.size(), nullptr) != 1) return {};
  return guid_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// FILETIME: units of 100 ns since 1601.
std::string time_text(std::uint64_t filetime) {
  constexpr std::uint64_t units = 10'000'000, to_1970 = 11'644'473'600;
  const auto seconds = static_cast<std::int64_t>(filetime / units) - static_cast<std::int64_t>(to_1970);
  return base::rfc3339(seconds, static_cast<std::uint32_t>(filetime % units * 100), 7).value_or("");
}

}  // namespace

std::unique_ptr<ShadowVolume> ShadowVolume::open(ByteSource& source) {
  std::unique_ptr<ShadowVolume> opened(new ShadowVolume);
  opened->input_ = base::bfio_source(source, vshadow_bfio_handle_initialize);
  if (opened->input_ == nullptr || libvshadow_volume_initialize(&opened->volume_, nullptr) != 1) return nullptr;
  int count = 0;
  if (libvshadow_volume_open_file_io_handle(opened->volume_, opened->input_, libvshadow_get_access_flags_read(),
                                            nullptr) != 1 ||
      libvshadow_volume_get_number_of_stores(opened->volume_, &count, nullptr) != 1)
    return nullptr;
  opened->said_ = static_cast<std::size_t>(std::max(count, 0));
  for (int i = 0; i < std::min(count, most_stores); ++i) {
    libvshadow_store_t* store = nullptr;
    if (libvshadow_volume_get_store(opened->volume_, i, &store, nullptr) != 1) return nullptr;
    opened->stores_.push_back(store);
  }
  return opened;
}

ShadowVolume::~ShadowVolume() {
  for (libvshadow_store_t* store : stores_) libvshadow_store_free(&store, nullptr);
  if (volume_ != nullptr) libvshadow_volume_free(&volume_, nullptr);
  if (input_ != nullptr) vshadow_bfio_handle_free(&input_, nullptr);
}

ShadowVolume::Store ShadowVolume::describe(std::size_t index) const {
  libvshadow_store_t* store = stores_[index];
  Store found;
  size64_t size = 0;
  if (libvshadow_store_get_volume_size(store, &size, nullptr) == 1) found.size = size;
  std::uint64_t created = 0;
  if (libvshadow_store_get_creation_time(store, &created, nullptr) == 1) found.created = time_text(created);
  found.id = guid_of(store, libvshadow_store_get_identifier);
  found.copy_id = guid_of(store, libvshadow_store_get_copy_identifier);
  found.set_id = guid_of(store, libvshadow_store_get_copy_set_identifier);
  found.has_data = libvshadow_store_has_in_volume_data(store, nullptr) == 1;
  return found;
}

bool ShadowVolume::read(std::size_t index, std::uint64_t offset, std::span<std::byte> buffer) {
  while (!buffer.empty()) {
    const ssize_t got = libvshadow_store_read_buffer_at_offset(stores_[index], buffer.data(), buffer.size(),
                                                               static_cast<off64_t>(offset), nullptr);
    if (got <= 0) return false;
    offset += static_cast<std::uint64_t>(got);
    buffer = buffer.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

bool ShadowVolume::changed(std::size_t index, std::vector<Range>& ranges) const {
  int count = 0;
  if (libvshadow_store_get_number_of_blocks(stores_[index], &count, nullptr) != 1) return false;
  for (int i = 0; i < count; ++i) {
    libvshadow_block_t* block = nullptr;
    if (libvshadow_store_get_block_by_index(stores_[index], i, &block, nullptr) != 1) return false;
    off64_t original = 0;
    const bool is_read = libvshadow_block_get_original_offset(block, &original, nullptr) == 1;
    libvshadow_block_free(&block, nullptr);
    if (!is_read || original < 0) return false;
    ranges.push_back({static_cast<std::uint64_t>(original), block_bytes});
  }
  return true;
}

}  // namespace exhibit::volume::vss
