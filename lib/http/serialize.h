// SPDX-License-Identifier: MIT
#pragma once
#include "head.h"

#include <cuvee/http/headers.h>
#include <cuvee/http/method.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string_view>

// Writers of heads and chunk framing into memory of the caller. Each has a bound that is cheap to
// compute; the caller provides that many bytes, and the writer returns the end of what it wrote.

namespace cuvee::inline v0::http::detail {

/// What a head says about the connection.
enum class connection_option : std::uint8_t { silent, keep_alive, close, upgrade };

struct response_head {
  int status = 200;
  /// none: no framing field, as 1xx, 204 and 304 have; length: also for 0; until_close: nothing
  /// is written, the caller closes.
  body_framing body;
  connection_option connection = connection_option::silent;
  /// Whole lines with their CR LF, written as they are: Date, Server, Keep-Alive.
  std::string_view date_line, more_lines;
  /// The value of Content-Type if not empty: saves `fields` for most handlers.
  std::string_view content_type;
  const headers* fields = nullptr;
};

struct request_head {
  method verb = method::get;
  std::string_view target = "/";
  std::string_view host;  // host[:port]
  /// none: no framing field; length: also for 0, as POST wants it.
  body_framing body;
  connection_option connection = connection_option::silent;
  std::string_view more_lines;
  const headers* fields = nullptr;
};

inline constexpr std::size_t chunk_header_bound = 18;  // 16 digits, CR LF
inline constexpr std::size_t date_bytes = 29;          // "Sun, 06 Nov 1994 08:49:37 GMT"
inline constexpr std::string_view chunk_end = "\r\n";  // after the data of every chunk
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// All lines that the writers compose themselves, with room to spare.
inline constexpr std::size_t fixed_lines = 256;

/// How many bytes `write_head` may need.
inline std::size_t head_bound(const response_head& head) noexcept {
  return fixed_lines + head.date_line.size() + head.more_lines.size() + head.content_type.size() +
         (head.fields ? head.fields->wire().size() : 0);
}
/// `content_type` is the caller's to check: `headers` checks what users set.
char* write_head(const response_head& head, char* out) noexcept;

std::size_t head_bound(const request_head& head) noexcept;
/// Errors: invalid_argument if target or host could not be sent as they are (a blank, a control
/// character, no `host[:port]`), whoever made them.
char* write_head(const request_head& head, char* out);

/// The line before the data of a chunk. `size` is not 0.
char* write_chunk_header(std::uint64_t size, char* out) noexcept;

/// The IMF-fixdate of RFC 9110 §5.6.7, `date_bytes` long; years 1 to 9999.
char* format_http_date(std::time_t when, char* out) noexcept;

}  // namespace cuvee::inline v0::http::detail
