// SPDX-License-Identifier: MIT
#include "parser.h"

#include <cuvee/http/status.h>

#include <llhttp.h>

#include <algorithm>
#include <array>
#include <new>
#include <string>

namespace cuvee::inline v0::http::detail {

namespace {

constexpr int stop = HPE_USER;
// The bytes of a head beside its target and its fields: the longest method, spaces, the version.
constexpr std::size_t request_line_slack = 64;
constexpr std::uint8_t most_leading_bytes = 8;

struct method_slot {
  bool known = false;
  method value = method::get;
};

// llhttp's numbers to ours. PRI, SOURCE (ICE) and the RTSP methods have no entry.
constexpr auto methods = [] {
  std::array<method_slot, 256> t{};  // the number is one byte: any can be looked up
  auto put = [&t](llhttp_method_t from, method to) { t[from] = {true, to}; };
  put(HTTP_GET, method::get);
  put(HTTP_HEAD, method::head);
  put(HTTP_POST, method::post);
  put(HTTP_PUT, method::put);
  put(HTTP_DELETE, method::delete_);
  put(HTTP_PATCH, method::patch);
  put(HTTP_OPTIONS, method::options);
  put(HTTP_TRACE, method::trace);
  put(HTTP_CONNECT, method::connect);
  put(HTTP_COPY, method::copy);
  put(HTTP_LOCK, method::lock);
  put(HTTP_MKCOL, method::mkcol);
  put(HTTP_MOVE, method::move);
  put(HTTP_PROPFIND, method::propfind);
  put(HTTP_PROPPATCH, method::proppatch);
  put(HTTP_SEARCH, method::search);
  put(HTTP_UNLOCK, method::unlock);
  put(HTTP_BIND, method::bind);
  put(HTTP_REBIND, method::rebind);
  put(HTTP_UNBIND, method::unbind);
  put(HTTP_ACL, method::acl);
  put(HTTP_REPORT, method::report);
  put(HTTP_MKACTIVITY, method::mkactivity);
  put(HTTP_CHECKOUT, method::checkout);
  put(HTTP_MERGE, method::merge);
  put(HTTP_MSEARCH, method::msearch);
  put(HTTP_NOTIFY, method::notify);
  put(HTTP_SUBSCRIBE, method::subscribe);
  put(HTTP_UNSUBSCRIBE, method::unsubscribe);
  put(HTTP_PURGE, method::purge);
  put(HTTP_MKCALENDAR, method::mkcalendar);
  put(HTTP_LINK, method::link);
  put(HTTP_UNLINK, method::unlink);
  return t;
}();

llhttp_t* machine(unsigned char* storage) noexcept {
  return std::launder(reinterpret_cast<llhttp_t*>(storage));
}

}  // namespace

// llhttp's callbacks. They are C: nothing may throw through them, so a failure to allocate is
// recorded and ends the parse.
struct tokenizer_events {
  static head_parser& of(llhttp_t* p) noexcept { return *static_cast<head_parser*>(p->data); }

  static std::uint32_t place(const head_parser& h, const char* at) noexcept {
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(at) - h.origin_);
  }
  static int refuse(head_parser& h, refusal why) noexcept {
    if (!h.why_) h.why_ = why;
    return stop;
  }

  static int on_url(llhttp_t* p, const char* at, std::size_t n) noexcept {
    head_parser& h = of(p);
    if (h.target_.size == 0) h.target_.at = place(h, at);
    h.target_.size += static_cast<std::uint32_t>(n);
    if (h.target_.size > h.limits_->target_bytes)
      return refuse(h, {414, "request target too long"});
    return 0;
  }

  static int on_field(llhttp_t* p, const char* at, std::size_t n) noexcept {
    head_parser& h = of(p);
    if (h.in_name_ || n > UINT16_MAX || !h.arena_.has_room_above(h.table_bound_)) [[unlikely]]
      return on_unusual_field(h, at, n);
    start_field(h, at, n);
    return 0;
  }
  static void start_field(head_parser& h, const char* at, std::size_t n) noexcept {
    h.arena_.push_field({place(h, at), 0, static_cast<std::uint16_t>(n), 0});
    h.in_name_ = true;
  }
  // A name that came in pieces, one field too many, or no room for it.
  [[gnu::noinline]] static int on_unusual_field(head_parser& h, const char* at,
                                                std::size_t n) noexcept try {
    head_arena& a = h.arena_;
    if (n > UINT16_MAX) return refuse(h, {431, "header fields too large"});
    if (h.in_name_) {
      raw_field& f = a.last_field();
      if (n > std::size_t{UINT16_MAX} - f.name_size)
        return refuse(h, {431, "header fields too large"});
      f.name_size = static_cast<std::uint16_t>(f.name_size + n);
      return 0;
    }
    if (a.field_count() >= h.limits_->header_fields)
      return refuse(h, {431, "too many header fields"});
    a.reserve_field();
    h.table_bound_ = a.table_bound(h.most_table_bytes_);
    start_field(h, at, n);
    return 0;
  } catch (const std::bad_alloc&) {
    return refuse(h, {503, "out of memory"});
  }

