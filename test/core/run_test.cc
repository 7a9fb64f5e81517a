// SPDX-License-Identifier: MIT
#include "in_child.h"
#include "scenario.h"

#include <doctest/doctest.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

struct says_bye {
  ~says_bye() { std::printf("bye\n"); }
};

task<> wait_after(int signal) {
  says_bye bye;
  std::raise(signal);
  co_await forever();
}

}  // namespace

TEST_CASE("run: a task<> gives 0, a task<int> its value, arguments are passed") {
  auto nothing = []() -> task<> { co_await checkpoint(); };
  CHECK(run(nothing) == 0);
  CHECK(run(give_later, 7) == 7);
  auto add = [](int a, std::unique_ptr<int> b) -> task<int> { co_return a + *b; };
  CHECK(run(add, 1, std::make_unique<int>(2)) == 3);
}

TEST_CASE("run: a capturing lambda lives as long as its task") {
  std::string text(100, 'x');
  int size = run([text]() -> task<int> {
    co_await checkpoint();
    co_return static_cast<int>(text.size());
  });
  CHECK(size == 100);
}

TEST_CASE("run: an error is reported in one line and gives 1") {
  auto end = in_child([] {
    return run([]() -> task<> {
      co_await checkpoint();
      throw error(std::make_error_code(std::errc::permission_denied), "listen", "127.0.0.1:80");
    });
  });
  CHECK(end.exited_with(1));
  CHECK(end.output == "test-core: error: listen 127.0.0.1:80: permission denied (EACCES)\n");
}

TEST_CASE("run: errors suppressed on the one reported have a line each, up to three") {
  auto end = in_child([] {
    return run([]() -> task<> {
      event now;
      co_await task_group([&](group& g) -> task<> {
        auto fail = [&](int n) -> task<> {
          co_await now.wait();
          throw std::runtime_error("child " + std::to_string(n));
        };
        for (int n = 1; n <= 6; n++) g.spawn(fail, n);
        co_await checkpoint();
        now.set();
      });
    });
  });
  CHECK(end.exited_with(1));
  CHECK(end.output ==
        "test-core: error: child 1\n  also: child 2\n  also: child 3\n  also: child 4\n"
        "  and 2 more\n");
}

TEST_CASE("run: joining a child that was cancelled is told as that") {
  auto end = in_child([] {
    return run([]() -> task<> {
      co_await task_group([](group& g) -> task<> {
        auto child = g.spawn([]() -> task<> { co_await forever(); });
        child.cancel("no longer wanted");
        co_await child.join();
      });
    });
  });
  CHECK(end.exited_with(1));
  CHECK(end.output == "test-core: error: join: the task was cancelled: no longer wanted\n");
}

TEST_CASE("run: SIGINT cancels the main task, its cleanup runs, 130") {
  auto end = in_child([] { return run(wait_after, SIGINT); });
  CHECK(end.exited_with(130));
  CHECK(end.output == "bye\n");
}

TEST_CASE("run: SIGTERM the same, 143") {
  auto end = in_child([] { return run(wait_after, SIGTERM); });
  CHECK(end.exited_with(143));
  CHECK(end.output == "bye\n");
}

TEST_CASE("run: SIGINT in a busy task, delivered at one of its checkpoints") {
  auto end = in_child([] {
    return run([]() -> task<> {
      std::raise(SIGINT);
      for (;;) co_await checkpoint();
    });
  });
  CHECK(end.exited_with(130));
}

TEST_CASE("run: SIGINT, the task catches nothing but completes its shielded work with a value") {
  auto end = in_child([] {
    return run([]() -> task<int> {
      std::raise(SIGINT);
      co_await shield(sleep(1ms));
      co_return 5;
    });
  });
  CHECK(end.exited_with(5));
}

