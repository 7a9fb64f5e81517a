// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/testing/check_stream.h>

#include <string_view>

namespace cuvee::inline v0::testing::detail {

/// One promise under test.
struct stream_check {
  const stream_traits& traits;
  std::vector<std::string> broken;

  /// More than the stream keeps under way: writing it has to wait for a reader.
  std::size_t too_much() const noexcept { return 2 * traits.kept_bytes + 1000; }
  void expect(bool holds, std::string_view what) {
    if (!holds) broken.emplace_back(what);
  }
};

struct named_check {
  const char* name;
  task<> (*run)(stream_check& c, stream& near, stream& far);
};

// check_stream_bytes.cc, check_stream_ends.cc
std::vector<named_check> byte_checks();
std::vector<named_check> end_checks();

std::string stream_pattern(std::size_t size);
/// Reads up to `size` bytes; fewer at the end of the stream.
task<std::string> receive(stream& s, std::size_t size, std::size_t piece_bytes = 65536);
task<std::string> receive_all(stream& s, std::size_t piece_bytes = 65536);
task<> send(stream& s, std::string data, std::size_t piece_bytes = std::string::npos);
task<> send_and_end(stream& s, std::string data);
/// The code that an operation fails with.
task<std::error_code> code_of_read(stream& s);
task<std::error_code> code_of_write(stream& s, std::string data);

}  // namespace cuvee::inline v0::testing::detail
