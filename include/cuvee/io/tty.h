// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/io/signal_set.h>
#include <cuvee/io/stdio.h>
#include <cuvee/io/terminal_size.h>

#include <utility>

namespace cuvee::inline v0 {

/// How a terminal passes keys on. Output is processed as before but for `bytes`.
enum class tty_mode {
  keys,      ///< each at once, none is shown; Ctrl-C and Ctrl-Z are still signals
  all_keys,  ///< these come as bytes, too: 3 and 26
  bytes,     ///< whatever comes passes both ways as it is
  hidden,    ///< whole lines as usual, but not shown: for passwords
};

CUVEE_API bool is_terminal(int descriptor) noexcept;

/// Where the terminal does not know its size, 80 columns and 24 rows. Errors: inappropriate_io_control_operation for
/// what is no terminal.
CUVEE_API terminal_size window_size(int descriptor);

/// Puts a terminal into another mode for as long as it lives. Nothing that was typed is lost by either change.
///
/// The old mode is back after the destructor, `exit`, an uncaught exception, `abort`, a crash, and where a signal that nobody
/// handles ends the program. Ctrl-Z and SIGTSTP give the terminal back while the program is stopped; in the foreground again,
/// also after SIGSTOP, it has this mode again. A program in the background leaves the terminal alone. Handlers that others
/// have installed for signals that end a program are kept: such a handler should end by `exit`. Nothing helps against SIGKILL
/// and `_exit`.
///
/// Several, on one terminal or more, may be alive, in any order. Threads: any.
class CUVEE_API raw_mode {
 public:
  /// Errors: inappropriate_io_control_operation for what is no terminal; io_error where another process group has it;
  /// limit_exceeded for more than 16. Lifetime: the descriptor may be closed afterwards.
  explicit raw_mode(int descriptor = 0, tty_mode how = tty_mode::keys);
  raw_mode(raw_mode&& other) noexcept : place_(std::exchange(other.place_, nothing)) {}
  raw_mode& operator=(raw_mode&& other) noexcept {
    std::swap(place_, other.place_);
    return *this;
  }
  ~raw_mode() { restore(); }

  /// Ends it now. Twice is harmless.
  void restore() noexcept;

 private:
  static constexpr int nothing = -1;
  int place_ = nothing;
};

class CUVEE_API resize_awaiter : public signal_awaiter {
 public:
  resize_awaiter(signal_set& changes, int descriptor) noexcept
      : signal_awaiter(changes.next()), descriptor_(descriptor) {}
  terminal_size await_resume();
  void visit(detail::visitor& v);

 private:
  int descriptor_;
};

/// Tells when the window of the program's terminal was resized (SIGWINCH).
/// Lifetime: the descriptor stays open.
class CUVEE_API window_watch {
 public:
  /// Errors: those of `window_size`, and of `signal_set`.
  explicit window_watch(int descriptor = 1);

  terminal_size size() const { return window_size(descriptor_); }
  /// Waits for a change. Changes in a row are told once. Returns: the size now; the same as before, perhaps.
  /// Errors: those of `window_size`, where the terminal has gone. Cancel: safe, at once.
  [[nodiscard]] resize_awaiter next() noexcept { return {changes_, descriptor_}; }

 private:
  int descriptor_;
  signal_set changes_;
};

/// A terminal, both ways: what is typed, and the screen.
class CUVEE_API tty_stream : public shared_stream {
 public:
  /// The terminal that controls the program, /dev/tty, wherever its standard streams lead.
  /// Errors: no_such_device_or_address if there is none.
  tty_stream();
  /// The terminal that a descriptor is. Errors: inappropriate_io_control_operation if it is none; those of `shared_stream`.
  explicit tty_stream(int descriptor, std::string name = "terminal");
  tty_stream(tty_stream&& other) noexcept
      : shared_stream(std::move(other)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  tty_stream& operator=(tty_stream&& other) noexcept {
    shared_stream::operator=(std::move(other));
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~tty_stream();

  terminal_size size() const { return window_size(descriptor_); }
  /// Lifetime: independent of the stream's.
  [[nodiscard]] raw_mode set_mode(tty_mode how) const { return raw_mode(descriptor_, how); }

 private:
  int descriptor_;  // a copy of its own
};

}  // namespace cuvee::inline v0
