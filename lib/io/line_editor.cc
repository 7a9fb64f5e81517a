// SPDX-License-Identifier: MIT
#include "line_editor.h"
#include "unreported_leaks.h"

#include <io/line_editor_config.h>

#if CUVEE_LIBEDIT

#include <sys/ioctl.h>

#include <clocale>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <exception>
#include <histedit.h>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace cuvee::inline v0::detail {

namespace {

constexpr int no_key = -1;

// For what libedit calls: where memory is short, it is told that nothing came of it.
template <class T, class F>
T guarded(T otherwise, F call) noexcept {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return otherwise;
  }
}

// libedit asks for a key inside its own loop and cannot be left there half-way through an escape sequence. So it has a
// thread to itself, which runs only while the loop's thread waits for it: a coroutine with a stack, by which
// reading and writing stay the loop's.
class libedit_editor final : public line_editor {
 public:
  libedit_editor(int terminal, std::size_t line_bytes, std::size_t history_lines);
  ~libedit_editor() override;

  bool works() const noexcept { return opened_; }

  state begin(std::string prompt) override;
  state feed(std::string_view typed) override;
  void abandon() override;
  std::string take_line() override { return std::exchange(line_, {}); }
  std::string take_screen() override { return std::exchange(screen_, {}); }
  void hide() override { run(command::hide); }
  void show() override { run(command::show); }
  void complete_with(completer c) override { complete_ = std::move(c); }
  void add_history(const std::string& line) override;

 private:
  enum class command { open, edit, hide, show, abandon, quit };
  enum class turn { loop, editor };

  // On the loop's thread.
  void run(command c);
  void answer_completions();

  // On the editor's.
  void thread_main();
  bool open();
  void close() noexcept;
  void edit();
  int next_key(wchar_t* key);
  void pause();
  void hide_line();
  unsigned cursor_row();
  unsigned char complete();
  unsigned char offer(const std::string& word, const std::vector<std::string>& all);
  static libedit_editor& of(EditLine* e) noexcept;

  int terminal_;
  std::size_t line_bytes_;
  EditLine* edit_ = nullptr;
  History* history_ = nullptr;
  FILE* screen_file_ = nullptr;
  FILE* nothing_ = nullptr;
  locale_t locale_ = nullptr;
  completer complete_;

  std::mutex lock_;
  std::condition_variable changed_;
  turn turn_ = turn::loop;
  command command_ = command::open;
  state state_ = state::idle;
  bool opened_ = false;
  bool asks_completion_ = false;
  std::string prompt_, typed_, line_, kept_, screen_, before_cursor_;
  std::vector<std::string> candidates_;
  std::exception_ptr completion_failure_;
  mbstate_t decoding_{};
  std::thread thread_;
};

libedit_editor& libedit_editor::of(EditLine* e) noexcept {
  void* self = nullptr;
  el_get(e, EL_CLIENTDATA, &self);
  return *static_cast<libedit_editor*>(self);
}

// ---- on the loop's thread

