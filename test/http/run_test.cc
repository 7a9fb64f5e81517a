// SPDX-License-Identifier: MIT
// `http::run`: several workers, from their start to their common end.
#include "server_case.h"

#include "core/uv.h"
#include "in_child.h"

#include <atomic>
#include <csignal>
#include <future>
#include <thread>

using namespace server_case;
using scenario::in_child;

namespace {

constexpr std::string_view where = "GET /where HTTP/1.1\r\nHost: a\r\n\r\n";

/// What the main thread, the workers and the client's thread have in common.
struct shared_state {
  std::thread::id main = std::this_thread::get_id();
  std::promise<endpoint> listening;
  std::atomic<bool> held = false, released = false;
};

/// A connection that the kernel has given to the main thread, or to another one.
task<client> connection_to(endpoint at, std::string_view thread) {
  for (;;) {
    client c = co_await connected(at);
    answer a = co_await c.ask(where);
    if (a.body == thread) co_return c;
  }
}

// The main thread drains for as long as this wants; the others must not wait for that.
task<> stop_beside_a_held_request(endpoint at, shared_state& shared) {
  client busy = co_await connection_to(at, "main"), idle = co_await connection_to(at, "worker");
  co_await busy.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
  while (!shared.held) co_await sleep(1ms);
  kill(getpid(), SIGTERM);
  auto closed = co_await move_on_after(20s, idle.rest());
  shared.released = true;
  answer held = co_await busy.next();
  std::printf("%s, %s\n", closed ? "worker closed" : "worker waits", held.body.c_str());
}

http::app held_app(shared_state& shared) {
  http::app a;
  a.get("/where",
        [&] { return std::this_thread::get_id() == shared.main ? "main"sv : "worker"sv; });
  a.get("/hold", [&]() -> task<std::string> {
    shared.held = true;
    while (!shared.released) co_await sleep(1ms);
    co_return "held to its end";
  });
  return a;
}

}  // namespace

TEST_CASE("run: all workers stop at once, while one of them still answers") {
  auto end = in_child([] {
    shared_state shared;
    http::app a = held_app(shared);
    auto note = [&](const endpoint& at) { shared.listening.set_value(at); };
    std::thread user([&] {
      endpoint at = shared.listening.get_future().get();
      loop own;
      own.run([&]() -> task<> { co_await stop_beside_a_held_request(at, shared); });
    });
    int status = http::run(a, {.port = 0, .workers = 3, .on_listening = note});
    user.join();
    return status;
  });
  CHECK(end.exited_with(0));
  CHECK(end.output == "worker closed, held to its end\n");
}

#if defined(CUVEE_FAULTS)

TEST_CASE("run: a worker that cannot make its loop ends the others, with one line") {
  auto end = in_child([] {
    detail::uv::decide_fault = [](const char* call) {
      static std::atomic<int> loops = 0;
      return call == "uv_loop_init"sv && ++loops == 3 ? int{UV_EMFILE} : 0;
    };
    http::app a;
    return http::run(a, {.port = 0, .workers = 4});
  });
  CHECK(end.exited_with(1));
  CHECK(end.output == "test-http: error: make a loop: too many open files (EMFILE)\n");
}

#endif

TEST_CASE("run: on_listening takes functions and named callables") {
  int calls = 0;
  auto count = [&calls](const endpoint& at) { calls += at.port(); };
  const http::listening_callback none, null = nullptr, named = count,
                                       plain = [](const endpoint&) {};
  CHECK(!none);
  CHECK(!null);
  CHECK(plain);
  named(endpoint("127.0.0.1", 7));
  CHECK(calls == 7);
  static_assert(!std::is_constructible_v<http::listening_callback, decltype(count)>);
}
