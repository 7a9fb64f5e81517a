// SPDX-License-Identifier: MIT
#include "tls_block.h"

#include "uv_error.h"

namespace cuvee::inline v0::detail {

namespace {

constexpr std::size_t most_discarded = 256 * 1024;  // of what still comes while closing

/// Room for plaintext that nobody has room for yet.
class scratch_room {
 public:
  scratch_room() : data_(blocks::get()) {}
  scratch_room(const scratch_room&) = delete;
  scratch_room& operator=(const scratch_room&) = delete;
  ~scratch_room() { blocks::put(data_); }
  char* data() const noexcept { return data_; }

 private:
  using blocks = big_blocks<stream_block::window_limit>;
  char* data_;
};

}  // namespace

tls_block* tls_block::make(loop_state& l, stream inner, std::shared_ptr<tls_shared> shared,
                           const std::string& host, std::string name, std::string_view protocol) {
  if (inner.native().has_reader() || inner.native().has_writer())
    throw error(errc::busy, "tls handshake", name);
  std::unique_ptr<tls_block> block(
      new tls_block(l, std::move(inner), std::move(shared), host, std::move(name), protocol));
  block->opened();
  return block.release();
}

tls_block::tls_block(loop_state& l, stream&& inner, std::shared_ptr<tls_shared> shared,
                     const std::string& host, std::string name, std::string_view protocol)
    : stream_block(l, &end_of_turn),
      timer_node(&on_timer),
      inner_(std::move(inner)),
      inner_block_(&inner_.native()),
      engine_(std::move(shared), host, name, protocol),
      closer_(inner_block_) {
  set_name(std::move(name));
}

tls_block::~tls_block() { stop_timer(home(), *this); }

void tls_block::end_of_turn(turn_end& e) {
  auto& b = static_cast<tls_block&>(e);
  if (b.finish_) return b.finish_close();
  if (std::exchange(b.look_wanted_, false)) b.look();
  b.flush();
  b.push_output();
  b.turn_ended();
}

void tls_block::on_timer(timer_node* n) {
  auto& b = static_cast<tls_block&>(*n);
  if (b.phase_ == phase::open) {
    b.end_late_ = true;
    return b.abort();
  }
  b.late_ = true;
  // What was sent may still be on its way to a peer that only does not answer.
  b.aborting_ = !b.engine_.output().empty();
  b.close_inner();
}

// Something has come from the inner stream, or its end, or somebody wants to know.
void tls_block::look() {
  switch (phase_) {
    case phase::shaking: return shake();
    case phase::open: return pump();
    case phase::closing: return discard();
    default: return;
  }
}

// ---- handshake

void tls_block::begin_handshake() {
  inner().await_bytes(reader_);
  shake();
}

void tls_block::shake() {
  const std::string_view window = inner().window();
  engine_.feed(window);
  const tls_engine::step s = engine_.handshake();
  inner().consume(window.size() - engine_.input().size());
  send();
  if (s == tls_engine::step::done) return settle_handshake(phase::open);
  if (s != tls_engine::step::need_input) return settle_handshake(phase::failed);
  if (wire_error_ != 0) handshake_status_ = wire_error_;
  else if (inner_ended())
    handshake_status_ = inner().at_eof() ? static_cast<int>(UV_EOF) : end_of_inner();
  if (handshake_status_ != 0) settle_handshake(phase::failed);
}

void tls_block::settle_handshake(phase p) {
  phase_ = p;
  if (waiter* w = std::exchange(handshake_waiter_, nullptr)) w->complete();
}

result<void> tls_block::handshake_result() {
  constexpr std::string_view operation = "tls handshake";
  if (phase_ == phase::open) return {};
  const std::string subject = name();
  if (handshake_status_ == UV_EOF)
    return error(errc::end_of_stream, operation, subject, "the peer has closed the connection");
  if (handshake_status_ == UV_ECANCELED) return error(errc::closed, operation, subject);
  if (handshake_status_ != 0) return inner().failure(handshake_status_, operation, subject);
  return engine_.failure(operation, subject);
}

// ---- reading

int tls_block::start_reading() {
  wanted_ = true;
  // Plaintext may be there already. Not here: whoever wants it may be in the midst of consuming.
  look_wanted_ = true;
  home().at_turn_end(*this);
  return 0;
}

void tls_block::pump() {
  if (!wanted_ || closing()) return;
  try {
    scratch_room scratch;
    pump_into(scratch.data());
  } catch (const std::bad_alloc&) {
    return ended(UV_ENOMEM);
  }
  send();
  if (closing() || !wanted_) return;
  if (engine_.failed()) ended(status_of_engine);
  else if (engine_.ended_by_peer()) ended(UV_EOF);
  else if (inner_ended()) ended(end_of_inner());
}

// Not the loop's slab: that may be what the ciphertext lies in.
void tls_block::pump_into(char* scratch) {
  const std::string_view window = inner().window();
  engine_.feed(window);
  do {
    const uv_buf_t room = where_to_read(scratch);
    if (!room.base) throw std::bad_alloc();
    std::size_t n = 0;
    engine_.read(mutable_bytes(room.base, room.len), n);
    if (n != 0) arrived(n, room);
  } while (wanted_ && engine_.may_have_more());
  const std::size_t left = engine_.input().size();
  engine_.feed({});
  inner().consume(window.size() - left);
}

// What the inner stream's end means to a peer that has not ended TLS before.
int tls_block::end_of_inner() const noexcept {
  if (!inner().at_eof()) return inner().read_error() != 0 ? inner().read_error() : UV_ECANCELED;
  return engine_.shared().truncated == truncated_end::error ? status_truncated
                                                            : static_cast<int>(UV_EOF);
}

error tls_block::failure(int status, std::string_view operation, std::string_view subject) const {
  if (status == status_truncated && !inner().read_error())
    return error(tls_errc::truncated, operation, subject);
  if (status == status_of_engine && engine_.failed()) return engine_.failure(operation, subject);
  return inner().failure(status, operation, subject);
}

std::size_t tls_block::unsent() const noexcept {
  return in_flight() + engine_.output().size() - sending_ + inner().unsent();
}

// ---- closing

void tls_block::abort() {
  aborting_ = true;
  if (phase_ == phase::closing) close_inner();
  else close();
}

// With all output out and the peer told, the peer's own end is awaited if somebody wants it.
void tls_block::begin_close() {
  stop_timer(home(), *this);
  if (phase_ == phase::shaking) {
    handshake_status_ = UV_ECANCELED;
    settle_handshake(phase::failed);
  }
  // Behind output that was cut short an end would be a lie.
  const bool whole = phase_ == phase::open && !aborting_ && !has_jobs() && write_error() == 0;
  if (!whole) return close_inner();
  phase_ = phase::closing;
  engine_.end();
  send();
  if (output_error() != 0) return close_inner();
  if (sending_ == 0 && (!answer_wanted_ || engine_.ended_by_peer())) return close_inner();
  start_timer(home(), *this, engine_.shared().shutdown_timeout);
  look_wanted_ = true;
  home().at_turn_end(*this);
}

void tls_block::discard() {
  char room[4096];
  const std::string_view window = inner().window();
  engine_.feed(window);
  std::size_t n = 0;
  do {
    engine_.read(mutable_bytes(room), n);
    discarded_ += n;
  } while (n != 0);
  const std::size_t left = engine_.input().size();
  engine_.feed({});
  inner().consume(window.size() - left);
  send();
  const bool over = engine_.ended_by_peer() || engine_.failed() || inner_ended() || !answer_wanted_;
  if (output_error() != 0 || discarded_ > most_discarded || (over && sending_ == 0)) close_inner();
}

void tls_block::close_inner() {
  if (phase_ == phase::closed) return;
  phase_ = phase::closed;
  stop_timer(home(), *this);
  inner().forget_reader();
  if (aborting_) inner().abort();
  if (inner().closed()) inner_closed();
  else closer_.await_suspend(closed_waiter_);
}

// Not at once: the inner stream, which goes with this one, is still telling those who wait for it.
void tls_block::inner_closed() {
  fail_output(UV_ECANCELED);
  if (half_close_ != half_close::none) shutdown_done();
  finish_ = true;
  home().at_turn_end(*this);
}

}  // namespace cuvee::inline v0::detail
