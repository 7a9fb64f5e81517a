// SPDX-License-Identifier: MIT
// Waiting to receive and to send: cancelled, closed, in order, and what others see of it.
#include "udp_case.h"

#include <cuvee/testing/assert_checkpoints.h>
#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/wait_all_tasks_blocked.h>

#include <algorithm>
#include <optional>
#include <vector>

using namespace cuvee;
using namespace io_case;
using namespace udp_case;
using namespace std::chrono_literals;

namespace {

/// Sends `rounds` datagrams, each to a receiver that is cancelled at some moment around its
/// arrival. `receive` makes one that appends what it gets to `got`. Returns: whether each was
/// received once.
template <class F>
task<bool> cancelled_receivers_lose_nothing(F receive) {
  udp_socket to = bind_udp(any_port);
  udp_socket from = connect_udp(to.local());
  std::vector<std::string> got, expected;
  for (int i = 0; i < 100; i++) {
    expected.push_back(std::to_string(i));
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn(receive, std::ref(to), std::ref(got));
      co_await checkpoint();
      co_await from.send(expected.back());
      for (int turns = i % 4; turns > 0; turns--) co_await checkpoint();
      h.cancel();
    });
  }
  while (got.size() < expected.size()) {
    datagram rest = co_await to.receive();
    got.push_back(rest.data);
  }
  for (auto* all : {&got, &expected}) std::sort(all->begin(), all->end());
  co_return got == expected;
}

task<> receive_into(udp_socket& s, std::vector<std::string>& got) {
  char room[16];
  datagram_info came = co_await s.receive_from(room);
  got.emplace_back(room, came.size);
}
task<> receive_whole(udp_socket& s, std::vector<std::string>& got) {
  datagram came = co_await s.receive();
  got.push_back(came.data);
}
task<> receive_many(udp_socket& s, std::vector<std::string>& got) {
  datagram_batch batch(4, 16);
  co_await s.receive_batch(batch);
  for (const datagram_view& d : batch.datagrams()) got.emplace_back(d.data);
}

/// How many datagrams are there, and takes them.
task<int> drain(udp_socket& s) {
  int n = 0;
  while (auto came = co_await move_on_after(0ms, s.receive())) n++;
  co_return n;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

CUVEE_TEST_CASE("udp: a receive cancelled before it begins leaves the datagram to the next") {
  udp_socket to = bind_udp(any_port);
  udp_socket from = connect_udp(to.local());
  co_await from.send("x");
  char room[10];
  datagram_batch batch(2, 10);
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await to.receive_from(room);
  });
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await to.receive();
  });
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await to.receive_batch(batch);
  });
  CHECK(batch.datagrams().empty());
  datagram came = co_await to.receive();
  CHECK(came.data == "x");
}

CUVEE_TEST_CASE("udp: receivers cancelled around the arrival lose no datagram") {
  bool into = co_await cancelled_receivers_lose_nothing(receive_into);
  CHECK(into);
  bool whole = co_await cancelled_receivers_lose_nothing(receive_whole);
  CHECK(whole);
  bool many = co_await cancelled_receivers_lose_nothing(receive_many);
  CHECK(many);
}

CUVEE_TEST_CASE("udp: a second receiver is told busy, the first one is served") {
  udp_socket to = bind_udp(any_port);
  udp_socket from = connect_udp(to.local());
  char room[10];
  datagram_batch batch(2, 10);
  auto intrude = [&]() -> task<> {
    co_await testing::wait_all_tasks_blocked();
    auto text = co_await failure(to.receive_from(room));
    CHECK(text == "receive " + to.local().to_string() + ": another operation is pending");
    auto code = co_await failure_code(to.receive());
    CHECK(code == errc::busy);
    code = co_await failure_code(to.receive_batch(batch));
    CHECK(code == errc::busy);
    co_await from.send("x");
  };
  auto [came, none] = co_await gather(to.receive(), intrude());
  CHECK(came.data == "x");
}

CUVEE_TEST_CASE("udp: closing wakes the receiver with the error closed") {
  char room[10];
  datagram_batch batch(2, 10);
  for (int kind = 0; kind < 3; kind++) {
    udp_socket s = bind_udp(any_port);
    auto close = [&]() -> task<> {
      co_await testing::wait_all_tasks_blocked();
      s.close();
    };
    std::error_code code;
    auto wait = [&]() -> task<> {
      if (kind == 0) code = co_await failure_code(s.receive_from(room));
      if (kind == 1) code = co_await failure_code(s.receive());
      if (kind == 2) code = co_await failure_code(s.receive_batch(batch));
    };
    co_await gather(wait(), close());
    CHECK(code == errc::closed);
  }
}

