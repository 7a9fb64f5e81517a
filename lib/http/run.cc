// SPDX-License-Identifier: MIT
#include "core/on_cancel.h"

#include <cuvee/core/any_of.h>
#include <cuvee/core/event.h>
#include <cuvee/core/offload.h>
#include <cuvee/core/run.h>
#include <cuvee/core/shield.h>
#include <cuvee/http/server.h>

#include <future>
#include <list>
#include <thread>

namespace cuvee::inline v0::http {

namespace {

/// A thread that serves with a loop of its own.
class worker {
 public:
  worker(const app& a, const serve_options& options) {
    std::promise<void> listening;
    std::future<void> ready = listening.get_future();
    thread_ = std::thread([this, &a, options, promise = std::move(listening)]() mutable {
      serve_here(a, options, promise);
    });
    try {
      ready.get();
    } catch (...) {
      thread_.join();
      throw;
    }
  }

  ~worker() {
    if (!thread_.joinable()) return;
    stop();
    join();
  }

  void stop() {
    try {
      loop_->post([this] { stop_->set(); });
    } catch (const error&) {  // it has ended by itself
    }
  }
  void join() { thread_.join(); }

 private:
  void serve_here(const app& a, const serve_options& options, std::promise<void>& listening) {
    bool said = false;
    std::optional<loop> own;
    try {
      loop& l = own.emplace();
      event stop;
      stop_ = &stop;
      loop_ = l.ref();
      tcp_listener socket =
          listen(endpoint(options.host, options.port), {.backlog = 1024, .reuse_port = true});
      said = true;
      listening.set_value();
      l.run(serve_until(a, std::move(socket), options, stop));
    } catch (...) {
      if (said) own->send_report({"a worker has ended", std::current_exception()});
      else listening.set_exception(std::current_exception());
    }
  }
  static task<> serve_until(const app& a, tcp_listener socket, serve_options options, event& stop) {
    co_await any_of(serve(a, std::move(socket), options), stop.wait());
  }

  std::thread thread_;
  std::optional<loop_ref> loop_;
  event* stop_ = nullptr;
};

task<int> serve_with_workers(const app& a, serve_options options) {
  bool several = options.workers > 1;
  listen_options listening{.backlog = 1024, .reuse_port = several};
  tcp_listener first = co_await listen(std::string(options.host), options.port, listening);
  endpoint at = first.local();
  std::string address = at.address();
  serve_options others = options;
  others.host = address;
  others.port = at.port();
  std::list<worker> workers;
  for (int i = 1; i < options.workers; i++) workers.emplace_back(a, others);
  if (options.on_listening) options.on_listening(at);
  auto stop_workers = [&workers] {
    for (worker& w : workers) w.stop();
  };
  // All of them stop at once, not after this one has drained.
  co_await any_of(v0::detail::on_cancel(stop_workers), serve(a, std::move(first), options));
  auto join_all = [&workers] {
    for (worker& w : workers) w.join();
  };
  co_await shield(offload(join_all));
  co_return 0;
}

}  // namespace

int run(const app& a, serve_options options) {
  return v0::run([&a, options] { return serve_with_workers(a, options); });
}

}  // namespace cuvee::inline v0::http
