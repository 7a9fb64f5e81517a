// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/io/stream.h>

#include <string>

namespace cuvee::inline v0 {

/// A stream over a descriptor that belongs to somebody else and that other processes may share: whatever it is,
/// a file, a pipe, a socket, a terminal, `/dev/null`. O_NONBLOCK is never set where others would see it.
///
/// A pipe or a terminal is opened again. A socket, and what cannot be opened again, is polled and then asked for
/// what it has. Files and devices that are always ready are read and written by libuv's pool, at the position that
/// all who share them have.
///
/// Bytes are taken only while somebody waits for them, and no more than asked for (`fill` asks for 64 KiB): a child that
/// inherits the descriptor can read the rest. Several streams over one descriptor work, each with its own
/// window. Closing one, also by `shutdown_write`, leaves the descriptor itself open, so the process at the other end of a
/// pipe sees the end when this process ends; a socket's other end sees that of `shutdown_write`.
/// Reading from a terminal that another process group has fails with `io_error`, where it does not stop the program
/// as usual (SIGTTIN).
class CUVEE_API shared_stream : public stream {
 public:
  /// `name` stands for it in errors: `read stdin: …`.
  /// Errors: bad_file_descriptor if it is closed; those of the system.
  /// Lifetime: the descriptor may be closed afterwards.
  explicit shared_stream(int descriptor, std::string name = "descriptor");
};

/// The program's standard streams. Each call makes a stream; what `std::cout` and the like hold back is theirs.
/// A write to a pipe whose reader has gone fails with `broken_pipe`.
/// Errors: bad_file_descriptor if the program was started without it, also where its number was given to something else
/// since.
[[nodiscard]] CUVEE_API shared_stream stdin_stream();
[[nodiscard]] CUVEE_API shared_stream stdout_stream();
[[nodiscard]] CUVEE_API shared_stream stderr_stream();

}  // namespace cuvee::inline v0