  static int on_value(llhttp_t* p, const char* at, std::size_t n) noexcept {
    head_parser& h = of(p);
    // A value without a name before it: llhttp makes no name callback for an empty name.
    if (!h.in_name_ || n > UINT16_MAX) [[unlikely]]
      return on_unusual_value(h, at, n);
    h.in_name_ = false;
    raw_field& f = h.arena_.last_field();
    f.value = place(h, at);
    f.value_size = static_cast<std::uint16_t>(n);
    return 0;
  }
  // A value that came in pieces.
  [[gnu::noinline]] static int on_unusual_value(head_parser& h, const char* at,
                                                std::size_t n) noexcept {
    head_arena& a = h.arena_;
    if (a.field_count() == 0) return refuse(h, {400, "malformed header field"});
    raw_field& f = a.last_field();
    h.in_name_ = false;
    if (n == 0) return 0;
    if (f.value_size == 0) f.value = place(h, at);
    else if (f.value + f.value_size != place(h, at))
      return refuse(h, {400, "malformed header field"});
    if (n > std::size_t{UINT16_MAX} - f.value_size)
      return refuse(h, {431, "header fields too large"});
    f.value_size = static_cast<std::uint16_t>(f.value_size + n);
    return 0;
  }

  static int on_headers_complete(llhttp_t* p) noexcept {
    p->upgrade = 0;  // else Upgrade and CONNECT end HTTP without a word from the server
    return 1;        // no body: llhttp goes straight to the end of the message, where we pause
  }
  static int on_message_complete(llhttp_t*) noexcept { return HPE_PAUSED; }

  static const llhttp_settings_t* settings() noexcept {
    static constexpr llhttp_settings_t table = [] {
      llhttp_settings_t s{};
      s.on_url = on_url;
      s.on_header_field = on_field;
      s.on_header_value = on_value;
      s.on_headers_complete = on_headers_complete;
      s.on_message_complete = on_message_complete;
      return s;
    }();
    return &table;
  }
};

head_parser::head_parser(kind k, const limits& l) noexcept : limits_(&l), kind_(k) {
  const std::size_t line = k == kind::request ? l.target_bytes + request_line_slack : 0;
  most_bytes_ = line + l.header_bytes + 1;
  constexpr std::size_t most_fields = UINT32_MAX / sizeof(raw_field);
  most_table_bytes_ =
      static_cast<std::uint32_t>(std::min(l.header_fields, most_fields) * sizeof(raw_field));
  static_assert(sizeof(llhttp_t) <= tokenizer_bytes && alignof(llhttp_t) <= 8);
  auto* p = ::new (static_cast<void*>(tokenizer_)) llhttp_t;
  llhttp_init(p, k == kind::request ? HTTP_REQUEST : HTTP_RESPONSE, tokenizer_events::settings());
  p->data = this;
}

inline void head_parser::restart() noexcept {
  llhttp_t* p = machine(tokenizer_);
  // Paused at the end of a message without a body, llhttp goes on by itself; that is cheaper. Most
  // requests have no field that it keeps a flag for, and need not ask it.
  const bool plain = kind_ == kind::request && (p->flags & ~F_SKIPBODY) == 0 && p->http_minor == 1;
  if (state_ == state::complete && p->content_length == 0 && (plain || llhttp_should_keep_alive(p)))
    llhttp_resume(p);
  else llhttp_reset(p);
  target_ = {};
  why_ = {};
  state_ = state::reading;
  in_name_ = false;
  leading_ = 0;
}

void head_parser::next() noexcept {
  restart();
  arena_.clear();
}

void head_parser::release() noexcept {
  if (state_ != state::reading || arena_.size() != 0) restart();
  arena_.release();
}

head_step head_parser::fail(refusal why) noexcept {
  if (kind_ == kind::response) why.status = 502;
  why_ = why;
  state_ = state::failed;
  return {progress::failed, 0};
}

// Whether more than `header_bytes` follow the request line (in a response, in all). Depends on how
// many bytes have come, not on where they were cut.
bool head_parser::over_limit() const noexcept {
  constexpr std::size_t version = 11;  // " HTTP/1.1\r\n"
  const std::size_t line = kind_ == kind::request ? target_.at + target_.size + version : 0;
  return arena_.size() > line + limits_->header_bytes;
}

