// SPDX-License-Identifier: MIT
#pragma once
#include "client_exchange.h"

#include <cuvee/http/request_writer.h>

namespace cuvee::inline v0::http::detail {

/// A request on its way out, piece by piece.
struct client_upload : v0::detail::pooled {
  client_upload(client_state& client, client_request r, std::optional<std::uint64_t> declared);
  client_upload(const client_upload&) = delete;
  ~client_upload();

  client_request request;  // what `x` refers to
  std::optional<std::uint64_t> length;
  std::uint64_t sent = 0;
  duration stall_limit;
  bool writing = false;
  bool finished = false;
  bool answering = false;
  bool answered = false;
  body_sender sender;
  exchange x;
};

}  // namespace cuvee::inline v0::http::detail
