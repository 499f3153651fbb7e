// Project VIC's VICS 1.3 (odata.metadata) and 2.0 (@odata.context): hashset/media_json.h. The context of 2.0 names the
// country whose meaning the categories have.

#include "hashset/media_json.h"

namespace exhibit::hashset {
namespace {

constexpr std::string_view model_1_3 = "1.3.xml", model_2_0 = "2.0.xml/";

// `2.0.xml/US/$metadata#Media`: US.
std::string profile(std::string_view beginning) {
  const std::string_view model = data_model(beginning);
  if (!model.starts_with(model_2_0)) return {};
  const std::string_view rest = model.substr(model_2_0.size());
  return std::string(rest.substr(0, rest.find('/')));
}

// The digests of "a", "b" and "c".
constexpr ExpectedEntry expected[] = {
    {"md5", "0cc175b9c0f1b6a831c399e269772661", "1", "1"},
    {"sha1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "1", "1"},
    {"sha256", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", "1", "1"},
    {"md5", "92eb5ffee6ae2fec3ad71c777531578f", "b-2"},
    {"md5", "4a8a08f09d37b73795649038408b5f33", "3", "2"},
};

}  // namespace

extern constinit const FormatRow vics_row = {
    .name = "vics",
    .has_beginning =
        [](std::string_view bytes) {
          return data_model(bytes).starts_with(model_1_3) || data_model(bytes).starts_with(model_2_0);
        },
    .read = read_media,
    .category_profile = profile,
    .takes_mark = true,
    .sample = []() -> std::string {
      return R"({"@odata.context":"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media",
 "value":[
  {"MediaID":1,"Category":1,"MD5":"0CC175B9C0F1B6A831C399E269772661","SHA1":"86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8",
   "AlternativeHashes":[{"HashName":"PhotoDNA","HashValue":"AAAA"},
    {"HashName":"SHA-256","HashValue":"CA978112CA1BBDCAFAC231B39A23DC4DA786EFF8147C4E72B9807785AFEE48BB"}],
   "VictimIdentified":"False","IsDistributed":true,"Series":{"Name":"none"},
   "MediaFiles":[{"MD5":"0CC175B9C0F1B6A831C399E269772661","FileName":"a.txt"}]},
  {"MediaID":"b-2","Category":null,"MD5":"92eb5ffee6ae2fec3ad71c777531578f","Series":"","Exifs":[{"PropertyName":"x"}]},
  {"MediaID":3,"Category":"2","MD5":"4A8A08F09D37B73795649038408B5F33","SHA1":null},
  {"MediaID":4,"Category":2,"MD5":"not one"},
  {"MediaID":5,"Category":2,"PhotoDNA":"AAAA"}
 ]})";
    },
    .expected = expected,
    .sample_refused = 2};

}  // namespace exhibit::hashset
