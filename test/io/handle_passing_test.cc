// SPDX-License-Identifier: MIT
#include "io_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

#include <sys/socket.h>
#include <unistd.h>

#include "io/stream_block.h"

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

std::pair<unix_stream, unix_stream> passing_pair() {
  unix_options passing;
  passing.pass_handles = true;
  return unix_stream_pair(passing);
}

}  // namespace

CUVEE_TEST_CASE("handle passing: a stream comes with the bytes it was sent with, and works") {
  auto [a, b] = passing_pair();
  connection c = co_await connected();
  auto [own, other] = unix_stream_pair();
  co_await a.write("plain ");
  co_await a.send_handle(c.server, "tcp ");
  co_await a.send_handle(own, "unix");
  co_await c.server.close();
  co_await own.close();
  std::string text = co_await read_exact(b, 14);
  CHECK(text == "plain tcp unix");
  auto first = b.take_handle(), second = b.take_handle(), third = b.take_handle();
  REQUIRE(first);
  REQUIRE(second);
  CHECK_FALSE(third);
  auto& tcp = std::get<tcp_stream>(*first);
  auto& local = std::get<unix_stream>(*second);
  CHECK(tcp.peer() == c.client.local());
  co_await tcp.write("over tcp");
  co_await local.write("over unix");
  std::string got = co_await read_exact(c.client, 8);
  CHECK(got == "over tcp");
  got = co_await read_exact(other, 9);
  CHECK(got == "over unix");
}

CUVEE_TEST_CASE("handle passing: one that nobody takes closes with the stream") {
  auto [a, b] = passing_pair();
  connection c = co_await connected();
  co_await a.send_handle(c.server, "x");
  co_await c.server.close();
  std::string x = co_await read_exact(b, 1);
  co_await b.close();
  std::string end = co_await read_all(c.client);
  CHECK(end.empty());
}

CUVEE_TEST_CASE("handle passing: after a handle was taken the stream reads on, or rests") {
  auto [a, b] = passing_pair();
  connection c = co_await connected();
  for (int i = 0; i < 3; i++) {
    co_await a.send_handle(c.server, "x");
    std::string x = co_await read_exact(b, 1);
    auto taken = b.take_handle();
    REQUIRE(taken);
    CHECK(std::get<tcp_stream>(*taken).peer() == c.client.local());
  }
}

CUVEE_TEST_CASE("handle passing: what is no stream is an error, and closed") {
  auto [a, b] = passing_pair();
  int file = dup(0);
  char byte = 'x';
  iovec bytes = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof file);
  std::memcpy(CMSG_DATA(head), &file, sizeof file);
  REQUIRE(sendmsg(a.native().descriptor(), &message, 0) == 1);
  close(file);
  std::string x = co_await read_exact(b, 1);
  CHECK_THROWS_AS(b.take_handle(), error);
  CHECK_FALSE(b.take_handle());
}

CUVEE_TEST_CASE("handle passing: refused where it cannot work") {
  auto [a, b] = unix_stream_pair();
  connection c = co_await connected();
  const std::string start = "send a handle unix stream: ";
  auto why = co_await failure(a.send_handle(c.server, "x"));
  CHECK(why == start + "the stream was made without pass_handles");
  CHECK_FALSE(b.take_handle());
  auto [d, e] = passing_pair();
  why = co_await failure(d.send_handle(c.server, ""));
  CHECK(why == start + "it needs a byte to go with");
  auto [in_memory, unused] = memory_stream_pair();
  why = co_await failure(d.send_handle(in_memory, "x"));
  CHECK(why == start + "only TCP and unix streams can be passed");
  co_await d.close();
  auto code = co_await failure_code(d.send_handle(c.server, "x"));
  CHECK(code == errc::closed);
}

CUVEE_TEST_CASE(
    "handle passing: cancelled before, nothing is sent; cancelled while it waits, closed") {
  auto [a, b] = passing_pair();
  connection c = co_await connected();
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await a.send_handle(c.server, "x");
  });
  CHECK(a.is_open());
  std::string big(8 << 20, 'x');
  auto cut = co_await move_on_after(5ms, a.send_handle(c.server, big));
  CHECK_FALSE(cut);
  CHECK_FALSE(a.is_open());
}

TEST_CASE("handle passing: cancelled at every suspension, nothing is left") {
  auto report = testing::torture([]() -> task<> {
    auto [a, b] = passing_pair();
    connection c = co_await connected();
    auto [none, x] = co_await gather(a.send_handle(c.server, "x"), read_exact(b, 1));
    auto taken = b.take_handle();
    CHECK(taken);
    co_await a.close();
  });
  CHECK(report.cancelled > 2);
  CHECK(report.leaks == "");
}
