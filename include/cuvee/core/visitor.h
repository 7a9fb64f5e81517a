// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#include <string>

namespace cuvee::inline v0::detail {

struct awaiter_ops;
struct strand;

/// Is shown what an awaiter waits for. An awaiter that waits for others has `void visit(visitor&)`; one that knows
/// its object may have it too, and call `about`. Only for dumps, never on a usual path.
class CUVEE_API visitor {
 public:
  /// A task that runs on behalf of the awaiter.
  virtual void task(strand&) = 0;
  /// A part of the waiting task itself that has a strand of its own: the body of a block.
  virtual void block(strand&) = 0;
  /// A plain awaiter among others.
  virtual void operation(const awaiter_ops&, void* awaiter) = 0;
  /// The awaiter only passes on what another one gives.
  virtual void same(const awaiter_ops&, void* awaiter) = 0;
  /// A task that runs elsewhere, whose end is awaited.
  virtual void join(strand&) = 0;
  /// The object: `127.0.0.1:80`.
  virtual void about(std::string object) = 0;

 protected:
  ~visitor() = default;
};

}  // namespace cuvee::inline v0::detail
