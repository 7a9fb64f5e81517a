// SPDX-License-Identifier: MIT
#include <cuvee/io/file_watch.h>

#include "uv_error.h"
#include "watch_block.h"

#include <algorithm>
#include <cerrno>
#include <memory>

namespace cuvee::inline v0 {

namespace detail {

namespace {

constexpr int longest_wait = 10;  // of a debounce

std::string_view last_name(std::string_view path) noexcept {
  return path.substr(path.find_last_of('/') + 1);
}

}  // namespace

watch_block::watch_block(loop_state& l, std::string path, duration debounce)
    : handle_block(l), timer_node(&on_quiet), path_(std::move(path)), debounce_(debounce) {
  while (path_.size() > 1 && path_.ends_with('/')) path_.pop_back();
  directory_ = path_;
  if (::stat(path_.c_str(), &identity_) == 0 && S_ISDIR(identity_.st_mode)) return;
  only_ = last_name(path_);
  directory_.resize(path_.size() - only_.size());
  while (directory_.size() > 1 && directory_.ends_with('/')) directory_.pop_back();
  if (directory_.empty()) directory_ = ".";
  if (::stat(directory_.c_str(), &identity_) != 0) throw uv_error(-errno, "watch", path_);
}

watch_block* watch_block::make(loop_state& l, std::string path, duration debounce) {
  if (path.empty() || path.find('\0') != path.npos) throw uv_error(UV_EINVAL, "watch", path);
  std::unique_ptr<watch_block> block(new watch_block(l, std::move(path), debounce));
  int e = uv::fs_event_init(l.uv, &block->native_);
  if (e < 0) throw uv_error(e, "watch", block->path_);
  block->opened(uv::as_handle(&block->native_));
  e = uv::fs_event_start(&block->native_, &on_event, block->directory_.c_str(), 0);
  if (e == 0) return block.release();
  error failure = uv_error(e, "watch", block->path_);
  block.release()->disown();
  throw failure;
}

void watch_block::on_event(uv_fs_event_t* h, const char* name, int events, int status) {
  watch_block& b = of<watch_block>(h);
  turn t(b.home());
  if (status < 0 && b.status_ == 0) b.status_ = status;
  else if (name) b.happened(name, events);
  if (b.status_ != 0) b.release();
}

void watch_block::happened(const char* name, int events) {
  // What happens to the directory itself comes under its own name.
  bool itself = (events & UV_RENAME) != 0 && last_name(directory_) == name;
  if ((itself || directory_ == ".") && directory_is_gone()) status_ = UV_ENOENT;
  else if (only_.empty() || only_ == name) collect(name, events);
}

void watch_block::collect(std::string_view name, int events) {
  try {
    file_change change;
    change.path = path_;
    if (only_.empty()) change.path.append(path_.ends_with('/') ? "" : "/").append(name);
    auto known = std::find_if(collected_.begin(), collected_.end(),
                              [&](const file_change& c) { return c.path == change.path; });
    if (known == collected_.end() && collected_.size() + ready_.size() < most_changes) {
      collected_.push_back(std::move(change));
      known = collected_.end() - 1;
    }
    if (known == collected_.end()) lost_ = true;
    else if ((events & UV_RENAME) != 0) known->renamed = true;
    if (known != collected_.end() && (events & UV_CHANGE) != 0) known->written = true;
  } catch (const std::bad_alloc&) {
    lost_ = true;
  }
  wait_for_quiet();
}

void watch_block::wait_for_quiet() {
  if (debounce_ <= duration::zero()) return release();
  std::uint64_t now = home().now();
  if (!timing_) first_ = now;
  auto ceiling = static_cast<std::uint64_t>(debounce_.count()) * (longest_wait - 1);
  if (timing_ && now - first_ > ceiling) return;
  stop_waiting();
  try {
    start_timer(home(), *this, debounce_);
    timing_ = true;
  } catch (const std::bad_alloc&) {
    release();
  }
}

void watch_block::stop_waiting() noexcept {
  if (std::exchange(timing_, false)) stop_timer(home(), *this);
}

void watch_block::on_quiet(timer_node* n) {
  auto& b = *static_cast<watch_block*>(n);
  b.timing_ = false;
  b.release();
}

void watch_block::release() {
  try {
    for (file_change& c : collected_) ready_.push_back(std::move(c));
  } catch (const std::bad_alloc&) {
    lost_ = true;
  }
  collected_.clear();
  wake();
}

void watch_block::wake() {
  if (!waiting_ || !settled()) return;
  // It stays registered until it has taken its change, or somebody else might.
  if (waiter* w = std::exchange(waiting_->waiter_, nullptr)) w->complete();
}

result<file_change> watch_block::take() {
  if (!ready_.empty()) {
    file_change next = std::move(ready_.front());
    ready_.pop_front();
    return next;
  }
  if (closing()) return error(errc::closed, "watch", path_);
  if (!std::exchange(lost_, false)) return uv_error(status_, "watch", path_);
  file_change all;
  all.path = path_;
  all.renamed = all.written = all.lost = true;
  return all;
}

bool watch_block::directory_is_gone() const noexcept {
  struct stat now{};
  return ::stat(directory_.c_str(), &now) != 0 || now.st_ino != identity_.st_ino ||
         now.st_dev != identity_.st_dev;
}

void watch_block::on_closing() {
  stop_waiting();
  collected_.clear();
  wake();
}

}  // namespace detail

change_awaiter::~change_awaiter() {
  if (registered_) block_->forget(*this);
}

bool change_awaiter::await_ready() noexcept {
  busy_ = block_->has_waiter();
  return busy_ || block_->settled();
}

void change_awaiter::await_suspend(waiter& w) noexcept {
  waiter_ = &w;
  registered_ = true;
  block_->await_change(*this);
}

bool change_awaiter::await_cancel(waiter&) noexcept {
  block_->forget(*this);
  return true;
}

result<file_change> change_awaiter::await_result() {
  if (busy_) return error(errc::busy, "watch", block_->path());
  if (std::exchange(registered_, false)) block_->forget(*this);
  return block_->take();
}

void change_awaiter::visit(detail::visitor& v) { v.about(block_->path()); }

file_watcher::~file_watcher() {
  if (block_) block_->disown();
}
void file_watcher::close() {
  if (block_) block_->close();
}

file_watcher files::watch(std::string path, duration debounce) {
  return file_watcher(
      detail::watch_block::make(detail::loop_state::current(), std::move(path), debounce));
}

}  // namespace cuvee::inline v0
