// SPDX-License-Identifier: MIT
// Lines that are edited at a prompt, by libedit.
#include "console_case.h"

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace io_case;
using namespace console_case;
using namespace std::chrono_literals;

namespace {

// False, after a word about it, where the library was built without libedit.
bool can_edit() {
  session s = console_session("xterm", [](console& c) -> task<> {
    co_await c.print(c.edits_lines() ? "edits" : "does not");
  });
  std::string shown = s.screen_until("\n");
  s.wait();
  bool edits = shown == "edits\r\n";
  if (!edits) std::printf("skipped: built without libedit\n");
  return edits;
}

// Echoes lines in brackets.
task<> echo(console& c) {
  while (auto line = co_await c.read_line("> ")) co_await c.print("<" + *line + ">");
  co_await c.print("end");
}

// Types keys; what the program made of them.
std::string made_of(std::string_view keys) {
  session s = console_session("xterm", echo);
  s.screen_until("> ");
  s.type(keys);
  std::string shown = s.screen_until(">\r\n");
  s.screen_until("> ");
  s.type("\004");
  shown += s.screen_until("end\r\n");
  CHECK(s.wait() == 0);
  CHECK(same(modes_of(s.terminal.shared), s.before));
  std::size_t begin = shown.find('<');
  if (begin == shown.npos) return shown;
  return shown.substr(begin + 1, shown.find(">\r\n") - begin - 1);
}

}  // namespace

TEST_CASE("console: keys edit the line") {
  if (!can_edit()) return;
  CHECK(made_of("hello\r") == "hello");
  CHECK(made_of("hello\n") == "hello");
  CHECK(made_of("hllo\033[D\033[D\033[De\r") == "hello");  // cursor left
  CHECK(made_of("world\001hello \r") == "hello world");    // Ctrl-A
  CHECK(made_of("hellx\177o\r") == "hello");
  CHECK(made_of("\xc3\xa4x\177\177o\r") == "o");  // a character of two bytes
  CHECK(made_of("\xe2\x82\xac 5\r") == "\xe2\x82\xac 5");
}

TEST_CASE("console: keys that come in pieces, and lines that come together") {
  if (!can_edit()) return;
  session s = console_session("xterm", echo);
  s.screen_until("> ");
  for (std::string_view piece : {"h", "llo", "\033", "[", "D\033[", "D\033[D", "\xc3", "\xa4"}) {
    s.type(piece);
    usleep(2000);
  }
  s.type("\r");
  std::string shown = s.screen_until("<h\xc3\xa4llo>\r\n");
  CHECK(shown.ends_with("<h\xc3\xa4llo>\r\n"));
  s.type("one\rtwo\rthr");
  shown = s.screen_until("<two>\r\n");
  CHECK(shown.find("<one>\r\n") != shown.npos);
  s.screen_until("thr");
  s.type("ee\r");
  shown = s.screen_until("<three>");
  CHECK(shown.ends_with("<three>"));
  s.screen_until("\n> ");
  s.type("\004");
  shown = s.screen_until("end\r\n");
  CHECK(shown.ends_with("\r\nend\r\n"));
  CHECK(s.wait() == 0);
}

TEST_CASE("console: the history of earlier lines, without repeated and hidden ones") {
  if (!can_edit()) return;
  session s = console_session("xterm", [](console& c) -> task<> {
    c.add_history("first");
    for (int i = 0; i < 4; i++) {
      auto line = co_await c.read_line("> ");
      co_await c.print("<" + *line + ">");
    }
    std::string all;
    for (const std::string& line : c.history()) all += line + ",";
    co_await c.print(all);
  });
  s.screen_until("> ");
  s.type("second\r");
  s.screen_until("<second>\r\n> ");
  s.type("second\r");
  s.screen_until("<second>\r\n> ");
  s.type("\033[A\033[A\r");
  std::string shown = s.screen_until("<first>\r\n> ");
  CHECK(shown.find("<first>") != shown.npos);
  s.type("\022sec\r\r");  // Ctrl-R
  shown = s.screen_until("first,second,first,second,\r\n");
  CHECK(shown.find("<second>") != shown.npos);
  CHECK(s.wait() == 0);
}

