// SPDX-License-Identifier: MIT
#include "client_connection.h"

#include "chars.h"
#include "client_pool.h"

#include "io/uv_error.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <new>

namespace cuvee::inline v0::http::detail {

namespace {

constexpr std::size_t copied_body_bytes = 4 * 1024;  // larger ones are sent from where they are
constexpr std::uint8_t most_informational = 16;
constexpr std::uint64_t discarded_bytes = 64 * 1024;
constexpr auto discard_time = std::chrono::seconds(2);
constexpr auto longest_idle = std::chrono::seconds(120);
constexpr auto idle_margin = std::chrono::seconds(2);  // the server's clock started before ours
constexpr std::size_t first_reserve = 1024 * 1024;     // on a mere promise of the server

constexpr std::size_t buffer_bytes = 64 * 1024;
using buffers = v0::detail::big_blocks<buffer_bytes>;

std::uint64_t ns(duration d) noexcept {
  return d.count() > 0 ? static_cast<std::uint64_t>(d.count()) : 0;
}

// The `timeout` parameter of a Keep-Alive field.
std::optional<std::chrono::seconds> parse_keep_alive(std::string_view value) noexcept {
  constexpr std::string_view name = "timeout=";
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view part = trim_blanks(value.substr(0, comma));
    if (part.size() > name.size() && iequal(part.substr(0, name.size()), name)) {
      const std::string_view digits = part.substr(name.size());
      std::uint32_t seconds = 0;
      const char* end = digits.data() + digits.size();
      const auto parsed = std::from_chars(digits.data(), end, seconds);
      if (parsed.ec == std::errc() && parsed.ptr == end) return std::chrono::seconds(seconds);
      return std::nullopt;
    }
    if (comma == value.npos) break;
    value.remove_prefix(comma + 1);
  }
  return std::nullopt;
}

}  // namespace

std::string request_name::operation() const {
  std::string name(to_string(verb));
  for (char& c : name) c = lower(c);
  return name;
}

/// A body on its way out while the answer is awaited. libuv may report on it after the connection
/// is gone, so it frees itself.
struct client_connection::upload : waiter, v0::detail::stream_writer, v0::detail::pooled {
  explicit upload(client_connection& c) noexcept : waiter(&on_end), owner(&c) { waiter_ = this; }
  static void on_end(waiter* w) {
    auto* self = static_cast<upload*>(w);
    if (client_connection* c = self->owner) {
      c->upload_ = nullptr;
      if (!c->head_done_) c->deadline_.set_at(c->header_end());
    }
    delete self;
  }
  client_connection* owner;
};

client_connection::client_connection(stream s, const client_options& o)
    : stream_(std::move(s)),
      block_(stream_.native()),
      options_(o),
      deadline_(block_),
      parser_(o.limits) {
  watch_.owner = reader_.owner = this;
}

client_connection::~client_connection() {
  block_.forget_reader();
  if (upload_) upload_->owner = nullptr;
  give_buffer();
}

void client_connection::give_buffer() noexcept {
  if (buffer_) buffers::put(std::exchange(buffer_, nullptr));
  chunk_size_ = 0;
}

// ---- in the pool

void client_connection::idle_watch::on_event(waiter* w) {
  auto& self = *static_cast<idle_watch*>(w);
  self.pool->evict(*self.owner);
}

void client_connection::watch(client_state& pool, host_pool& host) {
  watch_.pool = &pool;
  host_ = &host;
  deadline_.set_at(turn_time() + ns(idle_time()));
  give_buffer();
  decoder_.release();
  block_.await_bytes(watch_);
}

duration client_connection::idle_time() const noexcept {
  const std::string_view hint = parser_.find("Keep-Alive");
  if (!hint.data()) return options_.idle_timeout;
  const auto seconds = parse_keep_alive(hint);
  if (!seconds) return options_.idle_timeout;
  return std::min<duration>(*seconds - idle_margin, longest_idle);
}

bool client_connection::reusable() const noexcept {
  return head_done_ && !objection_ && parser_.keep_alive() && decoder_.complete() && usable() &&
         !upload_ && !sending_ && block_.in_flight() == 0 && block_.write_error() == 0 &&
         idle_time() > duration::zero();
}

// ---- sending

void client_connection::send(const request_head& head, std::string_view body,
                             std::uint64_t total_at) {
  const bool copied = body.size() <= copied_body_bytes;
  const std::size_t bound = head_bound(head) + (copied ? body.size() : 0);
  if (bound <= stream_block::largest_reserve) [[likely]] {
    char* const start = block_.reserve(bound);
    char* end = write_head(head, start);
    if (copied && !body.empty()) end = std::copy(body.begin(), body.end(), end);
    block_.commit(static_cast<std::size_t>(end - start));
  } else {
    std::string text(bound, '\0');
    text.resize(static_cast<std::size_t>(write_head(head, text.data()) - text.data()));
    block_.append(text);
    if (copied) block_.append(body);
  }
  exchanges_++;
  parser_.next();
  parser_.answers(head.verb);
  answered_ = head_done_ = in_body_ = sending_ = false;
  informational_ = 0;
  total_at_ = total_at;
  if (!copied) start_upload(body);
  // While a large body is on its way only the total time counts.
  deadline_.set_at(upload_ ? total_at : header_end());
}

std::uint64_t client_connection::header_end() const noexcept {
  return std::min(total_at_, turn_time() + ns(options_.header_timeout));
}

void client_connection::begin_sending(body_sender& by) noexcept {
  sender_ = &by;
  by.connection = this;
  sending_ = true;
  deadline_.set_at(total_at_);
}

void client_connection::end_sending() noexcept {
  sending_ = false;
  if (!head_done_) deadline_.set_at(header_end());
}

