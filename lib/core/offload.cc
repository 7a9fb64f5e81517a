// SPDX-License-Identifier: MIT
#include <cuvee/core/offload.h>

#include "job_gate.h"
#include "loop_state.h"
#include "thread_team.h"

#include <atomic>
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
std::atomic<std::shared_ptr<thread_team>*> spare = nullptr;

// A forked child has none of the threads and perhaps a locked mutex: it begins anew.
void forget_in_child() { spare.store(nullptr); }

}  // namespace

// Never destroyed: an abandoned job may end while the process does.
std::shared_ptr<thread_team> spare_threads() {
  static const int at_fork = pthread_atfork(nullptr, nullptr, &forget_in_child);
  static_cast<void>(at_fork);
  auto* team = spare.load();
  while (!team) {
    auto mine = std::make_unique<std::shared_ptr<thread_team>>(
        std::make_shared<thread_team>(most_spare_threads, spare_idle_time));
    if (spare.compare_exchange_strong(team, mine.get())) team = mine.release();
  }
  return *team;
}

}  // namespace cuvee::inline v0::detail
