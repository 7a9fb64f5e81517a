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

// Bytes lie here only while they are passed on, so one a thread will do.
char* passage() {
  static thread_local const auto bytes = std::make_unique_for_overwrite<char[]>(buffer_bytes);
  return bytes.get();
}

/// Passes bytes on where they come in, as long as `to` takes them at once; an idle copy holds no buffer and wakes no
/// task. Ends when `to` has taken what it did not take at once, and at the end or the limit.
class relay_awaiter : detail::stream_reader {
 public:
  relay_awaiter(stream& from, stream& to, std::uint64_t limit, std::uint64_t& copied) noexcept
      : from_(&from.native()), to_(&to.native()), left_(limit - copied), copied_(&copied) {
    ready = [](detail::stream_reader& r) { return static_cast<relay_awaiter&>(r).arrived(); };
  }
  relay_awaiter(const relay_awaiter&) = delete;
  ~relay_awaiter() {
    if (kept_) buffers::put(kept_);
  }

  bool await_ready() {
    if (from_->has_reader()) fail(read_status_, UV_EBUSY);
    else if (!from_->window().empty()) pass_on();
    return ended() || (!kept_ && from_->finished());
  }
  bool await_suspend(waiter& w) {
    waiter_ = rest_.waiter_ = &w;
    if (kept_) return to_->start_write(rest_);
    into = mutable_bytes(passage(), room());
    from_->await_bytes(*this);
    return true;
  }
  bool await_cancel(waiter&) {
    if (!kept_) {
      from_->forget_reader();
      return true;
    }
    to_->break_off();  // a part of it may be out
    return false;
  }
  bool await_must_resume() const noexcept { return false; }
  /// Returns: whether there may be more.
  bool await_resume() {
    if (rest_.status != 0) throw to_->error_of(rest_.status, "write");
    passed(kept_bytes_);
    if (kept_) return left_ != 0;
    if (left_ == 0 || (read_status_ == 0 && from_->at_eof())) return false;
    if (read_status_ == 0) read_status_ = from_->read_error();
    throw from_->error_of(read_status_ != 0 ? read_status_ : UV_ECANCELED, "read");
  }
  void visit(detail::visitor& v) { v.about((kept_ ? to_ : from_)->label()); }

 private:
  std::size_t room() const noexcept {
    return static_cast<std::size_t>(std::min<std::uint64_t>(buffer_bytes, left_));
  }
  bool ended() const noexcept { return failed_ || left_ == 0; }

  // Returns: whether that was all.
  bool arrived() {
    pass_on();
    if (kept_) {
      if (!to_->start_write(rest_)) return true;
      from_->forget_reader();
      return false;
    }
    into = mutable_bytes(into.data(), room());
    return ended();
  }

  void pass_on() {
    const std::string_view bytes = from_->window().substr(0, room());
    detail::stream_writer writer;  // not `rest_`: with thousands of connections touching it costs
    writer.spans[writer.count++] = bytes;
    if (to_->has_writer()) writer.status = UV_EBUSY;
    else if (!to_->try_write(writer)) keep(writer);
    if (writer.status != 0) [[unlikely]]
      fail(rest_.status, writer.status);
    else passed(bytes.size() - kept_bytes_);
    from_->consume(bytes.size());
  }

  void passed(std::size_t n) noexcept {
    left_ -= n;
    *copied_ += n;
  }

  void fail(int& of, int status) noexcept {
    of = status;
    failed_ = true;
  }

  // The window does not outlive the turn.
  void keep(detail::stream_writer& writer) noexcept {
    try {
      kept_ = buffers::get();
    } catch (const std::bad_alloc&) {
      writer.status = UV_ENOMEM;
      return;
    }
    kept_bytes_ = writer.spans[0].size();
    std::memcpy(kept_, writer.spans[0].data(), kept_bytes_);
    rest_.spans[rest_.count++] = const_bytes(kept_, kept_bytes_);
  }

  detail::stream_block* from_;
  detail::stream_block* to_;
  std::uint64_t left_;
  std::uint64_t* copied_;
  char* kept_ = nullptr;
  std::size_t kept_bytes_ = 0;
  bool failed_ = false;
  int read_status_ = 0;
  detail::stream_writer rest_;
};

}  // namespace

copy_error::copy_error(const error& cause, std::uint64_t copied) : error(cause), copied_(copied) {}
copy_error::~copy_error() = default;

task<std::uint64_t> copy(stream& from, stream& to, copy_options options) {
  std::uint64_t copied = 0;
  try {
    bool more = options.limit_bytes != 0;
    while (more) more = co_await relay_awaiter(from, to, options.limit_bytes, copied);
  } catch (const error& e) {
    throw copy_error(e, copied);
  }
  co_return copied;
}

}  // namespace cuvee::inline v0
