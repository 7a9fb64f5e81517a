// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/error.h>

#include <chrono>
#include <cmath>
#include <type_traits>

namespace cuvee::inline v0 {

using duration = std::chrono::nanoseconds;
/// A moment of the loop's steady clock; under a virtual clock, of virtual time.
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

namespace detail {

/// Any chrono duration as nanoseconds. Beyond the range means for ever, not wrap-around.
/// Errors: invalid_argument for NaN.
template <class Rep, class Period>
constexpr duration saturated(std::chrono::duration<Rep, Period> d) {
  using seconds = std::chrono::duration<long double>;
  if constexpr (std::is_floating_point_v<Rep>) {
    if (std::isnan(d.count()))
      throw error(std::make_error_code(std::errc::invalid_argument), "set a time", "NaN");
  }
  if constexpr (std::is_same_v<std::chrono::duration<Rep, Period>, duration>) {
    return d;
  } else {
    constexpr seconds most = std::chrono::duration_cast<seconds>(duration::max() / 2);
    seconds wide = std::chrono::duration_cast<seconds>(d);
    if (wide >= most) return duration::max();
    if (wide <= -most) return duration::min();
    return std::chrono::duration_cast<duration>(d);
  }
}

}  // namespace detail
}  // namespace cuvee::inline v0
