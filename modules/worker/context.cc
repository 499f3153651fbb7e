#include <sys/mman.h>

#include "base/volume_id.h"
#include "worker/task.h"

namespace exhibit::worker {
namespace {

Error bad_arguments(const char* what) { return {ErrorCode::invalid_argument, std::string("task: ") + what, {}, {}}; }

struct NamedVolume {
  std::string id;
  volume::Range base;
};

Result<NamedVolume> named_volume(const base::Json& arguments) {
  const auto wanted = arguments.find("volume");
  if (wanted == arguments.end() || !wanted->is_object()) return bad_arguments("it names no volume");
  return NamedVolume{wanted->value("id", ""),
                     {wanted->value("offset", std::uint64_t{0}), wanted->value("size", std::uint64_t{0})}};
}

}  // namespace

std::set<std::string> Task::skip() const { return arguments.value("skip", std::set<std::string>()); }

bool Task::skips(const std::string& object) const { return skip().contains(object); }

Result<filesystem::FileSystem*> OpenVolume::filesystem() {
  if (!asked_) {
    asked_ = true;
    auto opened = filesystem::open_filesystem(bytes_, sector_size_, id_);
    if (opened.ok()) {
      filesystem_ = opened.take();
    } else {
      error_ = opened.take_error();
    }
  }
  if (error_) return *error_;
  return filesystem_.get();
}

Result<ByteSource*> OpenVolume::content(const std::string& address) {
  if (content_ == nullptr || content_address_ != address) {
    content_.reset();
    filesystem::FileSystem* filesystem = EXHIBIT_TRY(this->filesystem());
    if (filesystem == nullptr) return Error{ErrorCode::not_found, "the volume has no file system", id_, {}};
    content_ = EXHIBIT_TRY(filesystem->open_content(address));
    content_address_ = address;
  }
  return content_.get();
}

SharedMemory::~SharedMemory() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

Result<void> SharedMemory::map(int fd, std::size_t bytes) {
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return Error{ErrorCode::internal, "the shared memory can't be mapped", {}, {}};
  bytes_ = {static_cast<std::byte*>(at), bytes};
  return {};
}

Result<image::Image*> Context::image(const base::Json& arguments) {
  const auto id = arguments.find("evidence");
  if (id == arguments.end() || !id->is_string()) return bad_arguments("it names no evidence");
  const auto found = evidence.find(id->get<std::string>());
  if (found == evidence.end()) return bad_arguments("its evidence isn't open");
  return found->second.get();
}

Result<volume::Nest*> Context::nest(const base::Json& arguments) {
  image::Image* media = EXHIBIT_TRY(image(arguments));
  auto& nest = nests[arguments.at("evidence").get<std::string>()];
  if (nest == nullptr) nest = std::make_unique<volume::Nest>(*media, media->description().sector_size, keys);
  return nest.get();
}

Result<OpenVolume*> Context::open_volume(const base::Json& arguments) {
  const auto [id, base] = EXHIBIT_TRY(named_volume(arguments));
  if (volume == nullptr || volume->id() != id) {
    volume.reset();
    ByteSource* bytes = EXHIBIT_TRY(EXHIBIT_TRY(nest(arguments))->bytes(id, base));
    volume = std::make_unique<OpenVolume>(*bytes, id, EXHIBIT_TRY(image(arguments))->description().sector_size);
  }
  return volume.get();
}

Result<std::unique_ptr<OpenVolume>> Context::open_another(const base::Json& arguments, const std::string& id) {
  const volume::Range base = EXHIBIT_TRY(named_volume(arguments)).base;
  ByteSource* bytes = EXHIBIT_TRY(EXHIBIT_TRY(nest(arguments))->bytes(id, base));
  return std::make_unique<OpenVolume>(*bytes, id, EXHIBIT_TRY(image(arguments))->description().sector_size);
}

Result<const volume::Holding*> Context::holding(const base::Json& arguments) {
  const auto [id, base] = EXHIBIT_TRY(named_volume(arguments));
  return EXHIBIT_TRY(nest(arguments))->holding(id, base);
}

Result<const volume::Inner*> Context::as_held(const base::Json& arguments) {
  const auto [id, base] = EXHIBIT_TRY(named_volume(arguments));
  if (!base::is_nested(id)) return nullptr;
  const volume::Holding* outer = EXHIBIT_TRY(EXHIBIT_TRY(nest(arguments))->holding(id.substr(0, id.rfind('/')), base));
  for (const volume::Inner& inner : outer->inner)
    if (inner.volume.id == id) return &inner;
  return Error{ErrorCode::not_found, "there is no such volume", id, {}};
}

}  // namespace exhibit::worker
