#include "exhibit-protocol/page.h"

#include <algorithm>

namespace exhibit::protocol {
namespace {

constexpr double cell_gap = 6, row_padding = 2.5;
constexpr double line_between_lines = 24;  // of ruled lines to write on
constexpr Style frame_style = {"DejaVu Sans", 8, 0.35};

double height_of(PangoLayout* layout) {
  int height = 0;
  pango_layout_get_size(layout, nullptr, &height);
  return static_cast<double>(height) / PANGO_SCALE;
}

// The lines of a layout from the top on, as far as they fit.
class Lines {
 public:
  explicit Lines(PangoLayout* layout) : layout_(layout), count_(pango_layout_get_line_count(layout)) {}

  bool done() const { return next_ == count_; }

  // Draws what fits into `room` below (x, y); gives the height that it took.
  double draw(cairo_t* context, double x, double y, double room) {
    double used = 0;
    for (; next_ < count_; ++next_) {
      PangoLayoutLine* line = pango_layout_get_line_readonly(layout_, next_);
      PangoRectangle extent;
      pango_layout_line_get_extents(line, nullptr, &extent);
      const double height = static_cast<double>(extent.height) / PANGO_SCALE;
      if (used + height > room) break;
      cairo_move_to(context, x, y + used - static_cast<double>(extent.y) / PANGO_SCALE);
      pango_cairo_show_layout_line(context, line);
      used += height;
    }
    return used;
  }

 private:
  PangoLayout* layout_;
  int count_, next_ = 0;
};

std::string replaced(std::string text, const std::string& what, int number) {
  const auto at = text.find(what);
  return at == std::string::npos ? text : text.replace(at, what.size(), std::to_string(number));
}

}  // namespace

Pages::Pages(cairo_surface_t* surface, Frame frame, int pages)
    : context_(cairo_create(surface)), frame_(std::move(frame)), pages_(pages) {
  new_page();
}

Layout Pages::layout_of(const std::string& text, const Style& style, double width) const {
  Layout layout(pango_cairo_create_layout(context_.get()));
  constexpr double points_to_the_inch = 72;  // as a PDF has; pango would take a screen's 96
  pango_cairo_context_set_resolution(pango_layout_get_context(layout.get()), points_to_the_inch);
  pango_context_set_round_glyph_positions(pango_layout_get_context(layout.get()), FALSE);
  const Font font(pango_font_description_from_string(style.font));
  pango_font_description_set_size(font.get(), static_cast<int>(style.size * PANGO_SCALE));
  pango_layout_set_font_description(layout.get(), font.get());
  pango_layout_set_width(layout.get(), static_cast<int>(width * PANGO_SCALE));
  pango_layout_set_wrap(layout.get(), PANGO_WRAP_WORD_CHAR);
  // A hyphen that isn't in the text must not come to stand in a digest or a name.
  const Attributes attributes(pango_attr_list_new());
  pango_attr_list_insert(attributes.get(), pango_attr_insert_hyphens_new(FALSE));
  pango_layout_set_attributes(layout.get(), attributes.get());
  // A name from evidence doesn't turn what stands beside it.
  pango_layout_set_auto_dir(layout.get(), FALSE);
  pango_layout_set_text(layout.get(), text.data(), static_cast<int>(text.size()));
  return layout;
}

void Pages::new_page() {
  if (page_ > 0) cairo_show_page(context_.get());
  ++page_;
  y_ = top;
  draw_frame();
}

void Pages::finish() { cairo_show_page(context_.get()); }

void Pages::need(double height) {
  if (height > room() && y_ > top) new_page();
}

void Pages::draw_frame() {
  const auto draw = [&](const std::string& text, double y, PangoAlignment alignment) {
    const Layout layout = layout_of(text, frame_style, text_width);
    pango_layout_set_height(layout.get(), 0);  // one line
    pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
    pango_layout_set_alignment(layout.get(), alignment);
    cairo_set_source_rgb(context_.get(), frame_style.gray, frame_style.gray, frame_style.gray);
    cairo_move_to(context_.get(), left, y);
    pango_cairo_show_layout(context_.get(), layout.get());
  };
  draw(frame_.head, top - 30, PANGO_ALIGN_LEFT);
  draw(replaced(replaced(frame_.foot, "{page}", page_), "{pages}", pages_), page_height - bottom + 24,
       PANGO_ALIGN_RIGHT);
  const double kept = y_;
  y_ = top - 14;
  rule(left, left + text_width, 0.6);
  y_ = kept;
}

void Pages::rule(double from, double to, double gray) {
  cairo_set_source_rgb(context_.get(), gray, gray, gray);
  cairo_set_line_width(context_.get(), 0.5);
  cairo_move_to(context_.get(), from, y_);
  cairo_line_to(context_.get(), to, y_);
  cairo_stroke(context_.get());
}

void Pages::paragraph(const std::string& text, const Style& style, double before, double after, double followed) {
  const Layout layout = layout_of(text, style, text_width);
  if (y_ > top) y_ += before;
  if (followed > 0) need(height_of(layout.get()) + followed);
  Lines lines(layout.get());
  for (;;) {
    cairo_set_source_rgb(context_.get(), style.gray, style.gray, style.gray);
    y_ += lines.draw(context_.get(), left, y_, room());
    if (lines.done()) break;
    new_page();
  }
  y_ += after;
}

void Pages::row(const std::vector<Cell>& cells) {
  std::vector<Layout> layouts;
  std::vector<Lines> lines;
  double height = 0;
  for (const Cell& cell : cells) {
    layouts.push_back(layout_of(cell.text, cell.style, cell.width * text_width - cell_gap));
    lines.emplace_back(layouts.back().get());
    height = std::max(height, height_of(layouts.back().get()));
  }
  // One that fits on a page stays whole.
  if (height < page_height - top - bottom - 2 * row_padding) need(height + 2 * row_padding);
  for (bool done = false; !done;) {
    y_ += row_padding;
    double x = left, used = 0;
    done = true;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const double gray = cells[i].style.gray;
      cairo_set_source_rgb(context_.get(), gray, gray, gray);
      used = std::max(used, lines[i].draw(context_.get(), x, y_, room()));
      done = done && lines[i].done();
      x += cells[i].width * text_width;
    }
    y_ += used + row_padding;
    if (!done) new_page();
  }
  rule(left, left + text_width, 0.8);
}