libedit_editor::libedit_editor(int terminal, std::size_t line_bytes, std::size_t history_lines)
    : terminal_(terminal), line_bytes_(line_bytes) {
  history_ = history_init();
  if (!history_) throw std::bad_alloc();
  HistEvent e;
  history(history_, &e, H_SETSIZE, static_cast<int>(history_lines));
  history(history_, &e, H_SETUNIQUE, 1);
  // Signals are for others, except those that stop a program which is in the background.
  sigset_t most, before;
  sigfillset(&most);
  sigdelset(&most, SIGTTOU);
  pthread_sigmask(SIG_SETMASK, &most, &before);
  try {
    thread_ = std::thread([this] { thread_main(); });
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    history_end(history_);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  run(command::open);
}

libedit_editor::~libedit_editor() {
  run(command::quit);
  thread_.join();
  history_end(history_);
}

void libedit_editor::run(command c) {
  std::unique_lock hold(lock_);
  command_ = c;
  turn_ = turn::editor;
  changed_.notify_all();
  changed_.wait(hold, [this] { return turn_ == turn::loop; });
}

line_editor::state libedit_editor::begin(std::string prompt) {
  prompt_ = std::move(prompt);
  state_ = state::editing;
  run(command::edit);
  answer_completions();
  return state_;
}

line_editor::state libedit_editor::feed(std::string_view typed) {
  typed_ += typed;
  run(command::edit);
  answer_completions();
  if (completion_failure_) std::rethrow_exception(std::exchange(completion_failure_, nullptr));
  return state_;
}

void libedit_editor::answer_completions() {
  while (asks_completion_) {
    asks_completion_ = false;
    candidates_.clear();
    std::string_view line = before_cursor_;
    std::string_view word = line.substr(line.rfind(' ') + 1);
    try {
      if (complete_) candidates_ = complete_(word, line);
    } catch (...) {
      completion_failure_ = std::current_exception();
    }
    run(command::edit);
  }
}

void libedit_editor::abandon() {
  if (state_ == state::editing) run(command::abandon);
}

void libedit_editor::add_history(const std::string& line) {
  HistEvent e;
  history(history_, &e, H_ENTER, line.c_str());
}

// ---- on the editor's thread

void libedit_editor::thread_main() {
  std::unique_lock hold(lock_);
  for (;;) {
    changed_.wait(hold, [this] { return turn_ == turn::editor; });
    if (command_ == command::quit) break;
    if (command_ == command::open) opened_ = open();
    else if (command_ == command::edit && state_ == state::editing) edit();
    if (command_ == command::quit) break;  // while it edited
    turn_ = turn::loop;
    changed_.notify_all();
  }
  close();
  turn_ = turn::loop;
  changed_.notify_all();
}

bool libedit_editor::open() {
  // The program need not have called setlocale.
  locale_ = newlocale(LC_CTYPE_MASK, "", nullptr);
  if (locale_) uselocale(locale_);
  if (!locale_ || MB_CUR_MAX == 1) {
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (utf8) uselocale(utf8);
    if (locale_ && utf8) freelocale(locale_);
    if (utf8) locale_ = utf8;
  }
  cookie_io_functions_t append{};
  append.write = [](void* self, const char* bytes, std::size_t n) -> ssize_t {
    return guarded(ssize_t{0}, [&] {
      static_cast<libedit_editor*>(self)->screen_.append(bytes, n);
      return static_cast<ssize_t>(n);
    });
  };
  screen_file_ = fopencookie(this, "w", append);
  nothing_ = fopencookie(this, "r", {});
  if (!screen_file_ || !nothing_) return false;
  edit_ =
      el_init_fd("cuvee", nothing_, screen_file_, screen_file_, terminal_, terminal_, terminal_);
  if (!edit_) return false;
  el_set(edit_, EL_CLIENTDATA, this);
  el_set(edit_, EL_PROMPT, +[](EditLine* e) { return of(e).prompt_.data(); });
  el_set(edit_, EL_EDITOR, "emacs");
  el_set(edit_, EL_HIST, history, history_);
  el_set(
      edit_, EL_GETCFN, +[](EditLine* e, wchar_t* key) {
        return guarded(no_key, [&] { return of(e).next_key(key); });
      });
  {
    [[maybe_unused]] unreported_leaks of_libedit;  // 3.1 never frees these two texts
    el_set(
        edit_, EL_ADDFN, "cuvee-complete", "complete the word", +[](EditLine* e, int) {
          return guarded<unsigned char>(CC_ERROR, [&] { return of(e).complete(); });
        });
  }
  el_set(edit_, EL_BIND, "^I", "cuvee-complete", nullptr);
  el_set(edit_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  el_source(edit_, nullptr);
  return true;
}

void libedit_editor::close() noexcept {
  if (edit_) el_end(edit_);
  if (screen_file_) std::fclose(screen_file_);
  if (nothing_) std::fclose(nothing_);
  uselocale(LC_GLOBAL_LOCALE);
  if (locale_) freelocale(locale_);
}

void libedit_editor::edit() {
  if (!kept_.empty()) el_push(edit_, kept_.c_str());
  kept_.clear();
  int size = 0;
  const char* text = el_gets(edit_, &size);
  std::fflush(screen_file_);
  if (state_ != state::editing) return;  // abandoned, or too long
  if (!text || size <= 0) {
    state_ = state::end;
    return;
  }
  line_.assign(text, static_cast<std::size_t>(size));
  while (line_.ends_with('\n') || line_.ends_with('\r')) line_.pop_back();
  state_ = state::line;
}

// Lets the loop's thread go on until it has something new. The lock is held whenever this thread runs.
void libedit_editor::pause() {
  std::fflush(screen_file_);
  turn_ = turn::loop;
  changed_.notify_all();
  std::unique_lock hold(lock_, std::adopt_lock);
  changed_.wait(hold, [this] { return turn_ == turn::editor; });
  hold.release();
}

int libedit_editor::next_key(wchar_t* key) {
  for (;;) {
    const LineInfo* now = el_line(edit_);
    auto size = static_cast<std::size_t>(now->lastchar - now->buffer);
    if (size > line_bytes_) {
      state_ = state::too_long;
      return no_key;
    }
    while (!typed_.empty()) {
      std::size_t n = mbrtowc(key, typed_.data(), typed_.size(), &decoding_);
      bool whole = n != std::size_t(-1) && n != std::size_t(-2);
      bool partial = n == std::size_t(-2);
      if (!whole && !partial) decoding_ = {};  // no character of this locale
      typed_.erase(0, partial ? typed_.size() : !whole || n == 0 ? 1 : n);
      if (whole) return 1;
    }
    pause();
    if (command_ == command::hide) hide_line();
    if (command_ == command::show) el_set(edit_, EL_REFRESH);
    if (command_ != command::abandon && command_ != command::quit) continue;
    now = el_line(edit_);
    kept_.assign(now->buffer, now->lastchar);
    state_ = state::idle;
    return no_key;
  }
}

void libedit_editor::hide_line() {
  el_resize(edit_);
  std::fflush(screen_file_);
  screen_ += '\r';
  if (unsigned rows = cursor_row()) screen_ += "\033[" + std::to_string(rows) + "A";
  screen_ += "\033[J";
}

// How far below the prompt's first row the cursor is.
unsigned libedit_editor::cursor_row() {
  winsize w{};
  ioctl(terminal_, TIOCGWINSZ, &w);
  unsigned columns = w.ws_col != 0 ? w.ws_col : 80, row = 0, column = 0;
  auto pass = [&](std::string_view text) {
    mbstate_t decoding{};
    while (!text.empty()) {
      wchar_t c = 0;
      std::size_t n = mbrtowc(&c, text.data(), text.size(), &decoding);
      bool whole = n != std::size_t(-1) && n != std::size_t(-2) && n != 0;
      text.remove_prefix(whole ? n : 1);
      int width = whole ? wcwidth(c) : 1;
      auto cells = width < 0 ? 2u : static_cast<unsigned>(width);  // ^X
      if (column + cells > columns) row++, column = 0;
      column += cells;
      if (column >= columns) row++, column = 0;
    }
  };
  pass(prompt_);
  const LineInfo* now = el_line(edit_);
  pass({now->buffer, now->cursor});
  return row;
}

unsigned char libedit_editor::complete() {
  const LineInfo* now = el_line(edit_);
  before_cursor_.assign(now->buffer, now->cursor);
  asks_completion_ = true;
  pause();
  if (command_ != command::edit) return CC_ERROR;
  return offer(before_cursor_.substr(before_cursor_.rfind(' ') + 1), candidates_);
}

unsigned char libedit_editor::offer(const std::string& word, const std::vector<std::string>& all) {
  std::vector<std::string_view> fitting;
  for (const std::string& c : all)
    if (c.starts_with(word)) fitting.push_back(c);
  if (fitting.empty()) return CC_REFRESH_BEEP;
  std::string_view common = fitting.front();
  for (std::string_view c : fitting)
    while (!c.starts_with(common)) common.remove_suffix(1);
  std::string rest(common.substr(word.size()));
  if (fitting.size() == 1) rest += ' ';
  if (!rest.empty()) return el_insertstr(edit_, rest.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  hide_line();
  constexpr std::size_t most_shown = 100;
  for (std::size_t i = 0; i < fitting.size() && i < most_shown; i++)
    screen_.append(i == 0 ? "" : "  ").append(fitting[i]);
  screen_ += '\n';
  el_set(edit_, EL_REFRESH);
  return CC_NORM;
}

}  // namespace

std::unique_ptr<line_editor> line_editor::make(int terminal, std::size_t line_bytes,
                                               std::size_t history_lines) {
  const char* kind = std::getenv("TERM");
  if (!kind || std::string_view(kind).empty() || std::string_view(kind) == "dumb") return nullptr;
  auto editor = std::make_unique<libedit_editor>(terminal, line_bytes, history_lines);
  if (!editor->works()) return nullptr;
  return editor;
}

}  // namespace cuvee::inline v0::detail

#else

namespace cuvee::inline v0::detail {

std::unique_ptr<line_editor> line_editor::make(int, std::size_t, std::size_t) { return nullptr; }

}  // namespace cuvee::inline v0::detail

#endif
