// SPDX-License-Identifier: MIT
#include <cuvee/base/error.h>
#include <cuvee/core/held.h>

namespace cuvee::inline v0::detail {

void refuse_not_held(const char* operation, const char* subject) {
  throw error(std::make_error_code(std::errc::operation_not_permitted), operation, subject,
              "not held");
}

}  // namespace cuvee::inline v0::detail
