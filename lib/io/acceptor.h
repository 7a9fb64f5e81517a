// SPDX-License-Identifier: MIT
#pragma once
#include "sockets.h"
#include "uv_stream_block.h"

#include <cuvee/core/event.h>
#include <cuvee/io/accept.h>

namespace cuvee::inline v0::detail {

/// A listening socket, or several that one line of waiters accepts from. Connections are taken one by
/// one as they are asked for; the others wait in the kernel.
///
/// The socket is polled and accepted from here rather than by `uv_listen`: at EMFILE libuv accepts and
/// closes a connection that waits, which its peer takes for success. Here accepting pauses instead.
class acceptor final : public handle_block, timer_node, public pooled {
 public:
  using block_maker = uv_stream_block* (*)(loop_state&);

  /// `fd` listens. Errors: what libuv says; `fd` is closed then.
  static acceptor* make(loop_state& l, descriptor fd, block_maker maker, std::string name);

  /// One more socket for the same line. `more` is its owner's no longer.
  void add(acceptor& more) noexcept;
  /// Gives `a` a connection or an error at once, if there is one.
  bool take(accept_node& a) noexcept;
  void wait(accept_node& a);
  void close_all();
  void disown_all();
  const char* kind() const noexcept override { return "listener"; }
  int fd() const noexcept { return fd_.get(); }
  acceptor* next() const noexcept { return next_; }
  const std::string& name() const noexcept { return name_; }
  /// Set when it closes.
  event& end() noexcept { return end_; }

 private:
  acceptor(loop_state& l, descriptor fd, block_maker maker, std::string name)
      : handle_block(l),
        timer_node(&on_resume),
        fd_(std::move(fd)),
        maker_(maker),
        name_(std::move(name)) {}
  friend std::default_delete<acceptor>;
  ~acceptor() override = default;

  bool take_own(accept_node& a) noexcept;
  int adopt(accept_node& a) noexcept;
  void serve_line() noexcept;
  void pause(int status) noexcept;
  int poll() noexcept;
  void stop_polling() noexcept;
  void on_closing() override;
  static void on_event(uv_poll_t* h, int status, int events);
  static void on_resume(timer_node* n);

  uv_poll_t handle_{};
  descriptor fd_;
  block_maker maker_;
  std::string name_;
  acceptor* head_ = this;
  acceptor* next_ = nullptr;
  list<accept_node> line_;  // of the head
  event end_;
  descriptor accepted_;  // taken from the kernel when memory was short for its stream
  endpoint accepted_from_;
  int broken_ = 0;
  std::uint64_t reported_ = 0;
  bool more_ = false;  // the last accept did not come away empty
  bool polling_ = false;
};

}  // namespace cuvee::inline v0::detail
