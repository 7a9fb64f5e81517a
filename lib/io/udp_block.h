// SPDX-License-Identifier: MIT
#pragma once
#include "core/handle_block.h"
#include "core/loop_state.h"
#include "udp_calls.h"

#include <cuvee/core/frame_pool.h>
#include <cuvee/io/udp_wait.h>

#include <optional>
#include <string>

namespace cuvee::inline v0::detail {

/// A socket of datagrams. Each call is tried first; whoever would have to wait is called again when
/// the socket is ready, so nothing is received that nobody has asked for, and nothing sent on
/// behalf of someone who has left.
class udp_block final : public handle_block, public pooled {
 public:
  struct identity {
    std::string name;              // for errors and trees: the peer, else its own address
    std::optional<endpoint> peer;  // where it is connected to
    bool v6 = false;
    bool keeps_peer_errors = false;
  };

  /// Errors: what libuv says; `fd` is closed then.
  static udp_block* make(loop_state& l, descriptor fd, identity who);

  // Receiving. Statuses are 0, or negative as libuv's.
  bool has_reader() const noexcept { return reader_ != nullptr; }
  int start_reader(udp_reader& r) noexcept;
  void forget_reader() noexcept { reader_ = nullptr; }
  int take(udp_reader& r, mutable_bytes into) noexcept;
  int take(udp_reader& r, batch_memory& into) noexcept;

  // Sending.
  bool has_line() noexcept { return !line_.empty(); }
  int send(const_bytes data, const endpoint* to) noexcept;
  int start_sender(udp_send_awaiter& a) noexcept;

  const char* kind() const noexcept override { return "udp"; }
  const std::string& name() const noexcept { return who_.name; }
  const std::optional<endpoint>& peer() const noexcept { return who_.peer; }
  bool is_v6() const noexcept { return who_.v6; }
  int fd() const noexcept { return fd_.get(); }
  /// What a status means for whoever did `operation` with `subject`.
  error failure(int status, std::string_view operation, std::string_view subject) const;

 private:
  udp_block(loop_state& l, descriptor fd, identity who)
      : handle_block(l), fd_(std::move(fd)), who_(std::move(who)) {}
  friend std::default_delete<udp_block>;
  ~udp_block() override = default;

  int blame_peer(udp_reader& r, int status) noexcept;
  void forget_peer_errors() noexcept;
  void count_read(std::size_t datagrams, std::size_t bytes) noexcept;
  void serve_reader();
  void serve_line();
  void fail_waiting(int status);
  int poll_also(int events) noexcept;
  int poll_for(int events) noexcept;
  void on_closing() override;
  static void on_event(uv_poll_t* h, int status, int events);

  uv_poll_t handle_{};
  descriptor fd_;
  identity who_;
  udp_reader* reader_ = nullptr;
  list<udp_send_awaiter> line_;  // who waits for room in the send buffer
  int polled_ = 0;
};

}  // namespace cuvee::inline v0::detail
