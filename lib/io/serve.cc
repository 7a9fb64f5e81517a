// SPDX-License-Identifier: MIT
#include <cuvee/io/serve.h>

#include "core/loop_state.h"
#include "core/on_cancel.h"

#include <cuvee/core/any_of.h>
#include <cuvee/core/event.h>
#include <cuvee/core/shield.h>
#include <cuvee/core/sleep.h>

#include <algorithm>
#include <cstdint>

namespace cuvee::inline v0::detail {

serving::serving(serve_limits limits, connection_error_handler on_error)
    : places(
          static_cast<std::ptrdiff_t>(std::min<std::size_t>(limits.most_connections, PTRDIFF_MAX))),
      limits_(limits),
      on_error_(std::move(on_error)) {
  if (limits.most_connections == 0)
    throw error(std::make_error_code(std::errc::invalid_argument), "serve", "",
                "a limit of no connections");
}

void serving::failed() noexcept {
  if (on_error_) on_error_(std::current_exception());
  else loop_state::current().report_error("a connection failed", std::current_exception());
}

// The group ends with the last connection. The limit on draining cancels what is left of it; a cancel from
// outside only sets the event.
task<> serving::run(std::function<task<>(group&)> accepting, std::function<void()> close) {
  event stopping;
  std::exception_ptr broken;
  auto connections = [&]() -> task<> {
    co_await task_group([&](group& g) -> task<> {
      try {
        co_await any_of(accepting(g), stopping.wait());
      } catch (const error& e) {
        if (e.code() != errc::closed) broken = std::current_exception();
      }
      close();
      stopping.set();
    });
  };
  auto drain_limit = [&]() -> task<> {
    co_await stopping.wait();
    co_await sleep(limits_.drain);
  };
  co_await any_of(on_cancel([&] { stopping.set(); }), shield(any_of(connections(), drain_limit())));
  if (broken) std::rethrow_exception(broken);
}

}  // namespace cuvee::inline v0::detail
