// SPDX-License-Identifier: MIT
// Unix sockets, pipes within the process.
#include "io_case.h"
#include "peer.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

#include <sys/stat.h>
#include <unistd.h>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

class socket_path {
 public:
  const std::string& get() const { return path_; }
  bool there() const { return std::filesystem::exists(std::filesystem::symlink_status(path_)); }

 private:
  peers::temporary_folder folder_;
  std::string path_ = folder_.path() + "/socket";
};

task<> echo(unix_stream s) {
  std::string room(4096, '\0');
  while (std::size_t n = co_await s.read_some(room))
    co_await s.write(std::string_view(room.data(), n));
}

task<> ask(std::string path, std::string text) {
  unix_stream s = co_await connect_unix(path);
  co_await s.write(text);
  std::string got = co_await read_exact(s, text.size());
  CHECK(got == text);
}

}  // namespace

CUVEE_TEST_CASE("unix: 100 clients over a path, then the file is gone") {
  socket_path at;
  unix_listener l = listen_unix(at.get());
  CHECK(l.path() == at.get());
  auto clients = [&]() -> task<> {
    std::vector<task<>> all;
    for (int i = 0; i < 100; i++) all.push_back(ask(at.get(), "number " + std::to_string(i)));
    co_await gather(std::move(all));
    l.close();
  };
  task<> asking = clients();
  co_await gather(serve(l, &echo), std::move(asking));
  CHECK_FALSE(at.there());
  auto text = co_await failure(connect_unix(at.get()));
  CHECK(text == "connect " + at.get() + ": no such file or directory (ENOENT)");
}

CUVEE_TEST_CASE(
    "unix: a listener's file that nobody listens on is replaced, any other file is not") {
  socket_path at;
  {
    unix_listener l = listen_unix(at.get());
    std::filesystem::rename(at.get(), at.get() + "2");  // so that the listener leaves it
  }
  std::filesystem::rename(at.get() + "2", at.get());
  auto code = co_await failure_code(connect_unix(at.get()));
  CHECK(code == std::errc::connection_refused);
  unix_listener l = listen_unix(at.get());
  co_await gather(ask(at.get(), ""), l.accept());
  CHECK_THROWS_WITH_AS(listen_unix(at.get()),
                       ("listen " + at.get() + ": address already in use (EADDRINUSE)").c_str(),
                       error);
  l.close();
  std::ofstream(at.get()) << "precious";
  CHECK_THROWS_AS(listen_unix(at.get()), error);
  CHECK(std::filesystem::file_size(at.get()) == 8);
}

CUVEE_TEST_CASE("unix: who asks whether a path is in use disturbs no listener") {
  socket_path at;
  unix_listener l = listen_unix(at.get());
  CHECK_THROWS_AS(listen_unix(at.get()), error);
  auto [client, server] = co_await gather(connect_unix(at.get()), l.accept());
  co_await client.write("first");
  std::string got = co_await read_exact(server, 5);
  CHECK(got == "first");
}

CUVEE_TEST_CASE(
    "unix: a file that took the listener's place stays, and one that is gone is no error") {
  socket_path at;
  {
    unix_listener l = listen_unix(at.get());
    std::filesystem::remove(at.get());
    std::ofstream(at.get()) << "mine";
    l.close();
    CHECK(at.there());
  }
  std::filesystem::remove(at.get());
  unix_listener l = listen_unix(at.get());
  std::filesystem::remove(at.get());
  l.close();
  l.close();
  co_return;
}

