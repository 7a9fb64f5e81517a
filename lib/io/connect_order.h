// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/io/endpoint.h>

#include <optional>
#include <vector>

namespace cuvee::inline v0::detail {

/// Addresses of either family by turns, beginning with that of the first (RFC 8305 §4); only those that can
/// be reached from `local`.
std::vector<endpoint> attempt_order(const std::vector<endpoint>& addresses,
                                    const std::optional<endpoint>& local);

}  // namespace cuvee::inline v0::detail
