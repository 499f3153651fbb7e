// JPEG (ITU-T T.81; JFIF, Exif and the rest alike): the chain of segments, and each code of each scan to the last MCU;
// the object ends with EOI. Where the Multi-Picture Format (CIPA DC-007) says that more pictures follow in the same
// file, the object ends with the last of them.

#include <algorithm>

#include "carve/jpeg_ends.h"
#include "carve/jpeg_scan.h"
#include "carve/picture_trailers.h"
#include "carve/seam.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

using namespace jpeg;

constexpr std::uint64_t least_data = 1024;  // bytes of entropy-coded data that held: a picture, not a decoy
// So much of segments one behind the other is a picture's beginning.
constexpr unsigned rich_segments = 4;
constexpr std::uint64_t rich_length = 4096;                  // bytes
constexpr unsigned least_segments = 2;                       // that held: worth looking for a second fragment
constexpr std::uint64_t humility = std::uint64_t{32} << 10;  // bytes of foreign data that could decode before one can't
constexpr std::uint64_t foreign_delay = 8192;                // the same where a sector of zeros or text was noticed
constexpr std::uint64_t sector = 512;                        // bytes

struct State : Memory::State {
  std::uint64_t position = 2;             // of the next marker
  std::uint64_t previous = 0;             // of the one before
  std::uint64_t data = 0;                 // where the first scan's entropy-coded data begins; 0: none yet
  std::uint64_t scan_data = 0;            // where this scan's does
  std::uint64_t multi_picture = 0;        // of the MPF segment's TIFF header
  std::uint64_t xmp = 0, xmp_length = 0;  // what it says of a film behind the picture
  unsigned segments = 0;
  bool in_scan = false;
  std::uint32_t misfit = 0;
  Picture picture;
  Scan scan;
  Progress progress;
};

bool is_frame(std::uint8_t marker) {
  return marker >= SOF0 && marker <= SOF15 && marker != DHT && marker != JPG && marker != DAC;
}

class Walk {
 public:
  Walk(const Content& content, Memory& memory) : content_(content), memory_(memory) {
    if (const auto* known = static_cast<const State*>(memory.latest())) state_ = *known;
  }

  Verdict run() {
    for (;;) {
      if (state_.in_scan) {
        if (state_.picture.process == Process::other) {
          state_.position = end_of_data(content_, state_.scan_data);
        } else if (!scan()) {
          return broken_in_scan();
        }
        state_.in_scan = false;
      }
      bool is_end = false;
      if (!segment(is_end)) return broken_segment();
      if (is_end) return whole();
      if (!state_.in_scan) memory_.keep(state_.position, std::make_shared<State>(state_));
    }
  }

 private:
  // The segment at position. False: there is none.
  bool segment(bool& is_end);
  bool take(std::uint8_t marker, std::uint64_t data, ByteSpan bytes);
  bool number_of_lines(ByteSpan bytes);
  bool scan();
  Verdict whole() const;
  Verdict broken_segment() const;
  Verdict broken_in_scan() const;
  bool is_worth_joining() const { return state_.segments >= least_segments; }

  const Content& content_;
  Memory& memory_;
  State state_;
  Outcome outcome_ = Outcome::complete;
  std::uint64_t failed_ = 0;  // where the scan did
};

bool Walk::segment(bool& is_end) {
  Reader reader(content_, state_.position);
  if (reader.u8() != 0xff) return false;
  std::uint8_t marker = reader.u8();
  while (marker == 0xff && reader.ok()) marker = reader.u8();  // B.1.1.2: fill bytes
  if (!reader.ok() || marker < SOF0) return false;
  if (marker == EOI) {
    state_.position = reader.position();
    return is_end = state_.picture.scans > 0;
  }
  if (marker >= RST0 && marker <= SOI) return false;
  const std::uint32_t length = reader.be16();
  if (!reader.ok() || length < 2) return false;
  const std::uint64_t data = reader.position();
  const ByteSpan bytes = reader.bytes(length - 2);
  if (!reader.ok() || !take(marker, data, bytes)) return false;
  state_.previous = state_.position;
  state_.position = reader.position();
  ++state_.segments;
  if (!state_.in_scan) return true;
  state_.scan_data = state_.position;
  if (state_.data == 0) state_.data = state_.position;
  state_.progress = Progress();
  state_.progress.place.position = state_.position;
  state_.progress.next_sector = (state_.position + sector - 1) / sector * sector + sector;
  memory_.keep(state_.position, std::make_shared<State>(state_));
  return true;
}

bool Walk::take(std::uint8_t marker, std::uint64_t data, ByteSpan bytes) {
  Picture& picture = state_.picture;
  if (picture.scans > 0 && picture.height == 0 && marker != DNL) return false;
  if (is_frame(marker)) return picture.begin_frame(static_cast<Marker>(marker), bytes);
  switch (marker) {
    case DHT:
      return picture.define_tables(bytes);
    case DQT:
      return picture.define_quantization(bytes);
    case DNL:
      return number_of_lines(bytes);
    case SOS:
      state_.scan = Scan();
      return state_.in_scan = picture.begin_scan(bytes, state_.scan);
    case DRI:
      if (bytes.size() != 2) return false;
      picture.restart_interval = static_cast<std::uint32_t>(bytes[0] << 8 | bytes[1]);
      return true;
    case APP1:
      if (starts_with(bytes, "http://ns.adobe.com/xap/1.0/") && state_.xmp == 0) {
        state_.xmp = data;
        state_.xmp_length = bytes.size();
      }
      return true;
    case APP2:
      if (starts_with(bytes, {"MPF\0", 4})) state_.multi_picture = data + 4;
      return true;
    case DAC:
    case COM:
    case DHP:
    case EXP:
      return true;
    default:
      return marker >= APP0 && marker <= APP15;
  }
}

