// SPDX-License-Identifier: MIT
#include <cuvee/io/stdio.h>

#include "file_stream_block.h"
#include "foreign_block.h"
#include "shared_descriptor.h"
#include "uv_error.h"
#include "uv_stream_block.h"

#include <fcntl.h>

#include <cerrno>
#include <memory>

namespace cuvee::inline v0 {

namespace {

using detail::shared_kind;

constexpr int first_free = 3;  // a copy must not become one of the standard streams

struct disowner {
  void operator()(detail::stream_block* b) const noexcept { b->disown(); }
};
using owned_block = std::unique_ptr<detail::stream_block, disowner>;

owned_block adopt(detail::descriptor own, shared_kind kind) {
  auto* block = detail::uv_stream_block::make_pipe(detail::loop_state::current());
  owned_block owner(block);
  block->read_on_demand();
  if (kind == shared_kind::terminal) block->treat_as_terminal();
  int e = detail::uv::pipe_open(block->pipe(), own.get());
  if (e < 0) throw detail::uv_error(e, "open");
  own.release();
  return owner;
}

owned_block share(int fd, shared_kind kind) {
  detail::descriptor copy(fcntl(fd, F_DUPFD_CLOEXEC, first_free));
  if (!copy) throw detail::uv_error(-errno, "open");
  detail::loop_state& l = detail::loop_state::current();
  if (kind != shared_kind::file)
    if (auto* polled = detail::foreign_block::make(l, copy, kind)) return owned_block(polled);
  return owned_block(detail::file_stream_block::make(l, std::move(copy)));
}

owned_block open_shared(int fd, const std::string& name) {
  shared_kind kind = detail::kind_of(fd);
  if (kind == shared_kind::closed)
    throw error(std::make_error_code(std::errc::bad_file_descriptor), "open", name,
                "it is closed (EBADF)");
  try {
    if (kind == shared_kind::pipe || kind == shared_kind::terminal)
      if (detail::descriptor own = detail::reopen(fd)) return adopt(std::move(own), kind);
    return share(fd, kind);
  } catch (const error& e) {
    throw error(e.code(), "open", name);
  }
}

// Descriptors that a program is started without are soon those of something else, the loop's own perhaps.
struct given_streams {
  bool open[3];
  given_streams() noexcept {
    for (int fd = 0; fd < 3; fd++) open[fd] = fcntl(fd, F_GETFD) >= 0;
  }
};
const given_streams given;

shared_stream standard_stream(int fd, const char* name) {
  return shared_stream(given.open[fd] ? fd : -1, name);
}

}  // namespace

shared_stream::shared_stream(int descriptor, std::string name) : stream(nullptr) {
  owned_block block = open_shared(descriptor, name);
  block->set_name(std::move(name));
  block_ = block.release();
}

shared_stream stdin_stream() { return standard_stream(0, "stdin"); }
shared_stream stdout_stream() { return standard_stream(1, "stdout"); }
shared_stream stderr_stream() { return standard_stream(2, "stderr"); }

}  // namespace cuvee::inline v0
