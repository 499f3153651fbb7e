// The JSON that the UK's Child Abuse Image Database exports: Project VIC's model 1.2, hashset/media_json.h. Its
// categories are those of the UK.

#include "hashset/media_json.h"

namespace exhibit::hashset {
namespace {

// The digests of "a" and "b".
constexpr ExpectedEntry expected[] = {
    {"md5", "0cc175b9c0f1b6a831c399e269772661", "7", "1"},
    {"sha1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "7", "1"},
    {"md5", "92eb5ffee6ae2fec3ad71c777531578f", "8", "0"},
};

}  // namespace

extern constinit const FormatRow caid_row = {
    .name = "caid",
    .has_beginning = [](std::string_view bytes) { return data_model(bytes).starts_with("1.2.xml"); },
    .read = read_media,
    .category_profile = [](std::string_view) -> std::string { return "UK"; },
    .takes_mark = true,
    .sample = []() -> std::string {
      return R"({"odata.metadata":"http://github.com/ICMEC/ProjectVic/DataModels/1.2.xml#Media","value":[
{"MediaID":7,"Category":1,"MD5":"0CC175B9C0F1B6A831C399E269772661","SHA1":"86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8",
 "MediaSize":1,"MediaFiles":[{"FileName":"a.txt"}]},
{"MediaID":8,"Category":0,"MD5":"92EB5FFEE6AE2FEC3AD71C777531578F","MediaSize":"1","MediaFiles":[]},
{"MediaID":9,"Category":1,"MediaFiles":[]}]})";
    },
    .expected = expected,
    .sample_refused = 1};

}  // namespace exhibit::hashset
