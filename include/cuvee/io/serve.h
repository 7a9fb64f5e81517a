// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/error.h>
#include <cuvee/core/any_of.h>
#include <cuvee/core/group.h>
#include <cuvee/core/semaphore.h>
#include <cuvee/core/task.h>
#include <cuvee/core/time.h>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

namespace cuvee::inline v0 {

/// For `serve`.
struct serve_limits {
  std::size_t most_connections = 10'000;  ///< at once, 1 at least; further ones wait in the kernel
  duration drain = std::chrono::seconds(10);  ///< for connections under way, when serving stops
};
static_assert(std::is_trivially_destructible_v<serve_limits>);

/// Told of each failed connection, by its exception. Must not throw.
using connection_error_handler = std::function<void(std::exception_ptr)>;

namespace detail {

/// One call of `serve`, without the types of its streams.
class CUVEE_API serving {
 public:
  serving(serve_limits limits, connection_error_handler on_error);

  /// Runs `accepting` until it ends, throws `closed` or this is cancelled, then `close`, and drains.
  task<> run(std::function<task<>(group&)> accepting, std::function<void()> close);
  /// A connection of the handler's has failed.
  void failed() noexcept;

  semaphore places;

 private:
  serve_limits limits_;
  connection_error_handler on_error_;
};

/// A place for one more connection; nothing if the listener is closed before there is one.
template <class Listener>
task<std::optional<semaphore_guard>> place_for_one(semaphore& places, Listener& listener) {
  if constexpr (requires { listener.until_closed(); }) {
    auto [place, closed] = co_await any_of(places.hold(), listener.until_closed());
    co_return std::move(place);
  } else {
    co_return co_await places.hold();
  }
}

template <class Stream, class Handler>
task<> serve_one(Stream s, semaphore_guard, Handler* handler, serving* server) {
  try {
    co_await std::invoke(*handler, std::move(s));
  } catch (...) {
    server->failed();
  }
}

}  // namespace detail

/// Serves connections: each gets a task of `handler(stream)`, which owns the stream, so the connection
/// closes when the task ends. A handler that fails ends its own connection only, and is reported: to `on_error`,
/// by default to `loop::on_report`. Serves until cancelled, or until `listener.close()`; then it
/// stops accepting, lets connections under way go on for `limits.drain`, cancels what is left, and returns.
/// Errors: those of `accept` other than closed; invalid_argument for a limit of 0 connections.
/// Cancel: shielded while it drains; it then ends normally.
/// Lifetime: the listener outlives it; the handler is kept.
template <class Listener, class Handler>
task<> serve(Listener& listener, Handler handler, serve_limits limits = {},
             connection_error_handler on_error = {}) {
  detail::serving server(limits, std::move(on_error));
  auto accepting = [&](group& g) -> task<> {
    for (;;) {
      std::optional<semaphore_guard> place = server.places.try_hold();
      if (!place) place = co_await detail::place_for_one(server.places, listener);
      if (!place) co_return;
      auto s = co_await listener.accept();
      g.spawn(&detail::serve_one<decltype(s), Handler>, std::move(s), std::move(*place), &handler,
              &server);
    }
  };
  co_await server.run(accepting, [&] { listener.close(); });
}

}  // namespace cuvee::inline v0
