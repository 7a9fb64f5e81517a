// SPDX-License-Identifier: MIT
#include <cuvee/io/pipe.h>

#include "sockets.h"
#include "uv_error.h"
#include "uv_stream_block.h"

namespace cuvee::inline v0 {

namespace {

pipe_stream open_end(detail::descriptor fd, const char* name) {
  auto* block = detail::uv_stream_block::make_pipe(detail::loop_state::current());
  pipe_stream s(block);
  block->set_name(name);
  int e = detail::uv::pipe_open(block->pipe(), fd.get());
  if (e < 0) throw detail::uv_error(e, "make", name);
  fd.release();
  return s;
}

}  // namespace

std::pair<pipe_stream, pipe_stream> anonymous_pipe() {
  uv_file ends[2];
  int e = detail::uv::pipe(ends, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE);
  if (e < 0) throw detail::uv_error(e, "make", "pipe");
  detail::descriptor from(ends[0]), to(ends[1]);
  pipe_stream first = open_end(std::move(from), "reading end of a pipe");
  return {std::move(first), open_end(std::move(to), "writing end of a pipe")};
}

}  // namespace cuvee::inline v0