CUVEE_TEST_CASE("unix: the mode of the file is what was asked for") {
  socket_path at;
  unix_listen_options o;
  o.mode = 0600;
  unix_listener l = listen_unix(at.get(), o);
  struct stat file;
  REQUIRE(stat(at.get().c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0600);
  co_return;
}

CUVEE_TEST_CASE("unix: abstract names leave no file") {
  std::string name = '\0' + ("cuvee-test-" + std::to_string(getpid()));
  unix_listener l = listen_unix(name);
  auto [none, server] = co_await gather(connect_unix(name), l.accept());
  CHECK_THROWS_AS(listen_unix(name), error);
  l.close();
  auto text = co_await failure(connect_unix(name));
  CHECK(text == "connect @" + name.substr(1) + ": connection refused (ECONNREFUSED)");
}

CUVEE_TEST_CASE("unix: what is no path is refused") {
  auto code = co_await failure_code(connect_unix(""));
  CHECK(code == std::errc::invalid_argument);
  code = co_await failure_code(connect_unix(std::string("a\0b", 3)));
  CHECK(code == std::errc::invalid_argument);
  code = co_await failure_code(connect_unix(std::string(200, 'x')));
  CHECK(code == std::errc::filename_too_long);
}

CUVEE_TEST_CASE("unix: each end knows who the other is, until it is closed") {
  socket_path at;
  unix_listener l = listen_unix(at.get());
  auto [client, server] = co_await gather(connect_unix(at.get()), l.accept());
  for (unix_stream* s : {&client, &server}) {
    CHECK(s->credentials().pid == getpid());
    CHECK(s->credentials().uid == getuid());
    CHECK(s->credentials().gid == getgid());
  }
  co_await client.close();
  CHECK_THROWS_AS(client.credentials(), error);
}

CUVEE_TEST_CASE(
    "unix: a hang-up with more data than the reader has room for ends cleanly after it") {
  auto [a, b] = unix_stream_pair();
  char room[50];
  auto read = [&]() -> task<std::string> {
    std::string all;
    while (std::size_t n = co_await b.read_some(room)) all.append(room, n);
    co_return all;
  };
  auto write = [&]() -> task<> {
    co_await a.write(std::string(51, 'x'));
    co_await a.close();
  };
  task<> writing = write();
  auto [got, none] = co_await gather(read(), std::move(writing));
  CHECK(got == std::string(51, 'x'));
}

CUVEE_TEST_CASE("unix: connecting waits while the listener's queue is full") {
  socket_path at;
  unix_listen_options tiny;
  tiny.backlog = 0;
  unix_listener l = listen_unix(at.get(), tiny);
  unix_stream first = co_await connect_unix(at.get());
  auto cut = co_await move_on_after(3ms, connect_unix(at.get()));
  CHECK_FALSE(cut);
  auto accept_two = [&]() -> task<> {
    co_await sleep(1ms);
    unix_stream one = co_await l.accept();
    unix_stream two = co_await l.accept();
  };
  task<> accepting = accept_two();
  auto [second, none] = co_await gather(connect_unix(at.get()), std::move(accepting));
  CHECK(second.is_open());
}

CUVEE_TEST_CASE("pipe: bytes go one way, and the reading end sees the end") {
  auto [from, to] = anonymous_pipe();
  co_await to.write("through");
  co_await to.shutdown_write();
  std::string got = co_await read_all(from);
  CHECK(got == "through");
  auto code = co_await failure_code(from.write("x"));
  CHECK(code);
}

CUVEE_TEST_CASE("pipe: a writer with a lot under way fails when the reader goes") {
  auto [from, to] = anonymous_pipe();
  std::string block = pattern(32'768);
  auto write = [&]() -> task<> {
    std::error_code code;
    for (int i = 0; i < 32 && !code; i++) code = co_await failure_code(to.write(block));
    CHECK(code == std::errc::broken_pipe);
  };
  auto close = [&]() -> task<> {
    co_await checkpoint();
    co_await from.close();
  };
  task<> writing = write(), closing = close();
  co_await gather(std::move(writing), std::move(closing));
}

TEST_CASE("unix: connect, accept and an exchange cancelled at every suspension, nothing is left") {
  auto report = testing::torture([]() -> task<> {
    socket_path at;
    unix_listener l = listen_unix(at.get());
    auto [client, server] = co_await gather(connect_unix(at.get()), l.accept());
    co_await client.write("x");
    std::string got = co_await read_exact(server, 1);
    CHECK(got == "x");
    co_await client.close();
  });
  CHECK(report.cancelled > 1);
  CHECK(report.leaks == "");
}
