// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#if CUVEE_ASAN
#include <sanitizer/lsan_interface.h>
#endif

namespace cuvee::inline v0::detail {

/// What this thread allocates while it lives is not reported as a leak: for libraries of others that never free it.
struct unreported_leaks {
#if CUVEE_ASAN
  unreported_leaks() noexcept { __lsan_disable(); }
  unreported_leaks(const unreported_leaks&) = delete;
  ~unreported_leaks() { __lsan_enable(); }
#endif
};

}  // namespace cuvee::inline v0::detail
