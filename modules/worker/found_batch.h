#pragma once
// What a carving task found, held back until the digests of many objects can be made side by side.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "carve/found.h"

namespace exhibit::worker {

class FoundBatch {
 public:
  static constexpr std::size_t room_size = std::size_t{8} << 20;

  // `room`: memory of room_size for the objects' bytes, which outlives this. `tell` is given what was added, in the
  // same order.
  FoundBatch(std::vector<std::string> digests, std::span<std::byte> room, std::function<void(const carve::Found&)> tell)
      : wanted_(std::move(digests)), room_(room), tell_(std::move(tell)) {}

  // Where the bytes of the next object may be put; may call `tell`. Empty: there are too many of them.
  std::span<std::byte> room(std::uint64_t bytes);
  // `content`: the object's bytes where digests of them are wanted, which lie in room().
  void add(carve::Found found, std::span<const std::byte> content = {});
  // Tells what is still held back.
  void finish();

 private:
  struct Held {
    carve::Found found;
    std::span<const std::byte> content;
  };
  std::vector<std::string> wanted_;
  std::span<std::byte> room_;
  std::function<void(const carve::Found&)> tell_;
  std::size_t used_ = 0;  // of room_
  std::vector<Held> held_;
};

}  // namespace exhibit::worker
