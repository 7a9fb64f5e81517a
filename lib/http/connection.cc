// SPDX-License-Identifier: MIT
#include "connection.h"

#include <cuvee/core/sleep.h>

namespace cuvee::inline v0::http::detail {

namespace {

constexpr unsigned burst_limit = 32;  // pipelined requests before others get a turn

}  // namespace

/// Waits for bytes in the window, or the end. Whoever makes one has just seen an empty window and a
/// stream that is not finished.
class connection::bytes_awaiter : v0::detail::stream_reader {
 public:
  explicit bytes_awaiter(stream_block& b) noexcept : block_(&b) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(waiter& w) {
    waiter_ = &w;
    block_->await_bytes(*this);
  }
  bool await_cancel(waiter&) noexcept {
    block_->forget_reader();
    return true;
  }
  void await_resume() const noexcept {}

 private:
  stream_block* block_;
};

connection::connection(stream s, server_state& server)
    : stream_(std::move(s)),
      block_(stream_.native()),
      server_(server),
      deadline_(block_),
      parser_(server.options.limits),
      request_(*this),
      body_(*this) {
  reader_.owner = this;
}

connection::~connection() {
  if (linked()) unlink();
  give_buffer();
}

void connection::close_if_idle() { block_.stop_reading(); }

task<> connection::run() {
  try {
    co_await serve_requests();
  } catch (const error&) {
    // The peer broke the connection; nobody is left to be told.
    block_.abort();
  } catch (...) {  // out of memory, say: this connection's end, not the server's
    block_.abort();
    block_.home().report_error("http connection", std::current_exception());
  }
}

task<> connection::serve_requests() {
  deadline_.set(options().header_timeout);  // from accept: a client may not sit there silent
  for (unsigned burst = 0; keep_alive_;) {
    if (++burst == burst_limit) {
      burst = 0;
      co_await checkpoint();
    }
    progress p = parse();
    while (p == progress::need_more && !block_.finished()) {
      wait_for_head();
      burst = 0;
      co_await bytes_awaiter(block_);
      if (linked()) unlink();
      p = parse();
    }
    if (p != progress::complete) {
      answer_unfinished(p);
      break;
    }
    if (handler* h = begin_answer()) {
      // The usual coroutine is awaited here: a frame of its own costs 125 instructions a request.
      try {
        if (h->kind() == handler_kind::plain) h->call(request_, *this);
        else if (h->kind() == handler_kind::coroutine) send(co_await in_place(h->run(request_)));
        else co_await run_streaming(*h);
      } catch (...) {
        answer_exception();
      }
    }
    if (!large_.empty()) co_await send_large();
    if (block_.closing()) co_return;
    if (keep_alive_ && !decoder_.complete()) co_await drop_body();
    if (block_.in_flight() > high_water_bytes) {
      write_watch watch(block_, options().write_timeout);
      co_await drained_awaiter(block_, high_water_bytes);
    }
    if (server_.stopping.is_set() && block_.window().empty()) keep_alive_ = false;
    if (!keep_alive_) break;
    phase_ = phase::idle;
    if (buffer_) give_buffer();
    // Alike, but most clients send nothing until they have the answer: then no block is kept.
    if (block_.window().empty()) parser_.release();
    else parser_.next();
  }
  co_await close_gracefully();
}

progress connection::parse() {
  std::string_view window = block_.window();
  if (window.empty()) return progress::need_more;
  head_step s = parser_.parse_head(window);
  block_.consume(s.used);
  return s.state;
}

void connection::wait_for_head() {
  if (parser_.in_head()) {  // absolute: further bytes do not extend it
    if (phase_ == phase::idle) deadline_.set(options().header_timeout);
    phase_ = phase_ == phase::fresh ? phase::fresh : phase::in_head;
    return;
  }
  server_.idle.push_back(*this);
  if (phase_ == phase::fresh) return;  // the deadline since accept holds
  phase_ = phase::idle;
  if (parser_.holds_memory()) parser_.release();
  deadline_.set(options().idle_timeout);
}

void connection::answer_unfinished(progress p) {
  keep_alive_ = false;
  bool broken = p == progress::failed;
  if (!broken && (!parser_.in_head() || block_.closing())) return;
  phase_ = phase::refused;
  if (broken) send_error(parser_.why().status, parser_.why().cause);
  else if (block_.timed_out()) send_error(408, "the request took too long");
  else if (block_.at_eof()) send_error(400, "the request ended early");
}

// FIN, then what the peer still sends is read for a while: data that meets a closed socket makes a
// reset, which may destroy the last answer before the peer has read it. Without an answer on its way
// nothing can be lost.
task<> connection::close_gracefully() {
  if (block_.closing() || block_.write_error() != 0) co_return;
  block_.flush();
  bool at_rest = phase_ == phase::fresh || phase_ == phase::idle;
  if (at_rest && block_.unsent() == 0) co_return;
  {
    write_watch watch(block_, options().write_timeout);
    co_await stream_.shutdown_write();
  }
  block_.resume_reading();  // a deadline or a stop may have ended it, but not for the peer
  deadline_.set(options().linger_timeout);
  for (std::uint64_t dropped = 0; dropped <= options().linger_bytes;) {
    dropped += block_.window().size();
    if (!block_.window().empty()) block_.consume(block_.window().size());
    if (block_.finished()) break;
    co_await bytes_awaiter(block_);
  }
}

}  // namespace cuvee::inline v0::http::detail
