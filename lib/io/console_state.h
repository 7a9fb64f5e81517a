// SPDX-License-Identifier: MIT
#pragma once
#include "line_editor.h"
#include "sockets.h"

#include <cuvee/core/mutex.h>
#include <cuvee/io/buffered_reader.h>
#include <cuvee/io/console.h>
#include <cuvee/io/tty.h>

#include <deque>

namespace cuvee::inline v0::detail {

/// Output in whole texts, by several tasks. What was added goes out whatever becomes of who added it.
struct text_output {
  explicit text_output(shared_stream s) : to(std::move(s)) {}
  void add(std::string_view text);
  /// For destructors: what can go out at once does, as nobody will wait for it.
  void add_last(std::string_view text) noexcept;
  /// Waits until all of it is out.
  task<> drain();

  shared_stream to;
  mutex line;  // of those who wait
};

class console_state {
 public:
  explicit console_state(console_options options);
  console_state(const console_state&) = delete;

  task<std::optional<std::string>> read_line(std::string prompt);
  task<std::optional<std::string>> read_hidden(std::string prompt);
  task<> print(std::string text);
  void complete_with(completer c);
  void add_history(std::string line);

  const std::deque<std::string>& history() const noexcept { return history_; }
  const std::string& unfinished() const noexcept { return unfinished_; }
  bool is_interactive() const noexcept { return interactive_; }
  bool edits_lines() const noexcept { return editor_ != nullptr; }

 private:
  enum class shown { nothing, prompt, editor };
  class reading;
  class asking;
  class editing;

  text_output& screen() noexcept { return own_screen_ ? *own_screen_ : out_; }
  task<std::optional<std::string>> read_plain();
  task<std::optional<std::string>> ask(std::string prompt);
  task<std::optional<std::string>> edit(std::string prompt);

  console_options options_;
  bool interactive_;
  shared_stream in_;
  text_output out_;
  std::optional<text_output> own_screen_;  // where stdout is not the terminal's
  buffered_reader lines_;
  descriptor terminal_;
  std::unique_ptr<line_editor> editor_;
  std::deque<std::string> history_;
  std::string prompt_, unfinished_;
  shown shown_ = shown::nothing;
  bool reading_ = false;
  bool ended_ = false;
};

}  // namespace cuvee::inline v0::detail
