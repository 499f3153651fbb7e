#include <algorithm>
#include <string_view>

#include "match/content.h"

namespace exhibit::match {
namespace {

// What libmagic 5.44 may call a content whose name has these extensions; both lists are separated by blanks. A type
// ending in `*` stands for all that begin so. Where formats share a container or a history, all of them stand here: a
// false alarm costs a person's time for every such file of a drive.
struct Promise {
  std::string_view extensions, types;
};

#define EXHIBIT_ZIP_TYPES "application/zip application/java-archive application/vnd.android.package-archive "
#define EXHIBIT_OLE_TYPES "application/CDFV2* application/cdfv2* application/x-ole-storage application/vnd.ms-office "
#define EXHIBIT_MEDIA_TYPES "video/* audio/* application/ogg application/mxf application/vnd.rn-realmedia "

constexpr Promise promises[] = {
    {"jpg jpeg jpe jfif", "image/jpeg image/jp2"},
    {"png apng", "image/png image/apng image/vnd.mozilla.apng"},
    {"gif", "image/gif"},
    {"bmp dib", "image/bmp image/x-ms-bmp"},
    {"tif tiff", "image/tiff image/x-*"},  // camera raw formats are TIFF at heart
    {"webp", "image/webp"},
    {"heic heif avif", "image/heic* image/heif* image/avif* video/mp4 video/quicktime"},
    {"psd", "image/vnd.adobe.photoshop"},
    {"ico cur", "image/vnd.microsoft.icon image/x-icon image/x-win-bitmap image/png"},
    {"mp4 m4v m4a mov qt 3gp 3g2 mkv mka webm avi wmv wma asf mpg mpeg mpe vob flv ogv ogg oga opus mp3 mp2 aac wav "
     "flac aif aiff mid midi amr",
     EXHIBIT_MEDIA_TYPES},
    {"pdf", "application/pdf"},
    {"ps eps ai", "application/postscript application/pdf image/x-eps image/x-dos* application/eps*"},
    {"swf", "application/x-shockwave-flash application/vnd.adobe.flash.movie"},
    {"rtf", "text/* application/rtf"},
    // Word opens RTF, HTML and OOXML under its old names too, and writes them.
    {"doc dot xls xlt ppt pps pot", EXHIBIT_OLE_TYPES EXHIBIT_ZIP_TYPES
     "application/msword application/vnd.ms-* application/vnd.openxmlformats-officedocument.* text/* application/rtf "
     "application/encrypted"},
    {"msi msg vsd pub mpp", EXHIBIT_OLE_TYPES "application/x-msi application/vnd.ms-* application/vnd.visio "
                                              "application/msword"},
    // With a password they are OLE containers.
    {"docx docm dotx xlsx xlsm xltx pptx pptm ppsx",
     EXHIBIT_OLE_TYPES EXHIBIT_ZIP_TYPES "application/vnd.openxmlformats-officedocument.* application/vnd.ms-* "
                                         "application/encrypted"},
    {"odt ott ods ots odp otp odg", EXHIBIT_ZIP_TYPES "application/vnd.oasis.opendocument.*"},
    {"zip jar war ear apk epub xpi kmz aar ipa cbz",
     EXHIBIT_ZIP_TYPES "application/epub+zip application/x-dosexec application/vnd.* application/x-zip*"},
    {"rar cbr", "application/x-rar application/vnd.rar application/x-dosexec"},
    {"7z", "application/x-7z-compressed application/x-dosexec"},
    {"gz tgz", "application/gzip application/x-gzip"},
    {"bz2 tbz2", "application/x-bzip2"},
    {"xz txz", "application/x-xz"},
    {"zst", "application/zstd application/x-zstd"},
    {"tar", "application/x-tar application/x-gtar application/x-ustar"},
    {"cab", "application/vnd.ms-cab-compressed"},
    {"deb", "application/vnd.debian.binary-package application/x-archive"},
    {"rpm", "application/x-rpm"},
    {"exe dll sys ocx scr cpl drv efi",
     "application/x-dosexec application/vnd.microsoft.portable-executable application/x-msdownload "
     "application/x-executable application/x-wine-extension-ini"},
    {"com", "application/x-dosexec application/x-dosdriver application/x-com text/* application/vnd.*"},
    {"class", "application/x-java-applet application/java-vm application/x-java"},
    {"sqlite sqlite3", "application/vnd.sqlite3 application/x-sqlite3"},
    {"iso", "application/x-iso9660-image application/x-*"},
    {"pst ost", "application/vnd.ms-outlook"},
    {"lnk", "application/x-ms-shortcut"},
    {"evtx", "application/x-ms-evtx"},
    {"ttf otf woff woff2", "font/* application/vnd.ms-opentype application/font-* application/x-font-*"},
};

// Text is text, under whatever name a program of libmagic's rules calls it; these extensions promise only that the
// content is none of the formats below.
constexpr std::string_view text_extensions =
    "txt text log csv tsv html htm xhtml xml json eml ini cfg conf md css js sql c h cpp py sh bat ps1 svg yml yaml "
    "vcf "
    "ics srt";
constexpr std::string_view never_text =
    "image/jpeg image/png image/gif image/tiff image/webp image/heic image/heif image/bmp image/x-ms-bmp "
    "video/mp4 video/quicktime video/x-matroska video/webm video/x-msvideo video/x-ms-asf video/mpeg "
    "audio/mpeg audio/x-wav audio/flac audio/ogg application/pdf application/zip application/java-archive "
    "application/vnd.openxmlformats-officedocument.* application/vnd.oasis.opendocument.* application/msword "
    "application/vnd.ms-excel application/vnd.ms-powerpoint application/x-rar application/x-7z-compressed "
    "application/gzip application/x-bzip2 application/x-xz application/x-dosexec application/x-executable "
    "application/x-pie-executable application/x-sharedlib application/vnd.sqlite3 application/x-sqlite3";

// Nothing is known of the content, or there is none.
constexpr std::string_view no_claim = "application/octet-stream application/x-empty inode/* binary";

#undef EXHIBIT_ZIP_TYPES
#undef EXHIBIT_OLE_TYPES
#undef EXHIBIT_MEDIA_TYPES

bool one_of(std::string_view word, std::string_view list) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    const std::string_view entry = list.substr(0, end);
    const bool is_prefix = entry.ends_with('*');
    if (is_prefix ? word.starts_with(entry.substr(0, entry.size() - 1)) : word == entry && !entry.empty()) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// Lower-case, without the dot; empty where the last part of the path has none, or is nothing but one.
std::string extension_of(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  std::string extension(path.substr(dot + 1));
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return extension;
}

}  // namespace

bool extension_mismatch(const std::string& path, const std::string& type) {
  const std::string extension = extension_of(path);
  if (extension.empty() || type.empty() || one_of(type, no_claim)) return false;
  if (one_of(extension, text_extensions)) return one_of(type, never_text);
  const auto promise = std::find_if(std::begin(promises), std::end(promises),
                                    [&](const Promise& p) { return one_of(extension, p.extensions); });
  return promise != std::end(promises) && !one_of(type, promise->types);
}

}  // namespace exhibit::match
