#pragma once
// Whether this is a build with AddressSanitizer, whose runtime asks the kernel for more than a worker may have.

#if defined(__SANITIZE_ADDRESS__)
#define EXHIBIT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EXHIBIT_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef EXHIBIT_ADDRESS_SANITIZER
#define EXHIBIT_ADDRESS_SANITIZER 0
#endif

namespace exhibit::sandbox {

inline constexpr bool address_sanitizer = EXHIBIT_ADDRESS_SANITIZER == 1;

}  // namespace exhibit::sandbox
