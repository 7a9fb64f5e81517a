// SPDX-License-Identifier: MIT
#include <cuvee/io/tls_listener.h>

#include <cuvee/core/as_result.h>
#include <cuvee/core/group.h>
#include <cuvee/core/loop.h>
#include <cuvee/core/queue.h>
#include <cuvee/core/semaphore.h>

#include <optional>

namespace cuvee::inline v0 {

struct tls_listener::state {
  state(tcp_listener l, const tls_server_context& c, tls_listen_options o)
      : listener(std::move(l)),
        context(c),
        ready(queue_bound(o.max_waiting)),
        places(static_cast<std::ptrdiff_t>(o.max_handshakes)) {}

  // In the background of the loop: a task of this keeps the state.
  static task<> run(std::shared_ptr<state> s) {
    // However this ends, nobody waits for more.
    struct closer {
      explicit closer(state& of) noexcept : s(of) {}
      ~closer() { s.ready.close(); }
      state& s;
    } at_end(*s);
    try {
      co_await s->accept_all();
    } catch (const error& e) {
      s->failure.emplace(e);
    }
  }

  task<> accept_all() {
    co_await task_group([this](group& g) -> task<> {
      for (;;) {
        semaphore_guard place = co_await places.hold();
        tcp_stream s = co_await listener.accept();
        g.spawn(&shake_hands, this, std::move(s), std::move(place));
      }
    });
  }

  static task<> shake_hands(state* s, tcp_stream plain, semaphore_guard) {
    auto made = co_await as_result(start_tls(std::move(plain), s->context));
    if (made) {
      auto taken = co_await as_result(s->ready.put(std::move(*made)));
      (void)taken;  // if the queue is closed, nobody wants it
    } else if (s->on_failed) {
      s->on_failed(made.error());
    }
  }

  tcp_listener listener;
  const tls_server_context& context;
  queue<tls_stream> ready;
  semaphore places;
  std::function<void(const error&)> on_failed;
  std::optional<task_handle<void>> running;
  std::optional<error> failure;
};

tls_listener::tls_listener(tcp_listener l, const tls_server_context& context,
                           tls_listen_options options)
    : state_(std::make_shared<state>(std::move(l), context, options)) {
  state_->running.emplace(loop::current().background().spawn(&state::run, state_));
}

tls_listener::~tls_listener() {
  if (state_) close();
}

task<tls_stream> tls_listener::accept() {
  const std::shared_ptr<state> s = state_;
  auto next = co_await as_result(s->ready.get());
  if (next) co_return std::move(*next);
  if (s->failure) throw error(*s->failure);
  throw error(errc::closed, "accept", "tls listener");
}

void tls_listener::on_failed_handshake(std::function<void(const error&)> f) {
  state_->on_failed = std::move(f);
}

event::wait_awaiter tls_listener::until_closed() { return state_->listener.until_closed(); }

endpoint tls_listener::local() const { return state_->listener.local(); }

void tls_listener::close() {
  state_->running->cancel();
  state_->listener.close();
  state_->ready.close();
}

}  // namespace cuvee::inline v0
