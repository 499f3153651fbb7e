// exhibit-protocol: reads a document (modules/report/document.h) from standard input and writes it as PDF to standard
// output. A program of its own: `exhibit` neither pays for loading pango at every start nor has libpng in its process
// (docs/decisions/0023). The document says everything: no clock, no file but fonts.

#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/json.h"
#include "exhibit-protocol/page.h"
#include "sandbox/seal.h"

namespace exhibit::protocol {
namespace {

using base::Json;

constexpr Style title = {"DejaVu Serif Bold", 16}, subject = {"DejaVu Serif", 11}, heading = {"DejaVu Sans Bold", 12},
                subheading = {"DejaVu Sans Bold", 9.5}, normal = {"DejaVu Serif", 10}, small = {"DejaVu Sans", 8, 0.2},
                notice = {"DejaVu Serif Bold", 10}, label = {"DejaVu Sans", 8.5, 0.25}, value = {"DejaVu Serif", 9.5},
                head = {"DejaVu Sans Bold", 8}, missing = {"DejaVu Sans Bold", 9}, digest = {"DejaVu Sans Mono", 11.5},
                tiny = {"DejaVu Sans", 7.5}, tiny_mono = {"DejaVu Sans Mono", 7},
                mono = {"DejaVu Sans Mono", 7.8};  // 64 hexadecimal digits beside a label

const Style& cell_style(const std::string& name) {
  if (name == "label") return label;
  if (name == "head") return head;
  if (name == "missing") return missing;
  if (name == "mono") return mono;
  if (name == "digest") return digest;
  if (name == "tiny") return tiny;
  if (name == "tiny-mono") return tiny_mono;
  return value;
}

std::string text_of(const Json& block, const char* key = "text") { return block.value(key, ""); }

// Error where the text doesn't fit the largest code.
Result<void> put_code(Pages& pages, const std::string& text) {
  const Code code(QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_M));
  if (!code) return Error{ErrorCode::size_limit, "a QR code can't hold so much", {}, {}};
  constexpr double module_side = 1.9;  // 0.67 mm
  pages.code(*code, module_side);
  return {};
}

Result<void> put(Pages& pages, const Json& block) {
  const std::string kind = text_of(block, "kind");
  if (kind == "title") {
    pages.paragraph(text_of(block), title, 0, 4);
  } else if (kind == "subject") {
    pages.paragraph(text_of(block), subject, 0, 4);
  } else if (kind == "heading") {
    pages.paragraph(text_of(block), heading, 14, 4, 140);  // a subheading and rows, or lines for remarks
  } else if (kind == "subheading") {
    pages.paragraph(text_of(block), subheading, 9, 2, 60);
  } else if (kind == "text") {
    pages.paragraph(text_of(block), normal, 2, 4);
  } else if (kind == "small") {
    pages.paragraph(text_of(block), small, 1, 3);
  } else if (kind == "notice") {
    pages.paragraph(text_of(block), notice, 4, 6);
  } else if (kind == "command") {
    pages.paragraph(text_of(block), mono, 1, 4);
  } else if (kind == "row") {
    std::vector<Cell> cells;
    for (const Json& cell : block.at("cells"))
      cells.push_back({text_of(cell), cell_style(text_of(cell, "style")), cell.value("width", 1.0)});
    pages.row(cells);
  } else if (kind == "code") {
    return put_code(pages, text_of(block));
  } else if (kind == "signature") {
    pages.signature(text_of(block), text_of(block, "name"), text_of(block, "beneath"), normal);
  } else if (kind == "ruled") {
    pages.ruled_lines(block.value("lines", 1));
  } else if (kind == "page") {
    pages.new_page();
  } else {
    return Error{ErrorCode::invalid_argument, "a block of an unknown kind: " + kind, {}, {}};
  }
  return {};
}

// How many pages it came to.
Result<int> typeset(const Json& document, cairo_surface_t* surface, int pages_in_all) {
  Pages pages(surface, {text_of(document, "head"), text_of(document, "foot")}, pages_in_all);
  for (const Json& block : document.at("blocks")) EXHIBIT_TRY(put(pages, block));
  pages.finish();
  return pages.count();
}

cairo_status_t take_nothing(void* /*closure*/, const unsigned char* /*data*/, unsigned /*length*/) {
  return CAIRO_STATUS_SUCCESS;
}

cairo_status_t take(void* closure, const unsigned char* data, unsigned length) {
  static_cast<std::string*>(closure)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

// A letter that no font here has would come out as a box. Names in evidence may hold whatever they like; what the
// protocol itself says must be readable.
Result<void> check_fonts() {
  static constexpr const char* letters =
      "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдеёжзийклмнопрстуфхцчшщъыьэюяІіЎў’№«»—…ABCabc0123456789";
  const Surface surface(cairo_pdf_surface_create_for_stream(take_nothing, nullptr, page_width, page_height));
  const Context context(cairo_create(surface.get()));
  for (const Style& style : {title, heading, normal, label, mono}) {
    const Layout layout(pango_cairo_create_layout(context.get()));
    const Font font(pango_font_description_from_string(style.font));
    pango_layout_set_font_description(layout.get(), font.get());
    pango_layout_set_text(layout.get(), letters, -1);
    if (pango_layout_get_unknown_glyphs_count(layout.get()) > 0)
      return Error{ErrorCode::not_found, "no font here has all letters; install fonts-dejavu-core", {}, {}};
  }
  return {};
}

void set_metadata(cairo_surface_t* surface, const Json& document) {
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, text_of(document, "title").c_str());
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, text_of(document, "head").c_str());
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "Exhibit");
  // Without them cairo asks the clock.
  const std::string time = text_of(document, "time");
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, time.c_str());
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, time.c_str());
}

