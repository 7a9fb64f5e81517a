// SPDX-License-Identifier: MIT
#pragma once
#include "file_block.h"

#include <cuvee/io/temp_file.h>

namespace cuvee::inline v0::detail {

/// A path that is removed when it closes.
class temp_block final : public fs_block {
 public:
  temp_block(loop_state& l, std::string path) : fs_block(l, std::move(path)) {}

  /// It exists from now on.
  void made() noexcept { opened(); }
  void keep() noexcept { kept_ = true; }
  const char* kind() const noexcept override { return "temporary file"; }

 private:
  void begin_close() override;
  static int remove_now(const std::string& path) noexcept;

  uv_work_t work_{};
  int status_ = 0;
  bool kept_ = false;
};

/// The same with permissions of one's choice.
task<temp_file> make_temp_file_with(std::string directory, unsigned permissions);

}  // namespace cuvee::inline v0::detail
