// SPDX-License-Identifier: MIT
// Cancel against completion, where the other side is the kernel: nothing is lost, nothing comes twice.
#include "io_case.h"

#include <cuvee/testing/doctest.h>

#include <random>
#include <set>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

task<> turns(unsigned n) {
  for (unsigned i = 0; i < n; i++) co_await checkpoint();
}

/// Ends after none, a few or all of what is ready now: the rival of an operation that waits.
task<> moment(unsigned choice) {
  if (choice % 3 == 0) co_await sleep(0s);
  else co_await turns(choice % 7);
}

struct tally {
  unsigned completed = 0;
  unsigned cut = 0;
};

task<> write_numbered(stream& to, unsigned seed, std::size_t bytes) {
  std::mt19937 random(seed);
  std::string all = pattern(bytes);
  for (std::size_t sent = 0; sent < bytes;) {
    std::size_t n = std::min<std::size_t>(1 + random() % 40, bytes - sent);
    co_await to.write(std::string_view(all).substr(sent, n));
    sent += n;
    co_await moment(static_cast<unsigned>(random()));
  }
  co_await to.shutdown_write();
}

task<tally> read_with_cancels(stream& from, unsigned seed, std::size_t bytes) {
  std::mt19937 random(seed + 1);
  std::string got, piece(64, '\0');
  tally count;
  while (got.size() < bytes) {
    mutable_bytes into(piece.data(), 1 + random() % piece.size());
    auto rival = moment(static_cast<unsigned>(random()));
    auto [n, over] = co_await any_of(from.read_some(into), std::move(rival));
    if (n) got.append(piece, 0, *n);
    count.completed += n.has_value();
    count.cut += !n.has_value();
  }
  CHECK(got == pattern(bytes));
  co_return count;
}

task<> knock(endpoint at, unsigned first, unsigned count) {
  for (unsigned id = first; id < first + count; id++) {
    tcp_stream s = co_await connect(at);
    co_await s.write(std::string_view(reinterpret_cast<const char*>(&id), sizeof id));
    char answer = 0;
    co_await s.read_some(mutable_bytes(&answer, 1));
    s.abort();  // no port is left waiting
  }
}

task<> welcome(tcp_stream s, std::set<unsigned>& seen) {
  std::string id = co_await read_exact(s, sizeof(unsigned));
  unsigned number = 0;
  id.copy(reinterpret_cast<char*>(&number), sizeof number);
  CHECK(seen.insert(number).second);
  co_await s.write("k");
}

task<tally> accept_with_cancels(tcp_listener& l, std::set<unsigned>& seen, std::size_t expected) {
  std::mt19937 random(3);
  tally count;
  auto serve = [&](group& g) -> task<> {
    while (count.completed < expected) {
      auto rival = moment(static_cast<unsigned>(random()));
      auto [client, over] = co_await any_of(l.accept(), std::move(rival));
      count.cut += !client.has_value();
      if (!client) continue;
      count.completed++;
      g.spawn(welcome, std::move(*client), std::ref(seen));
    }
  };
  co_await task_group(serve);
  co_return count;
}

task<tally> reads(std::size_t bytes) {
  auto [client, server] = co_await connected();
  auto [nothing, count] =
      co_await gather(write_numbered(client, 7, bytes), read_with_cancels(server, 7, bytes));
  co_return count;
}

task<tally> accepts(unsigned clients, unsigned each) {
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  std::set<unsigned> seen;
  std::vector<task<>> knocking;
  for (unsigned i = 0; i < clients; i++) knocking.push_back(knock(l.local(), i * each, each));
  auto [count, nothing] =
      co_await gather(accept_with_cancels(l, seen, clients * each), gather(std::move(knocking)));
  CHECK(seen.size() == clients * each);
  co_return count;
}

}  // namespace

CUVEE_TEST_CASE("interleaving: reads cancelled at random moments lose and repeat no byte") {
  tally count = co_await reads(20'000);
  CHECK(count.completed > 100);
  CHECK(count.cut > 100);
}

CUVEE_TEST_CASE("interleaving: accepts cancelled at random moments lose no connection") {
  tally count = co_await accepts(4, 20);
  CHECK(count.completed == 80);
  CHECK(count.cut > 10);
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("interleaving: 100,000 reads against a cancel") {
  tally sum;
  while (sum.completed + sum.cut < 100'000) {
    tally count = co_await reads(400'000);
    sum.completed += count.completed;
    sum.cut += count.cut;
  }
}

CUVEE_TEST_CASE("interleaving: thousands of accepts against a cancel") {
  tally count = co_await accepts(20, 100);
  CHECK(count.completed == 2000);
}

TEST_SUITE_END();
