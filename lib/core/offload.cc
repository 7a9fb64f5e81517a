// SPDX-License-Identifier: MIT
#include <cuvee/core/offload.h>

#include "loop_state.h"

#include <algorithm>
#include <cstdlib>

namespace cuvee::inline v0::detail {

namespace {

struct work_request : pooled {
  uv_work_t request;
  offload_job* job;
};

// libuv reads the variable once, when the pool starts; two threads are left to files and lookups.
int most_running() {
  static const int limit = [] {
    const char* size = std::getenv("UV_THREADPOOL_SIZE");
    int threads = size ? std::atoi(size) : 4;
    return std::max(1, std::clamp(threads, 1, 1024) - 2);
  }();
  return limit;
}

void submit(loop_state& l, offload_job& job);

void finished(uv_work_t* request, int status) {
  auto* r = static_cast<work_request*>(request->data);
  offload_job& job = *r->job;
  loop_state& l = loop_state::of(*job.home_);
  delete r;
  turn t(l);
  l.pool_requests--;
  l.offloads_running--;
  job.request_ = nullptr;
  job.status_ = status;
  job.waiter_->complete();
  if (offload_job* next = l.offloads_waiting.pop_front()) submit(l, *next);
}

void submit(loop_state& l, offload_job& job) {
  auto* r = new work_request;
  r->job = &job;
  r->request.data = r;
  int e = uv::queue_work(
      l.uv, &r->request,
      [](uv_work_t* w) {
        offload_job& j = *static_cast<work_request*>(w->data)->job;
        j.work_(j);
      },
      &finished);
  if (e < 0) die("uv_queue_work refused a job");  // only for a null callback
  job.request_ = r;
  l.pool_requests++;
  l.offloads_running++;
}

}  // namespace

void offload_job::start(waiter& w) {
  waiter_ = &w;
  loop_state& l = loop_state::current();
  home_ = &l;
  if (l.offloads_running < most_running()) submit(l, *this);
  else l.offloads_waiting.push_back(*this);
}

bool offload_job::withdraw() noexcept {
  if (linked()) {
    unlink();
    status_ = UV_ECANCELED;
    return true;
  }
  // Refused when it runs already; then its end is waited for.
  uv_cancel(reinterpret_cast<uv_req_t*>(&static_cast<work_request*>(request_)->request));
  return false;
}

}  // namespace cuvee::inline v0::detail
