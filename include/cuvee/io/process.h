// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/bytes.h>
#include <cuvee/base/list.h>
#include <cuvee/core/task.h>
#include <cuvee/io/pipe.h>

#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace cuvee::inline v0 {

namespace detail {
class process_block;
}

/// What one of a child's stdin, stdout and stderr is.
enum class stdio {
  inherit,  ///< the parent's
  null,     ///< /dev/null
  pipe,     ///< a pipe, its other end a `pipe_stream` of the `process`
};

/// For `command::err`: the same as stdout, `2>&1` of the shell.
struct to_stdout_t {};
inline constexpr to_stdout_t to_stdout;

/// A program to run, its arguments and surroundings: `command("ls",
/// "-l").cwd("/tmp").out(stdio::pipe)`.
class CUVEE_API command {
 public:
  /// A program without '/' in its name is looked up in the child's PATH. There is no shell in
  /// between: arguments reach the program as they are.
  template <class... Args>
    requires(std::is_convertible_v<const Args&, std::string_view> && ...)
  explicit command(std::string_view program, const Args&... arguments) {
    words_.reserve(1 + sizeof...(arguments));
    words_.emplace_back(program);
    (words_.emplace_back(std::string_view(arguments)), ...);
  }
  /// `/bin/sh -c script`. Never put foreign text into a script: use arguments.
  static command shell(std::string_view script) { return command("/bin/sh", "-c", script); }

  command& arg(std::string_view argument);
  /// Adds each string of a range.
  template <class Range>
  command& args(const Range& arguments) {
    for (const auto& a : arguments) arg(a);
    return *this;
  }
  command& in(stdio s);
  command& out(stdio s);
  command& err(stdio s);
  command& err(to_stdout_t);
  /// The directory the child starts in; the parent's by default.
  command& cwd(std::string_view directory);
  /// Sets a variable in the child's environment, which is otherwise the parent's.
  command& env(std::string_view name, std::string_view value);
  /// The child gets only the variables set by `env`.
  command& clear_env();

  /// The words with spaces between, for messages; not quoted for a shell.
  std::string to_string() const;

 private:
  friend detail::process_block;
  enum class error_output { own, same_as_output };

  std::vector<std::string> words_;
  std::vector<std::pair<std::string, std::string>> variables_;
  std::optional<std::string> cwd_;
  stdio in_ = stdio::inherit;
  stdio out_ = stdio::inherit;
  stdio err_ = stdio::inherit;
  error_output err_place_ = error_output::own;
  bool own_env_ = false;
};

/// How a process ended: it exited with a code, or a signal killed it.
class CUVEE_API exit_status {
 public:
  /// Exit code 0.
  exit_status() noexcept = default;
  static exit_status exited(int code) noexcept { return {code, false}; }
  static exit_status signaled(int signal) noexcept { return {signal, true}; }

  /// Exited with code 0.
  bool success() const noexcept { return !signaled_ && value_ == 0; }
  /// The exit code; empty if a signal killed the process.
  std::optional<int> code() const noexcept {
    return signaled_ ? std::nullopt : std::optional<int>(value_);
  }
  /// The signal that killed the process; empty if it exited.
  std::optional<int> signal() const noexcept {
    return signaled_ ? std::optional<int>(value_) : std::nullopt;
  }
  /// `exit code 7`, `signal 9 (Killed)`.
  std::string to_string() const;

  friend bool operator==(const exit_status&, const exit_status&) = default;

 private:
  exit_status(int value, bool signaled) noexcept : value_(value), signaled_(signaled) {}
  int value_ = 0;
  bool signaled_ = false;
};

/// What a finished process left behind.
class CUVEE_API process_result {
 public:
  process_result() = default;
  std::string out;  ///< its stdout, if that was a pipe
  std::string err;  ///< its stderr, if that was a pipe of its own
  exit_status status;
};

/// For `communicate` and `run_process`.
struct communicate_options {
  std::size_t limit_bytes = std::size_t{1} << 30;  ///< of stdout and of stderr, each
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

 private:
  friend detail::process_block;
  friend detail::list<process_wait_awaiter>;
  detail::process_block* block_;
  waiter* waiter_ = nullptr;
  exit_status status_;
};

/// A child process. Move-only.
///
/// Destroyed while the child runs, it kills the child (SIGKILL), which the loop then reaps without
/// anyone waiting; a loop that is destroyed first kills and reaps as well. For an orderly end
/// `kill()` and `wait()`.
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
  /// wait, also after the exit. Cancel: safe, at once; the child runs on.
  [[nodiscard]] process_wait_awaiter wait() noexcept { return process_wait_awaiter(*block_); }

  /// Writes `input` to stdin and closes it, collects stdout and stderr, each as far as it is a
  /// pipe, to their ends, and waits for the exit. A child that does not read all of its input is no
  /// error.
  /// Errors: limit_exceeded; invalid_argument for input without a pipe on stdin.
  /// Cancel: partial; what was collected is lost, the child runs on. Lifetime: `input` is not
  /// copied.
  [[nodiscard]] task<process_result> communicate(const_bytes input = {},
                                                 communicate_options options = {});

  /// Sends a signal. Nothing happens if the child has ended and nobody could know yet.
  /// Errors: no_such_process once the exit can be seen by `wait` or `status`; permission_denied.
  void kill(int signal = SIGTERM);

  int pid() const noexcept;
  /// Empty while the child runs.
  std::optional<exit_status> status() const noexcept;
  /// Ends of the pipes. Errors: invalid_argument where the command asked for no pipe.
  pipe_stream& in();
  pipe_stream& out();
  pipe_stream& err();

 private:
  detail::process_block* block_;
};

/// Starts a program. The child has default signal handling, SIGPIPE included.
/// Errors: `no_such_file_or_directory`, `permission_denied`, … naming the program or the directory;
/// invalid_argument for a NUL byte in an argument or a variable.
[[nodiscard]] CUVEE_API process spawn(const command& c);

/// Which outputs `run_process` collects; it makes them pipes. Others stay what the command says.
enum class capture {
  none,
  out,
  err,
  all,
  merged,  ///< both, in the order they were written, in `process_result::out`
};

/// Runs a program to its end. Returns: what was captured, and how it ended, which may be a failure.
/// Errors: those of `spawn`; limit_exceeded. Cancel: partial; the child gets SIGTERM, SIGKILL if it
/// still runs 5 s later (with a notice to `loop::on_report`), and has been reaped when the cancel
/// ends. The same happens before an error is thrown.
CUVEE_API task<process_result> run_process(command c, capture what = capture::none,
                                           communicate_options options = {});
/// The same with `input` on stdin. Lifetime: `input` is not copied.
CUVEE_API task<process_result> run_process(command c, capture what, const_bytes input,
                                           communicate_options options = {});

}  // namespace cuvee::inline v0
