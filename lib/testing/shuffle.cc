// SPDX-License-Identifier: MIT
#include <cuvee/testing/shuffle.h>

#include "loop_probe.h"

#include <cuvee/core/sleep.h>
#include <cuvee/core/strand.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace cuvee::inline v0::testing {

using cuvee::detail::loop_state;

namespace {

bool in_checkpoint(waiter* w) {
  using cuvee::detail::strand_state;
  auto& s = *static_cast<cuvee::detail::strand*>(w);
  return s.state == strand_state::ready &&
         s.ops == &cuvee::detail::ops_of<cuvee::detail::checkpoint_awaiter>;
}

}  // namespace

loop_probe& loop_probe::of(loop& l) {
  loop_state& state = loop_state::of(l);
  if (!state.probe) state.probe = std::make_unique<loop_probe>();
  return static_cast<loop_probe&>(*state.probe);
}

int loop_probe::before_round(loop_state& l) {
  if (stopping_ && !l.ending) return 0;
  if (++rounds == stop_before) return stop(l);
  collect(l);
  if (order) {
    shuffle();
    queue_again(l);
  }
  return static_cast<int>(ready_.size());
}

// Half of the reads get all that is there; of the others small ones are as likely as large ones.
std::size_t loop_probe::most_to_read(std::size_t size) noexcept {
  constexpr unsigned doublings = 17;  // to 64 KiB
  if (!order || size <= 1 || (*order)() % 2 == 0) return size;
  const std::uint64_t most = std::uint64_t{1} << (*order)() % doublings;
  return std::min<std::size_t>(size, 1 + (*order)() % most);
}

void loop_probe::go_on() noexcept {
  stop_before = 0;
  stopping_ = false;
}

// Each goes to any place among those before it; a checkpoint lets all of them run first, as promised.
void loop_probe::shuffle() {
  for (std::size_t i = 1; i < ready_.size(); i++) {
    if (in_checkpoint(ready_[i])) continue;
    auto at = ready_.begin() + static_cast<std::ptrdiff_t>(i);
    std::rotate(at - static_cast<std::ptrdiff_t>((*order)() % (i + 1)), at, at + 1);
  }
}

// The others stay ready: a loop that ends finds them like that.
int loop_probe::stop(loop_state& l) {
  stopping_ = true;
  over->set();
  collect(l);
  auto found = std::find(ready_.begin(), ready_.end(), main);
  if (found != ready_.end()) std::rotate(ready_.begin(), found, found + 1);
  queue_again(l);
  return 1;
}

void loop_probe::collect(loop_state& l) {
  ready_.clear();
  for (waiter* w = l.ready_head; w; w = w->queue_next) ready_.push_back(w);
}

void loop_probe::queue_again(loop_state& l) {
  l.ready_head = nullptr;
  l.ready_tail = &l.ready_head;
  for (waiter* w : ready_) l.push(*w);
}

void shuffle_ready(loop& l, std::uint64_t seed) { loop_probe::of(l).order.emplace(seed); }

void keep_fifo(loop& l) noexcept {
  if (loop_state::of(l).probe) loop_probe::of(l).order.reset();
}

std::optional<std::uint64_t> test_seed() {
  const char* text = std::getenv("CUVEE_TEST_SEED");
  if (!text || !*text) return {};
  std::string_view digits(text);
  std::uint64_t seed = 0;
  auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), seed);
  if (failure != std::errc() || end != digits.data() + digits.size())
    throw error(std::make_error_code(std::errc::invalid_argument), "read CUVEE_TEST_SEED", digits);
  return seed;
}

}  // namespace cuvee::inline v0::testing