TEST_CASE("console: Tab completes the word, or shows what there is") {
  if (!can_edit()) return;
  session s = console_session("xterm", [](console& c) -> task<> {
    c.complete_with([](std::string_view word, std::string_view line) {
      if (word == "boom") throw std::runtime_error("a completer's");
      if (line.find(' ') != line.npos) return std::vector<std::string>{"x", "name"};
      return std::vector<std::string>{"hello", "help", "quit"};
    });
    for (int i = 0; i < 2; i++) {
      auto line = co_await c.read_line("> ");
      co_await c.print("<" + *line + ">");
    }
    std::string text;
    try {
      co_await c.read_line("> ");
    } catch (const std::runtime_error& e) {
      text = e.what();
    }
    co_await c.print(text);
  });
  s.screen_until("> ");
  s.type("q\tn\t\r");
  std::string shown = s.screen_until("<quit name >\r\n> ");
  CHECK(shown.find("<quit name >") != shown.npos);
  s.type("h\t\tl\to\r");
  shown = s.screen_until(">\r\n> ");
  CHECK(shown.find("hello  help\r\n") != shown.npos);
  CHECK(shown.find("<hello o>") != shown.npos);
  s.type("boom\t");
  shown = s.screen_until("a completer's\r\n");
  CHECK(shown.ends_with("a completer's\r\n"));
  CHECK(s.wait() == 0);
  CHECK(same(modes_of(s.terminal.shared), s.before));
}

TEST_CASE("console: what is printed appears above the prompt and the text typed so far") {
  if (!can_edit()) return;
  session s = console_session("xterm", [](console& c) -> task<> {
    auto log = [&c]() -> task<> {
      co_await until_told();
      co_await c.print("log line");
    };
    auto read = [&c]() -> task<> {
      auto line = co_await c.read_line("> ");
      co_await c.print("<" + *line + ">");
    };
    co_await gather(read(), log());
  });
  s.screen_until("> ");
  s.type("hel");
  s.screen_until("hel");
  tell(s);
  std::string shown = s.screen_until("log line\r\n");
  shown += s.screen_until("hel");
  CHECK(shown == "\r\033[Jlog line\r\n> hel");
  s.type("lo\r");
  shown = s.screen_until("<hello>");
  CHECK(shown.ends_with("<hello>"));
  CHECK(s.wait() == 0);
}

TEST_CASE("console: a prompt of several rows is drawn again after a resize and beside output") {
  if (!can_edit()) return;
  session s = console_session("xterm", [](console& c) -> task<> {
    auto log = [&c]() -> task<> {
      co_await until_told();
      co_await c.print("log line");
    };
    auto read = [&c]() -> task<> {
      auto line = co_await c.read_line("> ");
      co_await c.print("<" + std::to_string(line->size()) + ">");
    };
    co_await gather(read(), log());
  });
  winsize w{};
  w.ws_col = 20;
  w.ws_row = 10;
  s.screen_until("> ");
  ioctl(s.terminal.peer.number, TIOCSWINSZ, &w);
  s.screen_until("\033[J");
  s.type(std::string(45, 'x') + "END");  // three rows of 20
  s.screen_until("END");
  tell(s);
  std::string shown = s.screen_until("log line\r\n");
  CHECK(shown.find("\r\033[2A\033[Jlog line\r\n") != shown.npos);
  s.screen_until("END");
  s.type("\r");
  shown = s.screen_until("<48>");
  CHECK(shown.ends_with("<48>"));
  CHECK(s.wait() == 0);
}

