// SPDX-License-Identifier: MIT
#include "piece_writer.h"

#include "serialize.h"
#include "write_watch.h"

namespace cuvee::inline v0::http::detail {

namespace {

constexpr std::size_t copied_piece_bytes = 4096;  // larger ones are written from where they are

}  // namespace

task<> write_piece(stream_block& to, const_bytes piece, bool chunked, duration limit) {
  if (chunked) {
    char* out = to.reserve(chunk_header_bound);
    to.commit(static_cast<std::size_t>(write_chunk_header(piece.size(), out) - out));
  }
  // The chunk is queued whole before anything is awaited, so a cancel leaves no half of it behind.
  std::string_view end = chunked ? chunk_end : std::string_view();
  bool copied = piece.size() <= copied_piece_bytes;
  if (copied) {
    to.append(piece.text());
    to.append(end);
    if (to.drained(high_water_bytes)) co_return;
  }
  write_watch watch(to, limit, copied ? 0 : piece.size());
  if (copied) co_await drained_awaiter(to, high_water_bytes);
  else co_await write_awaiter(to, piece, const_bytes(end));
}

}  // namespace cuvee::inline v0::http::detail
