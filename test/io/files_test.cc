// SPDX-License-Identifier: MIT
#include "file_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

#include <sys/resource.h>

#include <csignal>

using namespace cuvee;
using namespace file_case;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

task<std::vector<std::string>> walked(std::string path, files::unreadable how = {}) {
  std::vector<std::string> all;
  auto entries = files::walk(path, how);
  while (auto* e = co_await entries.next()) {
    all.push_back(e->path.substr(path.size()));
    if (e->path.ends_with("/closed")) e->enter = false;
  }
  co_return all;
}

}  // namespace

CUVEE_TEST_CASE("files: names are made, looked at, renamed and removed") {
  folder d;
  co_await files::mkdir(d.at("dir"), 0750);
  CHECK(d.permissions("dir") == 0750);
  d.put("dir/a", "text");
  co_await files::symlink("a", d.at("dir/link"));
  std::string target = co_await files::readlink(d.at("dir/link"));
  CHECK(target == "a");
  std::string real = co_await files::realpath(d.at("dir/../dir/link"));
  std::string root = co_await files::realpath(d.path());
  CHECK(real == root + "/dir/a");
  file_status s = co_await files::stat(d.at("dir/link"));
  CHECK(s.type == file_type::regular);
  CHECK(s.size == 4);
  CHECK(s.modified_ns > 1'600'000'000'000'000'000);
  s = co_await files::lstat(d.at("dir/link"));
  CHECK(s.type == file_type::symlink);
  std::vector<directory_entry> inside = co_await files::scandir(d.at("dir"));
  REQUIRE(inside.size() == 2);
  CHECK(inside[0].name == "a");
  CHECK(inside[1].name == "link");
  CHECK(inside[1].type == file_type::symlink);
  co_await files::rename(d.at("dir/a"), d.at("b"));
  bool there = co_await files::exists(d.at("dir/link"));
  CHECK_FALSE(there);  // it dangles
  there = co_await files::exists(d.at("b"));
  CHECK(there);
  co_await files::unlink(d.at("dir/link"));
  co_await files::rmdir(d.at("dir"));
  CHECK(d.names() == std::vector<std::string>{"b"});
}

CUVEE_TEST_CASE("files: rename, unlink, stat, scandir errors carry path and errno") {
  folder d;
  std::string a = d.at("a"), b = d.at("b");
  std::string text = co_await failure(files::rename(a, b));
  CHECK(text == "rename " + a + " to " + b + ": no such file or directory (ENOENT)");
  text = co_await failure(files::unlink(a));
  CHECK(text == "unlink " + a + ": no such file or directory (ENOENT)");
  text = co_await failure(files::stat(a));
  CHECK(text == "stat " + a + ": no such file or directory (ENOENT)");
  text = co_await failure(files::scandir(d.put("file", "")));
  CHECK(text == "scandir " + d.at("file") + ": not a directory (ENOTDIR)");
  text = co_await failure(files::mkdir(d.at("file")));
  CHECK(text == "mkdir " + d.at("file") + ": file exists (EEXIST)");
  text = co_await failure(files::mkdir(d.at("file/x/y"), files::parents::make));
  CHECK(text.find("not a directory") != text.npos);
  text = co_await failure(files::readlink(d.at("file")));
  CHECK(text == "readlink " + d.at("file") + ": invalid argument (EINVAL)");
  text = co_await failure(files::symlink("x", d.at("file")));
  CHECK(text == "symlink " + d.at("file") + " to x: file exists (EEXIST)");
  text = co_await failure(files::remove_all(std::string("a\0b", 3)));
  CHECK(text.find("(EINVAL)") != text.npos);
  bool there = co_await files::exists(d.at("file/below"));
  CHECK_FALSE(there);
}

CUVEE_TEST_CASE("files: mkdir makes parents, and finds those that are there") {
  folder d;
  co_await files::mkdir(d.at("a/b//c/"), files::parents::make);
  CHECK(d.has("a/b/c"));
  co_await files::mkdir(d.at("a/b/c"), files::parents::make);
  co_await gather(files::mkdir(d.at("x/y/z"), files::parents::make),
                  files::mkdir(d.at("x/y/w"), files::parents::make));
  CHECK(d.has("x/y/z"));
  CHECK(d.has("x/y/w"));
}

CUVEE_TEST_CASE("files: walk shows directories before what is in them, and follows no symlink") {
  folder d;
  for (const char* name : {"b", "b/deep", "closed"}) co_await files::mkdir(d.at(name));
  for (const char* name : {"a", "b/deep/x", "b/y", "closed/secret", "c"}) d.put(name, "");
  co_await files::symlink(d.path(), d.at("b/loop"));
  std::vector<std::string> all = co_await walked(d.path());
  CHECK(all == std::vector<std::string>{"/a", "/b", "/b/deep", "/b/deep/x", "/b/loop", "/b/y", "/c",
                                        "/closed"});
  std::error_code e = co_await failure_code(walked(d.at("none")));
  CHECK(e == std::errc::no_such_file_or_directory);
  auto half = files::walk(d.path());
  auto* first = co_await half.next();
  CHECK(first->depth == 0);
}

