// SPDX-License-Identifier: MIT
#pragma once
#include "handle_block.h"

#include <cuvee/core/instrument.h>
#include <cuvee/core/inspect.h>
#include <cuvee/core/strand.h>

#include <functional>
#include <unordered_map>

namespace cuvee::inline v0::detail {

/// What looks at a loop's strands: its instruments and debug mode. Exists only once one of them was asked for.
class observers final : public watcher {
 public:
  explicit observers(loop_state& l) noexcept : loop_(l) {}

  void add(std::shared_ptr<instrument> i) { instruments_.push_back(std::move(i)); }
  void remove(const instrument& i) noexcept;
  bool empty() const noexcept { return instruments_.empty(); }
  /// Forgets what debug mode has recorded.
  void forget() noexcept;

  void spawned(strand& s) override;
  void step(strand& s) override;
  void ending(strand& s) override;
  void turn_begins() override { io_wait(false); }
  void io_wait(bool begins);
  void run(bool begins);

  /// For debug mode's reports; empty where nothing is known.
  std::string whereabouts() const;
  std::string describe(const strand& s) const;
  std::string maker_of(const strand& s) const;
  void note_handle(const handle_block& h) noexcept;
  void forget_handle(const handle_block& h) noexcept { handles_.erase(&h); }
  std::string maker_of(const handle_block& h) const;
  void complete(task_info& info, const strand& s) const;

  duration slow_step = std::chrono::milliseconds(100);

 private:
  struct birth {
    std::uint64_t at = 0;  // of the loop's clock
    std::string maker;
    std::string name;  // of its function, once it is known
  };
  template <class F>
  void tell(F f) noexcept;
  void check_time(const strand& s) noexcept;

  loop_state& loop_;
  std::vector<std::shared_ptr<instrument>> instruments_;
  int telling_ = 0;
  bool waiting_ = false;
  bool ended_ = false;          // the strand that is stepping
  std::uint64_t began_ = 0;     // the step; real time
  std::source_location place_;  // where that strand stood before
  std::unordered_map<const strand*, birth> births_;
  std::unordered_map<const handle_block*, std::string> handles_;
};

}  // namespace cuvee::inline v0::detail
