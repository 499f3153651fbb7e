#include <bzlib.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "expand/codec.h"
#include "expand/rar_headers.h"
#include "expand/reader.h"
#include "expand/stream.h"
#include "support/memory_source.h"

namespace exhibit::expand {
namespace {

using base::Container;

// The first member's content, read in pieces of an odd length.
Result<std::string> content_of(Container kind, const std::string& packed) {
  test::MemorySource source(packed);
  auto reader = EXHIBIT_TRY(open(kind, source, "packed"));
  if (!EXHIBIT_TRY(reader->next())) return Error{ErrorCode::not_found, "no member", {}, {}};
  std::string content;
  std::vector<std::byte> buffer(777);
  while (true) {
    const std::size_t got = EXHIBIT_TRY(reader->read(buffer));
    if (got == 0) return content;
    content.append(reinterpret_cast<const char*>(buffer.data()), got);
  }
}

std::string plain() {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += std::to_string(i * 7919) + " harmless\n";
  return text;
}

std::string pack(Container kind, const std::string& text) {
  std::string out(text.size() * 2 + 4096, '\0');
  auto* const bytes = reinterpret_cast<unsigned char*>(out.data());
  auto* const from = reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
  std::size_t size = 0;
  if (kind == Container::gzip) {
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY);
    stream.next_in = from;
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = bytes;
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    size = stream.total_out;
    deflateEnd(&stream);
  } else if (kind == Container::bzip2) {
    auto length = static_cast<unsigned>(out.size());
    BZ2_bzBuffToBuffCompress(out.data(), &length, reinterpret_cast<char*>(from), static_cast<unsigned>(text.size()), 1,
                             0, 0);
    size = length;
  } else if (kind == Container::xz) {
    lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr, from, text.size(), bytes, &size, out.size());
  } else if (kind == Container::zstd) {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size = ZSTD_compress2(context, bytes, out.size(), from, text.size());
    ZSTD_freeCCtx(context);
  } else {
    LZ4F_preferences_t preferences{};
    preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    size = LZ4F_compressFrame(bytes, out.size(), from, text.size(), &preferences);
  }
  out.resize(size);
  return out;
}

class PackedStreams : public testing::TestWithParam<Container> {};

TEST_P(PackedStreams, GiveWhatWasPacked) {
  const auto content = content_of(GetParam(), pack(GetParam(), plain()));
  ASSERT_TRUE(content.ok()) << content.error().message;
  EXPECT_EQ(*content, plain());
  const auto nothing = content_of(GetParam(), pack(GetParam(), ""));
  ASSERT_TRUE(nothing.ok()) << nothing.error().message;
  EXPECT_EQ(*nothing, "");
}

TEST_P(PackedStreams, MayFollowEachOther) {
  const auto content = content_of(GetParam(), pack(GetParam(), plain()) + pack(GetParam(), "and more"));
  ASSERT_TRUE(content.ok()) << content.error().message;
  EXPECT_EQ(*content, plain() + "and more");
}

TEST_P(PackedStreams, AreNeverWholeWhenCutAnywhere) {
  const std::string packed = pack(GetParam(), plain());
  for (std::size_t length = 1; length < packed.size(); length += length < 64 || packed.size() - length < 64 ? 1 : 61) {
    EXPECT_FALSE(content_of(GetParam(), packed.substr(0, length)).ok()) << length << " of " << packed.size();
  }
}

TEST_P(PackedStreams, AreNeverWholeWithOneBitChanged) {
  const std::string packed = pack(GetParam(), plain()), text = plain();
  for (std::size_t at = 0; at < packed.size(); at += 37) {
    std::string changed = packed;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    const auto content = content_of(GetParam(), changed);
    // Some bits of a header say nothing of the content.
    EXPECT_TRUE(!content.ok() || *content == text) << at << " of " << packed.size();
  }
}

INSTANTIATE_TEST_SUITE_P(All, PackedStreams,
                         testing::Values(Container::gzip, Container::bzip2, Container::xz, Container::zstd,
                                         Container::lz4));

// A gzip header with everything that RFC 1952 lets it have; `text` behind it.
std::string pack_with_header(const std::string& name, bool has_checksum, const std::string& text) {
  std::string out(text.size() * 2 + name.size() + 4096, '\0');
  std::string extra = "AB\x02\x01xy", comment = "harmless", named = name;
  const auto bytes = [](std::string& of) { return reinterpret_cast<Bytef*>(of.data()); };
  gz_header header{};
  header.extra = bytes(extra);
  header.extra_len = static_cast<uInt>(extra.size());
  header.name = bytes(named);
  header.comment = bytes(comment);
  header.hcrc = has_checksum ? 1 : 0;
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY);
  deflateSetHeader(&stream, &header);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = bytes(out);
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(Gzip, TellsTheNameInItsHeader) {
  for (const bool has_checksum : {false, true}) {
    for (const std::size_t length : {std::size_t{1}, std::size_t{40}, longest_stream_name, longest_stream_name + 900}) {
      const std::string packed = pack_with_header(std::string(length, 'n'), has_checksum, plain());
      test::MemorySource source(packed);
      auto stream = open_stream(Container::gzip, source);
      ASSERT_TRUE(stream.ok());
      EXPECT_EQ((*stream)->name(), std::string(std::min(length, longest_stream_name), 'n')) << has_checksum << length;
      const auto content = content_of(Container::gzip, packed);
      ASSERT_TRUE(content.ok()) << content.error().message;
      EXPECT_EQ(*content, plain());
    }
  }
}

TEST(Gzip, WithAHeaderThatContradictsItsChecksumIsNotWhole) {
  std::string packed = pack_with_header("name", true, plain());
  packed[packed.find("harmless")] = 'H';
  EXPECT_FALSE(content_of(Container::gzip, packed).ok());
}

TEST(RarHeaders, EndWhereTheyCannotBeFollowed) {
  std::string bytes("Rar!\x1a\x07\x00", 7);
  for (int i = 0; i < 4000; ++i) bytes += static_cast<char>(i * 31 + (i >> 3));
  for (std::size_t length = 0; length < bytes.size(); length += 13) {
    test::MemorySource source(bytes.substr(0, length));
    EXPECT_LE(rar_files(source, 10).size(), 10U);
  }
  // A header that leads back to itself.
  test::MemorySource circle(std::string("Rar!\x1a\x07\x01\x00", 8) + std::string(4, '\0') +
                            "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\x02");
  EXPECT_LE(rar_files(circle, 1000).size(), 1U);
}

TEST(Archives, ThatAreNoneAreAnError) {
  for (const Container kind : {Container::zip, Container::sevenzip, Container::rar, Container::tar, Container::cab,
                               Container::iso9660, Container::compress}) {
    EXPECT_FALSE(content_of(kind, std::string(5000, 'x')).ok());
    EXPECT_FALSE(content_of(kind, "").ok());
  }
}

}  // namespace
}  // namespace exhibit::expand
