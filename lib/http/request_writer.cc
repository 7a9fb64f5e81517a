// SPDX-License-Identifier: MIT
#include <cuvee/http/request_writer.h>

#include "client_upload.h"
#include "piece_writer.h"

#include <cuvee/core/timeout.h>

namespace cuvee::inline v0::http {

namespace detail {

namespace {

outgoing head_of(const client_request& r, const std::optional<std::uint64_t>& length) noexcept {
  outgoing o{r.method(), &r.url()};
  o.fields = &r.headers();
  o.streamed.emplace();
  o.streamed->kind = length ? framing::length : framing::chunked;
  o.streamed->length = length.value_or(0);
  return o;
}

}  // namespace

client_upload::client_upload(client_state& client, client_request r,
                             std::optional<std::uint64_t> declared)
    : request(std::move(r)),
      length(declared),
      stall_limit(client.options().read_timeout),
      x(client, head_of(request, length)) {}

client_upload::~client_upload() {
  if (sender.connection) sender.connection->leave(sender);
}

void upload_deleter::operator()(client_upload* u) const noexcept { delete u; }

}  // namespace detail

task<> request_writer::write(const_bytes bytes) {
  detail::client_upload& u = *upload_;
  if (u.writing) throw u.x.refused(errc::busy, "another write is pending");
  if (u.finished) throw u.x.refused(errc::closed, "the body is finished already");
  if (!u.sender.connection) throw u.x.refused(errc::closed, "the exchange is over");
  if (bytes.empty()) co_return;
  if (u.length && bytes.size() > *u.length - u.sent)
    throw u.x.refused(errc::limit_exceeded, "more than the declared length");
  u.sent += bytes.size();
  v0::detail::stream_block& b = u.sender.connection->block();
  if (b.timed_out()) throw u.x.late("sending the body timed out");
  detail::flag_guard writing(u.writing);
  auto sent = co_await move_on_after(u.x.time_left(),
                                     detail::write_piece(b, bytes, !u.length, u.stall_limit));
  if (!sent) throw u.x.late("sending the body timed out");
  if (b.write_error() != 0 || b.closing())
    throw u.x.refused(errc::closed, "sending the body failed");
}

void request_writer::finish() {
  detail::client_upload& u = *upload_;
  if (u.writing) throw u.x.refused(errc::busy, "a write is pending");
  if (std::exchange(u.finished, true) || !u.sender.connection) return;
  v0::detail::stream_block& b = u.sender.connection->block();
  if (u.length && u.sent != *u.length) {
    b.abort();
    throw u.x.refused(errc::end_of_stream, "the body is shorter than the declared length");
  }
  if (!u.length) b.append(detail::last_chunk);
  u.sender.connection->end_sending();
}

task<response_stream> request_writer::response() {
  detail::client_upload& u = *upload_;
  if (u.answered) throw u.x.refused(errc::closed, "the response has been taken already");
  if (u.answering) throw u.x.refused(errc::busy, "the response is awaited already");
  detail::flag_guard answering(u.answering);
  co_await detail::head_awaiter(u.x.connection());
  if (!u.x.connection().has_head()) u.x.fail();
  u.answered = true;
  co_return detail::open_response(u.x, u.request.max_body());
}

}  // namespace cuvee::inline v0::http
