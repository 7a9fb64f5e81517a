// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/child.h>
#include <cuvee/testing/suspension_watch.h>

#include <source_location>
#include <stdexcept>

namespace cuvee::inline v0::testing {

/// What an assertion of this module found wrong. No `cuvee::error`: nothing takes it for an outcome.
class CUVEE_API assertion_failed : public std::logic_error {
 public:
  using logic_error::logic_error;
  ~assertion_failed() override;
};

namespace detail {

enum class expected { some, none };

/// Counts how often the running task gives way to others.
class CUVEE_API checkpoint_count : suspension_watch {
 public:
  checkpoint_count();
  /// Errors: assertion_failed.
  void require(expected e, const std::source_location& where) const;

 private:
  cuvee::detail::strand* task_;
  std::size_t seen_ = 0;
};

template <class A>
using awaited = typename cuvee::detail::child<A>::result_type;

template <class A>
task<awaited<A>> count_checkpoints(A operation, expected e, std::source_location where) {
  checkpoint_count count;
  if constexpr (std::is_void_v<awaited<A>>) {
    co_await std::move(operation);
    count.require(e, where);
  } else {
    awaited<A> value = co_await std::move(operation);
    count.require(e, where);
    co_return std::move(value);
  }
}

}  // namespace detail

/// Awaits `operation` and checks that it let other tasks run: that it suspended at least once, be it for
/// nothing but their sake.
/// Returns: its value. Errors: what it throws; assertion_failed. Cancel: as the operation.
template <class A>
[[nodiscard]] auto assert_checkpoints(
    A operation, std::source_location where = std::source_location::current()) {
  return detail::count_checkpoints(std::move(operation), detail::expected::some, where);
}

/// Awaits `operation` and checks that it went through without suspending, so that nothing can have happened in
/// between. The task begins with a fresh budget: it is not made to give way for what it did before.
/// Returns: its value. Errors: what it throws; assertion_failed. Cancel: as the operation.
template <class A>
[[nodiscard]] auto assert_no_checkpoints(
    A operation, std::source_location where = std::source_location::current()) {
  return detail::count_checkpoints(std::move(operation), detail::expected::none, where);
}

}  // namespace cuvee::inline v0::testing
