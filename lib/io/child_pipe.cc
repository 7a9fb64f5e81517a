// SPDX-License-Identifier: MIT
#include "child_pipe.h"

#include "core/loop_state.h"
#include "uv_error.h"
#include "uv_stream_block.h"

#include <unistd.h>

namespace cuvee::inline v0::detail {

namespace {

enum class descriptor_kind { pipe, terminal };

pipe_stream adopt(int fd, descriptor_kind kind, std::string name, const std::string& owner) {
  try {
    uv_stream_block* block = uv_stream_block::make_pipe(loop_state::current());
    pipe_stream s(block);
    block->set_name(std::move(name));
    if (kind == descriptor_kind::terminal) block->treat_as_terminal();
    int e = uv::pipe_open(block->pipe(), fd);
    if (e < 0) throw uv_error(e, "spawn", owner);
    return s;
  } catch (...) {
    ::close(fd);
    throw;
  }
}

}  // namespace

pipe_stream adopt_descriptor(int fd, std::string name, const std::string& owner) {
  return adopt(fd, descriptor_kind::pipe, std::move(name), owner);
}
pipe_stream adopt_terminal(int fd, std::string name, const std::string& owner) {
  return adopt(fd, descriptor_kind::terminal, std::move(name), owner);
}

// Real pipes, not the socket pairs of UV_CREATE_PIPE: a child can then open /dev/stdin and
// /dev/stdout again, as scripts do, and two of its descriptors can share one.
child_pipe child_pipe::make(direction d, std::string name, const std::string& owner) {
  uv_file ends[2];
  bool to_child = d == direction::to_child;
  int e = to_child ? uv::pipe(ends, 0, UV_NONBLOCK_PIPE) : uv::pipe(ends, UV_NONBLOCK_PIPE, 0);
  if (e < 0) throw uv_error(e, "spawn", owner);
  int theirs = to_child ? ends[0] : ends[1];
  try {
    return {adopt_descriptor(to_child ? ends[1] : ends[0], std::move(name), owner), theirs};
  } catch (...) {
    ::close(theirs);
    throw;
  }
}

}  // namespace cuvee::inline v0::detail
