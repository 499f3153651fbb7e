// Over every signature file: its samples are found wherever they lie, its counter-samples are never `validated`.

#include <gtest/gtest.h>

#include "carve/carver.h"
#include "carve/resolve.h"
#include "carve/signature.h"
#include "carve/test_samples.h"
#include "carve/test_source.h"

namespace exhibit::carve {
namespace {

using base::Json;

// What the carver makes of `sample` after `shift` zero bytes, with `behind` zero bytes after it.
std::vector<Standing> carve_at(const std::vector<Signature>& all, std::uint32_t signature,
                               const std::vector<std::uint8_t>& sample, std::size_t shift) {
  std::vector<std::uint8_t> bytes(shift, 0);
  bytes.insert(bytes.end(), sample.begin(), sample.end());
  bytes.resize(bytes.size() + 5000);
  std::vector<bool> wanted(all.size(), false);
  wanted[signature] = true;
  return carve_everything(all, wanted, bytes);
}

class Signatures : public testing::TestWithParam<std::size_t> {
 protected:
  static const std::vector<Signature>& all() {
    static const std::vector<Signature> all = signatures().take();
    return all;
  }
  const Signature& signature() const { return all()[GetParam()]; }
  Json file() const { return base::parse_json(signature_files()[GetParam()].text).take(); }
};

TEST_P(Signatures, SaysWhereTheFormatIsDescribedAndHasSamples) {
  EXPECT_FALSE(file().value("reference", "").empty());
  EXPECT_FALSE(file().value("samples", Json::array()).empty());
  EXPECT_FALSE(file().value("counter_samples", Json::array()).empty());
}

TEST_P(Signatures, SamplesAreFoundAtAnyOffset) {
  for (const Json& sample : file().value("samples", Json::array())) {
    const auto bytes = bytes_of(sample);
    const std::string expected = sample.value("tier", "validated");
    // Text is looked for from a sector on.
    for (const std::size_t shift : {std::size_t{0}, signature().is_text ? text_block : std::size_t{65}}) {
      bool found = false;
      for (const Standing& standing : carve_at(all(), static_cast<std::uint32_t>(GetParam()), bytes, shift)) {
        const Found& object = standing.found;
        found |= object.extents == std::vector<Extent>{{static_cast<std::int64_t>(shift), bytes.size()}} &&
                 object.tier == (expected == "validated" ? Tier::validated : Tier::plausible) &&
                 object.extension == sample.value("extension", signature().extension);
      }
      EXPECT_TRUE(found) << sample.value("name", "") << " at " << shift;
    }
  }
}

TEST_P(Signatures, CounterSamplesAreNeverValidated) {
  for (const Json& sample : file().value("counter_samples", Json::array())) {
    for (const Standing& standing : carve_at(all(), static_cast<std::uint32_t>(GetParam()), bytes_of(sample), 0)) {
      EXPECT_NE(standing.found.tier, Tier::validated) << sample.value("name", "");
    }
  }
}

// Cut anywhere, a sample reads nothing outside what is there, and is not validated unless it holds whole objects.
TEST_P(Signatures, SamplesCutShortAreNotTheWhole) {
  for (const Json& sample : file().value("samples", Json::array())) {
    const auto bytes = bytes_of(sample);
    for (std::size_t part = 1; part < 16; ++part) {
      const std::vector<std::uint8_t> cut(bytes.begin(),
                                          bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() * part / 16));
      Memory memory;
      const Verdict verdict = signature().validator->validate(MemoryContent(cut), memory);
      EXPECT_LE(verdict.length, cut.size());
      EXPECT_LE(verdict.sound, verdict.length);
    }
  }
}

std::string name_of(const testing::TestParamInfo<std::size_t>& info) {
  std::string name = signature_files()[info.param].name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, Signatures, testing::Range(std::size_t{0}, signature_files().size()), name_of);

}  // namespace
}  // namespace exhibit::carve
