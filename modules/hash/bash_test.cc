#include "hash/bash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "base/json.h"
#include "support/test_support.h"

namespace exhibit::hash {
namespace {

std::string hex_digest(std::size_t size, std::string_view message) {
  BashHash hash(size);
  hash.update(std::as_bytes(std::span(message)));
  return base::to_hex(hash.finish());
}

// STB 34.101.77, appendix A.3: messages are the first bytes of belt's substitution H, of which these are 192.
constexpr const char* belt_h =
    "b194bac80a08f53b366d008e584a5de48504fa9d1bb6c7ac252e72c202fdce0d5be3d61217b96181fe6786ad716b890b"
    "5cb0c0ff33c356b835c405aed8e07f99e12bdc1ae28257ec703fccf095ee8df1c1ab76389fe678caf7c6f860d5bb9c4f"
    "f33c657b637c306add4ea7799eb23d313e98b56e27d3bccf591e181f4c5ab793e9dee72c8f0c0fa62ddb49f46f739647"
    "06075316ed247a3739cba38303a98bf692bd9b1ce5d141015445fbc95e4d0ef2682080aa227d642f2687f93490405511";

struct Published {
  std::size_t digest_bytes, message_bytes;
  const char* digest;
};
constexpr Published published[] = {
    {32, 0, "114c3dfae373d9bcbc3602d6386f2d6a2059ba1bf9048dbaa5146a6cb775709d"},
    {32, 127, "3d7f4efa00e9ba33feed259986567dcf5c6d12d51057a968f14f06cc0f905961"},
    {32, 128, "d7f428311254b8b2d00f7f9eefbd8f3025fa87c4babd1bddbe87e35b7ac80dd6"},
    {32, 135, "1393fa1b65172f2d18946aeae576fa1cf54fdd354a0cb2974a997dc4865d3100"},
    {48, 95, "64334af830d33f63e9acdfa184e32522103fff5c6860110a2cd369edbc04387c501d8f92f749ae4de15a8305c353d64d"},
    {48, 96, "d06efbc16fd6c0880cbfc6a4e3d65ab101fa82826934190faabebfbffede93b22b85ea72a7fb3147a133a5a8febd8320"},
    {64, 63,
     "2a66c87c189c12e255239406123bdedbf19955eaf0808b2ad705e249220845e20f4786fb6765d0b5c48984b1b16556ef19ea8192b985e4233"
     "d9c09508d6339e7"},
    {64, 64,
     "07abbf8580e7e5a321e9b940f667ae209e2952cef557978ae743db086bab4885b708233c3f5541df8aafc3611482fde498e58b3379a6622da"
     "c2664c9c118a162"},
    {64, 192,
     "8724c7ff8a2a83f22e38cb9763777b96a70aba3444f214c763d93cd6d19fcfde6c3d3931857c4ff6cccd49bd99852fe9eaa7495eccdd96b57"
     "1e0edcf47f89768"},
};

TEST(Bash, GivesThePublishedAnswers) {
  const std::string h = base::from_hex(belt_h).take();
  for (const auto& [size, length, digest] : published)
    EXPECT_EQ(hex_digest(size, h.substr(0, length)), digest) << length;
}

TEST(Bash, GivesTheAnswersOfTheCorpora) {
  std::ifstream lines(test::corpus("hash/stb-kat.jsonl"));
  int compared = 0;
  for (std::string line; std::getline(lines, line);) {
    const base::Json answer = base::parse_json(line).take();
    const auto name = answer["alg"].get<std::string>();
    if (!name.starts_with("bash-")) continue;
    const std::string message = base::from_hex(answer["input_hex"].get<std::string>()).take();
    EXPECT_EQ(hex_digest(std::stoul(name.substr(5)) / 8, message), answer["digest"]) << line;
    ++compared;
  }
  EXPECT_GE(compared, 6);
}

TEST(Bash, DoesNotCareHowTheStreamIsCutAndStartsAnew) {
  std::mt19937 generator(5);
  std::string message(5'003, '\0');
  for (char& byte : message) byte = static_cast<char>(generator());
  for (const std::size_t size : {32, 48, 64}) {
    const std::string whole = hex_digest(size, message);
    BashHash hash(size);
    for (const std::size_t piece : {1, 3, 63, 64, 65, 95, 96, 97, 127, 128, 129, 1000}) {
      for (std::string_view rest = message; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size())))
        hash.update(std::as_bytes(std::span(rest.substr(0, piece))));
      EXPECT_EQ(base::to_hex(hash.finish()), whole) << size << " in pieces of " << piece;
    }
  }
}

}  // namespace
}  // namespace exhibit::hash
