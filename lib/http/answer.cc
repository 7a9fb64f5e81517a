// SPDX-License-Identifier: MIT
// connection: from a whole request head to its answer.
#include "connection.h"

#include "chars.h"

#include <ctime>

namespace cuvee::inline v0::http::detail {

namespace {

constexpr std::size_t copied_body_bytes = 8 * 1024;  // larger ones are written from where they are
constexpr std::string_view default_type = "text/plain";

}  // namespace

common_lines::common_lines(duration idle_timeout)
    : loop_(v0::detail::loop_state::current()), idle_timeout_(idle_timeout) {}

void common_lines::renew(std::uint64_t now) {
  timespec wall;
  clock_gettime(CLOCK_REALTIME, &wall);
  char date[date_bytes];
  format_http_date(wall.tv_sec, date);
  text_.assign("Date: ").append(date, date_bytes).append("\r\n");
  date_size_ = text_.size();
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(idle_timeout_).count();
  text_.append("Keep-Alive: timeout=").append(std::to_string(seconds)).append("\r\n");
  until_ = now + 1'000'000'000 - static_cast<std::uint64_t>(wall.tv_nsec);
}

// Returns: the handler; null if the request has been answered without one.
handler* connection::begin_answer() {
  phase_ = phase::answering;
  deadline_.clear();
  keep_alive_ = parser_.keep_alive();
  server_.routes.match(parser_.path(), match_);
  handler* h = match_.found ? match_.found->find(parser_.verb()) : server_.routes.fallback.get();
  if (parser_.has_body() && !begin_body(h))
    return nullptr;  // without one it is complete from before
  if (!h) [[unlikely]]
    answer_unrouted();
  return h;
}

// Returns: false if it has been refused.
bool connection::begin_body(const handler* h) {
  owes_continue_ = parser_.expect_continue();
  head_sent_ = false;
  body_started_ = piece_taken_ = 0;
  const limits& l = options().limits;
  decoder_.begin(parser_.body(), l, h ? h->max_body().value_or(l.body_bytes) : l.body_bytes);
  if (decoder_.state() != progress::failed) [[likely]]
    return true;
  send_error(decoder_.why().status, decoder_.why().cause);
  return false;
}

void connection::answer_unrouted() {
  bool asks_options = parser_.verb() == method::options;
  if (!match_.found && !(asks_options && parser_.path() == "*")) return send_error(404, {});
  headers allow;
  allow.set("Allow", match_.found ? std::string_view(match_.found->allow) : "GET, HEAD, OPTIONS");
  if (asks_options) send_text(204, {}, &allow, {});
  else send_error(405, {}, &allow);
}

task<> connection::run_streaming(handler& h) {
  response_writer w(*this);
  try {
    co_await h.stream(request_, w);
    w.finish();
  } catch (...) {
    answer_exception(w.started());
  }
}

// Inside a catch block: the handler's exception becomes the answer, unless one has begun; then the
// client must see that it is not whole.
void connection::answer_exception(bool begun) {
  bool lost = block_.closing() || block_.read_error() != 0 || block_.write_error() != 0;
  int status = 500;
  std::string detail;
  try {
    throw;
  } catch (const http_error& e) {
    if (is_final(e.status())) {
      status = e.status();
      detail = e.detail();
    } else {
      report_exception();
    }
    lost = block_.closing();  // a body that came too late is answered
  } catch (const error&) {
    if (!lost) report_exception();  // else it tells of the connection's end
  } catch (...) {
    report_exception();
  }
  if (!begun && !lost) return send_error(status, detail);
  keep_alive_ = false;
  block_.abort();
}

void connection::report_exception() {
  std::string what = "exception in the handler of ";
  what.append(to_string(parser_.verb())).append(" ").append(parser_.path());
  block_.home().report_error(std::move(what), std::current_exception());
}

void connection::send(std::string_view text) {
  if (!send_text(200, default_type, nullptr, text)) copy_large(text);
}

// The head is queued: where there is no memory for the rest, the connection ends, not in an error page.
void connection::copy_large(std::string_view text) {
  try {
    large_.assign(text);
  } catch (...) {
    block_.abort();
    report_exception();
  }
}

void connection::check_final(int status) {
  if (is_final(status)) [[likely]]
    return;
  throw error(std::make_error_code(std::errc::invalid_argument), "answer", std::to_string(status),
              "not the status of a final response");
}

void connection::send(response&& r) {
  check_final(r.status());
  const headers* fields = r.headers().empty() ? nullptr : &r.headers();
  bool typed = fields && fields->contains("Content-Type");
  if (!send_text(r.status(), typed ? std::string_view() : default_type, fields, r.body()))
    large_ = std::move(r.body());
}

// Returns: false if the body is too large to be copied; then only the head is queued.
bool connection::send_text(int status, std::string_view content_type, const headers* fields,
                           std::string_view text) {
  response_head head;
  head.status = status;
  head.fields = fields;
  if (is_bodyless(status)) [[unlikely]] {
    send_head(head, {});
    return true;
  }
  head.content_type = content_type;
  head.body = {framing::length, text.size()};
  bool sent = answers_head();
  bool copied = !sent && text.size() <= copied_body_bytes;
  send_head(head, copied ? text : std::string_view());
  return sent || copied;
}

void connection::send_head(int status, std::string_view content_type, const headers* fields,
                           body_framing framing) {
  response_head head;
  head.status = status;
  head.body = framing;
  head.content_type = content_type;
  head.fields = fields;
  send_head(head, {});
}

// Adds what depends on the connection, and writes it with `text` behind it.
void connection::send_head(response_head& head, std::string_view text) {
  // An upload the client holds back until it is asked for cannot be skipped: it may never come.
  if (owes_continue_) [[unlikely]] {
    head_sent_ = true;
    if (!decoder_.complete() && decoder_.received() == 0) keep_alive_ = false;
  }
  if (server_.stopping.is_set()) keep_alive_ = false;
  head.date_line = server_.lines.now(keep_alive_);
  if (!keep_alive_) head.connection = connection_option::close;
  else if (parser_.minor_version() == 0) head.connection = connection_option::keep_alive;
  std::size_t bound = head_bound(head) + text.size();
  if (bound <= stream_block::largest_reserve) [[likely]] {
    char* out = block_.reserve(bound);
    char* end = copy_bytes(write_head(head, out), text.data(), text.size());
    block_.commit(static_cast<std::size_t>(end - out));
    return;
  }
  send_large_head(head, text);
}

void connection::send_large_head(const response_head& head, std::string_view text) {
  std::string whole(head_bound(head), '\0');
  char* end = write_head(head, whole.data());
  try {
    block_.append({whole.data(), static_cast<std::size_t>(end - whole.data())});
    block_.append(text);
  } catch (...) {  // half of it is queued: no other answer may follow
    block_.abort();
    throw;
  }
}

void connection::send_error(int status, std::string_view cause, const headers* fields) {
  if (decoder_.state() == progress::failed || phase_ != phase::answering) keep_alive_ = false;
  std::string text = std::to_string(status);
  text.append(" ").append(reason_phrase(status));
  if (cause != reason_phrase(status) && !cause.empty()) text.append(": ").append(cause);
  text += '\n';
  if (!send_text(status, default_type, fields, text)) large_ = std::move(text);
}

task<> connection::send_large() {
  std::string text = std::exchange(large_, {});
  write_watch watch(block_, options().write_timeout, text.size());
  co_await stream_.write(text);
}

}  // namespace cuvee::inline v0::http::detail
