#include "volume/tsk_image.h"

#include <algorithm>
#include <limits>
#include <type_traits>

namespace exhibit::volume {

namespace {
constexpr std::uint32_t smallest_sector = 512;  // what tsk_img_open_external accepts: its multiples
}

// libtsk casts between the TSK_IMG_INFO it is given and what holds it, so it comes first.
struct TskImage::Adapter {
  TSK_IMG_INFO info{};
  ByteSource* source = nullptr;
  bool damage_kept = false;  // libtsk's cache may hold zeros in place of damaged bytes

  static Adapter& of(TSK_IMG_INFO* info) {
    static_assert(std::is_standard_layout_v<Adapter>);
    return *reinterpret_cast<Adapter*>(info);
  }
  static ssize_t read(TSK_IMG_INFO* info, TSK_OFF_T offset, char* buffer, std::size_t length);
  static void close(TSK_IMG_INFO*) {}
  static void describe(TSK_IMG_INFO*, FILE*) {}
};

ssize_t TskImage::Adapter::read(TSK_IMG_INFO* info, TSK_OFF_T offset, char* buffer, std::size_t length) {
  Adapter& adapter = of(info);
  const std::size_t asked = std::min<std::size_t>(length, std::numeric_limits<ssize_t>::max());
  if (offset < 0) {
    tsk_error_set_errno(TSK_ERR_IMG_READ_OFF);
    tsk_error_set_errstr("negative offset");
    return -1;
  }
  const std::uint64_t damaged_before = adapter.source->damaged_reads();
  const auto got =
      adapter.source->read_at(static_cast<std::uint64_t>(offset), {reinterpret_cast<std::byte*>(buffer), asked});
  if (adapter.source->damaged_reads() != damaged_before) adapter.damage_kept = true;
  if (!got.ok()) {
    tsk_error_set_errno(TSK_ERR_IMG_READ);
    tsk_error_set_errstr("%s", got.error().message.c_str());
    return -1;
  }
  return static_cast<ssize_t>(*got);
}

TskImage::TskImage(std::unique_ptr<Adapter> adapter) : adapter_(std::move(adapter)) {}

TskImage::~TskImage() {
  if (adapter_ != nullptr) tsk_img_close(&adapter_->info);
}

Result<std::unique_ptr<TskImage>> TskImage::create(ByteSource& source, std::uint32_t sector_size) {
  if (sector_size == 0 || sector_size % smallest_sector != 0) {
    return Error{ErrorCode::unsupported,
                 "sectors of " + std::to_string(sector_size) + " bytes: The Sleuth Kit reads multiples of 512 only",
                 {},
                 {}};
  }
  if (source.size() > static_cast<std::uint64_t>(std::numeric_limits<TSK_OFF_T>::max()))
    return Error{ErrorCode::size_limit, "the source is larger than 2^63 bytes", {}, {}};
  auto adapter = std::make_unique<Adapter>();
  adapter->source = &source;
  if (tsk_img_open_external(&adapter->info, static_cast<TSK_OFF_T>(source.size()), sector_size, &Adapter::read,
                            &Adapter::close, &Adapter::describe) == nullptr) {
    return Error{ErrorCode::internal, take_tsk_error("The Sleuth Kit refused the source"), {}, {}};
  }
  return std::unique_ptr<TskImage>(new TskImage(std::move(adapter)));
}

TSK_IMG_INFO* TskImage::get() { return &adapter_->info; }

void TskImage::forget_damage() {
  if (!adapter_->damage_kept) return;
  std::fill(std::begin(adapter_->info.cache_len), std::end(adapter_->info.cache_len), std::size_t{0});
  adapter_->damage_kept = false;
}

std::string take_tsk_error(const std::string& otherwise) {
  const char* said = tsk_error_get_errno() != 0 ? tsk_error_get() : nullptr;
  std::string text = said != nullptr ? said : otherwise;
  tsk_error_reset();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace exhibit::volume
