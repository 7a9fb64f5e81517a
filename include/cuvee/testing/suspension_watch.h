// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/list.h>
#include <cuvee/core/strand.h>

namespace cuvee::inline v0::testing::detail {

/// Told of every suspension in the loop of this thread for as long as it lives.
struct CUVEE_API suspension_watch : cuvee::detail::list_node {
  using told = void (*)(suspension_watch&, cuvee::detail::strand&);

  explicit suspension_watch(told fn);
  suspension_watch(const suspension_watch&) = delete;
  suspension_watch& operator=(const suspension_watch&) = delete;
  ~suspension_watch();

  told suspended;
  cuvee::detail::scheduler* home;
};

}  // namespace cuvee::inline v0::testing::detail
