// SPDX-License-Identifier: MIT
#include <cuvee/http/response_writer.h>

#include "connection.h"

namespace cuvee::inline v0::http {

response_writer& response_writer::status(int code) noexcept {
  status_ = code;
  return *this;
}
response_writer& response_writer::header(std::string_view name, std::string_view value) {
  headers_.set(name, value);
  return *this;
}
response_writer& response_writer::content_length(std::uint64_t bytes) noexcept {
  if (!started_) length_ = bytes;
  return *this;
}

void response_writer::start() {
  if (started_) return;
  detail::connection::check_final(status_);
  started_ = true;
  detail::body_framing framing;
  if (is_bodyless(status_)) length_ = 0;
  else if (length_) framing = {detail::framing::length, *length_};
  else if (connection_->head().minor_version() == 1) framing.kind = detail::framing::chunked;
  else framing.kind = detail::framing::until_close;
  if (framing.kind == detail::framing::until_close) connection_->end_connection();
  chunked_ = framing.kind == detail::framing::chunked;
  connection_->send_stream_head(status_, headers_, framing);
}

task<> response_writer::write(const_bytes bytes) {
  v0::detail::stream_block& b = connection_->block();
  if (writing_) throw error(errc::busy, "write response", b.name());
  if (finished_) throw error(errc::closed, "write response", b.name(), "it is finished already");
  start();
  if (bytes.empty()) co_return;
  if (length_ && bytes.size() > *length_ - sent_)
    throw error(errc::limit_exceeded, "write response", {}, "more than the declared length");
  sent_ += bytes.size();
  if (connection_->answers_head()) co_return;
  detail::flag_guard writing(writing_);
  co_await detail::write_piece(b, bytes, chunked_, connection_->options().write_timeout);
  if (b.write_error() != 0 || b.closing()) throw error(errc::closed, "write response", b.name());
}

void response_writer::finish() {
  if (std::exchange(finished_, true)) return;
  if (!started_ && !length_) length_ = 0;
  start();
  if (chunked_ && !connection_->answers_head()) connection_->block().append(detail::last_chunk);
  if (length_ && sent_ != *length_ && !connection_->answers_head()) connection_->block().abort();
}

namespace detail {

void connection::send_stream_head(int status, const headers& fields, body_framing framing) {
  bool typed = fields.contains("Content-Type") || is_bodyless(status);
  send_head(status, typed ? std::string_view() : "application/octet-stream", &fields, framing);
}

}  // namespace detail
}  // namespace cuvee::inline v0::http
