// SPDX-License-Identifier: MIT
#pragma once
#include "stream_block.h"

namespace cuvee::inline v0::detail {

/// A stream that is a handle of libuv's: a TCP socket, a pipe or unix socket.
class uv_stream_block final : public stream_block {
 public:
  explicit uv_stream_block(loop_state& l) : stream_block(l, &end_of_turn) {}
  static uv_stream_block* make_tcp(loop_state& l);
  static uv_stream_block* make_pipe(loop_state& l);
  /// One that passes descriptors, too.
  static uv_stream_block* make_passing_pipe(loop_state& l);

  /// Before it reads: the pipe is the other end of a pseudo terminal.
  void treat_as_terminal() noexcept { terminal_ = true; }
  /// Before it reads: others read from it, too, so bytes are taken only while somebody waits for them. (That
  /// costs two `epoll_ctl` a read.)
  void read_on_demand() noexcept { start_for_readers_only(); }

  /// Who it is connected to, if that is known: the system forgets it at a reset, just when an error has to name it.
  void set_peer(const endpoint& e) noexcept { peer_ = e; }
  void remember_peer() noexcept;

  uv_stream_t* stream() noexcept { return &native_.stream; }
  uv_tcp_t* tcp() noexcept { return &native_.tcp; }
  uv_pipe_t* pipe() noexcept { return &native_.pipe; }

  void flush() override;
  std::size_t unsent() const noexcept override;
  void abort() override;
  endpoint peer() const override;
  endpoint local() const override;
  int descriptor() const noexcept override;
  /// Behind a call that makes libuv wait for room: if the kernel refuses to watch for it, closes. The callbacks
  /// then come with the close, and `outcome` tells the cause. Returns: a status.
  int watch_output();
  int outcome(int status) const noexcept {
    return status == UV_ECANCELED ? close_status() : status;
  }
  /// The next descriptor that has come with the bytes, as a stream. Null if there is none.
  /// Errors: not_enough_memory, which leaves it; not_supported for what is no stream, which is closed.
  uv_stream_block* take_passed();

 private:
  friend stream_block;

  int start_reading() override;
  void pause_reading() noexcept override { uv_read_stop(stream()); }
  ssize_t write_now(const uv_buf_t* buffers, unsigned n) override;
  int write_later(output_block& block) override;
  int write_later(const uv_buf_t* spans, unsigned n) override;
  int end_output() override;
  void count_written(std::size_t n) noexcept {
    home().writes++;
    home().written_bytes += n;
  }

  static uv_stream_block* open_pipe(loop_state& l, int passing);
  static void end_of_turn(turn_end& e);
  static void on_alloc(uv_handle_t* h, std::size_t, uv_buf_t* buffer);
  static void on_terminal_alloc(uv_handle_t* h, std::size_t, uv_buf_t* buffer);
  static void on_wanted_alloc(uv_handle_t* h, std::size_t, uv_buf_t* buffer);
  static void on_read(uv_stream_t* s, ssize_t n, const uv_buf_t* buffer);
  static void on_wanted_read(uv_stream_t* s, ssize_t n, const uv_buf_t* buffer);
  bool hung_up() const noexcept;
  int end_status() const noexcept;

  union {
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } native_;
  uv_write_t write_request_;
  uv_shutdown_t shutdown_request_;
  endpoint peer_;  // port 0: ask the system
  bool terminal_ = false;
};

}  // namespace cuvee::inline v0::detail
