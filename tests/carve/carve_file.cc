// carve_file FILE [--out FOLDER] [--types NAME,…] [--shift N] [--all-tiers]: the carver alone over a file, in this
// process, for measuring validators and for finding out why an object isn't found. JSON Lines on standard output.

#include <fstream>
#include <iostream>

#include "base/record.h"
#include "carve/test_source.h"

namespace {

using namespace exhibit;

struct Options {
  std::string file, out, types;
  std::uint64_t shift = 0, block = 4096;
  bool all_tiers = false;
};

std::vector<bool> wanted(const std::vector<carve::Signature>& all, const std::string& types) {
  std::vector<bool> wanted;
  for (const auto& signature : all) {
    wanted.push_back(types.empty() || ("," + types + ",").find("," + signature.name + ",") != std::string::npos);
  }
  return wanted;
}

const char* name_of(carve::Tier tier) {
  return tier == carve::Tier::validated ? "validated" : tier == carve::Tier::plausible ? "plausible" : "header-only";
}

void write_content(const std::vector<std::uint8_t>& bytes, const carve::Found& found, const std::string& folder) {
  std::ofstream file(folder + "/" + std::to_string(found.extents.front().offset) + "-" + std::to_string(found.size) +
                     "." + found.extension);
  for (const Extent& extent : found.extents) {
    file.write(reinterpret_cast<const char*>(bytes.data()) + extent.offset,
               static_cast<std::streamsize>(extent.length));
  }
}

int run(const Options& options) {
  std::ifstream file(options.file, std::ios::binary);
  std::vector<std::uint8_t> bytes(options.shift, 0);
  bytes.insert(bytes.end(), std::istreambuf_iterator<char>(file), {});
  const auto all = carve::signatures();
  if (!all.ok()) {
    std::cerr << all.error().message << "\n";
    return 1;
  }
  const auto least = options.all_tiers ? carve::Tier::header_only : carve::Tier::plausible;
  const auto standing = carve::carve_everything(*all, wanted(*all, options.types), bytes, least, options.block);
  for (const carve::Standing& one : standing) {
    const carve::Found& object = one.found;
    base::Json line = {{"signature", (*all)[object.signature].name},
                       {"extension", object.extension},
                       {"tier", name_of(object.tier)},
                       {"size", object.size},
                       {"sound", object.sound},
                       {"extents", base::to_json(object.extents)},
                       {"joined", object.is_joined}};
    if (!object.doubts.empty()) line["doubt"] = base::to_json(object.doubts);
    if (one.parent) line["parent"] = standing[*one.parent].found.extents.front().offset;
    std::cout << line.dump() << "\n";
    if (!options.out.empty()) write_content(bytes, object, options.out);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--all-tiers") {
      options.all_tiers = true;
    } else if (argument.starts_with("--") && i + 1 < count) {
      const std::string value = arguments[++i];
      if (argument == "--out") options.out = value;
      if (argument == "--types") options.types = value;
      if (argument == "--shift") options.shift = std::stoull(value);
      if (argument == "--block") options.block = std::stoull(value);
    } else {
      options.file = argument;
    }
  }
  return run(options);
}
