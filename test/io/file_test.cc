// SPDX-License-Identifier: MIT
#include "file_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

#include <optional>

using namespace cuvee;
using namespace file_case;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

constexpr open_mode both = open_mode::read | open_mode::write;
constexpr open_mode fresh = both | open_mode::create | open_mode::truncate;

task<std::string> read_from(file& f, std::size_t size) {
  std::string text(size, '\0');
  std::size_t n = co_await f.read_some(text);
  text.resize(n);
  co_return text;
}

}  // namespace

CUVEE_TEST_CASE("file: what is written is read back, at the position and at offsets") {
  folder d;
  file f = co_await open_file(d.at("a"), fresh);
  co_await f.write("hello ");
  co_await f.write("world");
  CHECK(d.get("a") == "hello world");
  co_await f.write_at(6, "files");
  std::string text(20, '\0');
  std::size_t n = co_await f.read_some_at(3, text);
  CHECK(text.substr(0, n) == "lo files");
  n = co_await f.read_some(text);
  CHECK(n == 0);  // the position is behind what was written
  co_await f.close();

  file again = co_await open_file(d.at("a"));
  std::string first = co_await read_from(again, 5);
  std::string second = co_await read_from(again, 100);
  std::string end = co_await read_from(again, 100);
  CHECK(first == "hello");
  CHECK(second == " files");
  CHECK(end.empty());
  CHECK(again.path() == d.at("a"));
}

CUVEE_TEST_CASE("file: modes append, truncate, extend and refuse") {
  folder d;
  d.put("a", "12345");
  file f = co_await open_file(d.at("a"), open_mode::append);
  co_await f.write("67");
  co_await f.truncate(3);
  co_await f.write("x");
  co_await f.truncate(6);
  co_await f.sync();
  co_await f.sync_data();
  CHECK(d.get("a") == std::string("123x\0\0", 6));
  co_await f.set_permissions(0640);
  file_status s = co_await f.stat();
  CHECK(s.size == 6);
  CHECK(s.permissions == 0640);
  CHECK(s.type == file_type::regular);
  file_status by_name = co_await files::stat(d.at("a"));
  CHECK(by_name.same_file(s));

  open_mode only_new = open_mode::write | open_mode::create | open_mode::exclusive;
  std::error_code e = co_await failure_code(open_file(d.at("a"), only_new));
  CHECK(e == std::errc::file_exists);
  for (open_mode senseless : {open_mode{}, open_mode::create, open_mode::read | open_mode::create,
                              open_mode::read | open_mode::truncate}) {
    e = co_await failure_code(open_file(d.at("b"), senseless));
    CHECK(e == std::errc::invalid_argument);
  }
  CHECK_FALSE(d.has("b"));
}

CUVEE_TEST_CASE("file: errors carry operation, path and errno") {
  folder d;
  std::string text = co_await failure(open_file(d.at("none")));
  CHECK(text == "open " + d.at("none") + ": no such file or directory (ENOENT)");
  text = co_await failure(open_file(d.path(), open_mode::write));
  CHECK(text == "open " + d.path() + ": is a directory (EISDIR)");
  std::error_code e = co_await failure_code(open_file(d.at(std::string("a\0b", 3)), fresh));
  CHECK(e == std::errc::invalid_argument);

  file directory = co_await open_file(d.path());
  std::string room(10, '\0');
  text = co_await failure(directory.read_some(room));
  CHECK(text == "read " + d.path() + ": is a directory (EISDIR)");
  file full = co_await open_file("/dev/full", open_mode::write);
  text = co_await failure(full.write("x"));
  CHECK(text == "write /dev/full: no space left on device (ENOSPC)");
  text = co_await failure(full.sync());
  CHECK(text == "sync /dev/full: invalid argument (EINVAL)");
  file for_reading = co_await open_file(d.put("a", "x"));
  text = co_await failure(for_reading.write("y"));
  CHECK(text.starts_with("write " + d.at("a") + ": bad file descriptor"));
  text = co_await failure(for_reading.truncate(0));
  CHECK(text.starts_with("truncate " + d.at("a") + ": invalid argument"));
}

