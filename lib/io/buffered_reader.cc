// SPDX-License-Identifier: MIT
#include <cuvee/io/buffered_reader.h>

#include "big_blocks.h"
#include "stream_block.h"

#include <algorithm>
#include <cstring>

namespace cuvee::inline v0 {

namespace {

constexpr std::size_t none = std::string_view::npos;

struct match {
  std::size_t at = none, end = none;
};

// The separator that ends first, of those that end behind `known`.
match first_match(std::string_view text, std::size_t known,
                  const std::vector<std::string>& separators) {
  match best;
  for (const std::string& s : separators) {
    std::size_t from = known < s.size() ? 0 : known - s.size() + 1;
    std::size_t at = text.find(s, from);
    if (at != none && at + s.size() < best.end) best = {at, at + s.size()};
  }
  return best;
}

std::size_t longest(const std::vector<std::string>& separators) {
  auto refuse = [](const char* why) {
    throw error(std::make_error_code(std::errc::invalid_argument), "read until", "", why);
  };
  if (separators.empty()) refuse("no separator");
  std::size_t most = 0;
  for (const std::string& s : separators) {
    if (s.empty()) refuse("an empty separator");
    most = std::max(most, s.size());
  }
  return most;
}

// How many bytes there are, at the least, in front of a separator: of one that is not there yet, `width` bytes at most.
std::size_t in_front(std::string_view text, match m, std::size_t width) {
  if (m.at != none) return m.at;
  return text.size() < width ? 0 : text.size() - width + 1;
}

incomplete_read_error incomplete(stream& from, errc code, const char* operation,
                                 std::string partial) {
  return incomplete_read_error(code, operation, from.native().name(), std::move(partial));
}

}  // namespace

incomplete_read_error::incomplete_read_error(errc code, std::string_view operation,
                                             std::string_view from, std::string partial)
    : error(code, operation, from),
      partial_(std::make_shared<const std::string>(std::move(partial))) {}
incomplete_read_error::~incomplete_read_error() = default;

struct buffered_reader::found {
  std::string text;
  std::size_t separator = none;  // where it begins; none at the end of the stream
};

std::string buffered_reader::take_kept(std::size_t n) {
  std::string text;
  if (n >= kept_.size()) {
    text.swap(kept_);
  } else {
    text = kept_.substr(0, n);
    kept_.erase(0, n);
  }
  return text;
}

// The first `n` bytes of what is kept and of the window behind it.
std::string buffered_reader::take(std::size_t n) {
  std::size_t of_kept = std::min(n, kept_.size());
  std::string text = take_kept(of_kept);
  text.append(stream_->window().substr(0, n - of_kept));
  stream_->consume(n - of_kept);
  return text;
}

// Moves the window to what is kept, and waits for the next. False at the end of the stream.
task<bool> buffered_reader::more() {
  std::size_t size = stream_->window().size();
  kept_.append(stream_->window());
  if (size != 0) stream_->consume(size);
  co_return co_await stream_->fill();
}

task<std::size_t> buffered_reader::read_some(mutable_bytes into) {
  if (kept_.empty()) co_return co_await stream_->read_some(into);
  std::size_t n = std::min(into.size(), kept_.size());
  std::memcpy(into.data(), kept_.data(), n);
  kept_.erase(0, n);
  co_return n;
}

task<std::string> buffered_reader::read_exact(std::size_t size) {
  while (kept_.size() + stream_->window().size() < size) {
    bool some = co_await more();
    if (!some) throw incomplete(*stream_, errc::end_of_stream, "read exact", take_kept(none));
  }
  co_return take(size);
}

/// Bytes that a call has put into its caller's memory: if it does not come to its end, they are kept.
class buffered_reader::pass {
 public:
  pass(std::string& kept, mutable_bytes into) : kept_(&kept), into_(into) {
    count_ = std::min(into.size(), kept.size());
    if (count_ != 0) std::memcpy(into.data(), kept.data(), count_);
    kept.erase(0, count_);
  }
  pass(const pass&) = delete;
  ~pass() {
    if (count_ == into_.size()) return;
    try {
      kept_->insert(0, into_.data(), count_);
    } catch (const std::bad_alloc&) {
      return;  // lost, where there is no memory to keep them
    }
  }
  mutable_bytes rest() const noexcept { return {into_.data() + count_, into_.size() - count_}; }
  void add(std::size_t n) noexcept { count_ += n; }

 private:
  std::string* kept_;
  mutable_bytes into_;
  std::size_t count_ = 0;
};

task<> buffered_reader::read_exact(mutable_bytes into) {
  pass p(kept_, into);
  while (!p.rest().empty()) {
    std::size_t n = co_await stream_->read_some(p.rest());
    if (n == 0) {
      std::string partial(into.data(), into.size() - p.rest().size());
      p.add(p.rest().size());
      throw incomplete(*stream_, errc::end_of_stream, "read exact", std::move(partial));
    }
    p.add(n);
  }
}

task<buffered_reader::found> buffered_reader::search(const char* operation,
                                                     std::vector<std::string> separators,
                                                     std::size_t limit_bytes, end_of e) {
  std::size_t width = longest(separators);
  std::size_t known = 0;  // no separator ends within the first so many bytes
  for (;;) {
    std::size_t before = kept_.size();
    // The window joins what is kept to be searched; consumed is only what the match needs of it.
    std::string_view text = stream_->window();
    if (before != 0) {
      kept_.append(text);
      text = kept_;
    }
    std::size_t size = text.size();
    match m = first_match(text, known, separators);
    std::size_t front = in_front(text, m, width);
    // The first half of a line's end is no part of the line.
    if (e == end_of::line && front != 0 && text[front - 1] == '\r') front--;
    bool over = front > limit_bytes;
    std::size_t wanted = over ? limit_bytes : m.end;
    if (before != 0) kept_.resize(before);
    if (over) throw incomplete(*stream_, errc::limit_exceeded, operation, take(wanted));
    if (m.at != none) co_return found{take(wanted), m.at};
    known = size;
    bool some = co_await more();
    if (!some) co_return found{take_kept(none), none};
  }
}

task<std::string> buffered_reader::read_until(std::string separator, std::size_t limit_bytes) {
  std::vector<std::string> one;
  one.push_back(std::move(separator));
  co_return co_await read_until(std::move(one), limit_bytes);
}

task<std::string> buffered_reader::read_until(std::vector<std::string> separators,
                                              std::size_t limit_bytes) {
  found f = co_await search("read until", std::move(separators), limit_bytes, end_of::record);
  if (f.separator == none)
    throw incomplete(*stream_, errc::end_of_stream, "read until", std::move(f.text));
  co_return std::move(f.text);
}

task<std::optional<std::string>> buffered_reader::read_line(std::size_t limit_bytes) {
  std::vector<std::string> end(1, "\n");
  found f = co_await search("read line", std::move(end), limit_bytes, end_of::line);
  if (f.text.empty()) co_return std::nullopt;
  if (f.separator != none) f.text.resize(f.separator);
  if (f.separator != none && f.text.ends_with('\r')) f.text.pop_back();
  co_return std::move(f.text);
}

task<std::string> buffered_reader::read_all(std::size_t limit_bytes) {
  for (;;) {
    if (kept_.size() + stream_->window().size() > limit_bytes)
      throw incomplete(*stream_, errc::limit_exceeded, "read all", take(limit_bytes));
    bool some = co_await more();
    if (!some) co_return take_kept(none);
  }
}

}  // namespace cuvee::inline v0
