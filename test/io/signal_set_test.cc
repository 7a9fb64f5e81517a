// SPDX-License-Identifier: MIT
// Signals as events. (Ctrl-C as the runner sees it: test/core/run_test.cc.)
#include "in_child.h"
#include "io_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

std::string refusal(int first, int second) {
  try {
    signal_set s(first, second);
    return "";
  } catch (const error& e) {
    CHECK(e.code() == std::errc::invalid_argument);
    return e.what();
  }
}

bool handled_by(int number, void (*handler)(int)) {
  struct sigaction now{};
  sigaction(number, nullptr, &now);
  return now.sa_handler == handler;
}
void old_handler(int) {}

}  // namespace

CUVEE_TEST_CASE("signals: a set receives its signals, one after the other") {
  signal_set s(SIGUSR1, SIGUSR2);
  raise(SIGUSR2);
  int first = co_await s.next();
  CHECK(first == SIGUSR2);
  raise(SIGUSR1);
  int second = co_await s.next();
  CHECK(second == SIGUSR1);
  CHECK_FALSE(s.try_next());
}

CUVEE_TEST_CASE("signals: two sets receive the same signal") {
  signal_set a(SIGUSR1), b(SIGUSR1, SIGUSR2);
  raise(SIGUSR1);
  auto [one, two] = co_await gather(a.next(), b.next());
  CHECK(one == SIGUSR1);
  CHECK(two == SIGUSR1);
}

CUVEE_TEST_CASE("signals: several tasks wait at one set, each signal goes to one of them") {
  signal_set s(SIGUSR1, SIGUSR2);
  auto both = [&]() -> task<int> {
    auto [one, two] = co_await gather(s.next(), s.next());
    co_return one * 1000 + two;
  };
  auto send = []() -> task<> {
    raise(SIGUSR1);
    co_await sleep(1ms);
    raise(SIGUSR2);
  };
  auto [got, none] = co_await gather(both(), send());
  CHECK(got == SIGUSR1 * 1000 + SIGUSR2);
}

CUVEE_TEST_CASE("signals: a cancelled wait loses no signal") {
  signal_set s(SIGUSR1);
  auto cut = co_await move_on_after(1ms, s.next());  // while it waits
  CHECK_FALSE(cut);
  co_await task_group([&](group& g) -> task<> {  // before it does
    g.cancel();
    co_await s.next();
  });
  raise(SIGUSR1);
  int number = co_await s.next();
  CHECK(number == SIGUSR1);
}

CUVEE_TEST_CASE("signals: one given to a task that goes without reading it is the next one's") {
  signal_set s(SIGUSR1);
  bool read = false;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> {
      co_await gather(s.next(), forever());
      read = true;
    });
    co_await checkpoint();
    raise(SIGUSR1);
    co_await sleep(2ms);  // the gather has its signal now, and waits on
    h.cancel();
  });
  CHECK_FALSE(read);
  int number = co_await s.next();
  CHECK(number == SIGUSR1);
}

CUVEE_TEST_CASE("signals: those that nobody can receive are refused, and one named twice") {
  CHECK(refusal(SIGUSR1, SIGKILL) == "receive signal 9 (Killed): no process can");
  CHECK(refusal(SIGSTOP, SIGUSR1).ends_with("no process can"));
  CHECK(refusal(SIGCHLD, SIGUSR1).ends_with("children are awaited with process::wait"));
  CHECK(refusal(SIGUSR1, SIGUSR1).ends_with("it is named twice"));
  CHECK(refusal(SIGUSR1, 0).ends_with("there is none"));
  CHECK(refusal(SIGUSR1, 1000).ends_with("there is none"));
  CHECK(handled_by(SIGUSR1, SIG_DFL));
  co_return;
}

CUVEE_TEST_CASE("signals: the old handler is back after the last of several sets") {
  std::signal(SIGUSR1, &old_handler);
  {
    signal_set a(SIGUSR1);
    CHECK_FALSE(handled_by(SIGUSR1, &old_handler));
    {
      signal_set b(SIGUSR1);
    }
    CHECK_FALSE(handled_by(SIGUSR1, &old_handler));
    raise(SIGUSR1);
    int number = co_await a.next();
    CHECK(number == SIGUSR1);
  }
  CHECK(handled_by(SIGUSR1, &old_handler));
  std::signal(SIGUSR1, SIG_IGN);
  {
    signal_set again(SIGUSR1);
    raise(SIGUSR1);
    int number = co_await again.next();
    CHECK(number == SIGUSR1);
  }
  CHECK(handled_by(SIGUSR1, SIG_IGN));
  std::signal(SIGUSR1, SIG_DFL);
}

CUVEE_TEST_CASE("signals: SIGILL and SIGFPE in turn, each is seen") {
  signal_set s(SIGILL, SIGFPE);
  for (int round = 0; round < 10; round++) {
    int sent = round % 2 == 0 ? SIGILL : SIGFPE;
    raise(sent);
    int got = co_await s.next();
    CHECK(got == sent);
  }
}

CUVEE_TEST_CASE("signals: a thousand in a burst are told at least once, the last one too") {
  signal_set s(SIGUSR1, SIGUSR2);
  int told = 0;
  for (int i = 0; i < 1000; i++) raise(SIGUSR1);
  raise(SIGUSR2);
  for (int number = 0; number != SIGUSR2;) {
    number = co_await s.next();
    told += number == SIGUSR1;
  }
  CHECK(told >= 1);
  CHECK(told <= 1000);
  auto more = co_await move_on_after(2ms, s.next());
  CHECK_FALSE(more);
  raise(SIGUSR1);
  int after = co_await s.next();
  CHECK(after == SIGUSR1);
}

