// SPDX-License-Identifier: MIT
#pragma once
#include "sockets.h"

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>

namespace cuvee::inline v0::detail {

/// What a descriptor leads to whose description (position, O_NONBLOCK) other processes share, as those
/// of the standard streams are.
enum class shared_kind {
  closed,
  file,  // also directories and block devices: they are always ready
  pipe,  // without a name
  terminal,
  socket,
  other,  // named pipes, devices
};
shared_kind kind_of(int fd) noexcept;

/// The same pipe or terminal by a description of our own, which does not block. Empty if the system refuses, and for
/// the master of a pseudo terminal, of which there is one only.
descriptor reopen(int fd) noexcept;

/// What can be read or written at once, whatever the description says. Returns: how much, or a negative
/// errno, -EAGAIN if nothing can. Where the kernel has no call for that, one that is not ready any more because
/// another process was quicker waits for it.
ssize_t read_ready(int fd, shared_kind kind, void* into, std::size_t size) noexcept;
ssize_t write_ready(int fd, shared_kind kind, const iovec* from, int count) noexcept;

bool takes_bytes(int fd) noexcept;

/// Whether it is our terminal, and another process group has it: reading would stop us, or be refused.
bool in_background(int terminal) noexcept;

}  // namespace cuvee::inline v0::detail
