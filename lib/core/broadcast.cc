// SPDX-License-Identifier: MIT
#include <cuvee/core/broadcast.h>

namespace cuvee::inline v0 {

lagged_error::lagged_error(std::uint64_t missed)
    : error(errc::limit_exceeded, "recv", "broadcast",
            "missed " + std::to_string(missed) + (missed == 1 ? " item" : " items")),
      missed_(missed) {}
lagged_error::~lagged_error() = default;

namespace detail {

void refuse_broadcast_capacity() {
  throw error(std::make_error_code(std::errc::invalid_argument), "broadcast", {}, "capacity 0");
}

error broadcast_error(std::error_code code, const char* operation) {
  return error(code, operation, "broadcast");
}

}  // namespace detail
}  // namespace cuvee::inline v0
