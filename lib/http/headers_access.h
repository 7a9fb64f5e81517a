// SPDX-License-Identifier: MIT
#pragma once
#include "arena.h"

#include <cuvee/http/headers.h>

namespace cuvee::inline v0::http::detail {

/// The way around the checks of `headers`, for fields that come from our own parser or that the
/// library itself writes.
struct headers_access {
  /// Copies all fields of a parsed head or trailer section.
  static headers copy(const head_arena& from);
  /// Adds a field unchecked: framing and connection fields too.
  static void add(headers& to, std::string_view name, std::string_view value) {
    to.append(name, value);
  }
};

/// Whether users may not set that field by hand.
bool is_reserved_header(std::string_view name) noexcept;

}  // namespace cuvee::inline v0::http::detail
