// SPDX-License-Identifier: MIT
// What the tests of exec share.
#pragma once
#include "../core/scenario.h"
#include "gate.h"

#include <cuvee/exec.h>

#include <latch>
#include <optional>
#include <system_error>
#include <thread>

namespace scenario {

/// The code of the `cuvee::error` that `f` throws; none if it throws nothing.
template <class F>
std::error_code code_of(F f) {
  try {
    f();
  } catch (const cuvee::error& e) {
    return e.code();
  }
  return {};
}

/// A loop on a thread of its own, which runs until the guest goes.
class guest_loop {
 public:
  guest_loop() {
    std::latch made(1);
    thread_ = std::thread([&] {
      cuvee::loop l;
      ref_.emplace(l.ref());
      cuvee::event leave;
      leave_ = &leave;
      l.run([&]() -> cuvee::task<> {
        made.count_down();
        co_await leave.wait();
      });
    });
    made.wait();
  }
  ~guest_loop() { leave(); }

  const cuvee::loop_ref& ref() const { return *ref_; }
  std::thread::id id() const { return thread_.get_id(); }
  /// Lets the loop's main task return.
  void ask_to_leave() {
    ref_->post([e = leave_] { e->set(); });
  }
  void leave() {
    if (!thread_.joinable()) return;
    try {
      ask_to_leave();
    } catch (const cuvee::error&) {
    }
    thread_.join();
  }

 private:
  std::optional<cuvee::loop_ref> ref_;
  cuvee::event* leave_ = nullptr;
  std::thread thread_;
};

}  // namespace scenario