void Pages::code(const QRcode& code, double side) {
  constexpr int quiet = 4;
  const double whole = (code.width + 2 * quiet) * side;
  need(whole);
  cairo_set_source_rgb(context_.get(), 0, 0, 0);
  for (int row = 0; row < code.width; ++row) {
    for (int column = 0; column < code.width; ++column) {
      if ((code.data[row * code.width + column] & 1) == 0) continue;
      cairo_rectangle(context_.get(), left + (column + quiet) * side, y_ + (row + quiet) * side, side, side);
    }
  }
  cairo_fill(context_.get());
  y_ += whole;
}

void Pages::signature(const std::string& label, const std::string& name, const std::string& beneath,
                      const Style& style) {
  constexpr double line_from = 0.45, above = 20;
  const Layout text = layout_of(label + (name.empty() ? "" : "\n" + name), style, line_from * text_width - cell_gap);
  const Style small = {style.font, 7, 0.35};
  const Layout under = layout_of(beneath, small, (1 - line_from) * text_width);
  const double height = std::max(height_of(text.get()), above) + height_of(under.get()) + 8;
  need(height);
  cairo_set_source_rgb(context_.get(), style.gray, style.gray, style.gray);
  cairo_move_to(context_.get(), left, y_);
  pango_cairo_show_layout(context_.get(), text.get());
  const double begin = y_;
  y_ += above;
  rule(left + line_from * text_width, left + text_width, 0);
  cairo_move_to(context_.get(), left + line_from * text_width, y_ + 1);
  pango_cairo_show_layout(context_.get(), under.get());
  y_ = begin + height;
}

void Pages::ruled_lines(int count) {
  need(count * line_between_lines);
  for (int i = 0; i < count; ++i) {
    y_ += line_between_lines;
    rule(left, left + text_width, 0.5);
  }
  y_ += 6;
}

}  // namespace exhibit::protocol