CUVEE_TEST_CASE("udp: sends at once where there is room, and does not give way for it") {
  udp_socket to = bind_udp(any_port);
  udp_socket from = connect_udp(to.local());
  co_await testing::assert_no_checkpoints(from.send("x"));
  co_await testing::assert_no_checkpoints(from.send_to("y", to.local()));
  CHECK(from.try_send("z"));
  CHECK(from.try_send_to("!", to.local()));
  for (const char* text : {"x", "y", "z", "!"}) {
    datagram came = co_await to.receive();
    CHECK(came.data == text);
  }
}

CUVEE_TEST_CASE("udp: senders wait for room in the send buffer and are served in order") {
  auto [a, b] = narrow();
  int before = fill(a);
  CHECK(before > 0);
  std::string began, ended, received;
  auto send = [&](char name) -> task<> {
    began += name;
    co_await a.send(std::string_view(&name, 1));
    ended += name;
  };
  auto receive = [&]() -> task<> {
    co_await testing::wait_all_tasks_blocked();
    CHECK(began.size() == 3);
    CHECK(ended == "");
    CHECK_FALSE(a.try_send("nobody overtakes"));
    for (int i = 0; i < before + 3; i++) {
      datagram came = co_await b.receive();
      if (i >= before) received += came.data;
    }
  };
  co_await gather(send('1'), send('2'), send('3'), receive());
  CHECK(received == began);
  CHECK(ended.size() == 3);
  CHECK(a.try_send("room again"));
}

CUVEE_TEST_CASE("udp: a send cancelled before and while it waits sends nothing") {
  auto [a, b] = narrow();
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await a.send("never");
  });
  int before = fill(a);
  auto cut = co_await move_on_after(1ms, a.send("never"));
  CHECK_FALSE(cut);
  for (int i = 0; i < 20; i++) {
    co_await task_group([&](group& g) -> task<> {
      auto first = g.spawn([&]() -> task<> { co_await a.send("never"); });
      auto second = g.spawn([&]() -> task<> { co_await a.send("never"); });
      for (int turns = i % 3; turns >= 0; turns--) co_await checkpoint();
      (i % 2 ? first : second).cancel();
      (i % 2 ? second : first).cancel();
    });
  }
  int there = co_await drain(b);
  CHECK(there == before);
  co_await a.send("sent");
  datagram came = co_await b.receive();
  CHECK(came.data == "sent");
}

CUVEE_TEST_CASE("udp: closing ends pending sends with the error closed") {
  auto [a, b] = narrow();
  int before = fill(a);
  auto close = [&]() -> task<> {
    co_await testing::wait_all_tasks_blocked();
    a.close();
  };
  auto [one, two, none] =
      co_await gather(failure(a.send("never")), failure(a.send("never")), close());
  CHECK(one == "send a: closed");
  CHECK(two == "send a: closed");
  int there = co_await drain(b);
  CHECK(there == before);
}

CUVEE_TEST_CASE("udp: pending sends end with the error of the system") {
  auto [a, b] = narrow();
  fill(a);
  auto close = [&]() -> task<> {
    co_await testing::wait_all_tasks_blocked();
    b.close();
  };
  auto [one, two, none] =
      co_await gather(failure_code(a.send("x")), failure_code(a.send("y")), close());
  CHECK(one);
  CHECK(two);
  CHECK(a.is_open());
}

CUVEE_TEST_CASE("udp: a socket sends and receives at the same time") {
  auto [a, b] = narrow();
  int there = fill(a);
  auto receive_a = [&]() -> task<> {
    datagram came = co_await a.receive();
    CHECK(came.data == "from b");
  };
  auto use_b = [&]() -> task<> {
    co_await testing::wait_all_tasks_blocked();
    co_await b.send("from b");
    co_await testing::wait_all_tasks_blocked();
    for (int i = 0; i <= there; i++) co_await b.receive();
  };
  co_await gather(a.send("from a"), receive_a(), use_b());
}

