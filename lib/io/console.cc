// SPDX-License-Identifier: MIT
#include <cuvee/io/console.h>

#include <cuvee/core/any_of.h>

#include "console_state.h"
#include "kept_modes.h"
#include "stream_block.h"
#include "uv_error.h"
#include "writable_block.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace cuvee::inline v0 {

namespace detail {

namespace {

constexpr const char* operation = "read line";

void strip_end(std::string& line) {
  if (line.ends_with('\n')) line.pop_back();
  if (line.ends_with('\r')) line.pop_back();
}

}  // namespace

// ---- output

void text_output::add(std::string_view text) { to.native().append(text); }

void text_output::add_last(std::string_view text) noexcept {
  try {
    add(text);
    to.native().flush();
  } catch (const std::bad_alloc&) {
    return;  // the screen shows less
  }
}

task<> text_output::drain() {
  stream_block& b = to.native();
  auto turn = co_await line.lock();
  co_await drained_awaiter(b);
  if (b.write_error() != 0) throw b.failure(b.write_error(), "write", b.name());
}

task<> console_state::print(std::string text) {
  if (!text.ends_with('\n')) text += '\n';
  bool beside = shown_ != shown::nothing && !own_screen_;
  if (beside && shown_ == shown::editor) {
    editor_->hide();
    std::string hidden = editor_->take_screen();
    editor_->show();
    text = hidden + text + editor_->take_screen();
  } else if (beside) {
    text = '\n' + text + prompt_;  // what was typed so far only the terminal knows
  }
  out_.add(text);
  co_await out_.drain();
}

// ---- input

/// One task reads.
class console_state::reading {
 public:
  explicit reading(console_state& c) : console_(c) {
    if (std::exchange(c.reading_, true)) throw error(errc::busy, operation, "console");
  }
  reading(const reading&) = delete;
  ~reading() { console_.reading_ = false; }

 private:
  console_state& console_;
};

/// A prompt in the terminal's own line mode.
class console_state::asking {
 public:
  asking(console_state& c, std::string prompt) : console_(c) {
    c.prompt_ = std::move(prompt);
    c.shown_ = shown::prompt;
    c.screen().add(c.prompt_);
  }
  asking(const asking&) = delete;
  ~asking() {
    console_.shown_ = shown::nothing;
    if (!entered_) console_.screen().add_last("\n");
  }
  void entered() noexcept { entered_ = true; }

 private:
  console_state& console_;
  bool entered_ = false;
};

/// A line being edited; however that ends, the terminal gets its mode back.
class console_state::editing {
 public:
  explicit editing(console_state& c) : console_(c) {
    termios before;
    descriptor terminal(fcntl(c.terminal_.get(), F_DUPFD_CLOEXEC, 3));
    if (tcgetattr(terminal.get(), &before) != 0) throw uv_error(-errno, operation, "stdin");
    place_ = kept_modes::hold(std::move(terminal), before, before);
    if (place_ < 0) throw uv_error(place_, operation, "stdin");
    c.shown_ = shown::editor;
  }
  editing(const editing&) = delete;
  ~editing() {
    console_.shown_ = shown::nothing;
    console_.editor_->abandon();
    console_.screen().add_last(console_.editor_->take_screen());
    if (!entered_) console_.screen().add_last("\n");
    kept_modes::release(place_);
  }
  void begun() noexcept {
    termios during;
    if (tcgetattr(console_.terminal_.get(), &during) == 0) kept_modes::note(place_, during);
  }
  void changed() {
    kept_modes::take_again(place_);
    console_.editor_->hide();
    console_.editor_->show();
  }
  void entered() noexcept { entered_ = true; }

