// SPDX-License-Identifier: MIT
// TLS over every kind of stream passes the suite of streams.
#include "tls_case.h"

#include <cuvee/io/memory_stream.h>
#include <cuvee/testing/check_stream.h>
#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace tls_case;

namespace {

using ends = std::pair<stream, stream>;

task<ends> over(ends below) {
  tls_connection c = co_await secured(std::move(below.first), std::move(below.second));
  co_return ends(std::move(c.client), std::move(c.server));
}

task<ends> tcp_ends() {
  connection c = co_await connected();
  co_return ends(std::move(c.client), std::move(c.server));
}

task<ends> over_tcp() {
  ends below = co_await tcp_ends();
  co_return co_await over(std::move(below));
}

task<ends> over_tls() {
  ends below = co_await over_tcp();
  co_return co_await over(std::move(below));
}

task<ends> over_pieces() {
  memory_stream_options small;
  small.capacity_bytes = 1000;
  small.piece_bytes = 333;
  co_return co_await over(memory_stream_pair(small));
}

task<ends> over_lockstep() { co_return co_await over(testing::lockstep_stream_pair()); }

task<> passes(testing::stream_maker make, std::size_t kept_bytes) {
  testing::stream_traits traits;
  traits.kept_bytes = kept_bytes;
  std::vector<std::string> broken = co_await testing::check_stream(std::move(make), traits);
  for (const std::string& what : broken) {
    INFO(what);
    CHECK(false);
  }
}

constexpr std::size_t kernel_bytes = 16 << 20;
constexpr std::size_t own_bytes = 512 * 1024;  // ciphertext and windows

}  // namespace

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("conformance: tls over tcp") { co_await passes(&over_tcp, kernel_bytes); }
CUVEE_TEST_CASE("conformance: tls over tls") { co_await passes(&over_tls, kernel_bytes); }
CUVEE_TEST_CASE("conformance: tls over small pieces") { co_await passes(&over_pieces, own_bytes); }
CUVEE_TEST_CASE("conformance: tls over lockstep") { co_await passes(&over_lockstep, own_bytes); }

TEST_SUITE_END();
