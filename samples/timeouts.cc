// SPDX-License-Identifier: MIT
// Time limits, one after the other; each line says when it was printed. `timeout` fails, `move_on_after` gives nothing, a
// scope's deadline can be moved, and a shield lets clean-up finish although its time is up. Ctrl-C is a cancel too: try
// it while the program waits, and see the clean-up run.
//   ./timeouts
#include <cuvee/core.h>

#include "args.h"

#include <cstdarg>
#include <cstdio>

using namespace std::chrono_literals;

[[gnu::format(printf, 1, 2)]] void say(const char* format, ...) {
  static const cuvee::time_point start = cuvee::loop::current().now();
  auto since = std::chrono::duration<double>(cuvee::loop::current().now() - start);
  std::printf("%4.1f s  ", since.count());
  std::va_list values;
  va_start(values, format);
  std::vprintf(format, values);
  va_end(values);
  std::printf("\n");
  std::fflush(stdout);
}

cuvee::task<int> answer_after(cuvee::duration delay) {
  co_await cuvee::sleep(delay);
  co_return 42;
}

// Somebody to say good-bye to, which takes a moment.
struct session {
  cuvee::task<> close() {
    say("closing");
    co_await cuvee::sleep(200ms);
    say("closed");
  }
};

cuvee::task<session> open_session() { co_return session(); }

cuvee::task<> limits() {
  int in_time = co_await cuvee::timeout(1s, answer_after(100ms));
  say("timeout: %d, in time", in_time);
  try {
    co_await cuvee::timeout(100ms, answer_after(1h));
  } catch (const cuvee::timeout_error& e) {
    say("timeout: %s", e.what());
  }
  auto maybe = co_await cuvee::move_on_after(100ms, answer_after(1h));
  say("move_on_after: %s", maybe ? "an answer" : "no answer");
}

// The limit is on silence, not on the whole: each sign of life moves the deadline.
cuvee::task<> movable_deadline() {
  cuvee::cancel_scope s;
  co_await cuvee::scope(s, [](cuvee::cancel_scope& silence) -> cuvee::task<> {
    for (auto pause : {100ms, 200ms, 300ms, 400ms, 500ms}) {
      silence.expire_after(350ms);
      co_await cuvee::sleep(pause);
      say("scope: heard something after %lld ms", static_cast<long long>(pause.count()));
    }
  });
  say("scope: %s", s.expired() ? "silence for 350 ms" : "heard everything");
}

cuvee::task<> cleanup() {
  auto talk = [](session&) -> cuvee::task<> { co_await cuvee::forever(); };
  auto in_time = co_await cuvee::move_on_after(100ms, cuvee::with_resource(open_session(), talk));
  say("with_resource: %s", in_time ? "done" : "cut short, and closed");

  auto save = cuvee::shield(answer_after(300ms));
  auto saved = co_await cuvee::move_on_after(100ms, std::move(save));
  say("shield: %s, though 100 ms were given", saved ? "saved" : "lost");
}

cuvee::task<> all() {
  co_await limits();
  co_await movable_deadline();
  co_await cleanup();
}

cuvee::task<> amain() {
  auto good_night = []() -> cuvee::task<> {
    co_await cuvee::sleep(100ms);
    say("the end, by Ctrl-C or not");
  };
  co_await cuvee::try_finally(all(), good_night);
}

int main(int argc, char** argv) {
  samples::args args("timeouts", "Shows what runs into a time limit, and when.");
  if (auto status = args.parse(argc, argv)) return *status;
  return cuvee::run(amain);
}
