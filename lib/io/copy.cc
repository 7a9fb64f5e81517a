// SPDX-License-Identifier: MIT
#include <cuvee/io/buffered_reader.h>

#include "big_blocks.h"
#include "stream_block.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace cuvee::inline v0 {

namespace {

constexpr std::size_t buffer_bytes = 256 * 1024;
using buffers = detail::big_blocks<buffer_bytes>;
struct give_back {
  void operator()(char* buffer) const noexcept { buffers::put(buffer); }
};

// Returns: how many of the bytes `to` has taken without waiting; 0 where `write` would fail.
std::size_t write_at_once(detail::stream_block& to, std::string_view bytes) {
  if (to.has_writer()) return 0;
  detail::stream_writer writer;
  writer.spans[writer.count++] = bytes;
  bool done = to.try_write(writer);
  if (writer.status != 0) return 0;
  return done ? bytes.size() : bytes.size() - writer.spans[0].size();
}

}  // namespace

// Bytes pass through the window, which is the loop's memory, as long as `to` takes them at once: an idle copy
// holds no buffer. From the first time that it does not, or that the window is full, there is one of its own.
task<std::uint64_t> copy(stream& from, stream& to, copy_options options) {
  std::unique_ptr<char, give_back> buffer;
  std::uint64_t copied = 0;
  while (copied < options.limit_bytes) {
    const auto left = static_cast<std::size_t>(
        std::min<std::uint64_t>(buffer_bytes, options.limit_bytes - copied));
    std::size_t n = 0, taken = 0;
    if (buffer) {
      mutable_bytes room(buffer.get(), left);
      n = co_await from.read_some(room);
      if (n == 0) break;
    } else {
      bool more = !from.window().empty();
      if (!more) more = co_await from.fill();
      if (!more) break;
      const std::string_view window = from.window().substr(0, left);
      n = window.size();
      taken = write_at_once(to.native(), window);
      if (taken < n || n == detail::stream_block::window_limit) {
        buffer.reset(buffers::get());
        std::memcpy(buffer.get(), window.data() + taken, n - taken);
      }
      from.consume(n);
    }
    const_bytes rest(buffer.get(), n - taken);
    if (!rest.empty()) co_await to.write(rest);
    copied += n;
  }
  co_return copied;
}

}  // namespace cuvee::inline v0
