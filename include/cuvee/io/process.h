// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/bytes.h>
#include <cuvee/base/error.h>
#include <cuvee/base/list.h>
#include <cuvee/core/task.h>
#include <cuvee/core/time.h>
#include <cuvee/io/command.h>
#include <cuvee/io/pipe.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace cuvee::inline v0 {

namespace detail {
class process_block;
struct process_access;
}  // namespace detail

/// How a process ended: it exited with a code, or a signal killed it.
class CUVEE_API exit_status {
 public:
  /// Exit code 0.
  exit_status() noexcept = default;
  static exit_status exited(int code) noexcept { return {code, kind::exited}; }
  static exit_status signaled(int signal) noexcept { return {signal, kind::signaled}; }
  /// Another part of the program has reaped the child, with `waitpid(-1)` say.
  static exit_status unknown() noexcept { return {0, kind::unknown}; }

  /// Exited with code 0.
  bool success() const noexcept { return kind_ == kind::exited && value_ == 0; }
  /// The exit code; empty if the process did not exit by itself.
  std::optional<int> code() const noexcept { return value_if(kind::exited); }
  /// The signal that killed the process; empty if none did.
  std::optional<int> signal() const noexcept { return value_if(kind::signaled); }
  /// `exit code 7`, `signal 9 (Killed)`.
  std::string to_string() const;

  friend bool operator==(const exit_status&, const exit_status&) = default;

 private:
  enum class kind : unsigned char { exited, signaled, unknown };
  exit_status(int value, kind k) noexcept : value_(value), kind_(k) {}
  std::optional<int> value_if(kind k) const noexcept {
    return kind_ == k ? std::optional<int>(value_) : std::nullopt;
  }
  int value_ = 0;
  kind kind_ = kind::exited;
};

/// Thrown by `process_result::check`: `run make -j2: exit code 2: no rule to make target`. Code: process_failed.
class CUVEE_API process_error : public error {
 public:
  process_error(std::string_view operation, std::string_view command, exit_status status,
                std::string_view err = {});
  ~process_error() override;
  exit_status status() const noexcept { return status_; }
  /// The end of its stderr, at most 4 KiB; empty if that was not captured.
  const std::string& err_tail() const noexcept { return *err_tail_; }

 private:
  exit_status status_;
  std::shared_ptr<const std::string> err_tail_;
};

/// What a finished process left behind.
class CUVEE_API process_result {
 public:
  process_result() = default;
  std::string out;  ///< its stdout, if that was a pipe or a terminal
  std::string err;  ///< its stderr, if that was a pipe of its own
  exit_status status;
  std::string command;  ///< the words that were run

  /// Throws unless the process exited with code 0. Errors: process_error.
  process_result& check() &;
  process_result check() && { return std::move(check()); }
};

/// For `communicate`.
struct communicate_options {
  static constexpr std::size_t default_limit_bytes = std::size_t{64} << 20;

  std::size_t limit_bytes = default_limit_bytes;  ///< of stdout and of stderr, each
  std::optional<duration> drain;  ///< after the exit: how long to wait for the end of the outputs,
                                  ///< which a grandchild may hold open; by default, for ever
};
static_assert(std::is_trivially_destructible_v<communicate_options>);

class CUVEE_API process_wait_awaiter : detail::list_node {
 public:
  explicit process_wait_awaiter(detail::process_block& block) noexcept : block_(&block) {}
  process_wait_awaiter(process_wait_awaiter&& other) noexcept : block_(other.block_) {}

  bool await_ready() noexcept;
  void await_suspend(waiter& w) noexcept;
  bool await_cancel(waiter&) noexcept;
  exit_status await_resume() const noexcept { return status_; }
  void visit(detail::visitor& v);

 private:
  friend detail::process_block;
  friend detail::list<process_wait_awaiter>;
  detail::process_block* block_;
  waiter* waiter_ = nullptr;
  exit_status status_;
};

