// SPDX-License-Identifier: MIT
#include <cuvee/io/udp_datagram.h>

#include "udp_calls.h"
#include "uv_error.h"

#include <uv.h>

namespace cuvee::inline v0 {

namespace detail {

batch_memory::batch_memory(std::size_t most, std::size_t each_bytes)
    : bytes(std::make_unique_for_overwrite<char[]>(most * each_bytes)),
      rooms(most),
      senders(most),
      packets(most),
      views(most) {
  for (std::size_t i = 0; i < most; i++) {
    rooms[i] = {bytes.get() + i * each_bytes, each_bytes};
    msghdr& head = packets[i].msg_hdr;
    head.msg_name = &senders[i];
    head.msg_iov = &rooms[i];
    head.msg_iovlen = 1;
  }
}

void batch_memory::show(std::size_t n) noexcept {
  filled = n;
  for (std::size_t i = 0; i < n; i++) {
    datagram_view& view = views[i];
    view.data = {static_cast<char*>(rooms[i].iov_base), packets[i].msg_len};
    view.from = endpoint(reinterpret_cast<const sockaddr&>(senders[i]));
    view.truncated = (packets[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
  }
}

}  // namespace detail

datagram_batch::datagram_batch(std::size_t most, std::size_t each_bytes) {
  constexpr std::size_t most_of_system = 1024;  // UIO_MAXIOV
  constexpr std::size_t largest_datagram_bytes = 64 * 1024;
  if (most < 1 || most > most_of_system || each_bytes > largest_datagram_bytes)
    throw detail::uv_error(UV_EINVAL, "make", "datagram batch");
  memory_ = std::make_unique<detail::batch_memory>(most, each_bytes);
}
datagram_batch::datagram_batch(datagram_batch&&) noexcept = default;
datagram_batch& datagram_batch::operator=(datagram_batch&&) noexcept = default;
datagram_batch::~datagram_batch() = default;

std::span<const datagram_view> datagram_batch::datagrams() const noexcept {
  return {memory_->views.data(), memory_->filled};
}

}  // namespace cuvee::inline v0