 private:
  console_state& console_;
  int place_ = 0;
  bool entered_ = false;
};

console_state::console_state(console_options options)
    : options_(options),
      interactive_(is_terminal(0)),
      in_(stdin_stream()),
      out_(stdout_stream()),
      lines_(in_) {
  if (!interactive_) return;
  if (!is_terminal(1)) own_screen_.emplace(shared_stream(0, "terminal"));
  terminal_ = descriptor(fcntl(0, F_DUPFD_CLOEXEC, 3));
  editor_ = line_editor::make(terminal_.get(), options_.line_bytes, options_.history_lines);
}

task<std::optional<std::string>> console_state::read_line(std::string prompt) {
  reading one(*this);
  if (!interactive_) co_return co_await read_plain();
  if (!editor_) co_return co_await ask(std::move(prompt));
  std::optional<std::string> line = co_await edit(std::move(prompt));
  if (line) add_history(*line);
  co_return line;
}

task<std::optional<std::string>> console_state::read_hidden(std::string prompt) {
  reading one(*this);
  if (!interactive_) co_return co_await read_plain();
  raw_mode hidden(terminal_.get(), tty_mode::hidden);
  co_return co_await ask(std::move(prompt));
}

task<std::optional<std::string>> console_state::read_plain() {
  if (ended_) co_return std::nullopt;
  std::string line, newline = "\n";
  try {
    line = co_await lines_.read_until(newline, options_.line_bytes);
  } catch (const incomplete_read_error& e) {
    if (e.code() != errc::end_of_stream) throw;
    unfinished_ = e.partial();
    ended_ = true;
  }
  if (ended_) co_return std::nullopt;
  strip_end(line);
  co_return line;
}

task<std::optional<std::string>> console_state::ask(std::string prompt) {
  asking a(*this, std::move(prompt));
  co_await screen().drain();
  std::optional<std::string> line = co_await read_plain();
  if (line) a.entered();
  co_return line;
}

task<std::optional<std::string>> console_state::edit(std::string prompt) {
  editing e(*this);
  signal_set changes(SIGWINCH, SIGCONT);
  char room[1024];
  mutable_bytes into(room);
  line_editor::state now = editor_->begin(std::move(prompt));
  e.begun();
  while (now == line_editor::state::editing) {
    screen().add(editor_->take_screen());
    co_await screen().drain();
    auto [typed, change] = co_await any_of(in_.read_some(into), changes.next());
    if (change) e.changed();
    if (typed && *typed == 0) co_return std::nullopt;  // the terminal has gone
    if (typed) now = editor_->feed({room, *typed});
  }
  // Nothing is awaited from here on: what was entered must not be lost by a cancel.
  if (now == line_editor::state::too_long) throw error(errc::limit_exceeded, operation, "stdin");
  if (now == line_editor::state::end) co_return std::nullopt;
  e.entered();
  co_return editor_->take_line();
}

void console_state::complete_with(completer c) {
  if (editor_) editor_->complete_with(std::move(c));
}

void console_state::add_history(std::string line) {
  bool known = !history_.empty() && history_.back() == line;
  if (line.empty() || known || options_.history_lines == 0) return;
  if (editor_) editor_->add_history(line);
  history_.push_back(std::move(line));
  if (history_.size() > options_.history_lines) history_.pop_front();
}

}  // namespace detail

console::console(console_options options)
    : state_(std::make_unique<detail::console_state>(options)) {}
console::console(console&&) noexcept = default;
console& console::operator=(console&&) noexcept = default;
console::~console() = default;

task<std::optional<std::string>> console::read_line(std::string prompt) {
  return state_->read_line(std::move(prompt));
}
task<std::optional<std::string>> console::read_hidden(std::string prompt) {
  return state_->read_hidden(std::move(prompt));
}
task<> console::print(std::string text) { return state_->print(std::move(text)); }
void console::complete_with(completer c) { state_->complete_with(std::move(c)); }
void console::add_history(std::string line) { state_->add_history(std::move(line)); }
std::vector<std::string> console::history() const {
  return {state_->history().begin(), state_->history().end()};
}
std::string_view console::unfinished() const noexcept { return state_->unfinished(); }
bool console::is_interactive() const noexcept { return state_->is_interactive(); }
bool console::edits_lines() const noexcept { return state_->edits_lines(); }

}  // namespace cuvee::inline v0