CUVEE_TEST_CASE("files: walk fails at what it cannot read, or leaves it out" *
                doctest::skip(geteuid() == 0)) {
  folder d;
  co_await files::mkdir(d.at("dark"), 0);
  d.put("seen", "");
  std::error_code e = co_await failure_code(walked(d.path()));
  CHECK(e == std::errc::permission_denied);
  auto all = co_await walked(d.path(), files::unreadable::skip);
  CHECK(all == std::vector<std::string>{"/dark", "/seen"});
}

CUVEE_TEST_CASE("files: remove_all takes what is below, and a symlink but not where it leads") {
  folder d;
  co_await files::mkdir(d.at("tree/a/b"), files::parents::make);
  d.put("tree/a/b/file", "");
  d.put("tree/a/other", "");
  d.put("kept", "");
  co_await files::symlink(d.path(), d.at("tree/up"));
  std::uint64_t n = co_await files::remove_all(d.at("tree"));
  CHECK(n == 6);
  CHECK(d.names() == std::vector<std::string>{"kept"});
  n = co_await files::remove_all(d.at("tree"));
  CHECK(n == 0);
  n = co_await files::remove_all(d.at("kept"));
  CHECK(n == 1);
}

CUVEE_TEST_CASE("files: a whole file is read up to its limit, also where it has no size") {
  folder d;
  std::string text = io_case::pattern(100'000);
  d.put("a", text);
  std::string all = co_await read_file(d.at("a"), 100'000);
  CHECK(all == text);
  std::error_code e = co_await failure_code(read_file(d.at("a"), 99'999));
  CHECK(e == errc::limit_exceeded);
  all = co_await read_file(d.put("empty", ""), 0);
  CHECK(all.empty());
  all = co_await read_file("/proc/self/status", 1 << 20);
  CHECK(all.starts_with("Name:"));
  e = co_await failure_code(read_file("/proc/self/status", 10));
  CHECK(e == errc::limit_exceeded);
  e = co_await failure_code(read_file("/dev/zero", 50'000));
  CHECK(e == errc::limit_exceeded);
}

CUVEE_TEST_CASE("files: write_file in place cuts what was there") {
  folder d;
  d.put("a", "a longer text");
  co_await write_file(d.at("a"), "short");
  CHECK(d.get("a") == "short");
  co_await write_file(d.at("b"), "", write_mode::in_place, 0600);
  CHECK(d.get("b").empty());
  CHECK(d.permissions("b") == 0600);
}

CUVEE_TEST_CASE("files: write_file replaces atomically, keeps permissions and symlinks") {
  folder d;
  d.put("a", "old");
  chmod(d.at("a").c_str(), 0640);
  int old = ::open(d.at("a").c_str(), O_RDONLY | O_CLOEXEC);
  co_await files::symlink("a", d.at("link"));
  co_await write_file(d.at("link"), "new", write_mode::atomic);
  char text[10];
  CHECK(::read(old, text, sizeof text) == 3);
  CHECK(std::string(text, 3) == "old");  // who had it open goes on with it
  ::close(old);
  CHECK(d.get("a") == "new");
  CHECK(d.permissions("a") == 0640);
  co_await write_file(d.at("fresh"), "x", write_mode::atomic, 0600);
  CHECK(d.permissions("fresh") == 0600);
  CHECK(d.names() == std::vector<std::string>{"a", "fresh", "link"});

  std::error_code e = co_await failure_code(write_file(d.path(), "x", write_mode::atomic));
  CHECK(e == std::errc::invalid_argument);
  std::string none = d.at("no/such");
  std::string why = co_await failure(write_file(none, "x", write_mode::atomic));
  CHECK(why == "write " + none + ": no such file or directory (ENOENT)");
}

CUVEE_TEST_CASE("files: write_file fails half-way, the old content is left and nothing else") {
  folder d;
  d.put("a", "old");
  struct rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  struct rlimit small = before;
  small.rlim_cur = 1000;
  auto signals = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  std::string why =
      co_await failure(write_file(d.at("a"), std::string(5000, 'n'), write_mode::atomic));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, signals);
  CHECK(why == "write " + d.at("a") + ": file too large (EFBIG)");
  CHECK(d.get("a") == "old");
  CHECK(d.names() == std::vector<std::string>{"a"});
}

TEST_CASE("files: write_file cancelled at every suspension has replaced all or nothing") {
  folder d;
  auto body = [&]() -> task<> {
    d.put("a", "old");
    bool done = false;
    auto write = [&]() -> task<> {
      co_await write_file(d.at("a"), "new", write_mode::atomic);
      done = true;
    };
    auto look = [&]() -> task<> {
      CHECK(d.get("a") == (done ? "new" : "old"));
      co_return;
    };
    co_await try_finally(write(), look);
  };
  testing::torture_report seen = testing::torture(body);
  CHECK(seen.suspensions > 0);
  CHECK(seen.leaks.empty());
}

CUVEE_TEST_CASE("files: copy takes content and permissions, and refuses itself") {
  folder d;
  std::string text = io_case::pattern(300'000);
  d.put("a", text);
  chmod(d.at("a").c_str(), 0600);
  d.put("b", text + "and more");
  std::uint64_t n = co_await files::copy(d.at("a"), d.at("b"));
  CHECK(n == text.size());
  CHECK(d.get("b") == text);
  CHECK(d.permissions("b") == 0600);
  std::error_code e =
      co_await failure_code(files::copy(d.at("a"), d.at("b"), files::existing::fail));
  CHECK(e == std::errc::file_exists);
  e = co_await failure_code(files::copy(d.at("a"), d.at("a")));
  CHECK(e == std::errc::invalid_argument);
  CHECK(d.get("a") == text);
  e = co_await failure_code(files::copy(d.path(), d.at("c")));
  CHECK(e == std::errc::is_a_directory);
  n = co_await files::copy(d.put("empty", ""), d.at("c"));
  CHECK(n == 0);
  CHECK(d.has("c"));
}

CUVEE_TEST_CASE("temporary files: private, under unlike names, and gone with their owner") {
  folder d;
  {
    temp_file one = co_await make_temp_file(d.path());
    temp_file two = co_await make_temp_file(d.path());
    temp_path dir = co_await make_temp_directory(d.path());
    CHECK(one.name.path() != two.name.path());
    CHECK(d.names().size() == 3);
    struct stat s{};
    CHECK(stat(one.name.path().c_str(), &s) == 0);
    CHECK((s.st_mode & 07777) == 0600);
    CHECK(stat(dir.path().c_str(), &s) == 0);
    CHECK((s.st_mode & 07777) == 0700);
    co_await one.content.write("text");
    std::string text = co_await read_file(one.name.path(), 100);
    CHECK(text == "text");
    co_await write_file(dir.path() + "/inside", "x");
    two.name.keep();
    co_await one.name.remove();
    CHECK(d.names().size() == 2);
  }
  while (d.names().size() > 1) co_await until_begun();  // the directory; what is kept stays
  std::error_code e = co_await failure_code(make_temp_file(d.at("none")));
  CHECK(e == std::errc::no_such_file_or_directory);
  e = co_await failure_code(make_temp_directory(d.at("none")));
  CHECK(e == std::errc::no_such_file_or_directory);
}

TEST_CASE("temporary files: one that outlives its loop is removed with the loop") {
  folder d;
  std::optional<temp_path> kept;
  auto make = [&]() -> task<> { kept = co_await make_temp_directory(d.path()); };
  {
    loop l;
    l.run(make());
    CHECK(d.names().size() == 1);
  }
  CHECK(d.names().empty());
}

TEST_SUITE_BEGIN("slow");

TEST_CASE(
    "files: an atomic write cancelled at every suspension leaves the old or the new content") {
  folder d;
  std::size_t old = 0, fresh = 0;
  d.put("a", "old");
  auto report = testing::torture([&]() -> task<> {
    std::string now = d.get("a");
    CHECK((now == "old" || now == "new"));
    (now == "old" ? old : fresh)++;
    d.put("a", "old");
    CHECK(d.names() == std::vector<std::string>{"a"});
    co_await write_file(d.at("a"), "new", write_mode::atomic);
  });
  CHECK(report.suspensions > 8);
  CHECK(report.leaks == "");
  CHECK(old > 0);
  CHECK(fresh > 0);
  CHECK(d.names() == std::vector<std::string>{"a"});
}

TEST_CASE("files: cancelled at every suspension, names and trees leave nothing open") {
  folder d;
  auto report = testing::torture([&]() -> task<> {
    co_await files::remove_all(d.at("t"));
    co_await files::mkdir(d.at("t/a/b"), files::parents::make);
    co_await write_file(d.at("t/a/f"), "text");
    co_await files::symlink("f", d.at("t/a/l"));
    co_await files::readlink(d.at("t/a/l"));
    co_await files::copy(d.at("t/a/f"), d.at("t/a/g"));
    std::string text = co_await read_file(d.at("t/a/g"), 10);
    CHECK(text == "text");
    auto all = co_await walked(d.at("t"));
    CHECK(all.size() == 5);
    co_await files::rename(d.at("t/a/g"), d.at("t/h"));
    temp_file temp = co_await make_temp_file(d.at("t"));
    temp_path dir = co_await make_temp_directory(d.at("t"));
    co_await temp.name.remove();
    co_await files::unlink(d.at("t/h"));
  });
  CHECK(report.suspensions > 20);
  CHECK(report.leaks == "");
}

TEST_SUITE_END();
