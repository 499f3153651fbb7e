#include "carve/zip_kind.h"

#include <array>

namespace exhibit::carve::zip {
namespace {

struct Media {
  std::string_view type;
  const char* extension;
};
// OpenDocument 1.2 part 3, appendix A; OpenOffice.org 1.0; EPUB; others that follow the same custom.
constexpr std::array media_types = {
    Media{"application/vnd.oasis.opendocument.text", "odt"},
    Media{"application/vnd.oasis.opendocument.spreadsheet", "ods"},
    Media{"application/vnd.oasis.opendocument.presentation", "odp"},
    Media{"application/vnd.oasis.opendocument.graphics", "odg"},
    Media{"application/vnd.oasis.opendocument.chart", "odc"},
    Media{"application/vnd.oasis.opendocument.formula", "odf"},
    Media{"application/vnd.oasis.opendocument.image", "odi"},
    Media{"application/vnd.oasis.opendocument.text-master", "odm"},
    Media{"application/vnd.oasis.opendocument.base", "odb"},
    Media{"application/vnd.oasis.opendocument.text-template", "ott"},
    Media{"application/vnd.oasis.opendocument.spreadsheet-template", "ots"},
    Media{"application/vnd.oasis.opendocument.presentation-template", "otp"},
    Media{"application/vnd.oasis.opendocument.graphics-template", "otg"},
    Media{"application/vnd.sun.xml.writer", "sxw"},
    Media{"application/vnd.sun.xml.calc", "sxc"},
    Media{"application/vnd.sun.xml.impress", "sxi"},
    Media{"application/vnd.sun.xml.draw", "sxd"},
    Media{"application/epub+zip", "epub"},
    Media{"image/openraster", "ora"},
    Media{"application/x-krita", "kra"},
};

enum Clue : std::uint32_t {
  content_types = 1u << 0,  // of the Open Packaging Conventions (ECMA-376 part 2)
  word = 1u << 1,
  excel = 1u << 2,
  powerpoint = 1u << 3,
  visio = 1u << 4,
  macros = 1u << 5,
  binary_workbook = 1u << 6,
  fixed_document = 1u << 7,  // XPS
  java_manifest = 1u << 8,
  web_module = 1u << 9,
  android_manifest = 1u << 10,
  dalvik = 1u << 11,
  extension_manifest = 1u << 12,
  extension_signature = 1u << 13,
  keyhole = 1u << 14,  // KML
  apple_document = 1u << 15,
  apple_slides = 1u << 16,
  apple_tables = 1u << 17,
  python_wheel = 1u << 18,
  phone_application = 1u << 19,
  model_3d = 1u << 20,
  nuget = 1u << 21,
  java_class = 1u << 22,
  android_library = 1u << 23,
};

struct Name {
  std::string_view text;
  enum { whole, begin, end, within } place;
  std::uint32_t clue;
};
constexpr std::array names = {
    Name{"[Content_Types].xml", Name::whole, content_types},
    Name{"word/", Name::begin, word},
    Name{"xl/", Name::begin, excel},
    Name{"ppt/", Name::begin, powerpoint},
    Name{"visio/", Name::begin, visio},
    Name{"/vbaProject.bin", Name::end, macros},
    Name{"xl/workbook.bin", Name::whole, binary_workbook},
    Name{".fdseq", Name::end, fixed_document},
    Name{"META-INF/MANIFEST.MF", Name::whole, java_manifest},
    Name{"WEB-INF/", Name::begin, web_module},
    Name{".class", Name::end, java_class},
    Name{"AndroidManifest.xml", Name::whole, android_manifest},
    Name{"classes.dex", Name::whole, dalvik},
    Name{"resources.arsc", Name::whole, dalvik},
    Name{"classes.jar", Name::whole, android_library},
    Name{"manifest.json", Name::whole, extension_manifest},
    Name{"install.rdf", Name::whole, extension_manifest | extension_signature},
    Name{"META-INF/mozilla.rsa", Name::whole, extension_signature},
    Name{"META-INF/cose.sig", Name::whole, extension_signature},
    Name{"doc.kml", Name::whole, keyhole},
    Name{"Index/Document.iwa", Name::whole, apple_document},
    Name{"Index/Slide", Name::begin, apple_slides},
    Name{"Index/CalculationEngine", Name::begin, apple_tables},
    Name{".dist-info/WHEEL", Name::end, python_wheel},
    Name{".app/Info.plist", Name::end, phone_application},
    Name{"3D/3dmodel.model", Name::whole, model_3d},
    Name{".nuspec", Name::end, nuget},
};

bool matches(const Name& name, std::string_view text) {
  switch (name.place) {
    case Name::whole:
      return text == name.text;
    case Name::begin:
      return text.starts_with(name.text);
    case Name::end:
      return text.ends_with(name.text);
    default:
      return text.find(name.text) != text.npos;
  }
}

}  // namespace

void Kind::note_name(const std::string& name) {
  for (const Name& known : names) {
    if (matches(known, name)) clues_ |= known.clue;
  }
}

void Kind::note(const Content& content, const Member& member) {
  note_name(member.name);
  constexpr std::uint64_t longest = 128;  // bytes
  if (member.name != "mimetype" || member.method != stored || member.compressed > longest) return;
  const std::size_t length = static_cast<std::size_t>(member.compressed);
  const ByteSpan bytes = content.at(member.end, length);
  if (bytes.size() < length) return;
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), length);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  for (const Media& media : media_types) {
    if (media.type == text) media_ = media.extension;
  }
}

std::string Kind::office() const {
  const bool macro = has(macros);
  if (has(word)) return macro ? "docm" : "docx";
  if (has(binary_workbook)) return "xlsb";
  if (has(excel)) return macro ? "xlsm" : "xlsx";
  if (has(powerpoint)) return macro ? "pptm" : "pptx";
  if (has(visio)) return macro ? "vsdm" : "vsdx";
  if (has(fixed_document)) return "xps";
  if (has(model_3d)) return "3mf";
  return has(nuget) ? "nupkg" : "zip";
}

std::string Kind::package() const {
  if (has(android_manifest)) return has(dalvik) ? "apk" : has(android_library) ? "aar" : "zip";
  if (has(extension_manifest) && has(extension_signature)) return "xpi";
  if (has(java_manifest)) return has(web_module) ? "war" : "jar";
  if (has(apple_document)) return has(apple_slides) ? "key" : has(apple_tables) ? "numbers" : "pages";
  if (has(python_wheel)) return "whl";
  if (has(phone_application)) return "ipa";
  return has(keyhole) ? "kmz" : "zip";
}

std::string Kind::extension() const {
  if (media_ != nullptr) return media_;
  return has(content_types) ? office() : package();
}

}  // namespace exhibit::carve::zip
