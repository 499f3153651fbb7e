#pragma once
// The owning types of cairo's, pango's and qrencode's handles.

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <qrencode.h>

#include <memory>

namespace exhibit::protocol {

struct Free {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_t* context) const { cairo_destroy(context); }
  void operator()(PangoLayout* layout) const { g_object_unref(layout); }
  void operator()(PangoFontDescription* font) const { pango_font_description_free(font); }
  void operator()(PangoAttrList* attributes) const { pango_attr_list_unref(attributes); }
  void operator()(QRcode* code) const { QRcode_free(code); }
};
using Surface = std::unique_ptr<cairo_surface_t, Free>;
using Context = std::unique_ptr<cairo_t, Free>;
using Layout = std::unique_ptr<PangoLayout, Free>;
using Font = std::unique_ptr<PangoFontDescription, Free>;
using Attributes = std::unique_ptr<PangoAttrList, Free>;
using Code = std::unique_ptr<QRcode, Free>;

}  // namespace exhibit::protocol
