// SPDX-License-Identifier: MIT
#include "thread_team.h"

#include <cuvee/core/strand.h>

#include <algorithm>
#include <pthread.h>

namespace cuvee::inline v0::detail {

namespace {

void name_this_thread() noexcept {
#if defined(__linux__)
  pthread_setname_np(pthread_self(), "cuvee-pool");
#elif defined(__APPLE__)
  pthread_setname_np("cuvee-pool");
#endif
}

// Far enough, and can be added to any moment.
duration bounded(duration d) noexcept {
  return std::clamp(d, duration::zero(), duration::max() / 4);
}

}  // namespace

thread_team::thread_team(std::size_t most, duration idle_time) noexcept
    : most_(most), idle_time_(bounded(idle_time)) {}

// The last thread holds a share of the team, so none runs any more; it may be this one.
thread_team::~thread_team() {
  for (worker& w : ended_)
    if (w.thread.get_id() == std::this_thread::get_id()) w.thread.detach();
  bury(std::move(ended_));
}

void thread_team::bury(workers ended) noexcept {
  for (worker& w : ended)
    if (w.thread.joinable()) w.thread.join();
}

void thread_team::submit(std::shared_ptr<thread_job> job) {
  workers ended;
  std::unique_lock lock(mutex_);
  if (closed_) throw error(errc::closed, "run", "thread pool");
  auto place = queue_.insert(queue_.end(), job);
  job->place = place;
  job->queued = true;
  try {
    if (!idle_.empty()) call_idle();
    else if (queue_.size() > finishing_ && workers_.size() < most_) hire();
  } catch (...) {
    if (workers_.empty() && job->queued) {
      queue_.erase(place);
      job->queued = false;
      throw;
    }
  }
  ended.swap(ended_);
  lock.unlock();
  bury(std::move(ended));
}

void thread_team::call_idle() noexcept {
  worker* w = idle_.back();
  idle_.pop_back();
  w->called = true;
  w->wake.notify_one();
}

// With the lock held: the new thread waits for it.
void thread_team::hire() {
  idle_.reserve(workers_.size() + 1);
  workers_.emplace_back();
  auto self = std::prev(workers_.end());
  try {
    self->thread = std::thread([team = shared_from_this(), self] { team->serve(self); });
  } catch (...) {
    workers_.erase(self);
    throw;
  }
}

void thread_team::serve(workers::iterator self) noexcept {
  name_this_thread();
  std::unique_lock lock(mutex_);
  do {
    while (!queue_.empty()) work(self, lock);
  } while (!closed_ && idle(*self, lock));
  ended_.splice(ended_.end(), workers_, self);
  gone_.notify_all();
}

void thread_team::work(workers::iterator self, std::unique_lock<std::mutex>& lock) noexcept {
  std::shared_ptr<thread_job> job = std::move(queue_.front());
  queue_.pop_front();
  job->queued = false;
  self->job = job;
  lock.unlock();
  job->work();
  lock.lock();
  ended_jobs_++;
  finishing_++;
  std::shared_ptr<thread_job> mine = std::move(self->job);
  lock.unlock();
  mine.reset();
  thread_job& j = *job;
  j.ended(std::move(job));
  lock.lock();
  finishing_--;
}

// False: nobody called for so long that the thread shall go.
bool thread_team::idle(worker& self, std::unique_lock<std::mutex>& lock) noexcept {
  self.called = false;
  idle_.push_back(&self);
  auto until = std::chrono::steady_clock::now() + idle_time_;
  while (!self.called && !closed_)
    if (self.wake.wait_until(lock, until) == std::cv_status::timeout) break;
  if (self.called) return true;
  std::erase(idle_, &self);
  return false;
}

bool thread_team::withdraw(thread_job& job) noexcept {
  jobs out;
  std::lock_guard lock(mutex_);
  if (!job.queued) return false;
  job.queued = false;
  out.splice(out.end(), queue_, job.place);
  return true;
}

void thread_team::request_stops(std::unique_lock<std::mutex>& lock) noexcept {
  auto untold = [](const worker& w) { return w.job && !w.job->told_to_stop; };
  for (auto w = workers_.begin(); w = std::find_if(w, workers_.end(), untold), w != workers_.end();
       w = workers_.begin()) {
    std::shared_ptr<thread_job> job = w->job;
    job->told_to_stop = true;
    lock.unlock();  // callbacks of a stop token are foreign code
    job->request_stop();
    job.reset();
    lock.lock();
  }
}

void thread_team::drop(jobs waiting) noexcept {
  for (auto& job : waiting) {
    job->drop();
    thread_job& j = *job;
    j.ended(std::move(job));
  }
}

void thread_team::give_up(worker& w) noexcept {
  if (!w.given_up) w.thread.detach();
  w.given_up = true;
}

std::size_t thread_team::close(std::optional<duration> limit) {
  std::unique_lock lock(mutex_);
  closed_ = true;
  jobs waiting = std::move(queue_);
  queue_.clear();
  for (auto& job : waiting) job->queued = false;
  for (worker& w : workers_) {
    w.wake.notify_one();
    // A job that closes its own pool cannot wait for itself.
    if (w.thread.get_id() == std::this_thread::get_id()) give_up(w);
  }
  request_stops(lock);
  lock.unlock();
  drop(std::move(waiting));
  lock.lock();
  for (worker& w : workers_)
    if (w.job && !w.given_up && w.job->calls().wait_for_this_thread()) {
      if (!limit && !w.job->abandoned)
        die("deadlock: a thread pool was destroyed by the loop that a job of it waits for");
      give_up(w);
    }
  auto all_gone = [this] {
    return std::all_of(workers_.begin(), workers_.end(),
                       [](const worker& w) { return w.given_up; });
  };
  if (limit) gone_.wait_for(lock, bounded(*limit), all_gone);
  else gone_.wait(lock, all_gone);
  for (worker& w : workers_) give_up(w);
  std::size_t left = workers_.size();
  workers ended;
  ended.swap(ended_);
  lock.unlock();
  bury(std::move(ended));
  return left;
}

void thread_team::idle_time(duration length) {
  std::lock_guard lock(mutex_);
  idle_time_ = bounded(length);
}

thread_team::counts thread_team::look() noexcept {
  std::lock_guard lock(mutex_);
  std::size_t running = 0;
  for (worker& w : workers_) running += w.job != nullptr;
  return {workers_.size(), idle_.size(), queue_.size(), running, ended_jobs_};
}

}  // namespace cuvee::inline v0::detail
