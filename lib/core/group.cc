// SPDX-License-Identifier: MIT
#include <cuvee/core/group.h>

namespace cuvee::inline v0 {

void group::enter(waiter& w, task<> body) {
  parent = &w;
  pending = 1;
  child_ended = [](combinator& c, const std::exception_ptr* failure) {
    auto& g = static_cast<group&>(c);
    g.child_done(failure, g.body_.state() == detail::outcome::cancelled);
  };
  body_.reset(std::move(body));
  body_.start(*this);
}

void group::adopt(detail::group_record* record) {
  if (failures_ || !parent) [[unlikely]] {
    delete record;
    throw error(errc::closed, "spawn", "task group",
                parent ? "the group is shutting down after a failure"
                       : "the group is not inside its task_group block");
  }
  record->home_group = this;
  pending++;
  records_.push_back(*record);
  record->begin(*record->kind);
  if (stopping) record->cancel();
}

void group::cancel() {
  stopping = true;
  pending++;  // a child that ends inside cancel() must not end the group under our feet
  records_.for_each([](detail::group_record& r) { r.cancel(); });
  body_.cancel();
  pending--;
}

void group::child_done(const std::exception_ptr* failure, bool cancelled) {
  saw_cancel_ |= cancelled;
  if (failure) {
    failures_.add(*failure);
    if (!stopping) cancel();
  }
  if (--pending == 0) parent->complete();
}

namespace detail {

void group_record::finish() {
  unlink();
  while (join_waiter* j = joiners.pop_front()) j->waiter_->complete();
  group* g = home_group;
  bool cancelled = end == outcome::cancelled;
  std::exception_ptr failure = error;
  if (start_op* op = std::exchange(starting, nullptr)) {
    if (!failure && !cancelled)
      failure = std::make_exception_ptr(cuvee::error(errc::not_started, "start", "a child"));
    op->failure = std::exchange(failure, nullptr);
    op->waiter_->complete();
  }
  release();
  g->child_done(failure ? &failure : nullptr, cancelled);
}

}  // namespace detail
}  // namespace cuvee::inline v0
