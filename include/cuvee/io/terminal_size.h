// SPDX-License-Identifier: MIT
#pragma once

namespace cuvee::inline v0 {

/// In characters.
struct terminal_size {
  unsigned short columns = 80;
  unsigned short rows = 24;

  friend bool operator==(const terminal_size&, const terminal_size&) = default;
};

}  // namespace cuvee::inline v0
