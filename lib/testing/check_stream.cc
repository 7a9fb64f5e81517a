// SPDX-License-Identifier: MIT
#include "check_stream.h"

#include <cuvee/core/as_result.h>
#include <cuvee/io/memory_stream.h>

namespace cuvee::inline v0::testing {

namespace detail {

std::string stream_pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; i++) text[i] = static_cast<char>(i * 131 + i / 251);
  return text;
}

task<std::string> receive(stream& s, std::size_t size, std::size_t piece_bytes) {
  std::string all, piece(std::min(piece_bytes, size), '\0');
  while (all.size() < size) {
    mutable_bytes room(piece.data(), std::min(piece.size(), size - all.size()));
    std::size_t n = co_await s.read_some(room);
    if (n == 0) break;
    all.append(piece, 0, n);
  }
  co_return all;
}

task<std::string> receive_all(stream& s, std::size_t piece_bytes) {
  return receive(s, std::string::npos / 2, piece_bytes);
}

task<> send(stream& s, std::string data, std::size_t piece_bytes) {
  for (std::size_t at = 0; at < data.size();) {
    std::string_view piece = std::string_view(data).substr(at, piece_bytes);
    co_await s.write(piece);
    at += piece.size();
  }
}

task<> send_and_end(stream& s, std::string data) {
  co_await s.write(data);
  co_await s.shutdown_write();
}

task<std::error_code> code_of_read(stream& s) {
  char byte;
  mutable_bytes room(&byte, 1);
  auto r = co_await as_result(s.read_some(room));
  if (r) co_return std::error_code();
  co_return r.error().code();
}

task<std::error_code> code_of_write(stream& s, std::string data) {
  auto r = co_await as_result(s.write(data));
  if (r) co_return std::error_code();
  co_return r.error().code();
}

namespace {

task<> run_check(const named_check& check, stream_check& c, const stream_maker& make,
                 bool swapped) {
  std::pair<stream, stream> ends = co_await make();
  stream& near = swapped ? ends.second : ends.first;
  stream& far = swapped ? ends.first : ends.second;
  try {
    co_await check.run(c, near, far);
  } catch (const std::exception& e) {
    c.broken.push_back(std::string("unexpected error: ") + e.what());
  }
  co_await near.close();
  co_await far.close();
}

}  // namespace
}  // namespace detail

task<std::vector<std::string>> check_stream(stream_maker make, stream_traits traits) {
  std::vector<std::string> broken;
  std::vector<detail::named_check> checks = detail::byte_checks();
  for (const detail::named_check& check : detail::end_checks()) checks.push_back(check);
  for (const detail::named_check& check : checks) {
    for (bool swapped : {false, true}) {
      detail::stream_check c{traits, {}};
      co_await detail::run_check(check, c, make, swapped);
      for (const std::string& what : c.broken)
        broken.push_back(std::string(check.name) + (swapped ? " (ends swapped): " : ": ") + what);
    }
  }
  co_return broken;
}

std::pair<stream, stream> lockstep_stream_pair() {
  memory_stream_options unbuffered;
  unbuffered.capacity_bytes = 0;
  return memory_stream_pair(unbuffered);
}

}  // namespace cuvee::inline v0::testing
