// SPDX-License-Identifier: MIT
// Prompts at a terminal's own line mode, and input that is no terminal. (Editing: console_edit_test.cc.)
#include "console_case.h"

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace io_case;
using namespace console_case;
using namespace std::chrono_literals;

TEST_CASE("console: without a terminal lines are read without a prompt, up to the last newline") {
  piped_end end = with_input("one\r\n\n\xff two\nrest", []() -> task<> {
    console c;
    std::string said = c.is_interactive() || c.edits_lines() ? "terminal" : "no terminal";
    co_await c.print(said);
    while (auto line = co_await c.read_line("prompt> ")) co_await c.print("[" + *line + "]");
    auto again = co_await c.read_line("prompt> ");
    std::string unfinished(c.unfinished());
    std::string last = again ? "a line" : "end, behind it " + unfinished;
    co_await c.print(last);
  });
  CHECK(end.status == 0);
  CHECK(end.output == "no terminal\n[one]\n[]\n[\xff two]\nend, behind it rest\n");
}

TEST_CASE("console: lines above 64 KiB are allowed, those above the limit are an error") {
  std::string long_line(200'000, 'x');
  piped_end end = with_input(long_line + "\n" + long_line + "\nshort\n", []() -> task<> {
    console first;
    auto line = co_await first.read_line();
    co_await first.print(std::to_string(line->size()));
    console_options small;
    small.line_bytes = 100'000;
    console c(small);
    std::string text = co_await failure(c.read_line());
    co_await c.print(text);
  });
  CHECK(end.output == "200000\nread until stdin: limit exceeded\n");
  CHECK(end.status == 0);
}

TEST_CASE("console: a second reader is told busy, and a hidden line needs no terminal") {
  piped_end end = with_input("one\ntwo\n", []() -> task<> {
    console c;
    auto [line, text] = co_await gather(c.read_line(), failure(c.read_line()));
    co_await c.print(*line + ", " + text);
    auto hidden = co_await c.read_hidden("password: ");
    co_await c.print(*hidden);
  });
  CHECK(end.output == "one, read line console: another operation is pending\ntwo\n");
}

TEST_CASE("console: printing to a file, and to a pipe whose reader has gone") {
  fd_pair in = pipe_pair(false);
  in.peer.shut();
  owned_fd file = file_with("");
  auto print = []() -> task<int> {
    console c;
    auto all = [&](std::string text) { return c.print(std::move(text)); };
    co_await gather(all("a"), all("b\n"), all(std::string(100'000, 'c')));
    std::error_code code = co_await failure_code(c.print("d"));
    co_return code == std::errc::broken_pipe ? 7 : code ? 8 : 0;
  };
  CHECK(between(in.shared, file, print) == 0);
  lseek(file.number, 0, SEEK_SET);
  CHECK(take_now(file, 200'000) == "a\nb\n" + std::string(100'000, 'c') + "\nd\n");
  fd_pair out = pipe_pair(true);
  out.peer.shut();
  int status = between(in.shared, out.shared, []() -> task<int> {
    console c;
    std::error_code code = co_await failure_code(c.print("d"));
    co_return code == std::errc::broken_pipe ? 7 : 8;
  });
  CHECK(status == 7 << 8);
}

TEST_CASE("console: a prompt in the terminal's own line mode, its line and its end") {
  session s = console_session("dumb", [](console& c) -> task<> {
    CHECK_FALSE(c.edits_lines());
    while (auto line = co_await c.read_line("what? ")) co_await c.print("<" + *line + ">");
    co_await c.print("end");
  });
  std::string shown = s.screen_until("what? ");
  s.type("ab\177c\n");
  shown += s.screen_until(">\r\nwhat? ");
  s.type("\004");
  shown += s.screen_until("end\r\n");
  CHECK(shown == "what? ab\b \bc\r\n<ac>\r\nwhat? \r\nend\r\n");
  CHECK(s.wait() == 0);
}

TEST_CASE("console: what is printed beside a prompt is followed by the prompt again") {
  session s = console_session("dumb", [](console& c) -> task<> {
    auto log = [&c]() -> task<> {
      co_await until_told();
      co_await c.print("log line");
    };
    auto read = [&c]() -> task<> {
      auto line = co_await c.read_line("what? ");
      co_await c.print("<" + *line + ">");
    };
    co_await gather(read(), log());
  });
  std::string shown = s.screen_until("what? ");
  s.type("hel");
  shown += s.screen_until("hel");
  tell(s);
  shown += s.screen_until("log line\r\nwhat? ");
  s.type("lo\n");
  shown += s.screen_until(">\r\n");
  CHECK(shown == "what? hel\r\nlog line\r\nwhat? lo\r\n<hello>\r\n");
  CHECK(s.wait() == 0);
}

TEST_CASE("console: a cancelled prompt leaves what was typed to the next one") {
  session s = console_session("dumb", [](console& c) -> task<> {
    co_await task_group([&](group& g) -> task<> {
      g.cancel();
      co_await c.read_line("never shown");
    });
    co_await cancel_when_told(c.read_line("first? "));
    auto line = co_await c.read_line("second? ");
    co_await c.print("<" + *line + ">");
  });
  std::string shown = s.screen_until("first? ");
  s.type("hel");
  shown += s.screen_until("hel");
  tell(s);
  shown += s.screen_until("second? ");
  s.type("lo\n");
  shown += s.screen_until(">\r\n");
  CHECK(shown == "first? hel\r\nsecond? lo\r\n<hello>\r\n");
  CHECK(s.wait() == 0);
}

TEST_CASE("console: a hidden line is not shown, and the terminal is as before") {
  for (const char* term : {"dumb", "xterm"}) {
    session s = console_session(term, [](console& c) -> task<> {
      auto line = co_await c.read_hidden("password: ");
      bool good = line == "secret" && c.history().empty();
      co_await c.print(good ? "right" : "wrong");
    });
    std::string shown = s.screen_until("password: ");
    s.type("secret\n");
    shown += s.screen_until("t\r\n");
    CHECK(shown == "password: \r\nright\r\n");
    CHECK(s.wait() == 0);
    CHECK(same(modes_of(s.terminal.shared), s.before));
  }
}

TEST_CASE("console: with stdout elsewhere the prompt is at the terminal") {
  owned_fd file = file_with("");
  session s = console_session(
      "dumb",
      [](console& c) -> task<> {
        auto line = co_await c.read_line("what? ");
        co_await c.print("<" + *line + ">");
      },
      file.number);
  std::string shown = s.screen_until("what? ");
  s.type("x\n");
  CHECK(s.wait() == 0);
  CHECK(shown == "what? ");
  lseek(file.number, 0, SEEK_SET);
  CHECK(take_now(file, 100) == "<x>\n");
}

TEST_CASE("console: Ctrl-C at the prompt cancels the main task") {
  session s = console_session("dumb", [](console& c) -> task<> { co_await c.read_line("what? "); });
  s.screen_until("what? ");
  s.type("\003");
  CHECK(s.wait() == 130 << 8);
}

TEST_CASE("console: reading and printing cancelled at every suspension, nothing is left") {
  int status = torture_at_terminal("dumb", [](auto type) -> task<> {
    console c;
    auto read = [&]() -> task<> {
      co_await c.read_line("p> ");
      co_await c.read_hidden("h> ");
    };
    auto others = [&]() -> task<> {
      co_await checkpoint();
      type("line\n");
      co_await c.print("log");
      type("hidden\n");
    };
    co_await gather(read(), others());
  });
  CHECK(status == 0);
}
