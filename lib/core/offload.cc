// SPDX-License-Identifier: MIT
#include <cuvee/core/offload.h>

#include "job_gate.h"
#include "loop_state.h"
#include "thread_team.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <pthread.h>

namespace cuvee::inline v0::detail {

struct work_request : pooled {
  uv_work_t request;
  job_wait* job;

  static void run(uv_work_t* w) {
    job_wait& j = *static_cast<work_request*>(w->data)->job;
    j.work_(j);
    j.leave_gates();  // here, so that a loop which is busy keeps no place
  }
  static void finished(uv_work_t* w, int status) {
    std::unique_ptr<work_request> r(static_cast<work_request*>(w->data));
    job_wait& j = *r->job;
    turn t(*j.home_);
    if (status != 0) j.leave_gates();
    j.end(status == 0 ? job_wait::stage::ran : job_wait::stage::failed);
  }
};

void job_wait::submit_to_libuv() {
  auto r = std::make_unique<work_request>();
  r->job = this;
  r->request.data = r.get();
  stage before = std::exchange(stage_, stage::submitted);  // before another thread looks at it
  int e = uv::queue_work(home_->uv, &r->request, &work_request::run, &work_request::finished);
  if (e < 0) {
    stage_ = before;
    throw error(std::error_code(-e, std::generic_category()), "offload");
  }
  request_ = &r.release()->request;
}

namespace {

constexpr std::size_t most_spare_threads = 40;
constexpr std::chrono::seconds spare_idle_time{10};
std::atomic<const process_threads*> shared_threads = nullptr;

std::size_t libuv_limit() { return static_cast<std::size_t>(std::max(1, libuv_pool_size() - 2)); }

}  // namespace

int libuv_pool_size() noexcept {
  const char* size = std::getenv("UV_THREADPOOL_SIZE");
  return std::clamp(size ? std::atoi(size) : 4, 1, 1024);
}

process_threads::process_threads()
    : libuv_gate(std::make_shared<job_gate>(libuv_limit())),
      spare(std::make_shared<thread_team>(most_spare_threads, spare_idle_time)) {}

const process_threads& process_threads::get() {
  static const int at_fork =
      pthread_atfork(nullptr, nullptr, [] { shared_threads.store(nullptr); });
  static_cast<void>(at_fork);
  const process_threads* now = shared_threads.load();
  while (!now) {
    auto mine = std::make_unique<process_threads>();
    if (shared_threads.compare_exchange_strong(now, mine.get())) now = mine.release();
  }
  return *now;
}

std::shared_ptr<thread_team> spare_threads() { return process_threads::get().spare; }

}  // namespace cuvee::inline v0::detail
