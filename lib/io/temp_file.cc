// SPDX-License-Identifier: MIT
#include "remove_tree.h"
#include "temp_block.h"
#include "uv_error.h"

#include <cuvee/core/as_result.h>
#include <cuvee/io/files.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace cuvee::inline v0 {

namespace detail {

namespace {

struct disown_block {
  void operator()(temp_block* b) const { b->disown(); }
};
using temp_owner = std::unique_ptr<temp_block, disown_block>;

std::string random_name() {
  std::array<unsigned char, 12> bytes;
  int e = uv::random(bytes.data(), bytes.size());
  if (e < 0) throw uv_error(e, "make a temporary name");
  std::string name = ".cuvee-";
  for (unsigned char b : bytes) {
    name += "0123456789abcdef"[b >> 4];
    name += "0123456789abcdef"[b & 15];
  }
  return name;
}

temp_owner new_block(const std::string& directory) {
  std::string path = directory + (directory.ends_with('/') ? "" : "/") + random_name();
  return temp_owner(new temp_block(loop_state::current(), std::move(path)));
}

}  // namespace

int temp_block::remove_now(const std::string& path) noexcept {
  try {
    remove_tree(path, {});
    return 0;
  } catch (const cuvee::error& e) {
    return -e.code().value();
  } catch (const std::bad_alloc&) {
    return UV_ENOMEM;
  }
}

void temp_block::begin_close() {
  if (kept_) return close_later(0);
  work_.data = this;
  int e = uv::queue_work(
      home().uv, &work_,
      [](uv_work_t* w) {
        auto& self = *static_cast<temp_block*>(w->data);
        self.status_ = remove_now(self.path());
      },
      [](uv_work_t* w, int status) {
        auto& self = *static_cast<temp_block*>(w->data);
        self.close_done(status != 0 ? status : self.status_);
      });
  if (e == 0) home().pool_requests++;
  else close_later(remove_now(path()));  // the last resort blocks
}

task<temp_file> make_temp_file_with(std::string directory, unsigned permissions) {
  temp_owner block = new_block(directory);
  open_mode how = open_mode::read | open_mode::write | open_mode::create | open_mode::exclusive;
  file content = co_await open_file(block->path(), how, permissions);
  block->made();
  co_return temp_file(temp_path(block.release()), std::move(content));
}

}  // namespace detail

temp_path::~temp_path() {
  if (block_) block_->disown();
}
const std::string& temp_path::path() const noexcept { return block_->path(); }
fs_close_awaiter temp_path::remove() { return {block_, "remove"}; }
void temp_path::keep() noexcept { block_->keep(); }

std::string temp_directory_path() {
  const char* said = std::getenv("TMPDIR");
  return said && *said ? said : "/tmp";
}

task<temp_file> make_temp_file(std::string directory) {
  return detail::make_temp_file_with(std::move(directory), 0600);
}

task<temp_path> make_temp_directory(std::string directory) {
  detail::temp_owner block = detail::new_block(directory);
  co_await files::mkdir(block->path(), 0700);
  block->made();
  co_return temp_path(block.release());
}

}  // namespace cuvee::inline v0
