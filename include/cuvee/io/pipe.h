// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/io/stream.h>

#include <utility>

namespace cuvee::inline v0 {

/// One end of a pipe: to or from a child, or of `anonymous_pipe`.
class CUVEE_API pipe_stream : public stream {
 public:
  using stream::stream;
};

/// A pipe of the system's: what is written to `second` can be read from `first`, nothing the other way.
/// Errors: `too_many_files_open`.
CUVEE_API std::pair<pipe_stream, pipe_stream> anonymous_pipe();

}  // namespace cuvee::inline v0
