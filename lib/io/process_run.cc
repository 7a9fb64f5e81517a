// SPDX-License-Identifier: MIT
// communicate and run_process.
#include "process_block.h"
#include "process_run.h"
#include "uv_error.h"

#include <cuvee/core/any_of.h>
#include <cuvee/core/as_result.h>
#include <cuvee/core/gather.h>
#include <cuvee/core/loop.h>
#include <cuvee/core/sleep.h>
#include <cuvee/core/timeout.h>

#include <cstdio>
#include <memory>

namespace cuvee::inline v0 {

namespace {

using detail::process_block;

constexpr std::size_t piece_bytes = 64 * 1024;  // what a pipe holds

bool reader_is_gone(const error& e) {
  return e.code() == std::errc::broken_pipe || e.code() == std::errc::connection_reset;
}

}  // namespace

namespace detail {

task<> feed(pipe_stream* to, const_bytes input) {
  if (!to || !to->is_open()) co_return;
  auto written = co_await as_result(to->write(input));
  if (!written && !reader_is_gone(written.error())) throw error(written.error());
  co_await to->close();
}

task<> collect(pipe_stream* from, std::string& into, std::size_t limit, std::string name) {
  if (!from) co_return;
  auto piece = std::make_unique<char[]>(piece_bytes);
  while (std::size_t n = co_await from->read_some(mutable_bytes(piece.get(), piece_bytes))) {
    if (n > limit - into.size())
      throw error(errc::limit_exceeded, "collect", name,
                  "more than the limit of " + std::to_string(limit) + " bytes");
    into.append(piece.get(), n);
  }
}

}  // namespace detail

namespace {

using detail::collect;
using detail::feed;

task<> transfer_all(process_block& b, const_bytes input, process_result& r, std::size_t limit) {
  bool typed = b.pipe(b.terminal) && !b.pipe(b.out);
  pipe_stream* out = b.pipe(typed ? b.terminal : b.out);
  co_await gather(feed(b.pipe(b.in), input), collect(out, r.out, limit, "stdout of " + b.name()),
                  collect(b.pipe(b.err), r.err, limit, "stderr of " + b.name()));
}

std::string in_seconds(duration d) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", std::chrono::duration<double>(d).count());
  return text;
}

task<> exit_and(process& p, duration drain) {
  co_await p.wait();
  co_await sleep(drain);
}

}  // namespace

namespace detail {

task<> stop_process(process& p, const std::string& name, run_process_options options) {
  if (p.status()) co_return;
  process_block& b = process_access::block(p);
  auto signal = [&](int number) { b.leads_group() ? b.kill_group(number) : b.kill(number); };
  if (b.leads_group()) b.end_group_with_child();
  if (options.deliver_cancel) {
    co_await options.deliver_cancel(p);
  } else {
    signal(SIGTERM);
    auto ended = co_await move_on_after(options.grace, p.wait());
    if (ended) co_return;
    loop::current().send_report({"run_process: " + name + " has not ended " +
                                     in_seconds(options.grace) + " after SIGTERM: killed",
                                 nullptr});
  }
  if (p.status()) co_return;
  signal(SIGKILL);
  co_await p.wait();
}

}  // namespace detail

namespace {

task<process_result> run(command c, capture what, const_bytes input, run_process_options options) {
  if (what != capture::none && what != capture::err) c.out(stdio::pipe);
  if (what == capture::err || what == capture::all) c.err(stdio::pipe);
  if (what == capture::merged) c.err(to_stdout);
  std::string name = c.to_string();
  process p = spawn(c);
  auto stop = [&] { return detail::stop_process(p, name, options); };
  detail::finally<process_result, decltype(stop)> whole(
      p.communicate(input, options.communicating()), std::move(stop), duration::max());
  process_result r = co_await whole;
  r.command = std::move(name);
  co_return r;
}

}  // namespace

task<process_result> process::communicate(const_bytes input, communicate_options options) {
  if (!input.empty()) in();  // must be there
  process_result r;
  auto pipes = transfer_all(*block_, input, r, options.limit_bytes);
  if (options.drain) co_await any_of(std::move(pipes), exit_and(*this, *options.drain));
  else co_await std::move(pipes);
  r.status = co_await wait();
  r.command = block_->name();
  co_return r;
}

task<process_result> run_process(command c, capture what, run_process_options options) {
  return run(std::move(c), what, {}, options);
}

task<process_result> run_process(command c, capture what, const_bytes input,
                                 run_process_options options) {
  c.in(stdio::pipe);
  return run(std::move(c), what, input, options);
}

}  // namespace cuvee::inline v0
