#pragma once
// An A4 document that fills from the top: text, rows of a table, rules, QR codes, with a head and a foot on each page.
// Lengths are points (1/72 inch).

#include <exhibit/result.h>

#include <string>
#include <vector>

#include "exhibit-protocol/handles.h"

namespace exhibit::protocol {

inline constexpr double page_width = 595.276, page_height = 841.890;  // A4, ISO 216
// Room for the binding at the left, and for head and foot.
inline constexpr double left = 70, right = 42, top = 60, bottom = 62;
inline constexpr double text_width = page_width - left - right;

struct Style {
  const char* font;  // a pango font description without its size
  double size;
  double gray = 0;  // 0 is black
};

struct Cell {
  std::string text;
  Style style;
  double width;  // of the text's width, 0 to 1
};

// What every page says besides its text; {page} and {pages} stand for numbers.
struct Frame {
  std::string head, foot;
};

class Pages {
 public:
  // `pages`: how many there will be, for the foot.
  Pages(cairo_surface_t* surface, Frame frame, int pages);
  // Ends the last page.
  void finish();
  int count() const { return page_; }

  // A paragraph over the whole width, with room before and after it. `followed`: room that must be left on the page for
  // what follows, so that no head stands at its foot alone.
  void paragraph(const std::string& text, const Style& style, double before, double after, double followed = 0);
  // Cells beside each other, with a line beneath; goes on overleaf where it must.
  void row(const std::vector<Cell>& cells);
  // Modules of `side` points; a quiet zone of four around it, as ISO/IEC 18004 asks.
  void code(const QRcode& code, double side);
  // A line to sign on: a label, the line, and beneath it what it is for.
  void signature(const std::string& label, const std::string& name, const std::string& beneath, const Style& style);
  void ruled_lines(int count);
  void new_page();
  // Begins a new page where fewer points are left.
  void need(double height);

 private:
  Layout layout_of(const std::string& text, const Style& style, double width) const;
  void draw_frame();
  void rule(double from, double to, double gray);
  double room() const { return page_height - bottom - y_; }

  Context context_;
  Frame frame_;
  int pages_;
  int page_ = 0;
  double y_ = top;
};

}  // namespace exhibit::protocol
