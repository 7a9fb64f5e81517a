// SPDX-License-Identifier: MIT
#pragma once
#include "io/stream_block.h"

namespace cuvee::inline v0::http::detail {

using v0::detail::stream_block;

/// One deadline at a time, on one timer node: a later deadline is only stored, an earlier one moves it.
class deadline_timer : v0::detail::timer_node {
 public:
  explicit deadline_timer(stream_block& b) noexcept;
  deadline_timer(const deadline_timer&) = delete;
  ~deadline_timer() { cancel(); }

  void set(duration from_now) { set_at(now() + static_cast<std::uint64_t>(from_now.count())); }
  void set_at(std::uint64_t at) {
    at_ = at;
    if (!armed() || at < timer_node::at) [[unlikely]]
      move_to(at);
  }
  void clear() noexcept { at_ = never; }
  void cancel() noexcept;
  std::uint64_t now() const noexcept { return loop_.turn_time(); }
  /// The deadline that has passed last; 0: none has. (`now` may still be short of it by a millisecond.)
  std::uint64_t passed() const noexcept { return passed_; }

 private:
  static constexpr std::uint64_t never = ~std::uint64_t{0};
  void move_to(std::uint64_t at);
  static void on_timer(timer_node* n);

  stream_block* block_;
  v0::detail::loop_state& loop_;
  std::uint64_t at_ = never;
  std::uint64_t passed_ = 0;
};

}  // namespace cuvee::inline v0::http::detail
