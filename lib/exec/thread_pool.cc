// SPDX-License-Identifier: MIT
#include <cuvee/exec/thread_pool.h>

#include "core/thread_team.h"

namespace cuvee::inline v0 {

namespace {

constexpr std::chrono::seconds default_idle_time{30};

std::shared_ptr<detail::thread_team> make_team(std::size_t most) {
  if (most == 0)
    throw error(std::make_error_code(std::errc::invalid_argument), "make a thread pool", "",
                "a pool needs a thread");
  return std::make_shared<detail::thread_team>(most, default_idle_time);
}

}  // namespace

thread_pool::thread_pool(std::size_t most_threads) : team_(make_team(most_threads)) {}
thread_pool::~thread_pool() { team_->close(std::nullopt); }

void thread_pool::set_idle_time(duration length) { team_->idle_time(detail::saturated(length)); }
std::size_t thread_pool::close(duration limit) { return team_->close(detail::saturated(limit)); }
void thread_pool::add(std::shared_ptr<detail::thread_job> job) { team_->submit(std::move(job)); }

thread_pool::statistics_snapshot thread_pool::statistics() const noexcept {
  auto [threads, idle, queued, running, ended] = team_->look();
  return {threads, idle, queued, running, ended};
}

}  // namespace cuvee::inline v0
