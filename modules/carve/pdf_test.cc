// Foreign bytes in a PDF where no offset and no checksum tells of them.

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "carve/test_source.h"

namespace exhibit::carve {
namespace {

std::string padded(std::uint64_t value, std::size_t width) {
  const std::string text = std::to_string(value);
  return std::string(width - std::min(width, text.size()), '0') + text;
}

// A PDF with one page and one stream of text; written object by object.
class Document {
 public:
  explicit Document(const std::string& text = "BT ET") {
    add("<< /Type /Catalog /Pages 2 0 R >>");
    add("<< /Type /Pages /Kids [3 0 R] /Count 1 >>");
    add("<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>");
    add("<< /Length " + std::to_string(text.size()) + " >>\nstream\n" + text + "\nendstream");
  }

  void add(const std::string& body) {
    offsets_.push_back(bytes_.size());
    bytes_ += std::to_string(offsets_.size()) + " 0 obj\n" + body + "\nendobj\n";
  }
  std::uint64_t section() const { return section_; }

  void add_to_trailer(const std::string& entry) { identifier_ += entry; }

  // The file with a table (7.5.4), or with a cross-reference stream (7.5.8).
  std::string with_table() {
    section_ = bytes_.size();
    const std::string size = std::to_string(offsets_.size() + 1);
    std::string table = "xref\n0 " + size + "\n0000000000 65535 f \n";
    for (const std::uint64_t offset : offsets_) table += padded(offset, 10) + " 00000 n \n";
    return bytes_ + table + "trailer\n<< /Size " + size + " /Root 1 0 R" + identifier_ + " >>" + last_lines();
  }
  std::string with_stream(const std::string& index = "0 6") {
    section_ = bytes_.size();
    offsets_.push_back(section_);
    std::string rows(4, '\0');
    for (const std::uint64_t offset : offsets_) {
      rows += {'\1', static_cast<char>(offset >> 8), static_cast<char>(offset), '\0'};
    }
    return bytes_ + "5 0 obj\n<< /Type /XRef /Index [" + index + "] /Size 6 /W [1 2 1] /Root 1 0 R" + identifier_ +
           " /Length " + std::to_string(rows.size()) + " >>\nstream\n" + rows + "\nendstream\nendobj" + last_lines();
  }

 private:
  std::string last_lines() const { return "\nstartxref\n" + std::to_string(section_) + "\n%%EOF\n"; }

  std::string identifier_ =
      " /ID [<00112233445566778899aabbccddeeff> (\\001\\002 not packed) ] /DocChecksum /2D558A273ECDB1A091755E5D";
  std::string bytes_ = "%PDF-1.5\n";
  std::vector<std::uint64_t> offsets_;
  std::uint64_t section_ = 0;
};

std::vector<std::uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

Verdict judge(const std::string& text) {
  const auto bytes = bytes_of(text);
  Memory memory;
  return find_validator("pdf")->validate(MemoryContent(bytes), memory);
}

std::string repeat(const std::string& text, std::size_t length) {
  std::string all;
  while (all.size() < length) all += text;
  return all.substr(0, length);
}

std::vector<Standing> carve(const std::string& text) {
  static const std::vector<Signature> all = signatures().take();
  std::vector<bool> wanted;
  for (const Signature& signature : all) wanted.push_back(signature.name == "pdf");
  return carve_everything(all, wanted, bytes_of(text));
}

TEST(Pdf, AWholeFileIsValidated) {
  for (const std::string& file : {Document().with_table(), Document().with_stream()}) {
    EXPECT_EQ(judge(file).tier, Tier::validated);
    EXPECT_EQ(judge(file).length, file.size());
  }
}

// No offset speaks of what lies behind the last section's begin.
TEST(Pdf, ForeignBytesBehindTheLastSectionsBeginAreNoticed) {
  const std::vector<std::string> foreign = {std::string(512, '\0'),
                                            std::string(4096, '\0'),
                                            std::string(4096, ' '),
                                            repeat("\r\n", 512),
                                            repeat("% words of another file\n", 4096),
                                            "\n%" + repeat("words of another file ", 510) + "\n",
                                            repeat("0123456789abcdef", 512),
                                            repeat("words of another file ", 512),
                                            repeat("/F1 12 0 R/F2 13 0 R\n", 4096),
                                            repeat("333 444 500 278\n", 4096),
                                            repeat("9 0 obj\n<< /Type /Font >>\nendobj\n", 4096)};
  for (const bool is_stream : {false, true}) {
    Document document;
    const std::string file = is_stream ? document.with_stream() : document.with_table();
    for (std::size_t at = document.section() + 1; at < file.size() - 1; ++at) {
      for (const std::string& bytes : foreign) {
        const Verdict verdict = judge(std::string(file).insert(at, bytes));
        ASSERT_FALSE(verdict.tier == Tier::validated && verdict.length > file.size())
            << "behind " << file.substr(at - 20, 20) << ": " << bytes.substr(0, 24);
      }
    }
  }
}

TEST(Pdf, AGapWithinATrailersIdentifierIsLeftOut) {
  // So much text that a block ends within the identifier.
  const std::string file = Document(std::string(3700, ' ')).with_table();
  ASSERT_LT(file.find("/ID [<"), 4096U - 6);
  ASSERT_GT(file.find(">", file.find("/ID [<")), 4096U);
  const auto standing = carve(std::string(file).insert(4096, std::string(4096, '\0')));
  ASSERT_EQ(standing.size(), 1U);
  EXPECT_EQ(standing[0].found.extents, (std::vector<Extent>{{0, 4096}, {8192, file.size() - 4096}}));
}

TEST(Pdf, AStreamThatIsNotAsLongAsItSaysIsNotValidated) {
  std::string packed(64, '\0');
  uLongf length = packed.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &length, reinterpret_cast<const Bytef*>("BT ET"), 5),
            Z_OK);
  packed.resize(length);
  for (const std::size_t stated : {length, length + 1, length + 4}) {
    Document document;
    document.add("<< /Filter /FlateDecode /Length " + std::to_string(stated) + " >>\nstream\n" + packed +
                 "\nendstream");
    const bool counts_line_end = stated == length + 1;
    EXPECT_EQ(judge(document.with_table()).tier == Tier::validated, stated == length || counts_line_end) << stated;
  }
}

