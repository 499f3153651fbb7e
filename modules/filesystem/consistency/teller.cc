#include "filesystem/consistency/teller.h"

namespace exhibit::filesystem::consistency {

void Teller::corrupt(std::string_view kind, Place place, std::string detail) {
  auto found = told_.find(kind);
  if (found == told_.end()) found = told_.emplace(std::string(kind), 0).first;
  if (++found->second <= most_of_a_kind) tell(ErrorCode::corrupt, place, std::move(detail));
}

void Teller::unchecked(ErrorCode cause, Place place, std::string detail) { tell(cause, place, std::move(detail)); }

void Teller::finish() {
  for (const auto& [kind, count] : told_)
    if (count > most_of_a_kind)
      reporter_.problem(Problem{volume_id_, "walk", name_of(ErrorCode::corrupt), std::nullopt,
                                std::to_string(count - most_of_a_kind) + " more: " + kind});
}

void Teller::tell(ErrorCode cause, Place place, std::string detail) {
  reporter_.problem(Problem{volume_id_, "walk", name_of(cause),
                            std::array<std::uint64_t, 2>{place.offset, place.length}, std::move(detail)});
}

}  // namespace exhibit::filesystem::consistency
