// SPDX-License-Identifier: MIT
#pragma once
#include "process_block.h"

namespace cuvee::inline v0::detail {

/// Closes what it holds.
class owned_descriptors {
 public:
  owned_descriptors() = default;
  owned_descriptors(const owned_descriptors&) = delete;
  ~owned_descriptors();
  int add(int fd);

 private:
  std::vector<int> fds_;
};

/// A command made ready for `launch`. Owns the descriptors that only the child needs, until it has them.
class process_plan {
 public:
  /// Errors: see `cuvee::spawn`.
  process_plan(process_block& block, const command& c);

  const launch_plan& ready() const noexcept { return plan_; }
  error failure(const launch_failure& f) const;

 private:
  void check() const;
  void find_programs();
  void connect(process_block& block);
  int open_stream(process_block& block, int stream);
  int open_standard(process_block& block, int stream);
  [[noreturn]] void fail(int code, const std::string& subject) const;
  std::string value_of(std::string_view variable) const;

  const command_parts& parts_;
  const std::string& name_;
  launch_plan plan_;
  std::vector<std::string> variables_;
  owned_descriptors own_;
  int terminal_ = -1;
};

}  // namespace cuvee::inline v0::detail
