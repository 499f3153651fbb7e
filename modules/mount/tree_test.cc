#include "mount/tree.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/record.h"

namespace exhibit::mount {
namespace {

constexpr std::uint64_t volume_size = 1 << 20;

class TreeTest : public testing::Test {
 protected:
  TreeTest() : builder_(TreeBuilder::create(std::filesystem::temp_directory_path(), "E1", volume_size).take()) {
    EXPECT_TRUE(builder_.add_volume({"E1/p0", 0, volume_size, volume_size}, "ext4").ok());
  }

  Item item(const std::string& path, std::uint64_t number, ItemKind kind = ItemKind::file) {
    Item item;
    item.volume = "E1/p0";
    item.content = "E1/p0/i" + std::to_string(number);
    item.path = path;
    item.id = item.content + ":" + path;
    item.kind = kind;
    return item;
  }

  Result<void> try_add(const Item& item) {
    base::RecordLine record;
    const std::string line = base::to_line(item);
    EXPECT_TRUE(record.read_any(line).ok());
    return builder_.add_item(record);
  }
  void add(const Item& item) { EXPECT_TRUE(try_add(item).ok()); }

  // Paths below the volume's folder, with the ids that they lead to; folders that nothing describes end in "/".
  static std::map<std::string, std::string> shown(const Tree& tree) {
    std::map<std::string, std::string> all;
    const NodeId top = tree.spaces.at("E1/p0").folder;
    for (NodeId id = top + 1; id < tree.nodes.size(); ++id) {
      std::string path;
      for (NodeId at = id; at != top; at = tree.nodes.at(at).parent) path = "/" + tree.nodes.name(at).take() + path;
      const auto found = tree.nodes.item(id).take();
      const bool is_new = all.emplace(found ? path : path + "/", found ? found->id : "").second;
      EXPECT_TRUE(is_new) << path;
      EXPECT_EQ(tree.nodes.find(tree.nodes.at(id).parent, tree.nodes.name(id).take()).take(), id) << path;
    }
    return all;
  }

  TreeBuilder builder_;
};

using Shown = std::map<std::string, std::string>;

TEST_F(TreeTest, AFolderIsDescribedByItsRecordWheneverThatComes) {
  add(item("/late/file", 12));
  add(item("/late", 13, ItemKind::directory));
  add(item("/early", 14, ItemKind::directory));
  add(item("/early/file", 15));
  EXPECT_EQ(shown(builder_.finish().take()), (Shown{{"/late", "E1/p0/i13:/late"},
                                                    {"/late/file", "E1/p0/i12:/late/file"},
                                                    {"/early", "E1/p0/i14:/early"},
                                                    {"/early/file", "E1/p0/i15:/early/file"}}));
}

TEST_F(TreeTest, EntriesOfOneNameAreAllReached) {
  for (const std::uint64_t number : {20U, 21U, 21U, 21U}) add(item("/twice", number));
  add(item("/twice/below", 30));
  add(item("/twice", 31, ItemKind::directory));
  const auto all = shown(builder_.finish().take());
  EXPECT_EQ(all.size(), 7U);
  EXPECT_EQ(all.at("/twice"), "E1/p0/i20:/twice");
  EXPECT_EQ(all.at("/twice#i21"), "E1/p0/i21:/twice");
  EXPECT_EQ(all.at("/twice#folder/below"), "E1/p0/i30:/twice/below");
  EXPECT_EQ(all.at("/twice#i31"), "E1/p0/i31:/twice");
}

TEST_F(TreeTest, NothingTakesThePlaceOfOurFolders) {
  add(item("/$Deleted", 40));
  add(item("/$Deleted/inner", 41));
  Item gone = item("/gone", 42);
  gone.state = ItemState::deleted;
  add(gone);
  const auto all = shown(builder_.finish().take());
  EXPECT_EQ(all.at("/$Deleted/gone"), gone.id);
  EXPECT_EQ(all.at("/$Deleted#i40"), "E1/p0/i40:/$Deleted");
  EXPECT_EQ(all.at("/$Deleted#folder/inner"), "E1/p0/i41:/$Deleted/inner");
}

TEST_F(TreeTest, NoPathLeadsUpOrAnywhereElse) {
  std::uint64_t number = 50;
  for (const char* path : {"/..", "/../../etc/passwd", "/./.", "", "/", "//", "no/slash", "/a//b/"})
    add(item(path, number++));
  const auto tree = builder_.finish().take();
  const auto all = shown(tree);
  std::set<std::string> ids;
  for (const auto& [path, id] : all) {
    EXPECT_EQ(path.find("/../"), std::string::npos) << path;
    EXPECT_FALSE(path.ends_with("/..") || path.ends_with("/.")) << path;
    if (!id.empty()) ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 8U);
}

TEST_F(TreeTest, AStreamStandsBesideTheEntryOfItsAddress) {
  Item stream = item("/twice", 61);
  stream.stream = "zone";
  stream.id += ":zone";
  add(stream);  // before its entry
  add(item("/twice", 60));
  add(item("/twice", 61));
  const auto tree = builder_.finish().take();
  EXPECT_EQ(shown(tree).at("/twice#i61:zone"), stream.id);
  const NodeId owner = tree.nodes.find(tree.spaces.at("E1/p0").folder, "twice#i61").take();
  const NodeId first = tree.nodes.at(owner).first_stream;
  ASSERT_NE(first, no_node);
  EXPECT_EQ(tree.nodes.item(first).take()->id, stream.id);
}

TEST_F(TreeTest, PathsThatNoFileSystemHasAreRefusedBeforeTheyFillTheMemory) {
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "/x";
  Result<void> added;
  for (std::uint64_t number = 70; added.ok() && number < 80; ++number)
    added = try_add(item("/" + std::to_string(number) + deep, number));
  ASSERT_FALSE(added.ok());
  EXPECT_EQ(added.error().code, ErrorCode::size_limit);
}

}  // namespace
}  // namespace exhibit::mount
