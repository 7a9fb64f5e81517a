// SPDX-License-Identifier: MIT
#include <cuvee/io/send_file.h>

#include "file_block.h"
#include "send_piece.h"
#include "stream_block.h"
#include "uv_error.h"
#include "writable_block.h"

#include <cuvee/core/sleep.h>

#include <algorithm>
#include <memory>

namespace cuvee::inline v0 {

namespace detail {

bool send_piece_awaiter::await_suspend(waiter& w) noexcept {
  waiter_ = &w;
  home_ = &file_->home();
  work_.data = this;
  int e = uv::queue_work(
      home_->uv, &work_,
      [](uv_work_t* r) {
        auto& a = *static_cast<send_piece_awaiter*>(r->data);
        a.result_ = send_piece(a.socket_, a.file_->descriptor(), a.offset_, a.size_);
      },
      [](uv_work_t* r, int status) {
        auto& a = *static_cast<send_piece_awaiter*>(r->data);
        loop_state& l = *a.home_;
        {
          turn t(l);
          l.pool_requests--;
          if (status < 0) a.result_ = status;
          a.file_->call_ends();
          a.waiter_->complete();
        }
        l.free_if_closed();
      });
  if (e == 0) {
    home_->pool_requests++;
    file_->call_begins();
  } else {
    result_ = e;
  }
  return e == 0;
}

bool send_piece_awaiter::await_cancel(waiter&) noexcept {
  uv_cancel(reinterpret_cast<uv_req_t*>(&work_));  // refused if it runs: then waited for
  return false;
}

}  // namespace detail

namespace {

using detail::stream_block;

constexpr std::size_t loop_piece_bytes = 256 * 1024;   // what the loop's thread may copy in one go
constexpr std::size_t pool_piece_bytes = 1024 * 1024;  // and what one of the pool's
constexpr std::size_t turn_bytes = 1024 * 1024;        // before others get their turn
constexpr std::size_t buffer_bytes = 64 * 1024;

struct transfer {
  stream_block& to;
  file& from;
  std::uint64_t offset, size;
  std::uint64_t& sent;

  std::uint64_t left() const noexcept { return size - sent; }
  error failure(std::error_code code, std::string_view detail = {}) const {
    return error(code, "send file", from.path() + " to " + to.name(), detail);
  }
  void check_open() const {
    if (to.closing() || to.closed() || !from.is_open()) throw failure(errc::closed);
    if (to.write_error() != 0) throw failure(detail::uv_code(to.write_error()));
  }
  [[noreturn]] void too_short() const { throw failure(errc::end_of_stream, "the file is shorter"); }
};

/// The stream's output is ours. If we go half-way, nobody knows what belongs behind it: it closes.
class output_claim {
 public:
  explicit output_claim(transfer& t) noexcept : transfer_(t) { t.to.hold_output(writer_); }
  output_claim(const output_claim&) = delete;
  ~output_claim() {
    transfer_.to.release_output();
    bool partial = transfer_.sent != 0 && transfer_.left() != 0;
    if (broken || (partial && !intact)) transfer_.to.break_off();
  }

  bool intact = false;  // it is the file that failed
  bool broken = false;

 private:
  transfer& transfer_;
  detail::stream_writer writer_;
};

struct disown_watch {
  void operator()(detail::writable_block* b) const { b->disown(); }
};
using watch_owner = std::unique_ptr<detail::writable_block, disown_watch>;

detail::writable_block& watch_of(const transfer& t, watch_owner& watch) {
  if (!watch) watch.reset(detail::writable_block::make(t.to.home(), t.to.descriptor()));
  return *watch;
}

task<std::int64_t> next_piece(const transfer& t, watch_owner& watch) {
  std::uint64_t at = t.offset + t.sent;
  detail::file_block& in = t.from.native();
  auto size = static_cast<std::size_t>(std::min<std::uint64_t>(t.left(), loop_piece_bytes));
  if (detail::in_cache(in.descriptor(), at, size))
    co_return detail::send_piece(t.to.descriptor(), in.descriptor(), at, size);
  size = static_cast<std::size_t>(std::min<std::uint64_t>(t.left(), pool_piece_bytes));
  // The duplicate stays open whatever becomes of the stream meanwhile.
  int socket = watch_of(t, watch).descriptor();
  std::int64_t n = co_await detail::send_piece_awaiter(socket, in, at, size);
  co_return n;
}

bool is_of_file(std::int64_t status) noexcept {
  return status == UV_EIO || status == UV_EBADF || status == UV_EISDIR || status == UV_ENOMEM;
}
bool is_unsupported(std::int64_t status) noexcept {
  return status == UV_EINVAL || status == UV_ENOSYS || status == UV_ENOTSUP;
}

/// Returns: false if the file cannot be sent so.
task<bool> send_natively(transfer t) {
  co_await detail::drained_awaiter(t.to);
  t.check_open();
  if (t.to.has_writer()) throw t.failure(errc::busy);
  output_claim claim(t);
  watch_owner watch;
  std::uint64_t pause_at = turn_bytes;
  while (t.left() != 0) {
    std::int64_t n = co_await next_piece(t, watch);
    if (n > 0) t.sent += static_cast<std::uint64_t>(n);
    if (t.left() == 0) break;
    t.check_open();
    if (n == UV_EAGAIN) {
      int status = co_await detail::writable_awaiter(t.to, watch_of(t, watch));
      t.check_open();
      if (status < 0) throw t.failure(detail::uv_code(status));
      continue;
    }
    if (is_unsupported(n) && t.sent == 0) co_return false;
    claim.intact = n == 0 || is_of_file(n);
    if (n == 0) t.too_short();
    claim.broken = n < 0 && !claim.intact;
    if (n < 0) throw t.failure(detail::uv_code(static_cast<int>(n)));
    if (t.sent < pause_at) continue;
    pause_at = t.sent + turn_bytes;
    co_await checkpoint();
  }
  co_return true;
}

task<> send_by_copying(stream& to, transfer t) {
  auto buffer = std::make_unique_for_overwrite<char[]>(buffer_bytes);
  while (t.left() != 0) {
    auto size = static_cast<std::size_t>(std::min<std::uint64_t>(t.left(), buffer_bytes));
    mutable_bytes room(buffer.get(), size);
    std::size_t n = co_await t.from.read_some_at(t.offset + t.sent, room);
    if (n == 0) t.too_short();
    co_await to.write(const_bytes(buffer.get(), n));
    t.sent += n;
  }
}

}  // namespace

task<std::uint64_t> send_file(stream& to, file& from, std::uint64_t offset, std::uint64_t n,
                              std::uint64_t& sent) {
  sent = 0;
  transfer t{to.native(), from, offset, n, sent};
  t.check_open();
  if (t.to.has_writer()) throw t.failure(errc::busy);
  bool done = false;
  if (detail::is_socket(t.to.descriptor())) done = co_await send_natively(t);
  if (!done) co_await send_by_copying(to, t);
  co_return sent;
}

task<std::uint64_t> send_file(stream& to, file& from, std::uint64_t offset, std::uint64_t n) {
  std::uint64_t sent = 0;
  co_await send_file(to, from, offset, n, sent);
  co_return sent;
}

task<std::uint64_t> send_file(stream& to, file& from) {
  file_status status = co_await from.stat();
  std::uint64_t sent = 0;
  co_await send_file(to, from, 0, status.size, sent);
  co_return sent;
}

}  // namespace cuvee::inline v0
