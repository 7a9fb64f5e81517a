// SPDX-License-Identifier: MIT
// Every kind of stream passes the same suite.
#include "io_case.h"

#include <cuvee/testing/check_stream.h>
#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace io_case;

namespace {

task<std::pair<stream, stream>> tcp_pair() {
  connection c = co_await connected();
  co_return std::pair<stream, stream>(std::move(c.client), std::move(c.server));
}

task<std::pair<stream, stream>> memory_pair() { co_return memory_stream_pair(); }

task<std::pair<stream, stream>> piecemeal_pair() {
  memory_stream_options small;
  small.capacity_bytes = 1000;
  small.piece_bytes = 333;
  co_return memory_stream_pair(small);
}

task<std::pair<stream, stream>> lockstep_pair() { co_return testing::lockstep_stream_pair(); }

task<std::pair<stream, stream>> unix_pair() { co_return unix_stream_pair(); }

task<> passes(testing::stream_maker make, testing::stream_traits traits = {}) {
  std::vector<std::string> broken = co_await testing::check_stream(std::move(make), traits);
  for (const std::string& what : broken) {
    INFO(what);
    CHECK(false);
  }
}

// Of a pair within the process at most `n` bytes are under way in each direction.
testing::stream_traits keeps(std::size_t n) {
  testing::stream_traits traits;
  traits.kept_bytes = n;
  return traits;
}

}  // namespace

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("conformance: memory streams") { co_await passes(&memory_pair, keeps(64 * 1024)); }
CUVEE_TEST_CASE("conformance: memory streams in small pieces") {
  co_await passes(&piecemeal_pair, keeps(1000));
}
CUVEE_TEST_CASE("conformance: lockstep streams") { co_await passes(&lockstep_pair, keeps(0)); }
CUVEE_TEST_CASE("conformance: tcp streams") { co_await passes(&tcp_pair); }

CUVEE_TEST_CASE("conformance: unix streams") {
  testing::stream_traits no_reset;
  no_reset.reports_reset = false;
  co_await passes(&unix_pair, no_reset);
}

TEST_SUITE_END();
