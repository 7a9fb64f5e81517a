// SPDX-License-Identifier: MIT
#pragma once
#include "arena.h"
#include "parser.h"

#include <cuvee/core/frame_pool.h>
#include <cuvee/http/client_response.h>

#include <optional>
#include <string>

namespace cuvee::inline v0::http::detail {

/// The head of a response, copied out of the parser into one block of just its size: the parser's
/// is larger and stays with the connection.
class kept_head {
 public:
  explicit kept_head(const head_arena& from);
  kept_head(const kept_head&) = delete;
  kept_head& operator=(const kept_head&) = delete;
  ~kept_head() { v0::detail::frame_pool_put(block_, block_size()); }

  std::uint32_t field_count() const noexcept { return fields_; }
  std::string_view text(extent e) const noexcept { return {text() + e.at, e.size}; }
  field_view view(std::uint32_t i) const noexcept {
    const raw_field& f = table()[i];
    return {{text() + f.name, f.name_size}, {text() + f.value, f.value_size}};
  }

 private:
  std::size_t block_size() const noexcept { return fields_ * sizeof(raw_field) + size_; }
  const raw_field* table() const noexcept { return reinterpret_cast<const raw_field*>(block_); }
  const char* text() const noexcept { return block_ + fields_ * sizeof(raw_field); }

  std::uint32_t size_, fields_;
  char* block_;
};

/// What a response of the client refers to.
struct response_record : v0::detail::pooled {
  response_record(const response_parser& from, const http::url& answered);

  kept_head head;
  extent reason;
  std::uint16_t status;
  std::uint8_t minor;
  http::url url;
  std::string body;
  mutable std::optional<http::headers> fields;
};

}  // namespace cuvee::inline v0::http::detail
