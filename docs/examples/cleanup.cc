// SPDX-License-Identifier: MIT
#include "run.h"

using namespace cuvee;
using namespace std::chrono_literals;
using examples::say;

task<> send_all() {
  say("sending");
  co_await forever();
}
task<> say_goodbye() {
  co_await sleep(20ms);
  say("goodbye sent");
}

task<> whatever_happens() {
  auto talk = try_finally(send_all(), say_goodbye);
  co_await move_on_after(50ms, std::move(talk));
  say("cut short after 50 ms, then cleaned up");
}

class session {
 public:
  static task<session> open() {
    co_await sleep(10ms);
    co_return session();
  }
  task<std::string> ask(std::string question) {
    co_await sleep(10ms);
    if (question.empty()) throw std::invalid_argument("no question");
    co_return "42";
  }
  task<> close() {
    co_await sleep(10ms);
    say("session closed");
  }
};

task<> an_awaited_close() {
  auto ask = [](session& s) { return s.ask("what is it?"); };
  std::string answer = co_await with_resource(session::open(), ask);
  say("the answer is %s", answer.c_str());

  auto fail = [](session& s) { return s.ask(""); };
  try {
    co_await with_resource(session::open(), fail);
  } catch (const std::exception& e) {
    say("failed: %s", e.what());
  }
}

task<> limited() {
  auto never_ends = [] { return forever(); };
  try {
    co_await try_finally(checkpoint(), never_ends, 30ms);
  } catch (const timeout_error& e) {
    say("%s", e.what());
  }
}

task<> amain() {
  co_await whatever_happens();
  co_await an_awaited_close();
  co_await limited();
}

int main() { return examples::run(amain); }
