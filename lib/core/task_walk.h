// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/inspect.h>
#include <cuvee/core/strand.h>

namespace cuvee::inline v0::detail {

struct loop_state;

task_tree walk_tasks(loop_state& l);
/// As set, else that of its function; "main" for the main task.
std::string name_of(const strand& s);
/// Where a strand that is not running stands; line 0 if that is not known.
std::source_location place_of(const strand& s);
/// What an awaiter waits for, from its type: `mutex::lock`.
std::string reason_of(const awaiter_ops& ops);

}  // namespace cuvee::inline v0::detail
