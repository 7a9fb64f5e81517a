// SPDX-License-Identifier: MIT
#include <cuvee/exec/process_pool.h>

#include <cuvee/core/as_result.h>
#include <cuvee/core/semaphore.h>
#include <cuvee/core/timeout.h>
#include <cuvee/core/try_finally.h>

#include "io/child_pipe.h"
#include "worker.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <vector>

namespace cuvee::inline v0 {

namespace {

constexpr std::chrono::seconds time_to_exit(5);

[[noreturn]] void refuse(const char* why) {
  throw error(std::make_error_code(std::errc::invalid_argument), "make a process pool", "", why);
}

bool is_gone(const error& e) {
  return e.code() == std::errc::broken_pipe || e.code() == std::errc::connection_reset;
}

/// A process and the stream to it.
struct worker {
  process child;
  pipe_stream jobs;
  static worker start();
};

worker worker::start() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw error({errno, std::generic_category()}, "start", "a worker");
  struct closing {
    int fd;
    ~closing() { ::close(fd); }
  } theirs{ends[1]};
  pipe_stream jobs = detail::adopt_descriptor(ends[0], "a worker process", "a worker");
  // By this name the very program that runs, even if its file was replaced meanwhile.
  command self("cuvee-worker");
  self.executable("/proc/self/exe").env(detail::worker_variable, "1").new_group();
  self.in(stdio::null).pass_fd(theirs.fd, detail::worker_descriptor);
  return {spawn(self), std::move(jobs)};
}

task<> end(worker& w) {
  co_await w.jobs.close();
  auto ended = co_await move_on_after(time_to_exit, w.child.wait());
  if (ended) co_return;
  w.child.kill_group(SIGKILL);
  co_await w.child.wait();
}

/// Whether all bytes came before the end of the stream.
task<bool> read_exact(pipe_stream& s, void* into, std::size_t size) {
  auto* at = static_cast<char*>(into);
  while (size != 0) {
    mutable_bytes room(at, size);
    auto n = co_await as_result(s.read_some(room));
    if (!n && !is_gone(n.error())) throw error(n.error());
    if (!n || *n == 0) co_return false;
    at += *n;
    size -= *n;
  }
  co_return true;
}

}  // namespace

worker_error::~worker_error() = default;

class process_pool::state {
 public:
  explicit state(process_pool_options o)
      : options(o), size(*o.size), places(static_cast<std::ptrdiff_t>(size)) {}

  worker take() {
    while (!idle.empty()) {
      worker w = std::move(idle.back());
      idle.pop_back();
      if (!w.child.status()) return w;
    }
    return worker::start();
  }

  process_pool_options options;
  std::size_t size;
  semaphore places;
  std::vector<worker> idle;
  std::size_t running = 0, waiting = 0;
  bool closed = false;
};

namespace {

struct count_while {
  explicit count_while(std::size_t& n) noexcept : counted(n) { counted++; }
  count_while(const count_while&) = delete;
  ~count_while() { counted--; }
  std::size_t& counted;
};

/// One job on one worker.
class job {
 public:
  job(worker w, const std::string& function, std::size_t limit_bytes)
      : worker_(std::move(w)), function_(function), limit_bytes_(limit_bytes) {}
  job(const job&) = delete;

  /// Returns: false if the worker had ended before.
  task<bool> send(const_bytes argument) {
    detail::job_head head{function_.size(), argument.size()};
    const_bytes first(&head, sizeof head);
    auto sent = co_await as_result(worker_.jobs.write(first, function_, argument));
    if (!sent && !is_gone(sent.error())) throw error(sent.error());
    co_return sent.has_value();
  }

  task<std::string> receive() {
    detail::result_head head{};
    bool whole = co_await read_exact(worker_.jobs, &head, sizeof head);
    if (!whole) co_await fail();
    if (head.bytes > limit_bytes_)
      throw error(errc::limit_exceeded, "run", function_, "the result is larger than the limit");
    std::string bytes(head.bytes, '\0');
    whole = co_await read_exact(worker_.jobs, bytes.data(), bytes.size());
    if (!whole) co_await fail();
    reusable_ = true;
    if (head.end == detail::job_end::exception) throw error(errc::foreign, "run", function_, bytes);
    co_return bytes;
  }

  /// Gives the worker back, or ends it where it is still at work or of no use.
  task<> finish(std::vector<worker>& idle) {
    if (reusable_) {
      idle.push_back(std::move(worker_));
      co_return;
    }
    if (!worker_.child.status()) worker_.child.kill_group(SIGKILL);
    co_await worker_.child.wait();
  }

 private:
  task<> fail() {
    co_await end(worker_);
    throw worker_error(function_, *worker_.child.status());
  }

  worker worker_;
  const std::string& function_;
  std::size_t limit_bytes_;
  bool reusable_ = false;
};

task<std::string> perform(job& j, const_bytes argument, bool& sent) {
  sent = co_await j.send(argument);
  if (!sent) co_return std::string();
  co_return co_await j.receive();
}

}  // namespace

process_pool::process_pool(process_pool_options options) {
  if (!options.size) options.size = std::max(1u, std::thread::hardware_concurrency());
  if (*options.size == 0) refuse("a pool needs a worker");
  if (!detail::worker_entry_called()) refuse("main does not begin with worker_entry()");
  state_ = std::make_unique<state>(options);
}
process_pool::~process_pool() = default;

task<std::string> process_pool::run(const worker_function& function, const_bytes argument) {
  return run(function.name(), argument);
}

task<std::string> process_pool::run(std::string function, const_bytes argument) {
  if (!detail::worker_function_known(function))
    throw error(std::make_error_code(std::errc::invalid_argument), "run", function,
                "no worker function has this name");
  if (argument.size() > state_->options.limit_bytes)
    throw error(errc::limit_exceeded, "run", function, "the argument is larger than the limit");
  std::optional<count_while> waits(std::in_place, state_->waiting);
  semaphore_guard place = co_await state_->places.hold();
  waits.reset();
  if (state_->closed) throw error(errc::closed, "run", function);
  count_while runs(state_->running);
  std::string result;
  // A worker that died while it had nothing to do has not begun the job: a new one gets it.
  for (bool sent = false; !sent;) {
    job j(state_->take(), function, state_->options.limit_bytes);
    auto finish = [&] { return j.finish(state_->idle); };
    detail::try_finally_awaiter<task<std::string>, decltype(finish), true> whole(
        perform(j, argument, sent), std::move(finish), duration::max());
    result = co_await whole;
  }
  co_return result;
}

task<> process_pool::close() {
  state_->closed = true;
  std::vector<semaphore_guard> all;
  while (all.size() < state_->size) {
    semaphore_guard place = co_await state_->places.hold();
    all.push_back(std::move(place));
  }
  while (!state_->idle.empty()) {
    worker w = std::move(state_->idle.back());
    state_->idle.pop_back();
    co_await end(w);
  }
}

process_pool::statistics_snapshot process_pool::statistics() const noexcept {
  const state& s = *state_;
  return {s.idle.size() + s.running, s.idle.size(), s.waiting};
}

}  // namespace cuvee::inline v0
