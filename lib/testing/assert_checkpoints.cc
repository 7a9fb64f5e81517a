// SPDX-License-Identifier: MIT
#include <cuvee/testing/assert_checkpoints.h>

#include <string>

namespace cuvee::inline v0::testing {

assertion_failed::~assertion_failed() = default;

namespace detail {

namespace {

std::string place(const std::source_location& where) {
  return " (" + std::string(where.file_name()) + ":" + std::to_string(where.line()) + ")";
}

}  // namespace

checkpoint_count::checkpoint_count()
    : suspension_watch([](suspension_watch& w, cuvee::detail::strand& s) {
        auto& self = static_cast<checkpoint_count&>(w);
        self.seen_ += &s == self.task_;
      }),
      task_(home->running) {
  home->completions_left = cuvee::detail::completions_per_turn;
}

void checkpoint_count::require(expected e, const std::source_location& where) const {
  if (e == expected::some && seen_ == 0)
    throw assertion_failed("assert_checkpoints: no other task could run" + place(where));
  if (e == expected::none && seen_ != 0)
    throw assertion_failed("assert_no_checkpoints: suspended " + std::to_string(seen_) + " times" +
                           place(where));
}

}  // namespace detail
}  // namespace cuvee::inline v0::testing
