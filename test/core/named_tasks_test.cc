// SPDX-License-Identifier: MIT
// Tasks cannot be copied, so combinators take a container of them only where it is given away. A named one
// meets a deleted overload whose line says what to write; the case would not compile if the call were accepted.
#include <cuvee/core.h>
#include <cuvee/testing/doctest.h>

#include <utility>
#include <vector>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

using tasks = std::vector<task<int>>;
using void_tasks = std::vector<task<>>;

template <class R>
concept gathers = requires(R r) { gather(std::forward<R>(r)); };
template <class R>
concept gathers_some = requires(R r) { gather(width(2), std::forward<R>(r)); };
template <class R>
concept settles = requires(R r) { gather_settled(std::forward<R>(r)); };
template <class R>
concept settles_some = requires(R r) { gather_settled(width(2), std::forward<R>(r)); };
template <class R>
concept races = requires(R r) { race(std::forward<R>(r)); };
template <class R>
concept staggers = requires(R r) { staggered_race(1s, std::forward<R>(r)); };
using handler = void (*)(std::size_t, result<int>);
template <class R>
concept handles = requires(R r, handler f) { as_completed(std::forward<R>(r), f); };
template <class R>
concept handles_some = requires(R r, handler f) { as_completed(width(2), std::forward<R>(r), f); };

template <class R>
constexpr bool none = !gathers<R> && !gathers_some<R> && !settles<R> && !settles_some<R> &&
                      !races<R> && !staggers<R> && !handles<R> && !handles_some<R>;
static_assert(none<tasks&> && none<void_tasks&>);
static_assert(gathers<tasks> && gathers_some<tasks> && gathers<void_tasks>);
static_assert(settles<tasks> && settles_some<tasks>);
static_assert(races<tasks> && staggers<tasks> && handles<tasks> && handles_some<tasks>);

task<int> one() { co_return 1; }

}  // namespace

CUVEE_TEST_CASE("gather: a vector of plain awaiters may be given as a copy, and again") {
  event set;
  set.set();
  std::vector<decltype(set.wait())> waits;
  waits.push_back(set.wait());
  co_await gather(waits);
  co_await gather(width(1), waits);
  tasks mine;
  mine.push_back(one());
  auto values = co_await gather(std::move(mine));
  CHECK(values == std::vector<int>{1});
}