/// A child process. Move-only.
///
/// Destroyed while the child runs, it kills the child (SIGKILL), or the group that the child leads, and the loop then
/// reaps the child without anyone waiting, though who does wait gets its status; a loop that is destroyed
/// first kills and reaps as well. For an orderly
/// end `kill()` and `wait()`.
class CUVEE_API process {
 public:
  /// Use `spawn`.
  explicit process(detail::process_block* block) noexcept : block_(block) {}
  process(process&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  process& operator=(process&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~process();

  /// Waits for the exit, not for the outputs: grandchildren may hold those. Any number of tasks may
  /// wait, also after the exit. Order: what the child wrote may be read before or after this. Cancel: safe, at once; the child runs on.
  [[nodiscard]] process_wait_awaiter wait() noexcept { return process_wait_awaiter(*block_); }

  /// Writes `input` to stdin and closes it, collects stdout and stderr, each as far as it is a
  /// pipe, to their ends, and waits for the exit. A child that does not read all of its input is no
  /// error.
  /// A terminal's output counts as stdout.
  /// Errors: limit_exceeded; invalid_argument for input without a pipe on stdin.
  /// Cancel: partial; what was collected is lost, the child runs on. Lifetime: `input` is not
  /// copied.
  [[nodiscard]] task<process_result> communicate(const_bytes input = {},
                                                 communicate_options options = {});

  /// Sends a signal. Nothing happens if the child has ended and nobody could know yet.
  /// Errors: no_such_process once the exit can be seen by `wait` or `status`; permission_denied.
  void kill(int signal = SIGTERM);
  /// The same for all processes of the group that the child leads, its grandchildren too.
  /// Errors: also invalid_argument where the command made no group.
  void kill_group(int signal = SIGTERM);
  /// Errors: invalid_argument where the command asked for no terminal.
  void resize_terminal(terminal_size size);

  /// Stays the same after the exit, when the number may be another process's.
  int pid() const noexcept;
  /// Empty while the child runs.
  std::optional<exit_status> status() const noexcept;
  /// Ends of the pipes. Errors: invalid_argument where the command asked for no pipe.
  pipe_stream& in();
  pipe_stream& out();
  pipe_stream& err();
  /// The other end of the child's terminal, both ways: what is written here is typed there.
  /// Reading ends when the last process has closed the terminal. Errors: as above.
  pipe_stream& terminal();

 private:
  friend detail::process_access;
  detail::process_block* block_;
};

/// Starts a program; it runs when this returns. Blocks for the time that takes, less than a millisecond however
/// large the parent is.
/// Errors: `no_such_file_or_directory`, `permission_denied`, … naming the program, the directory, the file
/// or the user that was at fault; invalid_argument for a NUL byte in an argument or a variable.
/// Threads: on any loop; each one reaps its own children.
[[nodiscard]] CUVEE_API process spawn(const command& c);

/// Which outputs `run_process` collects; it makes them pipes. Others stay what the command says.
enum class capture {
  none,
  out,
  err,
  all,
  merged,  ///< both, in the order they were written, in `process_result::out`
};

/// For `run_process`.
struct run_process_options {
  std::size_t limit_bytes = communicate_options::default_limit_bytes;
  std::optional<duration> drain;
  duration grace = std::chrono::seconds(5);  ///< between SIGTERM and SIGKILL
  /// Awaited on a cancel instead of SIGTERM and the grace time; a process that still runs then is killed.
  task<> (*deliver_cancel)(process& p) = nullptr;

  communicate_options communicating() const noexcept { return {limit_bytes, drain}; }
};
static_assert(std::is_trivially_destructible_v<run_process_options>);

/// Runs a program to its end. Returns: what was captured, and how it ended, which may be a failure: `check()`.
/// Errors: those of `spawn`; limit_exceeded. Cancel: partial; the child, or the group that it leads, gets SIGTERM and,
/// if it still runs after the grace time, SIGKILL (with a notice to `loop::on_report`). The child has been reaped when
/// the cancel ends. The same happens before an error is thrown.
CUVEE_API task<process_result> run_process(command c, capture what = capture::none,
                                           run_process_options options = {});
/// The same with `input` on stdin. Lifetime: `input` is not copied.
CUVEE_API task<process_result> run_process(command c, capture what, const_bytes input,
                                           run_process_options options = {});

}  // namespace cuvee::inline v0
