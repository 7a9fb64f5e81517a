// SPDX-License-Identifier: MIT
// communicate and run_process.
#include "process_block.h"
#include "uv_error.h"

#include <cuvee/core/any_of.h>
#include <cuvee/core/as_result.h>
#include <cuvee/core/gather.h>
#include <cuvee/core/loop.h>
#include <cuvee/core/sleep.h>
#include <cuvee/core/timeout.h>

#include <memory>

namespace cuvee::inline v0 {

namespace {

using detail::process_block;

constexpr std::size_t piece_bytes = 64 * 1024;  // what a pipe holds
constexpr std::chrono::seconds grace(5);

bool reader_is_gone(const error& e) {
  return e.code() == std::errc::broken_pipe || e.code() == std::errc::connection_reset;
}

task<> feed(pipe_stream* to, const_bytes input) {
  if (!to || !to->is_open()) co_return;
  auto written = co_await as_result(to->write(input));
  if (!written && !reader_is_gone(written.error())) throw error(written.error());
  co_await to->close();
}

task<> collect(pipe_stream* from, std::string& into, std::size_t limit, const std::string& name) {
  if (!from) co_return;
  auto piece = std::make_unique<char[]>(piece_bytes);
  while (std::size_t n = co_await from->read_some(mutable_bytes(piece.get(), piece_bytes))) {
    if (n > limit - into.size()) throw error(errc::limit_exceeded, "collect the output of", name);
    into.append(piece.get(), n);
  }
}

task<> transfer_all(process_block& b, const_bytes input, process_result& r, std::size_t limit) {
  co_await gather(feed(b.pipe(b.in), input), collect(b.pipe(b.out), r.out, limit, b.name()),
                  collect(b.pipe(b.err), r.err, limit, b.name()));
}

task<> exit_and(process& p, duration drain) {
  co_await p.wait();
  co_await sleep(drain);
}

/// Awaits `body`, and however that ends, `cleanup` after it, which no cancel reaches.
template <class T>
class finally_awaiter : detail::combinator {
 public:
  finally_awaiter(task<T>&& body, task<>&& cleanup)
      : body_(std::move(body)), cleanup_(std::move(cleanup)) {}

  bool await_ready() noexcept { return false; }
  bool await_early_cancel() {
    body_.cancel_early();
    return false;
  }
  void await_suspend(waiter& w) {
    parent = &w;
    pending = 2;
    child_ended = [](combinator& c, const std::exception_ptr*) {
      auto& self = static_cast<finally_awaiter&>(c);
      if (--self.pending == 0) self.parent->complete();
      else self.cleanup_.start(self);
    };
    if (body_.state() == detail::outcome::cancelled) child_ended(*this, nullptr);
    else body_.start(*this);
  }
  bool await_cancel(waiter&) {
    body_.cancel();
    return false;
  }
  bool await_must_resume() {
    return body_.state() == detail::outcome::completed || cleanup_.failed();
  }
  T await_resume() {
    if (body_.state() == detail::outcome::completed && body_.failed()) body_.take();
    cleanup_.take();
    return body_.take();
  }

 private:
  detail::child<task<T>> body_;
  detail::child<task<>> cleanup_;
};

task<> stop(process& p, const std::string& name) {
  if (p.status()) co_return;
  p.kill(SIGTERM);
  auto ended = co_await move_on_after(grace, p.wait());
  if (ended) co_return;
  loop::current().send_report(
      {"run_process: " + name + " has not ended 5 s after SIGTERM: killed", nullptr});
  p.kill(SIGKILL);
  co_await p.wait();
}

task<process_result> run(command c, capture what, const_bytes input, communicate_options options) {
  if (what != capture::none && what != capture::err) c.out(stdio::pipe);
  if (what == capture::err || what == capture::all) c.err(stdio::pipe);
  if (what == capture::merged) c.err(to_stdout);
  std::string name = c.to_string();
  process p = spawn(c);
  finally_awaiter<process_result> whole(p.communicate(input, options), stop(p, name));
  co_return co_await whole;
}

}  // namespace

task<process_result> process::communicate(const_bytes input, communicate_options options) {
  if (!input.empty()) in();  // must be there
  process_result r;
  auto pipes = transfer_all(*block_, input, r, options.limit_bytes);
  if (options.drain) co_await any_of(std::move(pipes), exit_and(*this, *options.drain));
  else co_await std::move(pipes);
  r.status = co_await wait();
  co_return r;
}

task<process_result> run_process(command c, capture what, communicate_options options) {
  return run(std::move(c), what, {}, options);
}

task<process_result> run_process(command c, capture what, const_bytes input,
                                 communicate_options options) {
  c.in(stdio::pipe);
  return run(std::move(c), what, input, options);
}

}  // namespace cuvee::inline v0
