// SPDX-License-Identifier: MIT
#include "file_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace file_case;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

void append(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::app) << text;
}

/// Reads changes until one fits.
template <class Fits>
task<file_change> until_change(file_watcher& w, Fits fits) {
  for (;;) {
    file_change c = co_await w.next();
    if (fits(c)) co_return c;
  }
}

}  // namespace

CUVEE_TEST_CASE("watch: four changes give four or more events that name the file") {
  folder d;
  file_watcher w = files::watch(d.path(), 0ms);
  for (int i = 0; i < 4; i++) {
    append(d.at("a"), "x");  // the kernel merges what nobody has read yet
    file_change c = co_await timeout(4s, w.next());
    CHECK(c.path == d.at("a"));
    CHECK((c.renamed || c.written));
  }
}

CUVEE_TEST_CASE("watch: a rename reports both names") {
  folder d;
  d.put("a", "x");
  file_watcher w = files::watch(d.path(), 1ms);
  co_await files::rename(d.at("a"), d.at("b"));
  for (const char* name : {"a", "b"}) {
    std::string path = d.at(name);
    auto fits = [&](const file_change& c) { return c.path == path && c.renamed; };
    co_await timeout(4s, until_change(w, fits));
  }
}

CUVEE_TEST_CASE("watch: changes of one name are one after the debounce, in virtual time") {
  folder d;
  d.put("a", "");
  testing::virtual_clock clock;
  file_watcher w = files::watch(d.path(), 1h);
  for (int i = 0; i < 3; i++) append(d.at("a"), "x");
  append(d.at("b"), "x");
  file_change a = co_await w.next();
  file_change b = co_await w.next();
  CHECK(a.path == d.at("a"));
  CHECK(a.written);
  CHECK_FALSE(a.renamed);
  CHECK(b.path == d.at("b"));
  CHECK(b.renamed);
  auto more = co_await move_on_after(24h, w.next());
  CHECK_FALSE(more);
}

CUVEE_TEST_CASE("watch: a file that an editor replaces goes on being seen") {
  folder d;
  d.put("a", "1");
  file_watcher w = files::watch(d.at("a"), 1ms);
  for (int i = 0; i < 3; i++) {
    d.put("other", "noise");
    co_await write_file(d.at("a"), "2", write_mode::atomic);
    auto renamed = [&](const file_change& c) { return c.renamed; };
    file_change c = co_await timeout(4s, until_change(w, renamed));
    CHECK(c.path == d.at("a"));
  }
  append(d.at("a"), "3");
  auto written = [&](const file_change& c) { return c.written; };
  file_change c = co_await timeout(4s, until_change(w, written));
  CHECK(c.path == d.at("a"));
}

CUVEE_TEST_CASE("watch: a name that is not there yet is seen when it appears") {
  folder d;
  file_watcher w = files::watch(d.at("later"), 0ms);
  append(d.at("later"), "x");
  file_change c = co_await timeout(4s, w.next());
  CHECK(c.path == d.at("later"));
  CHECK(c.renamed);
}

CUVEE_TEST_CASE("watch: the end of the directory, of the watcher, and a missing one are errors") {
  folder d;
  co_await files::mkdir(d.at("dir"));
  file_watcher w = files::watch(d.at("dir"), 0ms);
  co_await files::rmdir(d.at("dir"));
  auto never = [](const file_change&) { return false; };
  std::error_code e = co_await failure_code(timeout(4s, until_change(w, never)));
  CHECK(e == std::errc::no_such_file_or_directory);

  file_watcher closed = files::watch(d.path());
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> {
      std::error_code why = co_await failure_code(closed.next());
      CHECK(why == errc::closed);
    });
    co_await checkpoint();
    e = co_await failure_code(closed.next());
    CHECK(e == errc::busy);
    closed.close();
  });
  CHECK_THROWS_WITH(static_cast<void>(files::watch(d.at("none/a"))),
                    ("watch " + d.at("none/a") + ": no such file or directory (ENOENT)").c_str());
}

CUVEE_TEST_CASE("watch: a wait cancelled before or during loses no change") {
  folder d;
  file_watcher w = files::watch(d.path(), 0ms);
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await w.next();
  });
  auto cut = co_await move_on_after(1ms, w.next());
  CHECK_FALSE(cut);
  append(d.at("a"), "x");
  file_change c = co_await timeout(4s, w.next());
  CHECK(c.path == d.at("a"));
}

TEST_CASE("watch: cancelled at every suspension, nothing is left") {
  folder d;
  auto report = testing::torture([&]() -> task<> {
    file_watcher w = files::watch(d.path(), 1ms);
    append(d.at("a"), "x");
    co_await w.next();
  });
  CHECK(report.suspensions > 0);
  CHECK(report.leaks == "");
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("watch: more changes than it keeps are told as lost") {
  folder d;
  testing::virtual_clock clock;
  file_watcher w = files::watch(d.path(), 1s);
  for (int i = 0; i < 1100; i++) d.put("f" + std::to_string(i), "");
  bool lost = false;
  int seen = 0;
  while (!lost) {
    file_change c = co_await w.next();
    lost = c.lost;
    seen++;
    if (lost) CHECK(c.path == d.path());
  }
  CHECK(seen > 1000);
  CHECK(seen < 1100);
}

TEST_SUITE_END();
