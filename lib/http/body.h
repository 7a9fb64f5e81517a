// SPDX-License-Identifier: MIT
#pragma once
#include "chunked.h"
#include "head.h"

namespace cuvee::inline v0::http::detail {

/// What `body_decoder::decode` did: it took `used` bytes and left `produced` bytes of body.
struct body_step {
  progress state;
  std::size_t used;
  std::size_t produced;
};

/// Cuts the body out of the bytes that follow a head, whatever its framing.
///
///   body_decoder d;
///   d.begin(parser.body(), limits, limits.body_bytes);   // or the limit of the route
///   while (d.state() == progress::need_more) {
///     n = read(buffer);                                   // 0: tell d.finish()
///     body_step s = d.decode({buffer, n}, buffer);     // in place: now in buffer[0, s.produced)
///     // buffer[s.used, n) belongs to the next message if s.state is complete
///   }
///
/// `used` is all of the input unless the message ended or was refused within it.
class body_decoder {
 public:
  /// Refused at once with 413 if the declared length exceeds `body_bytes`: ask `state`. `l` must
  /// live until the end of the message.
  void begin(body_framing body, const limits& l, std::uint64_t body_bytes) noexcept;

  /// Decodes without copying: the data is a part of `input`. Call again with the rest of the input
  /// while there is some and the state is need_more.
  body_slice next_slice(std::string_view input);

  /// Decodes all of `input` and moves the data together at `out`, which has room for
  /// `input.size()` bytes and may be `input.data()` itself. Bytes before a refusal are still
  /// produced.
  body_step decode(std::string_view input, char* out);

  /// The peer sent its last byte. Complete if the body ends there, else refused as cut short.
  progress finish() noexcept;

  progress state() const noexcept { return state_; }
  bool complete() const noexcept { return state_ == progress::complete; }
  const refusal& why() const noexcept { return why_; }
  /// Body bytes decoded so far.
  std::uint64_t received() const noexcept { return received_; }
  /// Bytes of a Content-Length body that are still to come; 0 for other framings.
  std::uint64_t left() const noexcept { return left_; }
  /// The trailer section, good once complete and until `begin` or `release`.
  const head_arena& trailers() const noexcept { return chunked_.trailers(); }
  /// Gives all memory back: what a connection does when it goes idle.
  void release() noexcept { chunked_.release(); }

 private:
  progress refuse(refusal why) noexcept;
  body_slice plain_slice(std::string_view input) noexcept;

  chunked_decoder chunked_;
  std::uint64_t left_ = 0;
  std::uint64_t allowed_ = 0;  // until_close: what the limit still admits
  std::uint64_t received_ = 0;
  refusal why_;
  framing kind_ = framing::none;
  progress state_ = progress::complete;
};

}  // namespace cuvee::inline v0::http::detail
