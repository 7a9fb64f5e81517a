// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>

namespace cuvee::inline v0::http::detail {

/// `text` in double quotes for an error message: control characters and bytes beyond ASCII as
/// `\x0d`, cut after 200 characters.
std::string quoted(std::string_view text);

}  // namespace cuvee::inline v0::http::detail
