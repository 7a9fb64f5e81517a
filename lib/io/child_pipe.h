// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/io/process.h>

#include <string>

namespace cuvee::inline v0::detail {

/// A pipe between the parent and a child. The child's end is a plain descriptor, the caller's to close.
struct child_pipe {
  enum class direction { to_child, to_parent };
  /// On this thread's loop. Errors: `spawn` of `owner`.
  static child_pipe make(direction d, std::string name, const std::string& owner);
  pipe_stream ours;
  int theirs;
};

/// A stream over a descriptor, which is its own from now on, on this thread's loop.
/// Errors: `spawn` of `owner`; the descriptor is closed then.
pipe_stream adopt_descriptor(int fd, std::string name, const std::string& owner);
/// The same over the master of a pseudo terminal, whose end is that of its last user.
pipe_stream adopt_terminal(int fd, std::string name, const std::string& owner);

}  // namespace cuvee::inline v0::detail