TEST(Pdf, ATrailerNamesItsRootAndSizeAndAStreamItsLength) {
  for (const char* key : {"/Root", "/Size", "/Length"}) {
    for (std::string file : {Document().with_table(), Document().with_stream()}) {
      file[file.rfind(key) + 2] ^= 4;
      EXPECT_NE(judge(file).tier, Tier::validated) << key;
    }
  }
}

TEST(Pdf, ACrossReferenceStreamHasAsManyRowsAsItSays) {
  EXPECT_NE(judge(Document().with_stream("0 7")).tier, Tier::validated);
  EXPECT_NE(judge(Document().with_stream("0 5")).tier, Tier::validated);
}

// Text in a text: where the gap ends would be a guess.
TEST(Pdf, AJoinWithinDataThatNothingChecksIsNotValidated) {
  const std::string file = Document(repeat("(words of this file) Tj\n", 20'000)).with_table();
  const auto standing = carve(std::string(file).insert(8192, repeat("words of another file ", 4096)));
  ASSERT_EQ(standing.size(), 1U);
  EXPECT_TRUE(standing[0].found.is_joined);
  EXPECT_EQ(standing[0].found.size, file.size());
  EXPECT_EQ(standing[0].found.tier, Tier::plausible);
}

// A signature's digits (12.8.1), and room behind.
TEST(Pdf, AJoinWithinALongStringIsNotValidated) {
  for (const char* foreign : {"words (of another) file ", "\0\0"}) {
    const bool is_zero = *foreign == 0;
    Document document;
    document.add(is_zero ? "<< /Contents <" + std::string(20'000, '0') + "> >>"
                         : "<< /Contents (" + repeat("words of this file ", 20'000) + ") >>");
    const std::string file = document.with_table();
    const std::string gap = is_zero ? std::string(4096, '\0') : repeat(foreign, 4080) + std::string(16, ' ');
    for (const Standing& standing : carve(std::string(file).insert(8192, gap))) {
      const bool is_right = standing.found.extents == std::vector<Extent>{{0, 8192}, {12'288, file.size() - 8192}};
      EXPECT_TRUE(is_right || standing.found.tier == Tier::plausible);
    }
  }
}

// `file` with what is behind `cut` before its beginning, and much of something else behind.
std::vector<Standing> carve_turned_round(const std::string& file, std::size_t cut) {
  std::string rest = file.substr(cut);
  rest.resize((rest.size() / 4096 + 1) * 4096);
  return carve(std::string(8192, '?') + rest + file.substr(0, cut) + repeat("words of another file ", 300'000));
}

TEST(Pdf, AJoinWhoseSecondFragmentLiesFirstIsFoundBehindManyObjects) {
  Document document(repeat("(words of this file) Tj\n", 3000));
  for (int i = 0; i < 40; ++i) document.add("<< /Type /Font /Name /F" + std::to_string(i) + " >>");
  document.add("<< /Length 20000 >>\nstream\n" + std::string(20'000, '\xe5') + "\nendstream");
  const std::string file = document.with_table();
  const auto standing = carve_turned_round(file, 8192);
  ASSERT_FALSE(standing.empty());
  EXPECT_TRUE(std::any_of(standing.begin(), standing.end(), [&](const Standing& one) {
    return one.found.is_joined && one.found.size == file.size() && one.found.tier == Tier::plausible;
  }));
}

TEST(Pdf, ABeginningWhoseFirstStreamIsNeitherPackedNorEncryptedIsNoFile) {
  EXPECT_TRUE(carve(repeat("%PDF-1.4\n1 0 obj\n<</Filter/FlateDecode/Length 90000>>stream\n???", 100'000)).empty());
}

TEST(Pdf, AJoinOfAnEncryptedFileIsFoundWhereTheKeyIsToldBeforeItsBeginning) {
  Document document;
  for (int i = 0; i < 8; ++i) {
    document.add("<< /Filter /FlateDecode /Length 3000 >>\nstream\n" + repeat("\xe5\x03zrQ\x81", 3000) + "\nendstream");
  }
  document.add_to_trailer(" /Encrypt 5 0 R");
  const std::string file = document.with_table();
  const auto standing = carve_turned_round(file, 16'384);
  EXPECT_TRUE(std::any_of(standing.begin(), standing.end(), [&](const Standing& one) {
    return one.found.is_joined && one.found.size == file.size() && one.found.tier == Tier::plausible;
  }));
}

}  // namespace
}  // namespace exhibit::carve
