#include "report/item_text.h"

#include <algorithm>

#include "base/json.h"

namespace exhibit::report {
namespace {

std::string joined(const Item& item, const std::string& path) {
  return item.volume + path + (item.stream ? ":" + *item.stream : "");
}

}  // namespace

std::string place_of(const Item& item) { return joined(item, item.path); }

std::string raw_place_of(const Item& item) {
  if (item.path_raw) {
    if (const auto bytes = base::base64_decode(*item.path_raw); bytes.ok()) return joined(item, *bytes);
  }
  return place_of(item);
}

std::string address_of(const Item& item) {
  const std::string begin = item.volume + "/i";
  if (item.state == ItemState::member || !item.content.starts_with(begin)) return "";
  std::string address = item.content.substr(begin.size());
  const bool is_address = !address.empty() && std::all_of(address.begin(), address.end(),
                                                          [](char c) { return (c >= '0' && c <= '9') || c == '-'; });
  return is_address ? address : "";
}

std::string name_of_file(const Item& item) { return item.path.substr(item.path.rfind('/') + 1); }

}  // namespace exhibit::report
