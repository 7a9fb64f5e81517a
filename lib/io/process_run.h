// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/try_finally.h>
#include <cuvee/io/process.h>

namespace cuvee::inline v0::detail {

/// Runs the clean-up whatever becomes of the body, even if it is cancelled before it begins.
template <class T, class F>
using finally = try_finally_awaiter<task<T>, F, true>;

/// Writes the input and closes the pipe; a child that does not read it all is no error. Null: nothing to do.
task<> feed(pipe_stream* to, const_bytes input);
/// Reads to the end. Errors: limit_exceeded, naming `name`. Null: nothing to do.
task<> collect(pipe_stream* from, std::string& into, std::size_t limit_bytes, std::string name);

/// Ends a process as `run_process_options` say, and waits for it.
task<> stop_process(process& p, const std::string& name, run_process_options options);

}  // namespace cuvee::inline v0::detail
