// SPDX-License-Identifier: MIT
#include "uv_error.h"

#include <uv.h>

namespace cuvee::inline v0::detail {

namespace {

// libuv numbers the EAI codes itself, so they are the same on every system.
class lookup_category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "lookup"; }
  std::string message(int value) const override {
    return std::string(uv_strerror(-value)) + " (" + uv_err_name(-value) + ")";
  }
};

}  // namespace

std::error_code uv_code(int status) noexcept {
  static const lookup_category lookup;
  if (status == UV_EOF) return errc::end_of_stream;
  if (status <= UV_EAI_ADDRFAMILY && status >= UV_EAI_PROTOCOL) return {-status, lookup};
  return {-status, std::generic_category()};
}

}  // namespace cuvee::inline v0::detail
