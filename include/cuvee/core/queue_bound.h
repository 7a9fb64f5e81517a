// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/error.h>

#include <concepts>
#include <cstddef>
#include <limits>
#include <string>

namespace cuvee::inline v0 {

struct unbounded_t {
  explicit unbounded_t() = default;
};
/// In place of a number: a queue that takes whatever memory its producers fill.
inline constexpr unbounded_t unbounded{};

/// How many items a queue or channel holds before those who add must wait. 0: none, each item is handed from
/// one task to another (a rendezvous).
class queue_bound {
 public:
  /// Errors: invalid_argument if negative.
  template <std::integral Number>
  constexpr queue_bound(Number items) : items_(static_cast<std::size_t>(items)) {
    if constexpr (std::signed_integral<Number>)
      if (items < 0) refuse(items);
  }
  constexpr queue_bound(unbounded_t) noexcept : items_(std::numeric_limits<std::size_t>::max()) {}

  constexpr std::size_t items() const noexcept { return items_; }
  constexpr bool is_unbounded() const noexcept { return *this == queue_bound(unbounded); }
  friend constexpr bool operator==(queue_bound, queue_bound) noexcept = default;

 private:
  [[noreturn]] static void refuse(std::intmax_t items) {
    throw error(std::make_error_code(std::errc::invalid_argument), "queue_bound",
                std::to_string(items));
  }

  std::size_t items_;
};

}  // namespace cuvee::inline v0
