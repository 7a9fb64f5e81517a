// SPDX-License-Identifier: MIT
// What the programs of the guide share: they run under the virtual clock, so that their sleeps take no time and
// what they print is the same every time.
#pragma once
#include <cuvee/core.h>
#include <cuvee/testing.h>

#include <cstdarg>
#include <cstdio>

namespace examples {

inline cuvee::time_point started;

/// Prints a line that begins with the loop's time since the program began.
[[gnu::format(printf, 1, 2)]] inline void say(const char* format, ...) {
  std::chrono::duration<double, std::milli> since = cuvee::loop::current().now() - started;
  std::printf("%4.0f ms  ", since.count());
  std::va_list values;
  va_start(values, format);
  std::vprintf(format, values);
  va_end(values);
  std::printf("\n");
}

/// `cuvee::run` with virtual time.
inline int run(cuvee::task<> (*body)()) {
  return cuvee::run([body]() -> cuvee::task<> {
    cuvee::testing::virtual_clock clock;
    started = cuvee::loop::current().now();
    co_await body();
  });
}

}  // namespace examples