TEST_CASE("console: a cancelled read keeps what was typed, and gives the terminal back") {
  if (!can_edit()) return;
  session s = console_session("xterm", [](console& c) -> task<> {
    co_await task_group([&](group& g) -> task<> {
      g.cancel();
      co_await c.read_line("never shown");
    });
    co_await cancel_when_told(c.read_line("1> "));
    termios now;
    tcgetattr(0, &now);
    bool lines = (now.c_lflag & ICANON) != 0;
    co_await c.print(lines ? "lines" : "raw");
    auto line = co_await c.read_line("2> ");
    co_await c.print("<" + *line + ">");
  });
  s.screen_until("1> ");
  s.type("hel");
  s.screen_until("hel");
  tell(s);
  std::string shown = s.screen_until("2> ");
  shown += s.screen_until("hel");
  CHECK(shown == "\r\nlines\r\n2> hel");
  s.type("lo\r");
  shown = s.screen_until("<hello>");
  CHECK(shown.ends_with("<hello>"));
  CHECK(s.wait() == 0);
}

TEST_CASE("console: however the process ends at a prompt, the terminal gets its mode back") {
  if (!can_edit()) return;
  for (int number : {0, SIGINT, SIGTERM, SIGHUP, SIGSEGV}) {
    INFO("signal " << number);
    session s = console_session("xterm", echo);
    s.screen_until("> ");
    s.type("x");
    s.screen_until("x");
    CHECK(is_raw(s.terminal.shared));
    if (number == 0) s.type("\003");
    else kill(s.child, number);
    int status = s.wait();
    CHECK(same(modes_of(s.terminal.shared), s.before));
    if (number == 0 || number == SIGINT) CHECK(status == 130 << 8);
    if (number == SIGTERM) CHECK(status == 143 << 8);
    if (number == SIGHUP) CHECK(WTERMSIG(status) == SIGHUP);
  }
}

TEST_CASE("console: a line above the limit is an error, and a terminal that goes the end") {
  if (!can_edit()) return;
  session s = at_terminal([] {
    setenv("TERM", "xterm", 1);
    std::signal(SIGHUP, SIG_IGN);
    return run([]() -> task<int> {
      console_options small;
      small.line_bytes = 10;
      console c(small);
      std::error_code code = co_await failure_code(c.read_line("> "));
      auto line = co_await c.read_line("again> ");
      co_return code == errc::limit_exceeded && !line ? 7 : 1;
    });
  });
  s.screen_until("> ");
  s.type("0123456789abcdef");
  s.screen_until("again> ");
  s.terminal.peer.shut();
  CHECK(s.wait() == 7 << 8);
}

TEST_CASE("console: a stopped program draws its prompt again when it goes on") {
  if (!can_edit()) return;
  session s = console_session("xterm", echo);
  s.screen_until("> ");
  s.type("hel");
  s.screen_until("hel");
  kill(s.child, SIGSTOP);
  s.wait_for(WUNTRACED);
  tcsetattr(s.terminal.shared.number, TCSANOW, &s.before);  // as a shell does
  kill(s.child, SIGCONT);
  std::string shown = s.screen_until("> hel");
  CHECK(shown.ends_with("> hel"));
  CHECK(is_raw(s.terminal.shared));
  s.type("lo\r");
  shown = s.screen_until("<hello>");
  CHECK(shown.ends_with("<hello>"));
  s.screen_until("\n> ");
  s.type("\004");
  CHECK(s.wait() == 0);
}

TEST_CASE("console: editing cancelled at every suspension, nothing is left") {
  if (!can_edit()) return;
  int status = torture_at_terminal("xterm", [](auto type) -> task<> {
    console c;
    auto read = [&]() -> task<> {
      co_await c.read_line("1> ");
      co_await c.read_line("2> ");
    };
    auto others = [&]() -> task<> {
      co_await checkpoint();
      type("li");
      co_await c.print("log");
      type("ne\r");
      co_await checkpoint();
      type("next\r");
    };
    co_await gather(read(), others());
  });
  CHECK(status == 0);
}
