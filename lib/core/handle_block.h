// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/list.h>

#include <uv.h>

namespace cuvee::inline v0::detail {

struct loop_state;

/// A libuv handle and what goes with it. libuv uses the handle until its close callback, possibly after
/// the C++ owner is gone, so the block frees itself there (or when it is disowned later), nowhere else.
/// The handle's `data` is its block.
///
/// A block may also have no handle: a stream within the process, or one on top of another stream.
class handle_block : public list_node {
 public:
  explicit handle_block(loop_state& home) noexcept : home_(&home) {}
  handle_block(const handle_block&) = delete;
  virtual ~handle_block() = default;

  /// After the handle was initialised: the loop knows it, and it must be closed.
  void opened(uv_handle_t* h) noexcept;
  /// The same for a block that has no handle.
  void opened() noexcept;
  /// Starts closing; once.
  void close();
  /// The owner is gone.
  void disown();

  uv_handle_type type() const noexcept { return handle_ ? handle_->type : UV_UNKNOWN_HANDLE; }
  /// For reports: what it is.
  virtual const char* kind() const noexcept { return uv_handle_type_name(type()); }
  /// That of libuv's handle; -1 where there is none.
  int handle_descriptor() const noexcept;
  bool closing() const noexcept { return closing_; }
  bool closed() const noexcept { return closed_; }
  loop_state& home() const noexcept { return *home_; }

  static void free_all(list<handle_block>& retired) noexcept;

  template <class Block, class Handle>
  static Block& of(Handle* h) noexcept {
    return *static_cast<Block*>(static_cast<handle_block*>(h->data));
  }

 protected:
  /// Whatever waits for the handle must be told now.
  virtual void on_closing() {}
  virtual void on_closed() {}
  /// Without a handle: `finish_close` must follow, not within this call.
  virtual void begin_close() {}
  /// The last word of a close, in a turn; the block may be gone then.
  void finish_close();
  virtual bool busy() const noexcept { return false; }  // something else still refers to it
  void start_close(void (*closer)(uv_handle_t*, uv_close_cb));
  /// At once, or once all that are ready have run.
  void free_if_unused();

 private:
  static void closed_callback(uv_handle_t* h);

  loop_state* home_;
  uv_handle_t* handle_ = nullptr;
  bool owned_ = true;
  bool closing_ = false;
  bool closed_ = true;
};

}  // namespace cuvee::inline v0::detail
