#include <sys/mman.h>

#include "volume/volumes.h"
#include "worker/task.h"

namespace exhibit::worker {
namespace {

Error bad_arguments(const char* what) { return {ErrorCode::invalid_argument, std::string("task: ") + what, {}, {}}; }

}  // namespace

std::set<std::string> Task::skip() const { return arguments.value("skip", std::set<std::string>()); }

bool Task::skips(const std::string& object) const { return skip().contains(object); }

Result<filesystem::FileSystem*> OpenVolume::filesystem() {
  if (!asked_) {
    asked_ = true;
    auto opened = filesystem::open_filesystem(*bytes_, sector_size_, id_);
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

Result<OpenVolume*> Context::open_volume(const base::Json& arguments) {
  image::Image* media = EXHIBIT_TRY(image(arguments));
  const auto wanted = arguments.find("volume");
  if (wanted == arguments.end() || !wanted->is_object()) return bad_arguments("it names no volume");
  const std::string id = wanted->value("id", "");
  if (volume == nullptr || volume->id() != id) {
    volume.reset();
    volume = std::make_unique<OpenVolume>(
        volume::slice(*media, wanted->value("offset", std::uint64_t{0}), wanted->value("size", std::uint64_t{0})), id,
        media->description().sector_size);
  }
  return volume.get();
}

}  // namespace exhibit::worker
