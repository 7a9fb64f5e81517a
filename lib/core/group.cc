// SPDX-License-Identifier: MIT
#include <cuvee/core/group.h>

namespace cuvee::inline v0 {

void group::open(waiter& w) {
  parent = &w;
  pending = 1;  // the body
  child_ended = [](combinator& c, const std::exception_ptr* failure) {
    auto& g = static_cast<group&>(c);
    g.child_done(nullptr, failure, g.body_.state() == detail::outcome::cancelled);
  };
  up = detail::current_context();
  home_ = detail::this_scheduler;
  open_ = true;
}

void group::run_body(task<> body) {
  body_.reset(std::move(body));
  body_.start(*this);
  if (stopping) body_.cancel();
}

void group::open_background(detail::scheduler& home,
                            void (*failed)(group&, detail::group_record&)) {
  home_ = &home;
  failed_ = failed;
  open_ = true;
}

void group::adopt(detail::group_record* record) {
  std::unique_ptr<detail::group_record> owned(record);
  if (failures_ || !open_) [[unlikely]]
    throw error(errc::closed, "spawn", "task group",
                open_ ? "the group is shutting down after a failure"
                      : "the group is not inside its task_group block");
  // A thread may have several loops, one of them current; the child belongs to the group's.
  if ((home_ != detail::this_scheduler || home_->debug) && !detail::on_own_thread(*home_))
      [[unlikely]]
    throw error(std::make_error_code(std::errc::operation_not_permitted), "spawn", "task group",
                "this thread does not run the group's loop; use loop_ref::post");
  record->home_group = this;
  record->scope.up = this;
  if (detail::context_node* spawner = detail::current_context(); spawner != this) [[unlikely]] {
    record->bound = detail::copy_bindings(spawner, this);
    if (record->bound) record->scope.up = record->bound.get();
  }
  owned.release();
  pending++;
  records_.push_back(*record);
  record->begin_on(*home_, *record->kind);
  record->context = &record->scope;
  if (stopping) record->cancel();
}

void group::cancel(std::string text, std::source_location where) {
  if (home_) detail::refuse_foreign_thread(*home_, "cancel a group");
  cancel_for(text, where);
  cancel_all();
}

void group::cancel_all() {
  stopping = true;
  pending++;  // a child that ends inside cancel() must not end the group under our feet
  records_.for_each([](detail::group_record& r) { r.cancel(); });
  body_.cancel();
  pending--;
}

void group::visit(detail::visitor& v) {
  body_.visit_block(v);
  records_.for_each([&](detail::group_record& r) { v.task(r); });
}

void group::child_done(detail::group_record* child, const std::exception_ptr* failure,
                       bool cancelled) {
  saw_cancel_ |= cancelled;
  if (failure && failed_) {
    failed_(*this, *child);
  } else if (failure) {
    failures_.add(*failure);
    if (!stopping) {
      cancel_for("another task of the group failed");
      cancel_all();
    }
  }
  if (--pending != 0 || !parent) return;
  open_ = false;  // the block ends once its task runs again, and waits for nobody until then
  parent->complete();
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
      failure = failure_of<cuvee::error>(errc::not_started, "start", "a child");
    op->failure = std::exchange(failure, nullptr);
    op->waiter_->complete();
  }
  g->child_done(this, failure ? &failure : nullptr, cancelled);
  release();
}

void group_record::cancel_for(std::string_view reason, std::source_location where) {
  if (end != outcome::running) return;
  refuse_foreign_thread(*home, "cancel a task");
  scope.cancel_for(reason, where);
  strand::cancel();
}

void group_record::rethrow_end() const {
  if (end == outcome::cancelled)
    throw cancelled_error("join", scope.reason ? scope.reason->text : std::string());
  if (error) std::rethrow_exception(error);
}

}  // namespace detail
}  // namespace cuvee::inline v0
