// SPDX-License-Identifier: MIT
// What a stream promises about its end.
#include "check_stream.h"

#include <cuvee/core/gather.h>
#include <cuvee/core/sleep.h>
#include <cuvee/testing/wait_all_tasks_blocked.h>

namespace cuvee::inline v0::testing::detail {

namespace {

constexpr duration cushion = std::chrono::milliseconds(2);

bool is_broken(std::error_code code) {
  return code == std::errc::broken_pipe || code == std::errc::connection_reset;
}

task<> half_close(stream_check& c, stream& near, stream& far) {
  if (!c.traits.half_close) co_return;
  co_await gather(near.shutdown_write(), near.shutdown_write());
  co_await near.shutdown_write();
  std::string nothing = co_await receive_all(far);
  c.expect(nothing.empty(), "the peer of shutdown_write sees the end");
  std::string data = stream_pattern(1 << 20);
  auto [none, got] = co_await gather(send_and_end(far, data), receive_all(near));
  c.expect(got == data, "after shutdown_write the other direction goes on");
  std::error_code code = co_await code_of_write(near, "x");
  c.expect(code == std::errc::broken_pipe, "a write after shutdown_write is a broken pipe");
}

task<> end_behind_output(stream_check& c, stream& near, stream& far) {
  if (!c.traits.orderly_end) co_return;
  std::string data = stream_pattern(3 << 20);
  auto [none, got] = co_await gather(send_and_end(near, data), receive_all(far));
  c.expect(got == data, "the end comes behind all that was written");
}

task<> close_wakes(stream_check& c, stream& near, stream&) {
  auto read = [&]() -> task<> {
    std::error_code code = co_await code_of_read(near);
    c.expect(code == errc::closed, "close wakes a reader with closed");
  };
  auto close = [&]() -> task<> {
    co_await wait_all_tasks_blocked();
    co_await near.close();
  };
  task<> reading = read(), closing = close(), too = close();
  co_await gather(std::move(reading), std::move(closing), std::move(too));
  c.expect(!near.is_open(), "a closed stream is not open");
  co_await near.close();
  near.abort();
  co_await near.shutdown_write();
  std::error_code code = co_await code_of_write(near, "x");
  c.expect(code == errc::closed, "a write after close gets closed");
  code = co_await code_of_read(near);
  c.expect(code == errc::closed, "a read after close gets closed");
}

task<> close_in_write(stream_check& c, stream& near, stream&) {
  std::string big(c.too_much(), 'x');
  auto write = [&]() -> task<> {
    std::error_code code = co_await code_of_write(near, big);
    c.expect(code == errc::closed, "close ends a write that waits with closed");
  };
  auto close = [&]() -> task<> {
    co_await wait_all_tasks_blocked(cushion);
    co_await near.close();
  };
  task<> writing = write(), closing = close();
  co_await gather(std::move(writing), std::move(closing));
}

task<> unread_then_end(stream_check& c, stream& near, stream& far) {
  if (c.traits.kept_bytes == 0 || !c.traits.orderly_end) co_return;
  auto [none, first] = co_await gather(send(near, "12345"), receive(far, 1));
  std::string rest = co_await receive(far, 2);  // and some stay in the window
  co_await near.close();
  std::string last = co_await receive_all(far);
  c.expect(first + rest + last == "12345", "what was sent before close can be read after it");
}

task<> peer_gone(stream_check& c, stream& near, stream& far) {
  if (!c.traits.orderly_end) co_return;
  co_await near.close();
  std::error_code code;
  for (int i = 0; i < 100 && !code; i++) {
    code = co_await code_of_write(far, "x");
    co_await sleep(std::chrono::milliseconds(1));  // for the answer of the peer's system
  }
  c.expect(is_broken(code), "writing to a peer that is gone fails soon");
}

task<> peer_goes_while_writing(stream_check& c, stream& near, stream& far) {
  if (!c.traits.orderly_end) co_return;
  std::string big(c.too_much(), 'x');
  auto write = [&]() -> task<> {
    std::error_code code = co_await code_of_write(far, big);
    c.expect(is_broken(code), "a write in flight fails when the peer goes");
  };
  auto close = [&]() -> task<> {
    std::string some = co_await receive(near, 500);
    near.abort();
    co_await near.close();
  };
  task<> writing = write(), closing = close();
  co_await gather(std::move(writing), std::move(closing));
}

task<> reset(stream_check& c, stream& near, stream& far) {
  auto [none, got] = co_await gather(send(near, "x"), receive(far, 1));
  auto read = [&]() -> task<> {
    std::error_code code = co_await code_of_read(far);
    bool reset = code == std::errc::connection_reset;
    c.expect(reset || !c.traits.reports_reset, "the reader at the peer of abort gets a reset");
  };
  auto end = [&]() -> task<> {
    co_await wait_all_tasks_blocked();
    near.abort();
    c.expect(!near.is_open(), "an aborted stream is not open");
    std::error_code code = co_await code_of_read(near);
    c.expect(code == errc::closed, "a read after abort gets closed");
  };
  task<> reading = read(), ending = end();
  co_await gather(std::move(reading), std::move(ending));
}

task<> dropped(stream_check& c, stream& near, stream& far) {
  auto [none, got] = co_await gather(send(near, "x"), receive(far, 1));
  auto drop = [&]() -> task<> {
    co_await wait_all_tasks_blocked();
    stream gone = std::move(near);
  };
  task<> dropping = drop();
  auto [nothing, rest] = co_await gather(std::move(dropping), receive_all(far));
  c.expect(got == "x" && rest.empty(), "the peer of a stream that is dropped sees the end");
}

}  // namespace

std::vector<named_check> end_checks() {
  return {{"half close", &half_close},
          {"end behind output", &end_behind_output},
          {"close wakes", &close_wakes},
          {"close in a write", &close_in_write},
          {"unread bytes", &unread_then_end},
          {"peer gone", &peer_gone},
          {"peer goes in a write", &peer_goes_while_writing},
          {"abort", &reset},
          {"dropped", &dropped}};
}

}  // namespace cuvee::inline v0::testing::detail
