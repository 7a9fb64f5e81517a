// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/list.h>
#include <cuvee/base/result.h>
#include <cuvee/core/waiter.h>

#include <utility>

namespace cuvee::inline v0::detail {

class acceptor;
class stream_block;

/// Someone who waits in the line of a listener.
class CUVEE_API accept_node : list_node {
 public:
  explicit accept_node(acceptor& from) noexcept : acceptor_(&from) {}
  accept_node(accept_node&& other) noexcept : acceptor_(other.acceptor_) {}
  /// A connection that nobody took closes.
  ~accept_node();

  bool await_ready();
  void await_suspend(waiter& w);
  bool await_cancel(waiter&) noexcept {
    unlink();
    return true;
  }
  void visit(visitor& v);

 protected:
  /// The connection. Errors: closed, where the listener was.
  result<stream_block*> taken();

 private:
  friend acceptor;
  friend list<accept_node>;
  acceptor* acceptor_;
  waiter* waiter_ = nullptr;
  stream_block* accepted_ = nullptr;
  int status_ = 0;
};

}  // namespace cuvee::inline v0::detail