TEST_CASE("run: a second SIGINT ends a cleanup that hangs") {
  auto end = in_child([] {
    return run([]() -> task<> {
      std::raise(SIGINT);
      std::raise(SIGINT);
      co_await shield(forever());
    });
  });
  CHECK(end.killed_by(SIGINT));
}

TEST_CASE("run: an error of the cleanup after SIGINT is reported, not swallowed") {
  auto end = in_child([] {
    return run([]() -> task<> {
      std::raise(SIGINT);
      co_await shield(sleep(1ms));
      throw boom("cleanup");
    });
  });
  CHECK(end.exited_with(1));
  CHECK(end.output == "test-core: error: cleanup\n");
}

TEST_CASE("run: afterwards the signal has its default action again") {
  auto end = in_child([] {
    run(give, 1);
    std::raise(SIGINT);
    return 0;
  });
  CHECK(end.killed_by(SIGINT));
}

TEST_CASE("run: SIGPIPE is ignored") {
  auto end = in_child([] {
    return run([]() -> task<int> {
      std::raise(SIGPIPE);
      co_return 3;
    });
  });
  CHECK(end.exited_with(3));
}

TEST_CASE("runner: several main tasks run on one loop, background tasks live on between them") {
  std::string trace;
  {
    runner r;
    auto counts = [&](group& g) -> task<int> {
      g.spawn(turns, 2);
      co_return 1;
    };
    CHECK(r.run(counts, std::ref(r.loop().background())) == 1);
    auto leaves = [&]() -> task<int> {
      loop::current().background().spawn(stubborn, std::ref(trace), 'b', duration(1));
      co_await checkpoint();
      co_return 2;
    };
    CHECK(r.run(leaves) == 2);
    CHECK(r.run(give_later, 3) == 3);
    CHECK_THROWS_AS(r.run(fail_later, "boom"), boom);
  }
  CHECK(trace == "sb");
}

TEST_CASE("runner: a signal that ends the main task is an interrupted_error") {
  auto end = in_child([] {
    runner r;
    int signal = 0;
    try {
      r.run(wait_after, SIGTERM);
    } catch (const interrupted_error& e) {
      signal = e.signal();
    }
    return signal == SIGTERM && r.run(give_later, 4) == 4 ? 4 : 1;
  });
  CHECK(end.exited_with(4));
}

TEST_CASE("runner: clean-up that exceeds the exit limit is reported and the process ends") {
  auto end = in_child([] {
    runner r;
    r.exit_within(20ms);
    return r.run_main([]() -> task<> {
      std::raise(SIGINT);
      co_await shield(forever());
    });
  });
  CHECK(end.exited_with(130));
  CHECK(end.output.find("the time to exit is over") != std::string::npos);
}

TEST_CASE("runner: a background task that ignores its cancel is reported after the exit limit") {
  auto end = in_child([] {
    runner r;
    r.exit_within(20ms);
    return r.run_main([]() -> task<> {
      loop::current().background().spawn([]() -> task<> { co_await shield(forever()); });
      co_await checkpoint();
    });
  });
  CHECK(end.exited_with(1));
  CHECK(end.output.find("tasks still run") != std::string::npos);
}

TEST_CASE("runner: after run_main has ended the background, it takes new tasks") {
  runner r;
  int started = 0;
  auto background_task = [&]() -> task<> {
    started++;
    co_await forever();
  };
  auto main_task = [&]() -> task<> {
    loop::current().background().spawn(background_task);
    co_await checkpoint();
  };
  CHECK(r.run_main(main_task) == 0);
  CHECK(r.run_main(main_task) == 0);
  CHECK(started == 2);
}

TEST_CASE(
    "runner: a job that hangs on its thread does not keep one Ctrl-C from ending the process") {
  auto end = in_child([] {
    runner r;
    r.exit_within(20ms);
    return r.run_main([]() -> task<> {
      std::raise(SIGINT);
      co_await offload([] { pause(); });
    });
  });
  CHECK(end.exited_with(130));
}