inline head_step head_parser::tokenize(std::string_view input) {
  // More than the limits allow is not even looked at.
  const std::size_t most = most_bytes_;
  if (input.size() > most - arena_.size()) [[unlikely]]
    input = input.substr(0, most - std::min<std::size_t>(most, arena_.size()));
  arena_.prepare();
  table_bound_ = arena_.table_bound(most_table_bytes_);
  origin_ = reinterpret_cast<std::uintptr_t>(input.data()) - arena_.size();
  llhttp_t* p = machine(tokenizer_);
  const llhttp_errno_t e = llhttp_execute(p, input.data(), input.size());
  if (e != HPE_OK && e != HPE_PAUSED) [[unlikely]]
    return give_up(input, e == HPE_PAUSED_H2_UPGRADE);
  std::size_t used = input.size();
  if (e == HPE_PAUSED) used = static_cast<std::size_t>(p->error_pos - input.data());
  arena_.append({input.data(), used});
  if (arena_.size() > limits_->header_bytes && over_limit()) [[unlikely]]
    return fail({431, "header fields too large"});
  if (e == HPE_OK) {
    if (arena_.size() >= most) return fail({431, "header fields too large"});
    return {progress::need_more, used};
  }
  return {progress::complete, used};
}

// Two readers of the same bytes must answer the same, however the bytes were cut. llhttp notices
// errors sooner or later depending on the cuts, and limits may be passed before: so a head that is
// refused is read once more, byte by byte, and the first objection stands.
head_step head_parser::give_up(std::string_view input, bool is_http2) {
  if (why_.status == 503) return fail(why_);
  if (input.size() > 1) return refuse_again(std::string(arena_.text()).append(input));
  if (why_) return fail(why_);
  if (is_http2) return fail({505, "unsupported HTTP version"});
  arena_.append(input);
  if (kind_ == kind::request) return fail(classify_request(arena_.text()));
  const bool in_line = arena_.text().find('\n') == std::string_view::npos;
  return fail({502, in_line ? "malformed status line" : "malformed header field"});
}

head_step head_parser::refuse_again(const std::string& seen) {
  next();
  for (const char& byte : seen)
    if (tokenize({&byte, 1}).state == progress::failed) return {progress::failed, 0};
  return fail({400, "malformed head"});
}

// Empty lines before a request line are skipped (RFC 9112 §2.2): some clients send one after a
// body.
std::size_t request_parser::skip_empty_lines(std::string_view input) noexcept {
  std::size_t i = 0;
  while (i < input.size() && leading_ < most_leading_bytes) {
    if (input[i] != (leading_ % 2 == 0 ? '\r' : '\n')) break;
    ++leading_;
    ++i;
  }
  return i;
}

head_step request_parser::parse_head(std::string_view input) {
  if (state_ != state::reading) [[unlikely]]
    return {state_ == state::failed ? progress::failed : progress::complete, 0};
  if (input.empty()) return {progress::need_more, 0};
  std::size_t skipped = 0;
  if (arena_.size() == 0 && (input[0] <= ' ' || leading_ != 0)) [[unlikely]] {
    skipped = skip_empty_lines(input);
    input.remove_prefix(skipped);
    if (input.empty()) return {progress::need_more, skipped};
    if (leading_ % 2 != 0 || input[0] == '\r' || input[0] == '\n')
      return fail({400, "malformed request line"});
  }
  head_step step = tokenize(input);
  if (step.state == progress::complete) {
    const method_slot slot = methods[machine(tokenizer_)->method];
    line_ = {slot.known, slot.value, target_};
    if (refusal no = check_request(arena_, line_, host_, facts_)) [[unlikely]]
      return fail(no);
    state_ = state::complete;
  }
  step.used += skipped;
  return step;
}

head_step response_parser::parse_head(std::string_view input) {
  if (state_ != state::reading) [[unlikely]]
    return {state_ == state::failed ? progress::failed : progress::complete, 0};
  if (input.empty()) return {progress::need_more, 0};
  // llhttp skips empty lines; a server has no business sending any.
  if (arena_.size() == 0 && input[0] != 'H') return fail({502, "malformed status line"});
  const head_step step = tokenize(input);
  if (step.state != progress::complete) return step;
  if (refusal no = check_response(arena_, facts_)) return fail(no);
  state_ = state::complete;
  return step;
}

body_framing response_parser::body() const noexcept {
  const bool tunnel = asked_ == method::connect && facts_.status / 100 == 2;
  if (asked_ == method::head || tunnel || is_bodyless(facts_.status)) return {};
  if (facts_.chunked) return {framing::chunked, 0};
  if (facts_.has_length) return {framing::length, facts_.content_length};
  return {framing::until_close, 0};
}

}  // namespace cuvee::inline v0::http::detail
