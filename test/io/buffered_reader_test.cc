// SPDX-License-Identifier: MIT
#include "io_case.h"

#include <cuvee/testing/check_stream.h>
#include <cuvee/testing/doctest.h>
#include <cuvee/testing/shuffle.h>
#include <cuvee/testing/torture.h>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

// A stream whose other end sends `parts`, each arriving by itself, and then ends or not.
class scripted {
 public:
  explicit scripted(std::vector<std::string> parts) : scripted(std::move(parts), true) {}
  scripted(std::vector<std::string> parts, bool ends)
      : pair_(testing::lockstep_stream_pair()), parts_(std::move(parts)), ends_(ends) {}

  stream& near() { return pair_.first; }
  stream& far() { return pair_.second; }
  task<> send() {
    for (const std::string& part : parts_) co_await pair_.second.write(part);
    if (ends_) co_await pair_.second.shutdown_write();
  }

 private:
  std::pair<stream, stream> pair_;
  std::vector<std::string> parts_;
  bool ends_;
};

// All ways to cut a short text in up to three parts.
template <class F>
void each_split(const std::string& text, F f) {
  for (std::size_t i = 0; i <= text.size(); i++)
    for (std::size_t j = i; j <= text.size(); j++)
      f(std::vector<std::string>{text.substr(0, i), text.substr(i, j - i), text.substr(j)});
}

task<std::string> until(scripted& s, std::vector<std::string> separators) {
  buffered_reader r(s.near());
  std::string got = co_await r.read_until(std::move(separators));
  got += '|';
  std::string rest = co_await r.read_all(1000);
  co_return got + rest;
}

task<std::string> read_parts(std::vector<std::string> parts, std::vector<std::string> separators) {
  scripted s(std::move(parts));
  auto [none, got] = co_await gather(s.send(), until(s, std::move(separators)));
  co_return got;
}

template <class T>
task<std::string> partial_of(task<T> operation, std::error_code expected) {
  try {
    co_await std::move(operation);
    CHECK(false);
  } catch (const incomplete_read_error& e) {
    CHECK(e.code() == expected);
    co_return e.partial();
  }
  co_return "";
}

}  // namespace

CUVEE_TEST_CASE("buffered_reader: what is incomplete names the stream") {
  auto [here, there] = memory_stream_pair();
  co_await here.write("too long");
  buffered_reader r(there);
  auto line = co_await as_result(r.read_line(3));
  CHECK(std::string(line.error().what()) == "read line memory stream: limit exceeded");
}

CUVEE_TEST_CASE("buffered_reader: a separator is found over any edge between chunks") {
  std::vector<std::string> separator(1, "aaa");
  for (std::string rest : {"", "z", "aaaz"}) {
    std::vector<std::vector<std::string>> splits;
    each_split("QWEaaXYaaa" + rest, [&](auto parts) { splits.push_back(std::move(parts)); });
    for (auto& parts : splits) {
      std::string got = co_await read_parts(std::move(parts), separator);
      CHECK(got == "QWEaaXYaaa|" + rest);
    }
  }
}

CUVEE_TEST_CASE("buffered_reader: of several separators the one that ends first wins") {
  std::vector<std::string> words, ends;
  words.push_back("DEF");
  words.push_back("BCDE");
  ends.push_back("\r");
  ends.push_back("\n");
  std::vector<std::vector<std::string>> splits;
  each_split("ABCDEF", [&](auto parts) { splits.push_back(std::move(parts)); });
  for (auto& parts : splits) {
    std::string got = co_await read_parts(std::move(parts), words);
    CHECK(got == "ABCDE|F");
  }
  std::vector<std::string> lines(1, "a\rb\nc");
  std::string got = co_await read_parts(lines, ends);
  CHECK(got == "a\r|b\nc");
}

CUVEE_TEST_CASE("buffered_reader: an empty separator is refused") {
  scripted s({});
  buffered_reader r(s.near());
  auto code = co_await failure_code(r.read_until(""));
  CHECK(code == std::errc::invalid_argument);
}

