// SPDX-License-Identifier: MIT
#include <cuvee/testing/suspension_watch.h>

namespace cuvee::inline v0::testing::detail {

namespace {

using cuvee::detail::list;
using cuvee::detail::scheduler;
using cuvee::detail::strand;

list<suspension_watch>& watches() {
  thread_local list<suspension_watch> all;
  return all;
}

void tell(scheduler& s, strand& suspended) {
  watches().for_each([&](suspension_watch& w) {
    if (w.home == &s) w.suspended(w, suspended);
  });
}

}  // namespace

suspension_watch::suspension_watch(told fn)
    : suspended(fn), home(&cuvee::detail::require_scheduler()) {
  watches().push_back(*this);
  home->on_suspend = &tell;
}

suspension_watch::~suspension_watch() {
  unlink();
  bool last = true;
  watches().for_each([&](suspension_watch& w) { last = last && w.home != home; });
  if (last) home->on_suspend = nullptr;
}

}  // namespace cuvee::inline v0::testing::detail