CUVEE_TEST_CASE("file: closed, every call says so, and closing again is no error") {
  folder d;
  file f = co_await open_file(d.at("a"), fresh);
  co_await gather(f.close(), f.close());
  co_await f.close();
  CHECK_FALSE(f.is_open());
  std::string room(10, '\0');
  std::error_code e = co_await failure_code(f.read_some(room));
  CHECK(e == errc::closed);
  e = co_await failure_code(f.write("x"));
  CHECK(e == errc::closed);
  e = co_await failure_code(f.stat());
  CHECK(e == errc::closed);
  file moved = std::move(f);
  co_await f.close();
  CHECK_FALSE(f.is_open());
}

CUVEE_TEST_CASE("file: the destructor closes, with a call in flight as soon as that has ended") {
  folder d;
  std::string path = d.fifo("fifo");
  co_await task_group([&](group& g) -> task<> {
    auto f = std::make_unique<file>(co_await open_file(path, both));
    auto reading =
        g.spawn([](file& from) -> task<std::string> { return read_from(from, 10); }, std::ref(*f));
    co_await checkpoint();
    co_await until_begun();
    auto closing = g.spawn([](file& from) -> task<> { co_await from.close(); }, std::ref(*f));
    co_await checkpoint();
    CHECK_FALSE(f->is_open());
    co_await until_begun();
    CHECK_FALSE(closing.done());
    int end = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    CHECK(::write(end, "late", 4) == 4);
    ::close(end);
    std::string text = co_await reading.join();
    CHECK(text == "late");
    co_await closing.join();
  });
}

TEST_CASE("file: one that outlives its loop is closed with the loop") {
  folder d;
  auto before = testing::footprint::take();
  std::optional<file> kept;
  {
    loop l;
    auto open = [&]() -> task<> { kept = co_await open_file(d.at("a"), fresh); };
    l.run(open());
    CHECK(l.open_handles() == 1);
  }
  CHECK(before.grown_to(testing::footprint::take()) == "");
  CHECK_FALSE(kept->is_open());
}

CUVEE_TEST_CASE(
    "file: a second call that moves the position is told busy, one at an offset is not") {
  folder d;
  std::string path = d.fifo("fifo");
  file f = co_await open_file(path, both);
  co_await task_group([&](group& g) -> task<> {
    auto first =
        g.spawn([](file& from) -> task<std::string> { return read_from(from, 10); }, std::ref(f));
    co_await checkpoint();
    std::string room(10, '\0');
    std::error_code e = co_await failure_code(f.read_some(room));
    CHECK(e == errc::busy);
    e = co_await failure_code(f.write("x"));
    CHECK(e == errc::busy);
    file_status s = co_await f.stat();
    CHECK(s.type == file_type::fifo);
    int end = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    CHECK(::write(end, "abc", 3) == 3);
    ::close(end);
    std::string text = co_await first.join();
    CHECK(text == "abc");
  });
}

CUVEE_TEST_CASE("file: cancelled before it starts, nothing happens") {
  folder d;
  d.put("kept", "old");
  file f = co_await open_file(d.at("kept"), both);
  std::string room(10, '\0');
  auto cut_open = co_await move_on_after(0ms, open_file(d.at("new"), fresh));
  CHECK_FALSE(cut_open.has_value() != d.has("new"));
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await gather(open_file(d.at("none"), fresh), f.write("x"), f.read_some(room), f.truncate(0),
                    files::unlink(d.at("kept")), files::mkdir(d.at("dir")));
  });
  CHECK_FALSE(d.has("none"));
  CHECK_FALSE(d.has("dir"));
  CHECK(d.get("kept") == "old");
  std::string text = co_await read_from(f, 10);
  CHECK(text == "old");
}

CUVEE_TEST_CASE("file: cancelled while the pool is busy, a call does not happen") {
  folder d;
  d.put("kept", "old");
  file f = co_await open_file(d.at("kept"), both);
  co_await task_group([&](group& g) -> task<> {
    blocked_pool pool(d, g);
    co_await pool.until_blocked();
    std::string room(10, '\0');
    auto all = [&]() -> task<> {
      co_await gather(open_file(d.at("new"), fresh), f.write("x"), f.read_some_at(0, room),
                      files::unlink(d.at("kept")));
    };
    auto cut = co_await move_on_after(1ms, all());
    bool happened = cut.has_value();
    pool.release();
    CHECK_FALSE(happened);
  });
  bool untouched = d.get("kept") == "old" && !d.has("new");
  CHECK(untouched);
}

