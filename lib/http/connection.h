// SPDX-License-Identifier: MIT
#pragma once
#include "body.h"
#include "deadline_timer.h"
#include "parser.h"
#include "piece_writer.h"
#include "router.h"
#include "serialize.h"
#include "write_watch.h"

#include <cuvee/core/event.h>
#include <cuvee/http/error.h>
#include <cuvee/http/server.h>
#include <cuvee/http/status.h>

#include <optional>

namespace cuvee::inline v0::http::detail {

using v0::detail::in_place;

/// The Date and Keep-Alive lines of responses, renewed once a second.
class common_lines {
 public:
  explicit common_lines(duration idle_timeout);
  std::string_view now(bool keep_alive) {
    std::uint64_t ns = loop_.turn_time();
    if (ns >= until_) [[unlikely]]
      renew(ns);
    return {text_.data(), keep_alive ? text_.size() : date_size_};
  }

 private:
  void renew(std::uint64_t now);

  v0::detail::loop_state& loop_;
  duration idle_timeout_;
  std::uint64_t until_ = 0;
  std::size_t date_size_ = 0;
  std::string text_;
};

/// What the connections of one server share.
struct server_state {
  server_state(const router& r, const serve_options& o) : routes(r), options(o) {}

  const router& routes;
  const serve_options& options;
  event stopping;
  v0::detail::list<class connection> idle;  // waiting for a request: closed at once on a stop
  common_lines lines{options.idle_timeout};
};

/// One keep-alive connection of a server: reads heads, calls handlers, writes their answers in order.
class connection final : public v0::detail::list_node, body_source, reply {
 public:
  connection(stream s, server_state& server);
  ~connection();

  /// Until either side ends it. Handles everything that concerns only this connection.
  task<> run();
  /// The server stops: no further request after the present one.
  void close_if_idle();

  // For `request` and `response_writer`.
  const request_parser& head() const noexcept { return parser_; }
  const route_match& matched() const noexcept { return match_; }
  http::body& request_body() noexcept { return body_; }
  body_framing request_framing() const noexcept { return parser_.body(); }
  stream_block& block() noexcept { return block_; }
  const serve_options& options() const noexcept { return server_.options; }
  deadline_timer& deadline() noexcept { return deadline_; }
  /// Errors: invalid_argument for a status that ends no exchange.
  static void check_final(int status);
  void send_stream_head(int status, const headers& fields, body_framing framing);
  void end_connection() noexcept { keep_alive_ = false; }
  bool answers_head() const noexcept {
    return phase_ == phase::answering && parser_.verb() == method::head;
  }

 private:
  class bytes_awaiter;

  enum class phase : std::uint8_t { fresh, idle, in_head, refused, answering };

  // connection.cc
  task<> serve_requests();
  progress parse();
  void wait_for_head();
  void answer_unfinished(progress p);
  task<> close_gracefully();

  // answer.cc
  handler* begin_answer();
  bool begin_body(const handler* h);
  void answer_unrouted();
  task<> run_streaming(handler& h);
  void answer_exception(bool begun = false);
  void report_exception();
  void send(std::string_view text) override;
  void send(response&& r) override;
  void copy_large(std::string_view text);
  void send_head(int status, std::string_view content_type, const headers* fields,
                 body_framing framing);
  void send_head(response_head& head, std::string_view text);
  void send_large_head(const response_head& head, std::string_view text);
  bool send_text(int status, std::string_view content_type, const headers* fields,
                 std::string_view text);
  void send_error(int status, std::string_view cause, const headers* fields = nullptr);
  task<> send_large();

  // request_body.cc
  task<> drop_body();
  bool pump();
  bool pump_or_fail() noexcept;
  void give_buffer() noexcept;
  bool poll() override;
  void wait(waiter& w) override;
  void stop_waiting() noexcept override;
  std::optional<std::string_view> take() override;
  std::uint64_t body_deadline() const noexcept;

  struct body_reader : v0::detail::stream_reader {
    connection* owner;
  };

  stream stream_;
  stream_block& block_;
  server_state& server_;
  deadline_timer deadline_;
  request_parser parser_;
  request request_;
  route_match match_;
  phase phase_ = phase::fresh;
  bool keep_alive_ = true;
  bool owes_continue_ = false;  // the client waits for a 100 before it sends the body
  bool head_sent_ = false;      // of the final answer, while a 100 is owed
  bool read_twice_ = false;     // a second `next` met a pending one

  body_decoder decoder_;
  http::body body_;
  body_reader reader_;
  char* buffer_ = nullptr;  // the body's, while there is one
  std::size_t chunk_size_ = 0;
  std::uint64_t body_started_ = 0;  // shifted by what the handler took between two pieces
  std::uint64_t piece_taken_ = 0;

  std::string large_;  // an answer too large for the output block
};

}  // namespace cuvee::inline v0::http::detail
