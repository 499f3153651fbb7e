#pragma once
// A member's content as a ByteSource, though its container gives it only from its beginning on.

#include <exhibit/byte_source.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "expand/reader.h"

namespace exhibit::worker {

// What all unpacking of one item may come to.
class Meter {
 public:
  // `bytes`: of contents, each counted once; `work`: of all that is unpacked, also where it is unpacked again.
  // `tick`: after every so many bytes of work.
  Meter(std::uint64_t bytes, std::uint64_t work, std::function<void(std::uint64_t)> tick)
      : bytes_(bytes), work_(work), tick_(std::move(tick)) {}
  Result<void> take(std::uint64_t bytes, std::uint64_t work);

 private:
  std::uint64_t bytes_, work_;  // left
  std::uint64_t since_tick_ = 0;
  std::function<void(std::uint64_t)> tick_;
};

// A way through a container that can go back to the beginning of the member at hand, by going through it anew.
class Cursor {
 public:
  // All must outlive the cursor.
  Cursor(ByteSource& content, base::Container kind, std::string name, Meter& meter)
      : content_(content), kind_(kind), name_(std::move(name)), meter_(meter) {}

  Result<void> open();
  Result<std::optional<expand::Entry>> next();
  Result<std::size_t> read(std::span<std::byte> buffer);
  Result<void> restart();
  std::optional<Error> take_trouble() { return reader_->take_trouble(); }

  std::uint64_t position() const { return position_; }  // in the member at hand
  // Whether bytes of the container that were read could not be had.
  bool is_damaged() const { return content_.damaged_reads() != damaged_before_; }

 private:
  ByteSource& content_;
  base::Container kind_;
  std::string name_;
  Meter& meter_;
  std::unique_ptr<expand::Reader> reader_;
  std::uint64_t damaged_before_ = 0;
  std::uint64_t index_ = 0;                    // members that next() gave
  std::uint64_t position_ = 0, farthest_ = 0;  // in the member at hand
  std::uint64_t before_ = 0;                   // bytes of the members before it
};

// The member at hand. Its first bytes are held in memory; the others are unpacked as they are asked for, and again
// where somebody goes back.
class MemberSource final : public ByteSource {
 public:
  explicit MemberSource(Cursor& cursor) : cursor_(cursor) {}

  // Reads up to `room` bytes into memory. Whether that is all of it; an Error of reading is kept for error().
  bool hold(std::uint64_t expected, std::uint64_t room);
  const std::vector<std::byte>& held() const { return held_; }
  void set_size(std::uint64_t size) { size_ = size; }
  // What is held, and zeros behind it up to the size, in doubt.
  void hold_zeros();
  void doubt_all(DoubtCause cause) { doubts_ = {{0, size_, cause}}; }
  // Why the content couldn't be had to its end, or isn't vouched for.
  const std::optional<Error>& error() const { return error_; }
  // What another reader of the cursor met.
  void fail(Error error) { keep(std::move(error)); }
  void set_end_checked() { is_end_checked_ = true; }

  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override;
  std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const override;
  std::uint64_t damaged_reads() const override { return doubts(0, size_).empty() ? 0 : 1; }

 private:
  Result<std::size_t> read_on(std::uint64_t offset, std::span<std::byte> buffer);
  Result<std::size_t> read_member(std::span<std::byte> buffer);
  Result<void> check_end();
  Error keep(Error error);

  Cursor& cursor_;
  std::vector<std::byte> held_;
  std::uint64_t size_ = 0;
  std::vector<Doubt> doubts_;
  std::optional<Error> error_;
  bool is_end_checked_ = false;
};

}  // namespace exhibit::worker
