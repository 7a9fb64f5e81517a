// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/wait_list.h>

#include <concepts>
#include <memory>
#include <optional>

namespace cuvee::inline v0 {

namespace detail {
class signal_inbox;
}

class CUVEE_API signal_awaiter : public detail::wait_node {
 public:
  explicit signal_awaiter(detail::signal_inbox& inbox) noexcept : inbox_(&inbox) {}
  signal_awaiter(signal_awaiter&& other) noexcept : inbox_(other.inbox_) {}
  ~signal_awaiter();

  bool await_ready() noexcept;
  void await_suspend(waiter& w) noexcept;
  bool await_cancel(waiter& w) noexcept;
  int await_resume() noexcept;
  void visit(detail::visitor& v);

 private:
  friend detail::signal_inbox;
  detail::signal_inbox* inbox_;
  int number_ = 0;  // what it was given, and has not passed on
};

/// Receives signals as events: `signal_set usr(SIGUSR1, SIGHUP); int number = co_await usr.next();`
///
/// While at least one set in the process has a signal, the signal has no other effect; when the last of them is
/// destroyed the earlier disposition is back, and signals that nobody has read are sent to the process again.
/// Every set that has a signal receives it, on whatever loop. `run` and `runner` also see SIGINT and SIGTERM where a
/// set has them: Ctrl-C still cancels the main task.
///
/// A signal that comes again before the set was read is told once, as by the kernel: at least one notice after the
/// last one, and never more notices than signals. Different signals come in the order of their arrival.
/// Beyond some 4000 that a busy loop has not looked at, further ones, of any number, are lost (libuv's pipe is full).
/// Threads: of any loop; a set belongs to the loop it was made on.
class CUVEE_API signal_set {
 public:
  /// Errors: invalid_argument for SIGKILL and SIGSTOP, which nobody can receive, for SIGCHLD, as children are awaited
  /// with `process::wait`, and for a signal named twice.
  template <std::same_as<int>... Numbers>
  explicit signal_set(int first, Numbers... more) : signal_set(numbers{first, more...}) {}
  signal_set(signal_set&&) noexcept;
  signal_set& operator=(signal_set&&) noexcept;
  /// Nobody may be waiting.
  ~signal_set();

  /// Waits for a signal; several tasks may, each signal goes to one of them. Returns: its number.
  /// Cancel: safe, at once; the signal is the next one's.
  [[nodiscard]] signal_awaiter next() noexcept { return signal_awaiter(*inbox_); }
  /// A signal that has come already.
  [[nodiscard]] std::optional<int> try_next() noexcept;

 private:
  struct numbers {
    template <class... N>
    numbers(N... n) : values{n...}, count(sizeof...(n)) {
      static_assert(sizeof...(n) <= 64);
    }
    int values[64];
    std::size_t count;
  };
  explicit signal_set(const numbers& list);
  std::unique_ptr<detail::signal_inbox> inbox_;
};

}  // namespace cuvee::inline v0
