// SPDX-License-Identifier: MIT
#pragma once
#include "body.h"
#include "deadline_timer.h"
#include "parser.h"
#include "serialize.h"

#include <cuvee/http/client.h>
#include <cuvee/io/tcp.h>

#include <memory>

namespace cuvee::inline v0::http::detail {

class client_state;
struct host_pool;
class client_connection;

/// Whose failure it is: what error texts begin with.
struct request_name {
  method verb;
  const url& target;

  std::string operation() const;
  std::string subject() const { return target.to_string(); }
};

/// Who sends a body piece by piece through a connection.
struct body_sender {
  client_connection* connection = nullptr;  // while it carries the exchange
  /// Its end, when the exchange ends first: a write may still be under way in it.
  std::unique_ptr<client_connection> closed;
};

/// One connection of a client: carries exchanges one after another and waits in the pool between
/// them. Reading stays armed there: whatever arrives, or the end, takes it out of the pool.
class client_connection : public v0::detail::list_node, public v0::detail::pooled {
 public:
  client_connection(stream s, const client_options& o);
  client_connection(const client_connection&) = delete;
  client_connection& operator=(const client_connection&) = delete;
  ~client_connection();

  // In the pool.
  void watch(client_state& pool, host_pool& host);
  void leave_pool() noexcept { block_.forget_reader(); }
  host_pool& host() const noexcept { return *host_; }
  /// Whether another exchange may follow.
  bool reusable() const noexcept;

  // An exchange: send, then `advance_head` until true, then a body.
  bool usable() const noexcept { return !block_.finished() && block_.window().empty(); }
  bool used_before() const noexcept { return exchanges_ > 1; }
  /// `body` stays where it is until the exchange ends or the connection is gone.
  void send(const request_head& head, std::string_view body, std::uint64_t total_at);
  /// Parses what has arrived. Returns: whether the head is whole or never will be.
  bool advance_head() noexcept;
  bool has_head() const noexcept { return head_done_; }
  /// Whether the server has sent nothing at all in this exchange.
  bool unanswered() const noexcept { return !answered_ && !block_.timed_out(); }
  bool uploading() const noexcept { return upload_ != nullptr; }
  /// After `send`: the body follows, by `by` through `block`.
  void begin_sending(body_sender& by) noexcept;
  void end_sending() noexcept;
  void leave(body_sender& by) noexcept {
    sender_ = nullptr;
    by.connection = nullptr;
  }
  body_sender* sender() const noexcept { return sender_; }
  stream_block& block() noexcept { return block_; }
  const response_parser& head() const noexcept { return parser_; }
  void begin_body(std::uint64_t most_bytes) noexcept;
  /// A body that nobody wants, for the connection's sake: a little, and not for long.
  void begin_discard() noexcept;

  /// Appends what has arrived of the body to `into`, if that is not null. Returns: whether it is
  /// whole or never will be.
  bool collect(std::string* into) noexcept;
  /// After waiting: the end of the connection wakes the reader without a look at the body.
  void note_end() noexcept {
    if (decoder_.state() == progress::need_more) ended();
  }
  bool has_body() const noexcept { return decoder_.complete(); }

  // The body by chunks, as `body_source` has them.
  bool poll_chunk() noexcept;
  void await_chunk(waiter& w);
  void stop_waiting() noexcept;
  std::string_view take_chunk() noexcept;

  void await_bytes(v0::detail::stream_reader& r) { block_.await_bytes(r); }
  /// Why head or body never will be whole.
  [[noreturn]] void fail(const request_name& who) const;

 private:
  struct idle_watch : waiter, v0::detail::stream_reader {
    idle_watch() noexcept : waiter(&on_event) { waiter_ = this; }
    static void on_event(waiter* w);
    client_state* pool = nullptr;
    client_connection* owner = nullptr;
  };
  struct chunk_reader : v0::detail::stream_reader {
    client_connection* owner;
  };
  struct upload;

  void start_upload(std::string_view body);
  std::uint64_t header_end() const noexcept;
  void touch() noexcept { deadline_.set_at(gap_end()); }
  std::uint64_t gap_end() const noexcept;
  std::uint64_t turn_time() const noexcept { return block_.home().turn_time(); }
  duration idle_time() const noexcept;
  bool ended() noexcept;
  bool pump();
  bool take_head();
  void give_buffer() noexcept;
  const char* late() const noexcept;

  stream stream_;
  stream_block& block_;
  const client_options& options_;
  deadline_timer deadline_;
  response_parser parser_;
  body_decoder decoder_;
  idle_watch watch_;
  chunk_reader reader_;
  host_pool* host_ = nullptr;
  upload* upload_ = nullptr;
  body_sender* sender_ = nullptr;
  char* buffer_ = nullptr;  // of chunks, while there are some
  std::size_t chunk_size_ = 0;
  std::uint64_t total_at_ = 0;
  std::uint64_t body_limit_ = 0;
  std::uint32_t exchanges_ = 0;
  std::uint8_t informational_ = 0;
  bool answered_ = false;
  bool head_done_ = false;
  bool in_body_ = false;
  bool sending_ = false;  // the sender has not finished
  bool out_of_memory_ = false;
  const char* objection_ = nullptr;  // to a response the parser accepts
};

/// Waits until the head is whole, or never will be.
class head_awaiter : v0::detail::stream_reader {
 public:
  explicit head_awaiter(client_connection& c) noexcept : connection_(&c) {}
  bool await_ready() noexcept { return connection_->advance_head(); }
  void await_suspend(waiter& w) {
    waiter_ = &w;
    ready = [](v0::detail::stream_reader& r) {
      return static_cast<head_awaiter&>(r).connection_->advance_head();
    };
    connection_->await_bytes(*this);
  }
  bool await_cancel(waiter&) noexcept {
    connection_->stop_waiting();
    return true;
  }
  void await_resume() const noexcept {}

 private:
  client_connection* connection_;
};

/// Waits until the body is whole, or never will be.
class collect_awaiter : v0::detail::stream_reader {
 public:
  collect_awaiter(client_connection& c, std::string* to) noexcept : connection_(&c), to_(to) {}
  bool await_ready() noexcept { return connection_->collect(to_); }
  void await_suspend(waiter& w) {
    waiter_ = &w;
    ready = [](v0::detail::stream_reader& r) {
      auto& self = static_cast<collect_awaiter&>(r);
      return self.connection_->collect(self.to_);
    };
    connection_->await_bytes(*this);
  }
  bool await_cancel(waiter&) noexcept {
    connection_->stop_waiting();
    return true;
  }
  void await_resume() const noexcept { connection_->note_end(); }

 private:
  client_connection* connection_;
  std::string* to_;
};

}  // namespace cuvee::inline v0::http::detail
