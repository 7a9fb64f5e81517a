// SPDX-License-Identifier: MIT
#pragma once
#include "arena.h"
#include "head.h"

#include <cuvee/http/limits.h>

#include <string_view>

namespace cuvee::inline v0::http::detail {

/// One run of body bytes, a part of the input it was cut from.
struct body_slice {
  progress state;    // complete: the message ended at `used`; failed: ask why()
  std::size_t used;  // bytes of the input taken, framing and data
  std::string_view data;
};

/// Decodes the chunked transfer coding, RFC 9112 §7.1 to the letter: CRLF only, at most 16 digits
/// of size, extensions checked but ignored, trailers checked and kept apart from the headers.
/// Ours instead of llhttp's, which takes some bare line feeds, knows no limits and refuses an
/// escaped character in a quoted extension value.
class chunked_decoder {
 public:
  /// `l` must live until the end of the message.
  void begin(const limits& l, std::uint64_t body_bytes) noexcept;
  /// Takes input up to the end of the first run of data in it. Call again with the rest while
  /// there is some.
  body_slice next_slice(std::string_view input);

  const refusal& why() const noexcept { return why_; }
  const head_arena& trailers() const noexcept { return trailers_; }
  /// Gives the trailers' memory back.
  void release() noexcept { trailers_.release(); }

 private:
  enum class state : std::uint8_t {
    size_start,
    size,
    size_blank,  // blanks that only an extension may follow
    name_start,
    name,
    name_blank,
    value_start,
    value,
    quoted,
    escaped,
    value_end,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_lf,
    last_lf,
    done,
    failed,
  };

  void step(char c);
  void step_size(char c) noexcept;
  void step_extension(char c) noexcept;
  void step_extension_value(char c) noexcept;
  void step_trailer(char c);
  void start_trailer(char c);
  void end_trailer_value() noexcept;
  void end_of_extension(char c) noexcept;
  void start_chunk() noexcept;
  void fail(std::uint16_t status, const char* cause) noexcept;

  const limits* limits_ = nullptr;
  std::uint64_t left_ = 0;     // of the chunk: data bytes to come; while it is read, its size
  std::uint64_t allowed_ = 0;  // data bytes that the limit still admits
  std::size_t extension_bytes_ = 0;
  head_arena trailers_;
  refusal why_;
  state state_ = state::size_start;
  std::uint8_t digits_ = 0;
};

}  // namespace cuvee::inline v0::http::detail
