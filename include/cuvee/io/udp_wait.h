// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/bytes.h>
#include <cuvee/base/list.h>
#include <cuvee/base/result.h>
#include <cuvee/core/waiter.h>
#include <cuvee/io/udp_datagram.h>

#include <utility>

namespace cuvee::inline v0 {

namespace detail {

class udp_block;

/// Someone who receives from a socket; one at a time.
class CUVEE_API udp_reader {
 public:
  bool await_ready() noexcept;
  bool await_suspend(waiter& w) noexcept;
  bool await_cancel(waiter&) noexcept;
  void visit(visitor& v);

 protected:
  /// Receives if something is there. Returns: 0, UV_EAGAIN, or what is wrong.
  using take_fn = int (*)(udp_reader&) noexcept;
  udp_reader(udp_block& from, take_fn take) noexcept : block_(&from), take_(take) {}
  udp_block& block() const noexcept { return *block_; }
  bool failed() const noexcept { return status_ != 0; }
  error failure() const;

  datagram_info got_;

 private:
  friend udp_block;
  udp_block* block_;
  take_fn take_;
  waiter* waiter_ = nullptr;
  int status_ = 0;
  bool about_sender_ = false;  // the error is about a datagram that was sent to `got_.from`
};

}  // namespace detail

class CUVEE_API udp_receive_from_awaiter : public detail::udp_reader {
 public:
  udp_receive_from_awaiter(detail::udp_block& from, mutable_bytes into) noexcept
      : udp_reader(from, &take), into_(into) {}
  datagram_info await_resume() {
    if (failed()) [[unlikely]]
      throw failure();
    return got_;
  }
  result<datagram_info> await_result();

 private:
  static int take(udp_reader& r) noexcept;
  mutable_bytes into_;
};

class CUVEE_API udp_receive_awaiter : public detail::udp_reader {
 public:
  explicit udp_receive_awaiter(detail::udp_block& from) noexcept : udp_reader(from, &take) {}
  udp_receive_awaiter(udp_receive_awaiter&& other) noexcept
      : udp_reader(other), room_(std::exchange(other.room_, nullptr)) {}
  ~udp_receive_awaiter();
  datagram await_resume() { return await_result().value(); }
  result<datagram> await_result();

 private:
  static int take(udp_reader& r) noexcept;
  char* room_ = nullptr;  // from the arrival until it is taken out
};

class CUVEE_API udp_receive_batch_awaiter : public detail::udp_reader {
 public:
  udp_receive_batch_awaiter(detail::udp_block& from, datagram_batch& into) noexcept
      : udp_reader(from, &take), into_(&into.native()) {}
  std::size_t await_resume() { return await_result().value(); }
  result<std::size_t> await_result();

 private:
  static int take(udp_reader& r) noexcept;
  detail::batch_memory* into_;
};

class CUVEE_API udp_send_awaiter : detail::list_node {
 public:
  udp_send_awaiter(detail::udp_block& by, const_bytes data) noexcept : block_(&by), data_(data) {}
  udp_send_awaiter(detail::udp_block& by, const_bytes data, const endpoint& to) noexcept
      : block_(&by), data_(data), to_(to), addressed_(true) {}
  udp_send_awaiter(udp_send_awaiter&& other) noexcept
      : block_(other.block_), data_(other.data_), to_(other.to_), addressed_(other.addressed_) {}

  bool await_ready() noexcept;
  bool await_suspend(waiter& w) noexcept;
  bool await_cancel(waiter&) noexcept {
    unlink();
    return true;
  }
  void await_resume() {
    if (status_ != 0) [[unlikely]]
      throw failure();
  }
  result<void> await_result();
  void visit(detail::visitor& v);

 private:
  friend detail::udp_block;
  friend detail::list<udp_send_awaiter>;
  const endpoint* to() const noexcept { return addressed_ ? &to_ : nullptr; }
  error failure() const;

  detail::udp_block* block_;
  const_bytes data_;
  endpoint to_;
  bool addressed_ = false;
  waiter* waiter_ = nullptr;
  int status_ = 0;
};

}  // namespace cuvee::inline v0