CUVEE_TEST_CASE("udp: a receiver that is flooded lets other tasks run") {
  udp_socket s = bind_udp(any_port);
  endpoint own = s.local();
  bool stop = false;
  int rounds = 0;
  auto flood = [&]() -> task<> {
    while (!stop) {
      rounds++;
      co_await s.send_to("x", own);
      co_await s.receive();
    }
  };
  auto end = [&]() -> task<> {
    co_await sleep(1ms);
    stop = true;
  };
  co_await gather(flood(), end());
  CHECK(rounds > 0);
}

TEST_CASE("udp: sending and receiving cancelled at every suspension, nothing is left") {
  auto exchange = []() -> task<> {
    udp_socket server = bind_udp(any_port);
    udp_socket client = connect_udp(server.local());
    auto serve = [&]() -> task<> {
      char room[10];
      datagram_info came = co_await server.receive_from(room);
      co_await server.send_to("whole", came.from);
      co_await checkpoint();
      co_await server.send_to("many", came.from);
    };
    auto ask = [&]() -> task<> {
      datagram_batch batch(2, 10);
      co_await checkpoint();
      co_await client.send("x");
      datagram whole = co_await client.receive();
      CHECK(whole.data == "whole");
      co_await client.receive_batch(batch);
      CHECK(batch.datagrams()[0].data == "many");
    };
    co_await gather(serve(), ask());
  };
  auto report = testing::torture(exchange);
  CHECK(report.suspensions > 4);
  CHECK(report.cancelled > 0);
  CHECK(report.leaks == "");
  auto stopped = testing::torture_stop(exchange);
  CHECK(stopped.stopped > 0);
  CHECK(stopped.leaks == "");
}

TEST_CASE("udp: waiting senders cancelled at every suspension, nothing is left") {
  auto crowd = []() -> task<> {
    auto [a, b] = narrow();
    int there = fill(a);
    auto receive = [&]() -> task<> {
      for (int i = 0; i < there + 2; i++) co_await b.receive();
    };
    co_await gather(a.send("1"), a.send("2"), receive());
  };
  auto report = testing::torture(crowd);
  CHECK(report.suspensions >= 2);
  CHECK(report.cancelled > 0);
  CHECK(report.leaks == "");
  auto stopped = testing::torture_stop(crowd);
  CHECK(stopped.stopped > 0);
  CHECK(stopped.leaks == "");
}

CUVEE_TEST_CASE("task tree: who waits for datagrams names the socket, who sends the receiver") {
  udp_socket s = bind_udp(any_port);
  auto [a, b] = narrow();
  fill(a);
  std::string tree;
  char room[10];
  auto look = [&]() -> task<> {
    co_await testing::wait_all_tasks_blocked();
    tree = to_string(loop::current().tasks());
  };
  co_await any_of(s.receive(), a.receive_from(room), a.send("x"), a.send_to("y", s.local()),
                  look());
  INFO(tree);
  CHECK(has(tree, "udp_receive " + s.local().to_string() + "\n"));
  CHECK(has(tree, "udp_receive_from a\n"));
  CHECK(has(tree, "udp_send a\n"));
  CHECK(has(tree, "udp_send " + s.local().to_string() + "\n"));
}

CUVEE_TEST_CASE("stats: datagrams and their bytes are counted") {
  udp_socket to = bind_udp(any_port);
  udp_socket from = connect_udp(to.local());
  loop_stats before = loop::current().stats();
  for (const char* text : {"a", "", "abc", "0123456789", "x"}) co_await from.send(text);
  datagram_batch batch(4, 5);
  co_await to.receive();
  co_await to.receive_batch(batch);
  loop_stats after = loop::current().stats();
  CHECK(after.writes - before.writes == 5);
  CHECK(after.written_bytes - before.written_bytes == 15);
  CHECK(after.reads - before.reads == 5);
  CHECK(after.read_bytes - before.read_bytes == 10);  // the long one was cut off
}

TEST_CASE("debug mode: a udp socket that outlives its loop is reported") {
  std::vector<std::string> reports;
  std::optional<udp_socket> left;
  {
    loop l;
    l.on_report([&](const report& r) { reports.push_back(r.message); });
    l.set_debug(true);
    l.run([&]() -> task<> {
      left.emplace(bind_udp(any_port));
      co_return;
    });
  }
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].starts_with(
      "a udp handle was not closed before its loop ended; made by task 'main'"));
  CHECK_FALSE(left->is_open());
}
