// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/task.h>
#include <cuvee/io/stdio.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace cuvee::inline v0 {

namespace detail {
class console_state;
}

struct console_options {
  std::size_t line_bytes = 1 << 20;  ///< a longer line is an error
  std::size_t history_lines = 1000;  ///< so many are kept, the newest
};
static_assert(std::is_trivially_destructible_v<console_options>);

/// What is offered for the word that ends at the cursor; called on the loop's thread with that word, and with the line up
/// to the cursor. Returns: whole words.
using completer =
    std::function<std::vector<std::string>(std::string_view word, std::string_view line)>;

/// A prompt at the program's terminal, beside which tasks go on and may print: `while (auto line = co_await
/// c.read_line("> ")) …`.
///
/// Built with libedit, lines are edited (cursor keys, history, Ctrl-R, completion with Tab, `~/.editrc`), and what is
/// printed meanwhile appears above the prompt and the text typed so far. Otherwise, and where TERM is `dumb`, the
/// terminal's own line mode serves, which knows erasing only: what is printed then follows on a new line, and after it
/// the prompt again.
///
/// Where stdin is no terminal, lines are read from it without a prompt. Where only stdout is none, the prompt is shown on
/// stdin's terminal.
class CUVEE_API console {
 public:
  /// Errors: those of `stdin_stream` and `stdout_stream`.
  explicit console(console_options options = {});
  console(console&&) noexcept;
  console& operator=(console&&) noexcept;
  /// The terminal has its usual mode again.
  ~console();

  /// Shows a prompt of one line of plain text and reads a line. Returns: it without its newline; empty at the end of
  /// input, Ctrl-D on an empty line. What comes behind the last newline is no line, but `unfinished`.
  /// Errors: limit_exceeded, after which the rest of the line follows; busy if another task reads; what a completer throws;
  /// those of streams.
  /// Cancel: safe; the next call begins with what was typed. Ctrl-C is SIGINT, which cancels the main task.
  [[nodiscard]] task<std::optional<std::string>> read_line(std::string prompt = {});
  /// The same, showing nothing of what is typed, and keeping nothing in the history: for passwords.
  [[nodiscard]] task<std::optional<std::string>> read_hidden(std::string prompt = {});

  /// Prints to stdout, ending with a newline, without tearing a prompt that is shown. Several tasks may; each text stays in
  /// one piece. Errors: `broken_pipe` and what else writing fails with.
  /// Cancel: before it starts nothing is printed; while it waits for a slow reader, the text will be printed all the same.
  [[nodiscard]] task<> print(std::string text);

  void complete_with(completer c);
  /// Lines that were read are added by themselves, except empty and repeated ones.
  void add_history(std::string line);
  /// The oldest first.
  std::vector<std::string> history() const;

  /// What came behind the last newline, once `read_line` has returned the end.
  std::string_view unfinished() const noexcept;
  /// Whether there is somebody at a terminal.
  bool is_interactive() const noexcept;
  /// Whether lines are edited by libedit.
  bool edits_lines() const noexcept;

 private:
  std::unique_ptr<detail::console_state> state_;
};

}  // namespace cuvee::inline v0
