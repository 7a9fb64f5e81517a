// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cuvee::inline v0::detail {

/// Edits a line: takes what was typed, and says what the screen has to show. Neither reads nor writes, but sets the
/// terminal's mode between `begin` and its end.
class line_editor {
 public:
  enum class state { idle, editing, line, end, too_long };
  using completer =
      std::function<std::vector<std::string>(std::string_view word, std::string_view line)>;

  /// Null: built without libedit, or the terminal cannot show what it writes. `terminal` outlives it.
  static std::unique_ptr<line_editor> make(int terminal, std::size_t line_bytes,
                                           std::size_t history_lines);
  line_editor() = default;
  line_editor(const line_editor&) = delete;
  virtual ~line_editor() = default;

  virtual state begin(std::string prompt) = 0;
  /// While editing. Errors: what the completer throws; the editing goes on.
  virtual state feed(std::string_view typed) = 0;
  /// Ends editing; the next `begin` goes on with the text.
  virtual void abandon() = 0;
  /// What was entered, after `state::line`.
  virtual std::string take_line() = 0;
  /// For the screen since the last call.
  virtual std::string take_screen() = 0;

  // While editing: around other output, and after the terminal has changed.
  virtual void hide() = 0;
  virtual void show() = 0;

  virtual void complete_with(completer c) = 0;
  virtual void add_history(const std::string& line) = 0;
};

}  // namespace cuvee::inline v0::detail
