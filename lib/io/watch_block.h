// SPDX-License-Identifier: MIT
#pragma once
#include "core/handle_block.h"
#include "core/loop_state.h"

#include <cuvee/core/frame_pool.h>
#include <cuvee/io/file_watch.h>

#include <sys/stat.h>

#include <deque>
#include <optional>
#include <string_view>
#include <vector>

namespace cuvee::inline v0::detail {

/// Collects the events of a directory.
class watch_block final : public handle_block, timer_node, public pooled {
 public:
  static constexpr std::size_t most_changes = 1024;

  static watch_block* make(loop_state& l, std::string path, duration debounce);

  bool has_waiter() const noexcept { return waiting_ != nullptr; }
  bool settled() const noexcept { return !ready_.empty() || lost_ || status_ != 0 || closing(); }
  void await_change(change_awaiter& a) noexcept { waiting_ = &a; }
  void forget(change_awaiter& a) noexcept {
    if (waiting_ == &a) waiting_ = nullptr;
  }
  result<file_change> take();
  const std::string& path() const noexcept { return path_; }

 private:
  watch_block(loop_state& l, std::string path, duration debounce);

  static void on_event(uv_fs_event_t* h, const char* name, int events, int status);
  static void on_quiet(timer_node* n);
  void happened(const char* name, int events);
  void collect(std::string_view name, int events);
  void wait_for_quiet();
  void release();
  void wake();
  bool directory_is_gone() const noexcept;
  void stop_waiting() noexcept;
  void on_closing() override;

  uv_fs_event_t native_{};
  std::string path_;       // what the user wrote
  std::string directory_;  // what is watched
  std::string only_;       // of its names; empty: all
  struct stat identity_{};
  duration debounce_;
  std::vector<file_change> collected_;
  std::deque<file_change> ready_;
  std::uint64_t first_ = 0;  // when the oldest of the collected came
  change_awaiter* waiting_ = nullptr;
  int status_ = 0;
  bool lost_ = false;
  bool timing_ = false;
};

}  // namespace cuvee::inline v0::detail