CUVEE_TEST_CASE("file: cancelled while it runs, a read is waited for, and its bytes win") {
  folder d;
  std::string path = d.fifo("fifo");
  file f = co_await open_file(path, both);
  std::string text;
  co_await task_group([&](group& g) -> task<> {
    auto read = [&]() -> task<> { text = co_await read_from(f, 10); };
    auto reading = g.spawn(read);
    co_await checkpoint();
    co_await until_begun();
    reading.cancel();
    co_await until_begun();
    CHECK_FALSE(reading.done());
    int end = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    CHECK(::write(end, "abc", 3) == 3);
    ::close(end);
  });
  CHECK(text == "abc");
}

CUVEE_TEST_CASE("file: cancelled while it runs, an open that succeeds leaves no descriptor") {
  folder d;
  std::string path = d.fifo("fifo");
  bool opened = false;
  int end = -1;
  co_await task_group([&](group& g) -> task<> {
    auto open = [&]() -> task<> {
      file f = co_await open_file(path);
      opened = true;
      co_await checkpoint();
      opened = false;  // never: the cancel comes at the next await
    };
    auto opening = g.spawn(open);
    co_await checkpoint();
    co_await until_begun();
    opening.cancel();
    while (end < 0) end = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  });
  ::close(end);
  CHECK(opened);
}

CUVEE_TEST_CASE("file: a cancelled write of many pieces has written whole ones") {
  folder d;
  file f = co_await open_file(d.at("a"), fresh);
  std::string much(std::size_t{24} << 20, 'x');
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> { co_await f.write(much); });
    co_await checkpoint();
    co_await until_begun();
    g.cancel();
  });
  std::size_t size = d.get("a").size();
  CHECK(size % (4 << 20) == 0);
  CHECK(size <= much.size());
}

CUVEE_TEST_CASE("file: a read that the system holds up holds up nobody else") {
  folder d;
  std::string path = d.fifo("fifo");
  file f = co_await open_file(path, both);
  co_await task_group([&](group& g) -> task<> {
    auto reading =
        g.spawn([](file& from) -> task<std::string> { return read_from(from, 10); }, std::ref(f));
    for (int ticks = 0; ticks < 5; ticks++) co_await sleep(1ms);
    std::string text = co_await read_file("/proc/self/comm", 100);
    CHECK_FALSE(text.empty());
    CHECK_FALSE(reading.done());
    int end = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    CHECK(::write(end, "abc", 3) == 3);
    ::close(end);
  });
}

TEST_CASE("file: cancelled at every suspension, nothing is left open") {
  folder d;
  auto report = testing::torture([&]() -> task<> {
    file f = co_await open_file(d.at("a"), fresh);
    co_await f.write("some text");
    co_await f.sync();
    std::string room(20, '\0');
    std::size_t n = co_await f.read_some_at(5, room);
    CHECK(room.substr(0, n) == "text");
    co_await f.truncate(4);
    file_status s = co_await f.stat();
    CHECK(s.size == 4);
    co_await f.close();
  });
  CHECK(report.suspensions >= 7);
  CHECK(report.cancelled > 0);
  CHECK(report.leaks == "");
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("file: a ticker goes on while 100 MiB are read in pieces of 64 KiB") {
  folder d;
  d.put("big", std::string(std::size_t{100} << 20, 'x'));
  file f = co_await open_file(d.at("big"));
  int ticks = 0;
  std::chrono::nanoseconds longest{};
  std::size_t total = 0;
  auto tick = [&]() -> task<> {
    for (;; ticks++) {
      stopwatch since;
      co_await sleep(10ms);
      longest = std::max(longest, since.elapsed());
    }
  };
  auto read = [&]() -> task<> {
    std::string piece(65536, '\0');
    while (std::size_t n = co_await f.read_some(piece)) total += n;
  };
  co_await any_of(read(), tick());
  CHECK(total == std::size_t{100} << 20);
  CHECK(ticks > 0);
  CHECK(longest < 500ms);  // 20 ms on a machine that has nothing else to do
}

TEST_SUITE_END();
