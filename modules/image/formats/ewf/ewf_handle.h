#pragma once
// libewf over descriptors that are open already: it is given no name and opens nothing.

#include <memory>

#include "image/formats/ewf/layout.h"

namespace exhibit::image::ewf {

class EwfHandle {
 public:
  // `segments`, in order, must outlive the handle.
  static Result<std::unique_ptr<EwfHandle>> open(const std::vector<SegmentFile>& segments);
  ~EwfHandle();
  EwfHandle(const EwfHandle&) = delete;
  EwfHandle& operator=(const EwfHandle&) = delete;

  Result<std::uint64_t> media_size();
  // Fills the whole buffer or gives an Error. Chunks that don't check are zeros and listed by bad_sectors().
  Result<void> read(std::uint64_t offset, std::span<std::byte> buffer);
  // What reading met so far.
  std::vector<SectorRange> bad_sectors();
  // What the one who made the image couldn't read of the medium.
  std::vector<SectorRange> acquisition_errors();
  // Lower-case hex; nothing where the container has none. For the digests that only the `xhash` section of EWF-X holds.
  std::optional<std::string> stored_digest(const char* identifier);

 private:
  struct State;
  explicit EwfHandle(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace exhibit::image::ewf
