// SPDX-License-Identifier: MIT
// connection: the body of the request, as the handler pulls it.
#include "connection.h"

namespace cuvee::inline v0::http::detail {

namespace {

constexpr std::size_t buffer_bytes = 64 * 1024;
using buffers = v0::detail::big_blocks<buffer_bytes>;
constexpr std::size_t dropped_body_bytes = 256 * 1024;  // what a handler may leave unread
constexpr auto rate_grace = std::chrono::seconds(5);
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

void connection::give_buffer() noexcept {
  if (buffer_) buffers::put(std::exchange(buffer_, nullptr));
  chunk_size_ = 0;
}

// Decodes from the window into the buffer, in place where libuv has read right into it.
// Returns: whether there is something to take.
bool connection::pump() {
  while (chunk_size_ == 0 && decoder_.state() == progress::need_more && !block_.window().empty()) {
    if (!buffer_) buffer_ = buffers::get();
    body_step s = decoder_.decode(block_.window().substr(0, buffer_bytes), buffer_);
    chunk_size_ = s.produced;
    block_.consume(s.used);
    block_.settle();  // what follows the body must not stay in its buffer
  }
  return chunk_size_ != 0 || decoder_.state() != progress::need_more || block_.finished();
}

// The same inside libuv's read callback, which nothing may be thrown through.
bool connection::pump_or_fail() noexcept try { return pump(); } catch (const std::bad_alloc&) {
  block_.consume(
      block_.window().size());  // it lies in the body's buffer, which may go in this turn
  block_.fail_read(UV_ENOMEM);
  return false;  // the reader has been woken
}

bool connection::poll() {
  read_twice_ = block_.has_reader();
  if (read_twice_) return true;
  chunk_size_ = 0;
  if (owes_continue_ && !head_sent_) {  // after the answer's head it would be a part of the answer
    owes_continue_ = false;
    if (decoder_.state() == progress::need_more && block_.window().empty())
      block_.append(continue_line);
  }
  // The time a handler takes between two pieces is not the client's.
  if (body_started_ == 0) body_started_ = deadline_.now();
  else if (piece_taken_ != 0) body_started_ += deadline_.now() - piece_taken_;
  piece_taken_ = 0;
  return pump();
}

void connection::wait(waiter& w) {
  if (!buffer_) buffer_ = buffers::get();
  reader_.waiter_ = &w;
  reader_.into = v0::mutable_bytes(buffer_, buffer_bytes);
  reader_.ready = [](v0::detail::stream_reader& r) {
    return static_cast<body_reader&>(r).owner->pump_or_fail();
  };
  deadline_.set_at(body_deadline());
  block_.await_bytes(reader_);
}

// The earliest of: the gap between pieces, the whole request, and the rate below which an upload counts as
// an attack (that many bytes earn a second each beyond the grace).
std::uint64_t connection::body_deadline() const noexcept {
  auto ns = [](duration d) { return static_cast<std::uint64_t>(d.count()); };
  const serve_options& o = server_.options;
  std::uint64_t at =
      std::min(deadline_.now() + ns(o.body_timeout), body_started_ + ns(o.request_timeout));
  if (o.body_bytes_per_second == 0) return at;
  double earned =
      static_cast<double>(decoder_.received()) / static_cast<double>(o.body_bytes_per_second) * 1e9;
  double floor = static_cast<double>(body_started_ + ns(rate_grace)) + earned;
  return floor < static_cast<double>(at) ? static_cast<std::uint64_t>(floor) : at;
}

void connection::stop_waiting() noexcept {
  block_.forget_reader();
  deadline_.clear();
}

std::optional<std::string_view> connection::take() {
  if (std::exchange(read_twice_, false)) throw error(errc::busy, "read body", block_.name());
  deadline_.clear();
  piece_taken_ = deadline_.now();
  if (chunk_size_ != 0) return std::string_view(buffer_, chunk_size_);
  if (decoder_.complete()) return std::nullopt;
  keep_alive_ = false;
  if (decoder_.state() == progress::failed)
    throw http_error(decoder_.why().status, decoder_.why().cause);
  if (block_.timed_out()) throw http_error(408, "the body took too long");
  if (block_.at_eof()) throw http_error(400, "the body ended early");
  throw error(errc::closed, "read body", block_.name());
}

// A handler may leave a body: a little of it is read and dropped, more ends the connection.
task<> connection::drop_body() {
  if (owes_continue_) {
    keep_alive_ = false;
    co_return;
  }
  std::uint64_t start = decoder_.received();
  try {
    while (auto chunk = co_await body_.next()) {
      if (decoder_.received() - start <= dropped_body_bytes) continue;
      keep_alive_ = false;
      break;
    }
  } catch (const error&) {
    keep_alive_ = false;
  }
}

}  // namespace cuvee::inline v0::http::detail
