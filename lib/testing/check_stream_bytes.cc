// SPDX-License-Identifier: MIT
// What a stream promises about bytes on their way.
#include "check_stream.h"

#include <cuvee/core/gather.h>
#include <cuvee/core/group.h>
#include <cuvee/core/sleep.h>
#include <cuvee/core/timeout.h>
#include <cuvee/testing/wait_all_tasks_blocked.h>

namespace cuvee::inline v0::testing::detail {

namespace {

constexpr duration cushion = std::chrono::milliseconds(2);

task<> in_order(stream_check& c, stream& near, stream& far) {
  auto write = [&]() -> task<> {
    co_await near.write("hello");
    co_await near.write(" world");
    if (c.traits.orderly_end) co_await near.shutdown_write();
  };
  auto read = [&]() -> task<> {
    std::string first = co_await receive(far, 2);
    c.expect(first == "he", "a read takes no more than asked for");
    std::size_t most = c.traits.orderly_end ? std::string::npos : 9;
    std::string rest = co_await receive(far, most);
    c.expect(rest == "llo world", "bytes arrive whole and in order");
  };
  task<> writing = write(), reading = read();
  co_await gather(std::move(writing), std::move(reading));
  for (int i = 0; i < 3 && c.traits.orderly_end; i++) {
    std::string more = co_await receive(far, 1);
    c.expect(more.empty(), "the end is for ever");
  }
}

task<> sizes(stream_check& c, stream& near, stream& far) {
  for (std::size_t piece : {1, 7, 4096, 65536}) {
    std::string data = stream_pattern(piece < 4096 ? 5'000 : 1 << 20);
    auto [none, got] = co_await gather(send(near, data), receive(far, data.size(), piece));
    c.expect(got == data, "bytes arrive whole whatever the size of a read");
    std::string small = data.substr(0, piece < 4096 ? 500 : data.size());
    auto [nothing, came] = co_await gather(send(near, small, piece), receive(far, small.size()));
    c.expect(came == small, "bytes arrive whole whatever the size of a write");
  }
}

task<> both_ways(stream_check& c, stream& near, stream& far) {
  std::string data = stream_pattern(1 << 20);
  std::string other(data.rbegin(), data.rend());
  auto [n1, n2, at_far, at_near] =
      co_await gather(send(near, data), send(far, other), receive(far, data.size(), 10'000),
                      receive(near, other.size()));
  c.expect(at_far == data && at_near == other, "both directions at once do not disturb each other");
}

task<> nothing_at_all(stream_check& c, stream& near, stream& far) {
  std::size_t n = co_await far.read_some(mutable_bytes());
  c.expect(n == 0, "a read into nothing returns at once");
  co_await near.write("");
  co_await near.write();
  co_await near.write("", std::string_view());
  auto [none, got] = co_await gather(send(near, "x"), receive(far, 1));
  c.expect(got == "x", "empty writes send nothing");
}

task<> several_ranges(stream_check& c, stream& near, stream& far) {
  std::string big = stream_pattern(300'000), small = "x";
  auto write = [&]() -> task<> { co_await near.write(small, "", big, small); };
  task<> writing = write();
  auto [none, got] = co_await gather(std::move(writing), receive(far, big.size() + 2));
  c.expect(got == small + big + small, "several ranges are one write, in order");
}

task<> one_reader(stream_check& c, stream& near, stream& far) {
  auto first = [&]() -> task<> {
    std::string got = co_await receive(far, 1);
    c.expect(got == "1", "a refused second reader does not disturb the first");
  };
  auto second = [&]() -> task<> {
    co_await checkpoint();  // the first one waits
    std::error_code code = co_await code_of_read(far);
    c.expect(code == errc::busy, "a second reader gets busy");
    co_await near.write("1");
  };
  task<> reading = first(), intruding = second();
  co_await gather(std::move(reading), std::move(intruding));
}

task<> one_writer(stream_check& c, stream& near, stream& far) {
  std::string big = stream_pattern(c.too_much());
  auto second = [&]() -> task<> {
    co_await checkpoint();
    std::error_code code = co_await code_of_write(near, "x");
    c.expect(code == errc::busy, "a second writer gets busy");
    std::string got = co_await receive(far, big.size());
    c.expect(got == big, "a refused second writer does not disturb the first");
  };
  task<> intruding = second();
  co_await gather(send(near, big), std::move(intruding));
}

task<> read_cancelled(stream_check& c, stream& near, stream& far) {
  char byte = 0;
  mutable_bytes room(&byte, 1);
  auto cut = co_await move_on_after(std::chrono::milliseconds(1), far.read_some(room));
  c.expect(!cut, "a read of an idle stream waits, and can be cancelled");
  auto read = [&]() -> task<> {
    std::string got = co_await receive(far, 1);
    c.expect(got == "1", "the read after a cancelled one gets what comes");
    co_await task_group([&](group& g) -> task<> {
      g.cancel();
      co_await far.read_some(room);
      c.expect(false, "a read in a cancelled scope does not happen");
    });
    std::string rest = co_await receive(far, 1);
    c.expect(rest == "2", "a read cancelled before it starts takes no byte");
  };
  task<> reading = read();
  co_await gather(send(near, "12"), std::move(reading));
}

// The cancel meets the byte at every distance of a few turns.
task<> read_race(stream_check& c, stream& near, stream& far) {
  std::string got, sent;
  for (int i = 0; i < 200; i++) {
    char room[16];
    auto reader = [&]() -> task<> {
      std::size_t n = co_await far.read_some(room);
      got.append(room, n);
    };
    auto cancelled_read = [&]() -> task<> {
      co_await task_group([&](group& g) -> task<> {
        auto h = g.spawn(reader);
        for (int turns = i % 5; turns >= 0; turns--) co_await checkpoint();
        h.cancel();
      });
      if (got.size() != sent.size()) co_return;
      std::string one = co_await receive(far, 1);
      got += one;
    };
    auto writer = [&]() -> task<> {
      co_await checkpoint();
      char byte = static_cast<char>(i);
      co_await near.write(const_bytes(&byte, 1));
    };
    task<> reading = cancelled_read(), writing = writer();
    co_await gather(std::move(reading), std::move(writing));
    sent += static_cast<char>(i);
  }
  c.expect(got == sent, "no byte is lost when it meets the cancel of the read it is for");
}

task<> backpressure(stream_check& c, stream& near, stream& far) {
  std::string big = stream_pattern(c.too_much());
  bool done = false;
  auto write = [&]() -> task<> {
    co_await near.write(big);
    done = true;
  };
  auto watch = [&]() -> task<> {
    std::string got = co_await receive(far, 1);  // reading is armed
    co_await wait_all_tasks_blocked(cushion);
    c.expect(!done, "a writer waits while nobody reads");
    std::string rest = co_await receive(far, big.size() - 1);
    got += rest;
    c.expect(got == big, "a writer that waited loses nothing");
  };
  task<> writing = write(), watching = watch();
  co_await gather(std::move(writing), std::move(watching));
  c.expect(done, "a writer goes on when its bytes were read");
}

task<> write_cancelled(stream_check& c, stream& near, stream& far) {
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await near.write("lost");
  });
  c.expect(near.is_open(), "a write cancelled before it starts leaves the stream open");
  auto [none, got] = co_await gather(send(near, "kept"), receive(far, 4));
  c.expect(got == "kept", "a write cancelled before it starts sends nothing");

  std::string big(c.too_much(), 'x');
  auto cut = co_await move_on_after(std::chrono::milliseconds(5), near.write(big));
  c.expect(!cut, "a write that waits can be cancelled");
  c.expect(!near.is_open(), "a write cancelled in flight closes the stream");
  std::error_code code = co_await code_of_write(near, "x");
  c.expect(code == errc::closed, "a write after that gets closed");
  code = co_await code_of_read(near);
  c.expect(code == errc::closed, "a read after that gets closed");
}

}  // namespace

std::vector<named_check> byte_checks() {
  return {{"bytes in order", &in_order},
          {"sizes", &sizes},
          {"both ways", &both_ways},
          {"empty reads and writes", &nothing_at_all},
          {"several ranges", &several_ranges},
          {"one reader", &one_reader},
          {"one writer", &one_writer},
          {"cancelled read", &read_cancelled},
          {"read against cancel", &read_race},
          {"backpressure", &backpressure},
          {"cancelled write", &write_cancelled}};
}

}  // namespace cuvee::inline v0::testing::detail
