// SPDX-License-Identifier: MIT
#pragma once
#include "stream_block.h"
#include "tls_engine.h"

#include <utility>

namespace cuvee::inline v0::detail {

/// A member that waits for something and calls `Event` of its owner when that has come.
template <class Owner, void (Owner::*Event)()>
struct event_waiter : waiter {
  explicit event_waiter(Owner& o) noexcept : waiter(&on_event), owner(&o) {}
  static void on_event(waiter* w) { (static_cast<event_waiter*>(w)->owner->*Event)(); }
  Owner* owner;
};

/// TLS on top of another stream, which it owns. Ciphertext is read from that stream's window and written as that
/// stream's only writer; what it says is plaintext here.
///
/// A write counts as done when its ciphertext is out, so nothing of ours lies in between and a `close`
/// behind it loses nothing.
class tls_block final : public stream_block, timer_node {
 public:
  static tls_block* make(loop_state& l, stream inner, std::shared_ptr<tls_shared> shared,
                         const std::string& host, std::string name, std::string_view protocol);
  ~tls_block() override;

  // The handshake, before all else.
  void begin_handshake();
  bool settled() const noexcept { return phase_ != phase::shaking; }
  void await_handshake(waiter& w) noexcept { handshake_waiter_ = &w; }
  void forget_handshake() noexcept { handshake_waiter_ = nullptr; }
  /// Precondition: settled.
  result<void> handshake_result();

  const tls_engine& engine() const noexcept { return engine_; }
  void update_keys();
  /// A close from now on waits for the peer's end.
  void await_answer() noexcept { answer_wanted_ = true; }
  bool close_timed_out() const noexcept { return late_; }
  bool end_timed_out() const noexcept { return end_late_; }

  void flush() override { flush_to(*this); }
  std::size_t unsent() const noexcept override;
  void abort() override;
  endpoint peer() const override { return inner().peer(); }
  endpoint local() const override { return inner().local(); }
  error failure(int status, std::string_view operation, std::string_view subject) const override;
  const char* kind() const noexcept override { return "tls stream"; }

 private:
  friend stream_block;

  // What the inner stream brings about.
  void look();
  void sent();
  void inner_closed();

  // Statuses beside those of libuv.
  static constexpr int status_of_engine = -30001;
  static constexpr int status_truncated = -30002;

  enum class phase : std::uint8_t { shaking, failed, open, closing, closed };
  enum class half_close : std::uint8_t { none, wanted, sent, done };

  /// What waits to be encrypted, in order: blocks, then a writer's spans, then blocks.
  struct block_list {
    output_block* first = nullptr;
    output_block* last = nullptr;
    void push(output_block& b) noexcept;
    output_block* pop() noexcept;
  };

  struct inner_reader : event_waiter<tls_block, &tls_block::look>, stream_reader {
    explicit inner_reader(tls_block& b) noexcept : event_waiter(b) {
      waiter_ = this;
      ready = [](stream_reader& r) {
        static_cast<inner_reader&>(r).owner->look();
        return false;  // stays
      };
    }
  };
  struct inner_writer : event_waiter<tls_block, &tls_block::sent>, stream_writer {
    explicit inner_writer(tls_block& b) noexcept : event_waiter(b) { waiter_ = this; }
  };

  tls_block(loop_state& l, stream&& inner, std::shared_ptr<tls_shared> shared,
            const std::string& host, std::string name, std::string_view protocol);
  stream_block& inner() const noexcept { return *inner_block_; }

  // tls_block.cc
  static void end_of_turn(turn_end& e);
  static void on_timer(timer_node* n);
  void shake();
  void settle_handshake(phase p);
  void pump();
  void pump_into(char* scratch);
  void discard();
  int end_of_inner() const noexcept;
  bool inner_ended() const noexcept { return inner().finished() && inner().window().empty(); }
  int start_reading() override;
  void pause_reading() noexcept override { wanted_ = false; }
  void begin_close() override;
  void close_inner();

  // tls_output.cc
  ssize_t write_now(const uv_buf_t* buffers, unsigned n) override;
  int write_later(output_block& block) override;
  int write_later(const uv_buf_t* spans, unsigned n) override;
  int end_output() override;
  void send();
  void push_output();
  void push_half_close();
  bool next_job();
  void job_done(int status);
  void fail_output(int status);
  bool has_jobs() const noexcept;
  std::size_t encrypt(const_bytes* spans, std::size_t n);
  int output_error() const noexcept;

  stream inner_;
  stream_block* inner_block_;
  tls_engine engine_;
  inner_reader reader_{*this};
  inner_writer writer_{*this};
  event_waiter<tls_block, &tls_block::inner_closed> closed_waiter_{*this};
  close_awaiter closer_;
  waiter* handshake_waiter_ = nullptr;
  int handshake_status_ = 0;  // of the inner stream, if that has failed it
  int wire_error_ = 0;        // of writing there
  std::size_t sending_ = 0;   // bytes that the inner stream is writing
  std::size_t ahead_ = 0;     // already encrypted of the jobs that are about to come
  std::size_t discarded_ = 0;
  block_list blocks_, blocks_behind_;
  const_bytes spans_[stream_writer::most_spans];  // of the writer
  std::size_t spans_count_ = 0, spans_bytes_ = 0;
  output_block* job_block_ = nullptr;
  bool job_is_spans_ = false;
  const_bytes job_[stream_writer::most_spans];  // what is left of the job at hand
  std::size_t job_count_ = 0;
  phase phase_ = phase::shaking;
  half_close half_close_ = half_close::none;
  bool wanted_ = false;       // plaintext
  bool look_wanted_ = false;  // at the end of the turn
  bool finish_ = false;       // then the close is over
  bool aborting_ = false;
  bool pushing_ = false;
  bool answer_wanted_ = false;
  bool late_ = false;      // the peer has not answered our end in time
  bool end_late_ = false;  // it has not taken it
};

class tls_handshake_awaiter {
 public:
  explicit tls_handshake_awaiter(tls_block& b) noexcept : block_(&b) {}
  bool await_ready() {
    block_->begin_handshake();
    return block_->settled();
  }
  void await_suspend(waiter& w) noexcept { block_->await_handshake(w); }
  bool await_cancel(waiter&) noexcept {
    block_->forget_handshake();
    return true;
  }
  void await_resume() { block_->handshake_result().value(); }

 private:
  tls_block* block_;
};

}  // namespace cuvee::inline v0::detail
