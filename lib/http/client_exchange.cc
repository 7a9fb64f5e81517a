// SPDX-License-Identifier: MIT
#include "client_exchange.h"

#include "chars.h"
#include "io/tls_start.h"

#include <cuvee/core/timeout.h>

#include <algorithm>
#include <limits>

namespace cuvee::inline v0::http::detail {

namespace {

#define CUVEE_TEXT_(x) #x
#define CUVEE_TEXT(x) CUVEE_TEXT_(x)
constexpr std::string_view accept_line = "Accept: */*\r\n";
constexpr std::string_view default_lines =
    "Accept: */*\r\nUser-Agent: cuvee/" CUVEE_TEXT(CUVEE_VERSION_MAJOR) "." CUVEE_TEXT(
        CUVEE_VERSION_MINOR) "." CUVEE_TEXT(CUVEE_VERSION_PATCH) "\r\n";
#undef CUVEE_TEXT
#undef CUVEE_TEXT_

// The default lines that the caller has not written.
std::string_view lines_beside(const headers* fields) noexcept {
  std::string_view lines = default_lines;
  if (!fields) return lines;
  if (fields->contains("User-Agent")) lines = accept_line;
  if (fields->contains("Accept")) lines.remove_prefix(accept_line.size());
  return lines;
}

bool is_redirect(int status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool expects_body(method m) noexcept {
  return m == method::post || m == method::put || m == method::patch;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    auto byte = [&](std::size_t at) {
      return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0u;
    };
    const unsigned group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (unsigned shift = 24; shift != 0; shift -= 6) text += digits[group >> (shift - 6) & 63];
  }
  const std::size_t padding = (3 - bytes.size() % 3) % 3;
  text.replace(text.size() - padding, padding, padding, '=');
  return text;
}

}  // namespace

exchange::exchange(client_state& client, const outgoing& what) noexcept
    : client_(client),
      verb_(what.verb),
      target_(what.target),
      fields_(what.fields && !what.fields->empty() ? what.fields : nullptr),
      body_(what.body),
      has_body_(what.has_body || expects_body(what.verb)),
      streamed_(what.streamed) {}

error exchange::refused(std::error_code code, std::string_view why) const {
  return error(code, name().operation(), name().subject(), why);
}

timeout_error exchange::late(std::string_view why) const {
  return timeout_error(name().operation(), name().subject(), why);
}

headers& exchange::own_fields() {
  if (!own_fields_) own_fields_ = fields_ ? *fields_ : headers();
  fields_ = &*own_fields_;
  return *own_fields_;
}

void exchange::prepare() {
  const std::uint64_t now = clock_ns(v0::detail::require_scheduler());
  total_at_ = now + static_cast<std::uint64_t>(
                        std::max(client_.options().total_timeout, duration::zero()).count());
  if (verb_ == method::connect)
    throw refused(std::make_error_code(std::errc::invalid_argument),
                  "CONNECT makes a tunnel, not a request");
  if (fields_ && fields_->contains("Host")) extract_host();
  if (!target_->userinfo().empty() && !(fields_ && fields_->contains("Authorization"))) {
    std::string credentials = percent_decode(target_->userinfo());
    if (target_->userinfo().find(':') == std::string::npos) credentials += ':';
    own_fields().set("Authorization", "Basic " + base64(credentials));
  }
}

void exchange::extract_host() {
  headers& own = own_fields();
  host_ = *own.get("Host");
  own.erase("Host");
}

duration exchange::time_for(duration limit) const {
  const std::uint64_t now = clock_ns(v0::detail::require_scheduler());
  const std::uint64_t left = total_at_ > now ? total_at_ - now : 0;
  return std::min(limit, duration(static_cast<duration::rep>(left)));
}

task<> exchange::run() {
  prepare();
  for (;;) {
    if (!has_connection()) co_await find_connection();
    send();
    co_await head_awaiter(connection());
    if (!connection().has_head()) {
      if (!may_repeat()) fail();
      repeated_ = true;
      lease_.disconnect();  // but keep the place
      continue;
    }
    if (client_.options().redirects == on_redirect::give_back || !redirect()) co_return;
    connection().begin_discard();
    co_await collect_awaiter(connection(), nullptr);
    lease_.give_back();
  }
}

task<> exchange::begin() {
  prepare();
  if (!has_connection()) co_await find_connection();
  send();
}

// Tries to, without waiting.
bool exchange::has_connection() {
  if (!lease_) lease_ = client_.try_lease(*target_);
  // One that was handed over may have ended since.
  if (lease_ && lease_.connection() && !lease_->usable()) lease_.disconnect();
  return lease_ && lease_.connection();
}

task<> exchange::find_connection() {
  if (!lease_) {
    const duration limit = time_for(client_.options().pool_timeout);
    auto granted = co_await move_on_after(limit, lease_awaiter(client_, *target_));
    if (!granted) throw late("waiting for a free connection timed out");
    if (!*granted) throw refused(errc::closed, "the client was closed");
    lease_ = std::move(*granted);
    if (lease_.connection() && !lease_->usable()) lease_.disconnect();
  }
  if (!lease_.connection()) co_await connect();
}

task<> exchange::connect() {
  const duration limit = time_for(client_.options().connect_timeout);
  try {
    connect_options how;
    how.names = client_.options().names;
    auto plain = co_await move_on_after(limit, v0::connect(target_->host(), target_->port(), how));
    if (!plain) throw late("connecting timed out");
    stream s = std::move(*plain);
    if (target_->is_https()) s = co_await secure(std::move(s));
    lease_.connected(std::make_unique<client_connection>(std::move(s), client_.options()));
  } catch (const timeout_error&) {
    throw;
  } catch (const error& e) {
    const bool about_tls = e.operation() == "tls handshake";
    throw refused(e.code(), about_tls ? v0::detail::tls_words(e) : std::string());
  }
}

// The context limits the handshake by itself.
task<stream> exchange::secure(stream plain) {
  const tls_client_context* own = client_.options().tls;
  const duration limit = time_for(duration::max());
  auto attempt = v0::detail::start_tls_for("http/1.1", std::move(plain),
                                           own ? *own : default_tls_client(), target_->host());
  try {
    auto secured = co_await move_on_after(limit, std::move(attempt));
    if (secured) co_return std::move(*secured);
  } catch (const timeout_error&) {  // told below
  }
  throw late("the TLS handshake timed out");
}

void exchange::send() {
  request_head head;
  head.verb = verb_;
  std::string with_query;
  if (target_->query()) head.target = with_query = target_->target();
  else head.target = target_->path();
  head.host = host_.empty() ? std::string_view(lease_.host().authority) : host_;
  if (streamed_) head.body = *streamed_;
  else if (has_body_) head.body = {framing::length, body_.size()};
  head.more_lines = lines_beside(fields_);
  head.fields = fields_;
  lease_->send(head, body_, total_at_);
}

// A connection that the server closed while it was idle: nothing was answered, so nothing was
// read, and the request may go out once more.
bool exchange::may_repeat() const noexcept {
  return !repeated_ && connection().used_before() && connection().unanswered() &&
         is_idempotent(verb_);
}

// Returns: whether the response leads elsewhere; then the request has been changed to go there.
bool exchange::redirect() {
  const response_parser& head = connection().head();
  if (!is_redirect(head.status())) return false;
  const std::string_view location = head.find("Location");
  if (!location.data()) return false;
  if (redirects_ == client_.options().max_redirects)
    throw refused(errc::too_many_redirects,
                  "more than " + std::to_string(redirects_) + " redirects");
  redirects_++;
  try {
    go_to(target_->resolve(location), head.status());
  } catch (const error& e) {
    if (e.code() != errc::bad_url) throw;
    throw refused(errc::bad_url, std::string("redirect: ") + e.what());
  }
  return true;
}

void exchange::go_to(url next, int status) {
  if (target_->is_https() && !next.is_https())
    throw refused(errc::protocol, "a redirect from https to http");
  if (!next.same_origin(*target_)) {
    host_.clear();
    if (fields_)
      for (std::string_view name : {"Authorization", "Cookie", "Proxy-Authorization"})
        own_fields().erase(name);
  }
  const bool see_other = status == 303 && verb_ != method::get && verb_ != method::head;
  if (see_other || ((status == 301 || status == 302) && verb_ == method::post)) {
    verb_ = method::get;
    has_body_ = false;
    body_ = {};
    if (fields_)
      for (std::string_view name :
           {"Content-Encoding", "Content-Language", "Content-Location", "Content-Type"})
        own_fields().erase(name);
  }
  own_target_ = std::move(next);
  target_ = &*own_target_;
}

response_stream open_response(exchange& x, std::optional<std::uint64_t> most_bytes,
                              std::optional<std::string> sent) {
  x.connection().begin_body(most_bytes.value_or(std::numeric_limits<std::uint64_t>::max()));
  std::unique_ptr<response_record, response_deleter> record(x.make_record());
  response_stream::download_ptr download(
      new detail::download(x.take_lease(), x.verb(), record->url, std::move(sent)));
  return response_stream(std::move(record), std::move(download));
}

// ---- download

bool download::poll() { return !lease_ || lease_->poll_chunk(); }

std::optional<std::string_view> download::take() {
  if (!lease_) return std::nullopt;
  const std::string_view chunk = lease_->take_chunk();
  if (!chunk.empty()) return chunk;
  lease_->note_end();
  if (!lease_->has_body()) lease_->fail({verb_, target_});
  end_if_whole();
  return std::nullopt;
}

}  // namespace cuvee::inline v0::http::detail
