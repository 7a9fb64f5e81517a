// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <stop_token>
#include <string>

namespace cuvee::inline v0::detail {

/// Removes a file, or a directory with all that is in it. Blocks.
/// Returns: how many names went. Errors: cancelled_error when told to stop.
std::uint64_t remove_tree(const std::string& path, const std::stop_token& stop);

}  // namespace cuvee::inline v0::detail
