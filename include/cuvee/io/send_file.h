// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/task.h>
#include <cuvee/io/file.h>
#include <cuvee/io/stream.h>

namespace cuvee::inline v0 {

/// Sends `n` bytes of a file, behind all that was written to the stream before; others who write meanwhile get
/// busy. Sockets without TLS take them from the kernel's cache (sendfile(2)); what is not in it is read by libuv's
/// pool, never by the loop's thread. Other streams get them through a buffer.
/// `sent` says at every moment how many the stream has taken, also after an error or a cancel; through a buffer
/// it counts pieces of 64 KiB that were taken as a whole.
/// Returns: `n`. Errors: end_of_stream if the file is shorter and what reading it fails with leave the stream open;
/// what the peer or the network fails with closes it. busy, closed.
/// Cancel: partial; if bytes had gone out, the stream is closed, else nothing has happened.
/// Lifetime: stream and file stay in place until it ends. The file's position does not move.
[[nodiscard]] CUVEE_API task<std::uint64_t> send_file(stream& to, file& from, std::uint64_t offset,
                                                      std::uint64_t n, std::uint64_t& sent);
[[nodiscard]] CUVEE_API task<std::uint64_t> send_file(stream& to, file& from, std::uint64_t offset,
                                                      std::uint64_t n);
/// The same for a whole file, of the size it has at the start.
[[nodiscard]] CUVEE_API task<std::uint64_t> send_file(stream& to, file& from);

}  // namespace cuvee::inline v0
