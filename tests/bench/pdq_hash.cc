// PDQ of files, as JSON lines, for bench_pdq.py.
//
//   pdq_hash FILE…

#include <cstdio>
#include <fstream>
#include <iterator>

#include "base/json.h"
#include "base/text.h"
#include "match/perceptual/perceive.h"
#include "match/perceptual/picture.h"

using namespace exhibit;

int main(int count, char** words) {
  match::prepare({.pictures = true});
  for (int i = 1; i < count; ++i) {
    const std::string name = words[i];
    std::ifstream file(name, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    const match::PictureDecoder* decoder = match::decoder_of(name.ends_with(".png") ? "image/png" : "image/jpeg");
    const auto hash = match::hash_picture(*decoder, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()},
                                          match::Scaling::nearest_512);
    base::Json told = {{"file", name}, {"variants", base::Json::array()}};
    if (hash.ok()) {
      told["quality"] = hash->pdq.quality;
      for (const auto& bits : hash->pdq.variants)
        told["variants"].push_back(base::to_hex({reinterpret_cast<const char*>(bits.data()), bits.size()}));
    }
    std::printf("%s\n", base::canonical(told).c_str());
  }
}
