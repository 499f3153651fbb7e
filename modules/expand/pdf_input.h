#pragma once
// libqpdf's input over a ByteSource; for this module's own files.

#include <exhibit/byte_source.h>

#include <qpdf/InputSource.hh>
#include <string>
#include <vector>

namespace exhibit::expand {

// Throws what can't be read, as libqpdf expects of an input; whoever calls libqpdf catches.
class PdfInput final : public InputSource {
 public:
  explicit PdfInput(ByteSource& content);

  qpdf_offset_t findAndSkipNextEOL() override;
  std::string const& getName() const override { return name_; }
  qpdf_offset_t tell() override { return static_cast<qpdf_offset_t>(position_); }
  void seek(qpdf_offset_t offset, int whence) override;
  void rewind() override { position_ = 0; }
  std::size_t read(char* out, std::size_t length) override;
  void unreadCh(char) override;

 private:
  // The bytes from the position on that are at hand; none at the end.
  std::string_view window();

  ByteSource& content_;
  std::string name_ = "pdf";
  std::uint64_t position_ = 0;
  std::string window_;           // what was read last
  std::uint64_t window_at_ = 0;  // and where
};

}  // namespace exhibit::expand
