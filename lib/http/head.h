// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/http/limits.h>
#include <cuvee/http/method.h>

#include <cstddef>
#include <cstdint>

// The vocabulary shared by the parsers, the policy and the body decoders.

namespace cuvee::inline v0::http::detail {

enum class progress : std::uint8_t { need_more, complete, failed };

/// Why a message was refused. `status` is what a server answers before it closes the connection;
/// for a response it is 502, which a gateway would answer. `cause` is a short static text.
struct refusal {
  std::uint16_t status = 0;
  const char* cause = nullptr;

  explicit operator bool() const noexcept { return status != 0; }
};

/// What a call did with its input.
struct head_step {
  progress state;
  std::size_t used;  // bytes of the input that belong to the message
};

/// How the end of a body is found (RFC 9112 §6.3).
enum class framing : std::uint8_t { none, length, chunked, until_close };

struct body_framing {
  framing kind = framing::none;
  std::uint64_t length = 0;  // where `kind` is length

  bool empty() const noexcept {
    return kind == framing::none || (kind == framing::length && length == 0);
  }
};

/// A place in the arena's text.
struct extent {
  std::uint32_t at = 0, size = 0;
};

/// What the policy learned from a whole and acceptable head.
struct head_facts {
  std::uint64_t content_length = 0;
  bool has_length = false;
  bool chunked = false;
  bool keep_alive = false;
  bool upgrade = false;  // the Connection field lists "upgrade"
  std::uint8_t minor = 1;
};

struct request_facts : head_facts {
  bool expect_continue = false;
  bool has_query = false;
  extent authority;  // of an absolute-form target, else of Host; empty on HTTP/1.0 without Host
  extent path;       // empty for an absolute-form target without one
  extent query;      // without the question mark
};

struct response_facts : head_facts {
  std::uint16_t status = 0;
  extent reason;
};

}  // namespace cuvee::inline v0::http::detail