// Set twice: what the first run comes to is the number of pages that each foot names.
Result<std::string> make_pdf(const Json& document) {
  EXHIBIT_TRY(check_fonts());
  int pages = 0;
  {
    const Surface nowhere(cairo_pdf_surface_create_for_stream(take_nothing, nullptr, page_width, page_height));
    pages = EXHIBIT_TRY(typeset(document, nowhere.get(), 0));
  }
  std::string pdf;
  const Surface surface(cairo_pdf_surface_create_for_stream(take, &pdf, page_width, page_height));
  set_metadata(surface.get(), document);
  const int again = EXHIBIT_TRY(typeset(document, surface.get(), pages));
  EXHIBIT_CHECK(again == pages);
  cairo_surface_finish(surface.get());
  if (const auto status = cairo_surface_status(surface.get()); status != CAIRO_STATUS_SUCCESS)
    return Error{ErrorCode::internal, cairo_status_to_string(status), {}, {}};
  return pdf;
}

Result<std::string> run() {
  std::string text;
  char buffer[65536];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, stdin)) > 0;) text.append(buffer, got);
  return make_pdf(EXHIBIT_TRY(base::parse_json(text)));
}

}  // namespace
}  // namespace exhibit::protocol

// Where Debian's fontconfig looks for fonts, its rules and its caches (/etc/fonts/fonts.conf).
static exhibit::sandbox::SealOptions seal_options() {
  return {.memory_bytes = std::uint64_t{4} << 30,
          .required = false,
          .work = exhibit::sandbox::Work::typeset,
          .readable = {"/etc/fonts", "/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/fontconfig",
                       "/var/cache/fontconfig"}};
}

// With the name of a forbidden act (modules/sandbox/seal.h), tries that instead of its work and says how it ended: 0,
// it was refused; 1, it went through.
int main(int argc, char** argv) {
  // Before anything is read. What a machine can't give, `exhibit doctor` says; pages it makes all the same.
  const auto sealed = exhibit::sandbox::seal(seal_options());
  if (!sealed.ok()) return 3;
  if (argc > 1) return exhibit::sandbox::attempt(argv[1]).refused ? 0 : 1;
  try {
    const auto pdf = exhibit::protocol::run();
    if (!pdf.ok()) {
      std::fprintf(stderr, "exhibit-protocol: %s\n", pdf.error().message.c_str());
      return 3;
    }
    const bool written = std::fwrite(pdf->data(), 1, pdf->size(), stdout) == pdf->size() && std::fflush(stdout) == 0;
    return written ? 0 : 3;
  } catch (const std::exception& error) {  // a document that isn't one
    std::fprintf(stderr, "exhibit-protocol: %s\n", error.what());
    return 3;
  }
}