// B.2.5: the height that the frame left open.
bool Walk::number_of_lines(ByteSpan bytes) {
  Picture& picture = state_.picture;
  if (bytes.size() != 2 || picture.scans != 1) return false;
  const auto lines = static_cast<std::uint32_t>(bytes[0] << 8 | bytes[1]);
  if (picture.height != 0) return lines == picture.height;
  picture.height = lines;
  const std::uint64_t side = picture.process == Process::lossless ? 1 : 8;
  const std::uint64_t line = side * (state_.scan.count == 1 ? 1 : picture.most_down);
  return lines > 0 && (lines + line - 1) / line * state_.scan.units_in_row == state_.progress.unit;
}

// The entropy-coded data of a scan. False: it doesn't hold.
bool Walk::scan() {
  const auto keep = [&](const Progress& progress) {
    State kept = state_;
    kept.progress = progress;
    memory_.keep(progress.place.position, std::make_shared<State>(std::move(kept)));
  };
  ScanDecoder decoder(content_, state_.picture, state_.scan, state_.progress, keep);
  outcome_ = decoder.run();
  failed_ = decoder.position();
  state_.progress.unit = decoder.units();
  state_.misfit = std::max(state_.misfit, decoder.misfit());
  if (outcome_ != Outcome::complete) return false;
  state_.position = failed_;
  return true;
}

Verdict Walk::whole() const {
  if (!state_.picture.is_complete()) return {};
  std::uint64_t end = state_.position;
  if (state_.multi_picture != 0) end = end_of_pictures(content_, state_.multi_picture, end);
  if (state_.xmp != 0) end = end_of_motion(content_, state_.xmp, state_.xmp_length, end);
  end = end_of_trailers(content_, end);
  Verdict verdict = Verdict::whole(end);
  // Nothing was decoded of arithmetic codes: only the marks hold.
  if (state_.picture.process == Process::other) verdict.tier = Tier::plausible;
  if (content_.seam() > state_.data) verdict.misfit = std::max(state_.misfit, 1U);
  // Nothing proves what lies in the segments of programs.
  if (content_.seam() > 0 && content_.seam() <= state_.data) verdict.misfit = misfit_of_seam(content_);
  return verdict;
}

// What should be a segment isn't: its predecessor's length led astray, or something else begins here.
Verdict Walk::broken_segment() const {
  if (!is_worth_joining()) return {};
  const std::uint64_t after_data = state_.data > 0 ? state_.position : 0;
  const std::uint64_t sound = std::max(state_.previous, after_data > humility ? after_data - humility : 0);
  const std::uint64_t reach = std::min(state_.position + 4, content_.size());
  Verdict verdict = Verdict::broken(sound, reach, end_of_segment(content_, state_.previous, state_.position),
                                    DoubtCause::missing_segment);
  verdict.doubts = {{verdict.length, 0, DoubtCause::missing_segment}};
  const bool is_picture = state_.data > 0 && state_.position - state_.data >= least_data;
  const bool is_rich = state_.segments >= rich_segments && state_.position >= rich_length;
  if (!is_picture && !is_rich) verdict.tier = Tier::header_only;
  return verdict;
}

Verdict Walk::broken_in_scan() const {
  const std::uint64_t headers = std::max(state_.data, state_.scan_data);
  const std::uint64_t margin = outcome_ == Outcome::foreign_sector ? foreign_delay : humility;
  const std::uint64_t sound = std::max(state_.data, failed_ > margin ? failed_ - margin : 0);
  const std::uint64_t suspect = std::min(failed_ + 2, content_.size());
  Breaking breaking{failed_, headers, state_.progress.unit, 0, 0};
  breaking.units = state_.scan.rows * state_.scan.units_in_row;
  breaking.is_exact = outcome_ == Outcome::foreign_sector;
  breaking.is_progressive = state_.picture.process == Process::progressive;
  // Of a trial join it is enough that it doesn't hold: to find the end of what breaks is most of the work.
  const Ending ending = outcome_ == Outcome::cut || content_.seam() > 0 ? Ending{content_.size(), content_.size(), 0}
                                                                        : end_of_broken(content_, breaking);
  Verdict verdict =
      Verdict::broken(std::min(sound, ending.length), suspect, ending.length, DoubtCause::missing_segment);
  verdict.doubts = {{ending.doubt, ending.doubt_length, DoubtCause::missing_segment}};
  if (failed_ < state_.data + least_data) verdict.tier = Tier::header_only;
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  if (memory.latest() == nullptr && !starts_with(content.at(0, 3), "\xff\xd8\xff")) return {};
  return Walk(content, memory).run();
}

// A segment's marker follows SOI (B.2.1): tables, a frame, APPn or COM.
bool glance(ByteSpan head) {
  if (head.size() < 4) return false;
  const std::uint8_t marker = head[3];
  return marker == 0xff || marker == COM || (marker >= APP0 && marker <= APP15) || marker == DQT || marker == DRI ||
         (marker >= SOF0 && marker <= SOF15);
}

}  // namespace

extern const Validator jpeg_validator;
const Validator jpeg_validator = {"jpeg", validate, glance};

}  // namespace exhibit::carve
