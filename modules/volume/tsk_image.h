#pragma once
// A ByteSource as The Sleuth Kit wants its images: the one way in which libtsk ever gets bytes. It is never given a
// name.

#include <exhibit/byte_source.h>
#include <tsk/libtsk.h>

#include <memory>

namespace exhibit::volume {

class TskImage {
 public:
  // `source` must outlive the image, and the image whatever libtsk opens on it. `sector_size`: bytes, a multiple of
  // 512.
  static Result<std::unique_ptr<TskImage>> create(ByteSource& source, std::uint32_t sector_size);
  ~TskImage();
  TskImage(const TskImage&) = delete;
  TskImage& operator=(const TskImage&) = delete;

  // Owned by this object; never to be given to tsk_img_close.
  TSK_IMG_INFO* get();

  // libtsk keeps 2 MiB of what it read last and answers from there without asking `source`, so damage would count in
  // source.damaged_reads() once only. To be called before each object whose damage is to be noticed that way; costs
  // nothing where no damage was met.
  void forget_damage();

 private:
  struct Adapter;
  explicit TskImage(std::unique_ptr<Adapter> adapter);
  std::unique_ptr<Adapter> adapter_;
};

// What libtsk said last, on one line, or `otherwise` where it said nothing; clears it.
std::string take_tsk_error(const std::string& otherwise);

}  // namespace exhibit::volume
