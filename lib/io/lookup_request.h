// SPDX-License-Identifier: MIT
#pragma once
#include "core/uv.h"

#include <cuvee/core/frame_pool.h>
#include <cuvee/io/lookup.h>

namespace cuvee::inline v0::detail {

/// libuv's side of a lookup. Outlives its asker: what runs cannot be stopped, only left to itself.
struct lookup::request : pooled {
  union {
    uv_req_t any;
    uv_getaddrinfo_t addresses;
    uv_getnameinfo_t name;
  } native;
  loop_state* home;
  lookup* asker;  // null: left to itself

  static void on_addresses(uv_getaddrinfo_t* r, int status, addrinfo* found);
  static void on_name(uv_getnameinfo_t* r, int status, const char* host, const char* service);

 private:
  static void ended(request* r, int status, const lookup_answer& a);
};

}  // namespace cuvee::inline v0::detail
