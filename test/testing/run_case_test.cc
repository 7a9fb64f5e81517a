// SPDX-License-Identifier: MIT
#include "core/handle_block.h"
#include "core/loop_state.h"

#include <cuvee/core.h>
#include <cuvee/testing/doctest.h>

#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

using namespace cuvee;

namespace {

class ticker final : public detail::handle_block {
 public:
  ticker() : handle_block(detail::loop_state::current()) {
    uv_timer_init(home().uv, &timer_);
    opened(detail::uv::as_handle(&timer_));
  }

 private:
  uv_timer_t timer_{};
};

}  // namespace

TEST_CASE("run_case: a clean body leaves nothing to say") {
  std::string said = testing::run_case([]() -> task<> {
    co_await checkpoint();
    co_await offload([] {});
  });
  CHECK(said == "");
}

TEST_CASE("run_case: a descriptor left open is named") {
  int ends[2] = {-1, -1};
  std::string said = testing::run_case([&]() -> task<> {
    CHECK(pipe(ends) == 0);
    co_return;
  });
  CHECK(said.find("open descriptor pipe:[") != std::string::npos);
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("run_case: a child process left behind is counted, as a zombie, too") {
  pid_t pid = 0;
  std::string said = testing::run_case([&]() -> task<> {
    pid = fork();
    if (pid == 0) _exit(0);
    co_return;
  });
  CHECK(said == "1 child processes; ");
  waitpid(pid, nullptr, 0);
}

TEST_CASE("run_case: a libuv handle left open is counted") {
  ticker* left = nullptr;
  std::string said = testing::run_case([&]() -> task<> {
    left = new ticker;
    co_return;
  });
  CHECK(said == "1 libuv handles; ");
  left->disown();
}

TEST_CASE("run_case: what the body throws comes out") {
  auto body = []() -> task<> {
    co_await checkpoint();
    throw std::runtime_error("x");
  };
  CHECK_THROWS_AS(testing::run_case(body), std::runtime_error);
}
