#pragma once
// The directories of a TIFF (Adobe, TIFF 6.0) and of what is built like it: raw pictures of cameras, Exif (JEITA
// CP-3451). Follows every directory that it knows how to reach, and notes how far the file reaches.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "carve/content.h"

namespace exhibit::carve {

struct TiffField {
  std::uint16_t tag = 0, type = 0;
  std::uint64_t count = 0;
  std::uint64_t values = 0;  // where they lie
};

// A directory's picture data: strips or tiles (TIFF 6.0, sections 8 and 15).
struct TiffPicture {
  std::uint64_t width = 0, height = 0, rows = 0;  // of a strip
  std::uint64_t tile_width = 0, tile_height = 0;
  std::uint64_t samples = 1, bits = 1;
  unsigned compression = 1, planar = 1;
  TiffField offsets, lengths;
};

class TiffWalk {
 public:
  explicit TiffWalk(const Content& content) : content_(content) {}

  // False: no such file, or no directory holds.
  bool run();
  std::uint64_t end() const { return end_; }  // of all that is referred to
  bool is_cut() const { return end_ > content_.size(); }
  bool is_broken() const { return broken_ != 0; }   // a directory that is referred to can't be
  std::uint64_t broken() const { return broken_; }  // where it should be
  std::uint64_t directories_end() const { return directories_end_; }
  // Of the directories and all values that they refer to, without the pictures.
  std::uint64_t values_end() const { return values_end_; }
  const std::vector<TiffPicture>& pictures() const { return pictures_; }
  std::string extension() const;
  // The value `index` of a field.
  std::uint64_t value(const TiffField& field, std::uint64_t index) const;

 private:
  bool directory(std::uint64_t at);
  void take(const TiffField& field, TiffPicture& picture, std::uint64_t& thumbnail, std::uint64_t& thumbnail_length);
  void refer(std::uint64_t at);
  void reach(std::uint64_t end);
  void reach_data(const TiffPicture& picture);
  std::uint64_t number(std::uint64_t at, unsigned bytes) const;

  const Content& content_;
  bool is_little_ = true, is_big_ = false, is_panasonic_ = false, is_olympus_ = false;
  std::uint64_t end_ = 0, directories_end_ = 0, values_end_ = 0, broken_ = 0;
  std::vector<std::uint64_t> queue_;
  std::set<std::uint64_t> seen_;
  std::vector<TiffPicture> pictures_;
  std::string maker_;
  bool is_dng_ = false, is_canon_raw_ = false, has_sub_ = false;
};

}  // namespace exhibit::carve
