// SPDX-License-Identifier: MIT
#pragma once
#include "core/handle_block.h"
#include "core/loop_state.h"

#include <cuvee/core/frame_pool.h>
#include <cuvee/io/file.h>

#include <string>

namespace cuvee::inline v0::detail {

/// libuv's side of a call; lives as long as its awaiter, which reads the results from it.
struct fs_request : pooled {
  uv_fs_t native{};
  loop_state* home = nullptr;
  fs_call* call = nullptr;

  uv_loop_t* loop() const noexcept { return home->uv; }
  static void done(uv_fs_t* r);
};

file_status status_of(const uv_stat_t& s) noexcept;

/// Something of the file system that goes with its owner. What that takes runs in libuv's pool.
class fs_block : public handle_block, protected turn_end, public pooled {
 public:
  void await_closed(fs_close_awaiter& a) noexcept { closers_.push_back(a); }
  int close_status() const noexcept { return close_status_; }
  const std::string& path() const noexcept { return path_; }

 protected:
  fs_block(loop_state& l, std::string path)
      : handle_block(l), turn_end(&turn_ended), path_(std::move(path)) {}

  bool busy() const noexcept override { return turn_end::linked(); }
  void on_closed() override;
  /// The close is over without a request: its end follows at the end of the turn.
  void close_later(int status) noexcept;
  /// The same from libuv's callback.
  void close_done(int status);

 private:
  static void turn_ended(turn_end& e) { static_cast<fs_block&>(e).finish_close(); }

  std::string path_;
  list<fs_close_awaiter> closers_;
  int close_status_ = 0;
};

/// An open descriptor. Never closed under a call that uses it.
class file_block final : public fs_block {
 public:
  file_block(loop_state& l, std::string path) : fs_block(l, std::move(path)) {}

  void adopt(int fd) noexcept {
    fd_ = fd;
    opened();
  }
  int descriptor() const noexcept { return fd_; }
  void call_begins() noexcept { calls_++; }
  void call_ends() {
    if (--calls_ == 0 && closing()) submit_close();
  }
  /// One call at a time may move the position.
  bool take_position() noexcept { return !std::exchange(position_taken_, true); }
  void give_position() noexcept { position_taken_ = false; }
  const char* kind() const noexcept override { return "file"; }

 private:
  void begin_close() override {
    if (calls_ == 0) submit_close();
  }
  void submit_close();

  uv_fs_t close_request_{};
  int fd_ = -1;
  int calls_ = 0;
  bool position_taken_ = false;
};

}  // namespace cuvee::inline v0::detail
