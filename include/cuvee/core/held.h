// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#include <utility>

namespace cuvee::inline v0::detail {

/// Errors: operation_not_permitted, always: `subject` is not held by who gives it back.
[[noreturn]] CUVEE_API void refuse_not_held(const char* operation, const char* subject);

/// What guards are made of: one unit of `Owner`, given back when it is destroyed. Move-only; may be
/// empty.
template <class Owner, void (Owner::*GiveBack)()>
class held {
 public:
  held() noexcept = default;
  explicit held(Owner& owner) noexcept : owner_(&owner) {}
  held(held&& other) noexcept : owner_(other.release()) {}
  held& operator=(held&& other) noexcept {
    held incoming(std::move(other));
    std::swap(owner_, incoming.owner_);
    return *this;
  }
  ~held() {
    if (owner_) (owner_->*GiveBack)();
  }

  Owner* owner() const noexcept { return owner_; }
  /// Gives the duty to give back to the caller.
  Owner* release() noexcept { return std::exchange(owner_, nullptr); }
  void give_back(const char* operation, const char* subject) {
    if (!owner_) refuse_not_held(operation, subject);
    (release()->*GiveBack)();
  }

 private:
  Owner* owner_ = nullptr;
};

}  // namespace cuvee::inline v0::detail
