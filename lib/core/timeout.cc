// SPDX-License-Identifier: MIT
#include <cuvee/base/error.h>
#include <cuvee/core/timeout.h>

#include <string>

namespace cuvee::inline v0::detail {

namespace {

// In the largest unit that says it exactly: `50 ms`.
std::string in_words(duration d) {
  struct unit {
    duration::rep nanoseconds;
    const char* name;
  };
  for (unit u : {unit{1'000'000'000, " s"}, {1'000'000, " ms"}, {1000, " us"}})
    if (d.count() % u.nanoseconds == 0) return std::to_string(d.count() / u.nanoseconds) + u.name;
  return std::to_string(d.count()) + " ns";
}

}  // namespace

void throw_timed_out(time_limit limit) {
  if (limit.absolute) throw timeout_error();
  throw timeout_error("timeout", in_words(limit.length));
}

}  // namespace cuvee::inline v0::detail