TEST_CASE("signals: sets on loops of several threads receive the same signal") {
  std::atomic<int> ready = 0, got = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; i++)
    threads.emplace_back([&] {
      loop l;
      l.run([&]() -> task<> {
        signal_set s(SIGUSR1);
        ready++;
        int number = co_await s.next();
        got += number == SIGUSR1;
      });
    });
  while (ready != 3) std::this_thread::yield();
  kill(getpid(), SIGUSR1);
  for (std::thread& t : threads) t.join();
  CHECK(got == 3);
  CHECK(handled_by(SIGUSR1, SIG_DFL));
}

TEST_CASE("signals: after the set is gone the default action follows") {
  auto end = scenario::in_child([] {
    loop l;
    l.run([]() -> task<> {
      {
        signal_set usr1(SIGUSR1), usr2(SIGUSR2);
        for (int i = 0; i < 2; i++) {
          raise(SIGUSR1);
          co_await usr1.next();
          std::puts("GOTIT");
        }
        raise(SIGUSR2);
        co_await usr2.next();
      }
      std::puts("REMOVED");
      std::fflush(stdout);
      raise(SIGUSR1);
    });
    return 0;
  });
  CHECK(end.killed_by(SIGUSR1));
  CHECK(end.output == "GOTIT\nGOTIT\nREMOVED\n");
}

TEST_CASE("signals: what nobody has read when the last set goes takes its old effect") {
  for (bool seen_by_loop : {false, true}) {
    auto end = scenario::in_child([&] {
      loop l;
      l.run([&]() -> task<> {
        {
          signal_set other(SIGUSR2);
          signal_set s(SIGUSR1);
          raise(SIGUSR1);
          if (seen_by_loop) co_await sleep(1ms);
          {
            signal_set also(SIGUSR1);  // not the last
          }
          std::puts("here");
          std::fflush(stdout);
        }
        std::puts("not here");
      });
      return 0;
    });
    CHECK(end.killed_by(SIGUSR1));
    CHECK(end.output == "here\n");
  }
}

TEST_CASE("signals: a set and the runner's Ctrl-C see the same SIGTERM, and both work on") {
  auto end = scenario::in_child([] {
    auto amain = []() -> task<> {
      signal_set s(SIGTERM, SIGINT);
      raise(SIGTERM);
      // The runner cancels at the next await; the set has its own copy.
      co_await try_finally(forever(), [&s]() -> task<> {
        int number = co_await s.next();
        std::printf("%d\n", number);
      });
    };
    return run(amain);
  });
  CHECK(end.exited_with(143));
  CHECK(end.output == "15\n");
}

TEST_CASE("signals: Ctrl-C still works after a set that had it has gone") {
  auto end = scenario::in_child([] {
    auto amain = []() -> task<> {
      {
        signal_set s(SIGINT);
      }
      raise(SIGINT);
      co_await forever();
    };
    int status = run(amain);
    std::puts(handled_by(SIGINT, SIG_DFL) ? "restored" : "lost");
    return status;
  });
  CHECK(end.exited_with(130));
  CHECK(end.output == "restored\n");
}

TEST_CASE("signals: the runner gives back the dispositions that it found") {
  auto end = scenario::in_child([] {
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGTERM, &old_handler);
    auto amain = []() -> task<> { co_return; };
    int status = run(amain);
    bool same = handled_by(SIGINT, SIG_IGN) && handled_by(SIGTERM, &old_handler);
    std::puts(same ? "same" : "other");
    return status;
  });
  CHECK(end.exited_with(0));
  CHECK(end.output == "same\n");
}

TEST_CASE("signals: a wait for a signal is no deadlock, a set alone does not hide one") {
  loop waits;
  waits.run([]() -> task<> {
    signal_set s(SIGUSR1);
    std::thread sender([main = pthread_self()] {
      std::this_thread::sleep_for(5ms);
      pthread_kill(main, SIGUSR1);
    });
    int number = co_await s.next();
    CHECK(number == SIGUSR1);
    sender.join();
  });
  loop stuck;
  std::string text;
  try {
    stuck.run([]() -> task<> {
      signal_set s(SIGUSR1);
      event never;
      co_await never.wait();
    });
  } catch (const error& e) {
    text = e.what();
    CHECK(e.code() == errc::deadlock);
  }
  CHECK(text != "");
}

CUVEE_TEST_CASE("signals: SIGPIPE kills neither the parent nor is it ignored by a child") {
  auto [client, server] = co_await connected();
  server.abort();
  std::error_code code;
  for (int i = 0; i < 100 && !code; i++) {
    code = co_await failure_code(client.write("x"));
    co_await sleep(1ms);
  }
  CHECK(code);
  pipeline p(command("yes"), command("head", "-n", "1"));
  pipeline_result r = co_await run_process(p, capture::out);
  CHECK(r.statuses[0] == exit_status::signaled(SIGPIPE));
}

TEST_CASE("signals: a wait cancelled at every suspension, nothing is left") {
  std::signal(SIGUSR1, SIG_IGN);  // an unread one is sent again
  auto report = testing::torture([]() -> task<> {
    signal_set s(SIGUSR1);
    auto waits = [&]() -> task<> {
      int number = co_await s.next();
      CHECK(number == SIGUSR1);
    };
    auto sends = []() -> task<> {
      co_await checkpoint();
      raise(SIGUSR1);
    };
    signal_set keeps(SIGUSR1);
    co_await gather(waits(), sends());
    co_await keeps.next();
  });
  std::signal(SIGUSR1, SIG_DFL);
  CHECK(report.suspensions > 0);
  CHECK(report.leaks == "");
}