void client_connection::start_upload(std::string_view body) {
  auto own = std::make_unique<upload>(*this);
  own->spans[0] = body;
  own->count = 1;
  if (block_.try_write(*own) || !block_.start_write(*own)) return;
  upload_ = own.release();
}

// ---- the head

// Called inside libuv's read callback, which nothing may be thrown through.
bool client_connection::advance_head() noexcept try {
  return take_head() || block_.finished();
} catch (const std::bad_alloc&) {
  return out_of_memory_ = true;
}

bool client_connection::take_head() {
  while (!block_.window().empty()) {
    answered_ = true;
    const head_step s = parser_.parse_head(block_.window());
    block_.consume(s.used);
    if (s.state == progress::failed) return true;
    if (s.state == progress::need_more) continue;
    if (!parser_.informational()) return head_done_ = true;
    if (parser_.status() == 101) objection_ = "switching protocols without being asked";
    if (++informational_ > most_informational) objection_ = "too many informational responses";
    if (objection_) return true;
    parser_.next();
  }
  return false;
}

// ---- the body

std::uint64_t client_connection::gap_end() const noexcept {
  if (upload_ || sending_) return total_at_;
  return std::min(total_at_, turn_time() + ns(options_.read_timeout));
}

void client_connection::begin_body(std::uint64_t most_bytes) noexcept {
  in_body_ = true;
  body_limit_ = most_bytes;
  decoder_.begin(parser_.body(), options_.limits, most_bytes);
  deadline_.set_at(total_at_);
}

void client_connection::begin_discard() noexcept {
  begin_body(discarded_bytes);
  total_at_ = std::min(total_at_, deadline_.now() + ns(discard_time));
}

// The connection has ended: is the body whole?
bool client_connection::ended() noexcept {
  if (!block_.finished()) return false;
  if (block_.at_eof() && !block_.timed_out()) decoder_.finish();
  return true;
}

bool client_connection::collect(std::string* into) noexcept try {
  while (decoder_.state() == progress::need_more && !block_.window().empty()) {
    const body_slice s = decoder_.next_slice(block_.window());
    if (into && into->empty() && decoder_.left() != 0)
      into->reserve(static_cast<std::size_t>(
          std::min<std::uint64_t>(decoder_.left() + s.data.size(), first_reserve)));
    if (into) into->append(s.data);
    block_.consume(s.used);
  }
  if (decoder_.state() != progress::need_more || ended()) return true;
  touch();
  return false;
} catch (const std::bad_alloc&) {
  return out_of_memory_ = true;
}

// Decodes from the window into the buffer, in place where libuv has read right into it.
bool client_connection::pump() {
  while (chunk_size_ == 0 && decoder_.state() == progress::need_more && !block_.window().empty()) {
    if (!buffer_) buffer_ = buffers::get();
    const body_step s = decoder_.decode(block_.window().substr(0, buffer_bytes), buffer_);
    chunk_size_ = s.produced;
    block_.consume(s.used);
    block_.settle();  // what follows the body must not stay in its buffer
  }
  return chunk_size_ != 0 || decoder_.state() != progress::need_more || ended();
}

bool client_connection::poll_chunk() noexcept try {
  chunk_size_ = 0;
  return pump();
} catch (const std::bad_alloc&) {
  block_.consume(block_.window().size());  // it may lie in our buffer, which may go in this turn
  return out_of_memory_ = true;
}

void client_connection::await_chunk(waiter& w) {
  if (!buffer_) buffer_ = buffers::get();
  reader_.waiter_ = &w;
  reader_.into = v0::mutable_bytes(buffer_, buffer_bytes);
  reader_.ready = [](v0::detail::stream_reader& r) {
    return static_cast<chunk_reader&>(r).owner->poll_chunk();
  };
  deadline_.set_at(gap_end());
  block_.await_bytes(reader_);
}

// A reader that takes its time is only bound by the total time.
std::string_view client_connection::take_chunk() noexcept {
  deadline_.set_at(total_at_);
  return {buffer_, chunk_size_};
}

void client_connection::stop_waiting() noexcept {
  block_.forget_reader();
  deadline_.set_at(total_at_);
}

// ---- failure

const char* client_connection::late() const noexcept {
  if (deadline_.passed() >= total_at_) return "total time ran out";
  return in_body_ ? "reading the body timed out" : "waiting for the response timed out";
}

void client_connection::fail(const request_name& who) const {
  if (out_of_memory_) throw std::bad_alloc();
  const std::string operation = who.operation(), subject = who.subject();
  auto refused = [&](errc code, std::string_view why) {
    return error(code, operation, subject, why);
  };
  if (objection_) throw refused(errc::protocol, objection_);
  if (parser_.why()) throw refused(errc::protocol, parser_.why().cause);
  if (in_body_ && decoder_.state() == progress::failed) {
    if (decoder_.why().status == 413)
      throw refused(errc::limit_exceeded,
                    "the body is larger than " + std::to_string(body_limit_) + " bytes");
    if (block_.at_eof()) throw refused(errc::end_of_stream, decoder_.why().cause);
    throw refused(errc::protocol, decoder_.why().cause);
  }
  if (block_.timed_out()) throw timeout_error(operation, subject, late());
  if (block_.at_eof())
    throw refused(errc::end_of_stream, answered_ ? "the response was cut short"
                                                 : "the server closed without a response");
  const int status = block_.read_error() != 0 ? block_.read_error() : block_.write_error();
  if (status == 0 || status == UV_ECANCELED) throw refused(errc::closed, {});
  throw block_.failure(status, operation, subject);
}

}  // namespace cuvee::inline v0::http::detail