CUVEE_TEST_CASE(
    "buffered_reader: read_exact of nothing returns at once, of much beyond any limit") {
  std::string big = pattern(300'000);
  std::vector<std::string> parts(1, big);
  scripted s(parts);
  buffered_reader r(s.near());
  std::string none = co_await r.read_exact(0);
  CHECK(none.empty());
  co_await r.read_exact(mutable_bytes());
  auto [sent, got] = co_await gather(s.send(), r.read_exact(big.size()));
  CHECK(got == big);
}

CUVEE_TEST_CASE("buffered_reader: the stream ends too early, and what came is in the error") {
  std::vector<std::string> parts(1, "abc");
  for (int which = 0; which < 3; which++) {
    scripted s(parts);
    buffered_reader r(s.near());
    char room[10];
    auto read = [&]() -> task<std::string> {
      if (which == 0) co_await r.read_exact(room);
      std::string text;
      if (which == 1) text = co_await r.read_exact(10);
      if (which == 2) text = co_await r.read_until("x");
      co_return text;
    };
    task<std::string> reading = partial_of(read(), errc::end_of_stream);
    auto [none, got] = co_await gather(s.send(), std::move(reading));
    CHECK(got == "abc");
    std::string rest = co_await r.read_all(10);
    CHECK(rest.empty());
  }
}

CUVEE_TEST_CASE("buffered_reader: a limit gives so many bytes, and reading goes on behind them") {
  auto [a, b] = memory_stream_pair();
  co_await b.write("12345678\nabc\n");
  co_await b.shutdown_write();
  buffered_reader r(a);
  std::string got = co_await partial_of(r.read_until("\n", 5), errc::limit_exceeded);
  CHECK(got == "12345");
  auto line = co_await r.read_line(3);
  CHECK(line == "678");
  got = co_await partial_of(r.read_all(2), errc::limit_exceeded);
  CHECK(got == "ab");
  got = co_await r.read_all(2);
  CHECK(got == "c\n");
}

CUVEE_TEST_CASE("buffered_reader: the limit counts what is in front of the separator") {
  std::vector<std::vector<std::string>> splits;
  each_split("1234\r\nx", [&](auto parts) { splits.push_back(std::move(parts)); });
  for (auto& parts : splits) {
    scripted s(parts);
    buffered_reader r(s.near());
    auto read = [&]() -> task<> {
      std::string got = co_await r.read_until("\r\n", 4);
      CHECK(got == "1234\r\n");
      CHECK(r.kept().empty());
    };
    task<> reading = read();
    std::string rest;
    auto all = [&]() -> task<> {
      co_await std::move(reading);
      rest = co_await r.read_all(9);
    };
    task<> everything = all();
    co_await gather(s.send(), std::move(everything));
    CHECK(rest == "x");
  }
  for (auto& parts : splits) {
    scripted s(parts);
    buffered_reader r(s.near());
    auto read = [&]() -> task<> {
      std::string got = co_await partial_of(r.read_until("\r\n", 3), errc::limit_exceeded);
      CHECK(got == "123");
      got = co_await r.read_all(9);
      CHECK(got == "4\r\nx");
    };
    task<> reading = read();
    co_await gather(s.send(), std::move(reading));
  }
}

CUVEE_TEST_CASE("buffered_reader: a line's limit counts the line, without either kind of end") {
  for (std::string end : {"\n", "\r\n"}) {
    std::vector<std::vector<std::string>> splits;
    each_split("1234" + end + "x", [&](auto parts) { splits.push_back(std::move(parts)); });
    for (auto& parts : splits) {
      scripted s(parts);
      buffered_reader r(s.near());
      auto read = [&]() -> task<> {
        auto line = co_await r.read_line(4);
        CHECK(line == "1234");
        std::string rest = co_await r.read_all(9);
        CHECK(rest == "x");
      };
      task<> reading = read();
      co_await gather(s.send(), std::move(reading));
    }
  }
  auto [a, b] = memory_stream_pair();
  co_await b.write("1234\rx\n");
  buffered_reader r(a);
  std::string got = co_await partial_of(r.read_line(4), errc::limit_exceeded);
  CHECK(got == "1234");
}

CUVEE_TEST_CASE("buffered_reader: to read up to no separator is an error that reads nothing") {
  auto [a, b] = memory_stream_pair();
  co_await b.write("abc");
  buffered_reader r(a);
  auto code = co_await failure_code(r.read_until(std::vector<std::string>()));
  CHECK(code == std::errc::invalid_argument);
  std::string all = co_await r.read_exact(3);
  CHECK(all == "abc");
}

CUVEE_TEST_CASE("buffered_reader: lines with both kinds of end, the last without") {
  auto [a, b] = memory_stream_pair();
  co_await b.write("one\ntwo\r\n\n\r\nlast\r");
  co_await b.shutdown_write();
  buffered_reader r(a);
  std::vector<std::string> lines;
  while (auto line = co_await r.read_line()) lines.push_back(*line);
  CHECK(lines == std::vector<std::string>{"one", "two", "", "", "last\r"});
  auto end = co_await r.read_line();
  CHECK_FALSE(end);
}

CUVEE_TEST_CASE("buffered_reader: a cancelled call loses nothing, whichever comes next") {
  std::string text = "first line\nand more";
  for (int which = 0; which < 4; which++) {
    auto [a, b] = memory_stream_pair();
    buffered_reader r(a);
    char room[100];
    for (char c : text) {
      auto read = [&]() -> task<> {
        if (which == 0) co_await r.read_exact(room);
        if (which == 1) co_await r.read_exact(100);
        if (which == 2) co_await r.read_until("#");
        if (which == 3) co_await r.read_all(1000);
      };
      task<> reading = read();
      co_await b.write(const_bytes(&c, 1));
      co_await move_on_after(0ms, std::move(reading));
      task<> again = read();
      auto soon = co_await move_on_after(0ms, std::move(again));
      CHECK_FALSE(soon);
    }
    co_await b.shutdown_write();
    auto line = co_await r.read_line();
    CHECK(line == "first line");
    char four[4];
    std::size_t n = co_await r.read_some(four);
    std::string rest = co_await r.read_all(100);
    CHECK(std::string(four, n) + rest == "and more");
  }
}

CUVEE_TEST_CASE("buffered_reader: an error leaves what came before it") {
  auto [a, b] = memory_stream_pair();
  co_await b.write("half");
  buffered_reader r(a);
  auto cut = co_await move_on_after(1ms, r.read_until("\n"));
  CHECK_FALSE(cut);
  b.abort();
  auto code = co_await failure_code(r.read_until("\n"));
  CHECK(code == std::errc::connection_reset);
  CHECK(r.kept() == "half");
}

CUVEE_TEST_CASE("stream: fill waits for bytes behind those in the window") {
  testing::keep_fifo();  // what comes at once
  auto [a, b] = memory_stream_pair();
  co_await b.write("12");
  bool more = co_await a.fill();
  CHECK(more);
  CHECK(a.window() == "12");
  co_await b.write("34");
  more = co_await a.fill();
  CHECK(a.window() == "1234");
  a.consume(3);
  auto cut = co_await move_on_after(0ms, a.fill());
  CHECK_FALSE(cut);
  co_await b.shutdown_write();
  more = co_await a.fill();
  CHECK_FALSE(more);
  CHECK(a.window() == "4");
}

CUVEE_TEST_CASE("stream: a full window cannot be filled further") {
  auto [a, b] = memory_stream_pair();
  std::string big(100'000, 'x');
  auto read = [&]() -> task<> {
    std::error_code code;
    while (!code) code = co_await failure_code(a.fill());
    CHECK(code == errc::limit_exceeded);
    CHECK(a.window().size() == 64 * 1024);
    std::string all = co_await read_exact(a, big.size());
    CHECK(all == big);
  };
  task<> reading = read();
  auto write = [&]() -> task<> { co_await b.write(big); };
  task<> writing = write();
  co_await gather(std::move(reading), std::move(writing));
}

TEST_CASE("buffered_reader: lines cancelled at every suspension, nothing is left") {
  auto report = testing::torture([&]() -> task<> {
    std::vector<std::string> parts(5, "a line\nhalf");
    scripted s(parts);
    auto lines = [&]() -> task<int> {
      buffered_reader r(s.near());
      int n = 0;
      while (auto line = co_await r.read_line()) n++;
      co_return n;
    };
    task<int> counting = lines();
    auto [none, n] = co_await gather(s.send(), std::move(counting));
    CHECK(n == 6);
  });
  CHECK(report.cancelled > 4);
  CHECK(report.leaks == "");
}
