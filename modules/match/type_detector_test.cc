#include <gmock/gmock.h>

#include <clocale>
#include <filesystem>
#include <set>
#include <span>

#include "match/content.h"
#include "support/test_support.h"

namespace exhibit::match {
namespace {

namespace fs = std::filesystem;

std::string type_of(TypeDetector& detector, const std::string& bytes) {
  return detector.type_of(std::as_bytes(std::span(bytes)));
}

// `file` reads the bytes from a pipe, as Exhibit has them: without a name, a mode or a place.
std::string ask_file(const std::string& bytes) {
  const std::string out = test::run({"file", "-b", "--mime-type", "-m", "/usr/share/misc/magic.mgc", "-"}, bytes).out;
  return out.substr(0, out.find('\n'));
}

TEST(TypeDetector, AgreesWithFile) {
  auto detector = TypeDetector::load();
  ASSERT_TRUE(detector.ok()) << detector.error().message;
  std::vector<std::string> files{"/usr/bin/true", "/usr/bin/file", "/etc/passwd", "/usr/share/misc/magic.mgc"};
  for (const char* folder : {"docs", "pdq", "hashsets", "yara"}) {
    for (const auto& entry : fs::recursive_directory_iterator(test::corpus(folder))) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::set<std::string> seen;
  for (const std::string& file : files) {
    const std::string head = test::read_file(file).substr(0, TypeDetector::head_size);
    const std::string type = type_of(**detector, head);
    // libmagic tells a program from a library by the file's mode, which bytes alone don't have.
    const std::string expected = ask_file(head);
    EXPECT_EQ(type, expected == "application/x-pie-executable" ? "application/x-sharedlib" : expected) << file;
    seen.insert(type);
  }
  EXPECT_GT(seen.size(), 7u);
}

TEST(TypeDetector, HasAnAnswerForEverything) {
  auto detector = TypeDetector::load();
  ASSERT_TRUE(detector.ok());
  EXPECT_EQ(type_of(**detector, ""), "inode/x-empty");
  EXPECT_EQ(type_of(**detector, std::string(5000, '\0')), "application/octet-stream");
  EXPECT_EQ(type_of(**detector, "\x01"), "application/octet-stream");
  EXPECT_EQ(type_of(**detector, "caf\xC3\xA9\n"), "text/plain");
}

TEST(TypeDetector, DoesNotDependOnTheLocale) {
  auto detector = TypeDetector::load();
  ASSERT_TRUE(detector.ok());
  const std::vector<std::string> contents{
      "Stra\xC3\x9F"
      "e\n",
      "\xCF\xF0\xE8\xE2\xE5\xF2\n", "a,b\n1,2\n3,4\n", "{\"a\":1}\n"};
  std::vector<std::string> plain, local;
  for (const std::string& content : contents) plain.push_back(type_of(**detector, content));
  ASSERT_NE(std::setlocale(LC_ALL, "C.UTF-8"), nullptr);
  for (const std::string& content : contents) local.push_back(type_of(**detector, content));
  std::setlocale(LC_ALL, "C");
  EXPECT_EQ(plain, local);
}

// DFTT 8: file3.jpg is text, file4.jpg noise of no known type. file2.dat and file7.hmm are JPEGs, but those extensions
// promise nothing.
TEST(ExtensionMismatch, AgreesWithDftt8) {
  const test::TemporaryDirectory scratch;
  const std::string image = test::unpack("images/8-jpeg-search.dd.xz", scratch);
  ASSERT_EQ(test::run({"tsk_recover", "-e", image, (scratch / "out").string()}).status, 0);
  auto detector = TypeDetector::load();
  ASSERT_TRUE(detector.ok());
  std::set<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(scratch / "out")) {
    const std::string name = entry.path().filename();
    if (!entry.is_regular_file() || name.starts_with("$")) continue;
    if (extension_mismatch("/" + name, type_of(**detector, test::read_file(entry.path())))) found.insert(name);
  }
  EXPECT_EQ(found, (std::set<std::string>{"file3.jpg"}));
}

TEST(ExtensionMismatch, RaisesNoFalseAlarm) {
  auto detector = TypeDetector::load();
  ASSERT_TRUE(detector.ok());
  for (const char* folder : {"docs", "pdq", "hashsets", "yara"}) {
    for (const auto& entry : fs::recursive_directory_iterator(test::corpus(folder))) {
      if (!entry.is_regular_file()) continue;
      const std::string type = type_of(**detector, test::read_file(entry.path()).substr(0, TypeDetector::head_size));
      EXPECT_FALSE(extension_mismatch(entry.path(), type)) << entry.path() << " " << type;
    }
  }
}

TEST(ExtensionMismatch, KnowsWhatIsNear) {
  EXPECT_TRUE(extension_mismatch("/a/photo.txt", "image/jpeg"));
  EXPECT_TRUE(extension_mismatch("/a/PHOTO.JPG", "application/zip"));
  EXPECT_TRUE(extension_mismatch("/a/letter.pdf", "application/x-dosexec"));
  EXPECT_TRUE(extension_mismatch("/a/x.docx", "image/png"));
  EXPECT_FALSE(extension_mismatch("/a/x.docx", "application/zip"));
  EXPECT_FALSE(extension_mismatch("/a/x.docx", "application/CDFV2-encrypted"));
  EXPECT_FALSE(extension_mismatch("/a/x.csv", "text/plain"));
  EXPECT_FALSE(extension_mismatch("/a/x.txt", "application/json"));
  EXPECT_FALSE(extension_mismatch("/a/x.jpg", "application/octet-stream"));
  EXPECT_FALSE(extension_mismatch("/a/x.jpg", "inode/x-empty"));
  EXPECT_FALSE(extension_mismatch("/a/x.unheard", "image/png"));
  EXPECT_FALSE(extension_mismatch("/a.jpg/README", "text/plain"));
  EXPECT_FALSE(extension_mismatch("/a/.jpg", "text/plain"));
  EXPECT_FALSE(extension_mismatch("", ""));
}

}  // namespace
}  // namespace exhibit::match
