// SPDX-License-Identifier: MIT
// TLS: calls to libuv, allocations of ours, and those of OpenSSL.
#include "fault_case.h"
#include "test_ca.h"

#include <doctest/doctest.h>

#include <openssl/crypto.h>

using namespace cuvee;
using namespace fault_case;

namespace {

// ---- OpenSSL's heap, which can be replaced only before its first use

void* allocate(std::size_t size, const char*, int) {
  return openssl_allocation_fails() ? nullptr : std::malloc(size);
}
void* reallocate(void* block, std::size_t size, const char*, int) {
  return openssl_allocation_fails() ? nullptr : std::realloc(block, size);
}
void release(void* block, const char*, int) { std::free(block); }

const bool heap_replaced = CRYPTO_set_mem_functions(&allocate, &reallocate, &release) == 1;

// ---- what is done

tls_server_context server_context() { return tls_server_context(test_ca::server_options()); }
tls_client_context client_context() { return tls_client_context(test_ca::client_options()); }

task<> send_and_end(stream& s, const std::string& text) {
  co_await s.write(text);
  co_await s.shutdown_write();
}

task<> both_ways(tls_stream& s, const std::string& text) {
  auto [none, got] = co_await gather(send_and_end(s, text), read_all(s));
  if (got.size() < text.size()) throw error(errc::end_of_stream, "exchange");
  CHECK(got == text);
  co_await s.close();
}

task<> as_client(stream below, const tls_client_context& context, const std::string& text) {
  tls_stream s = co_await start_tls(std::move(below), context, "localhost");
  co_await both_ways(s, text);
}
task<> as_server(stream below, const tls_server_context& context, const std::string& text) {
  tls_stream s = co_await start_tls(std::move(below), context);
  co_await both_ways(s, text);
}

// With contexts of its own, so that no session is resumed.
task<> over_sockets() {
  const tls_client_context client = client_context();
  const tls_server_context server = server_context();
  const std::string text(100'000, 'x');
  auto [a, b] = unix_stream_pair();
  co_await gather(as_client(std::move(a), client, text), as_server(std::move(b), server, text));
}

task<> in_memory() {
  const tls_client_context client = client_context();
  const tls_server_context server = server_context();
  const std::string text(100'000, 'x');
  auto [a, b] = memory_stream_pair();
  co_await gather(as_client(std::move(a), client, text), as_server(std::move(b), server, text));
}

task<> accepted(tls_listener& l) {
  tls_stream s = co_await l.accept();
  co_await both_ways(s, "text");
}
task<> connected(endpoint at, const tls_client_context& context) {
  tls_stream s = co_await tls_connect("127.0.0.1", at.port(), context);
  co_await both_ways(s, "text");
}

// A failed handshake is the client's to see: the listener would wait for the next connection.
task<> through_a_listener() {
  const tls_client_context client = client_context();
  const tls_server_context server = server_context();
  tls_listener l(listen(endpoint("127.0.0.1", 0)), server);
  l.on_failed_handshake([&](const error&) { l.close(); });
  co_await gather(accepted(l), connected(l.local(), client));
}

}  // namespace

TEST_CASE("faults: every call and allocation fails in a TLS handshake, an exchange and a close") {
  CHECK(fail_calls(&over_sockets) > 10);
  CHECK(fail_allocations(&over_sockets) > 20);
  CHECK(fail_allocations(&in_memory) > 20);
}

TEST_CASE("faults: every call and allocation fails in accepting TLS connections") {
  CHECK(fail_calls(&through_a_listener) > 10);
  CHECK(fail_allocations(&through_a_listener) > 20);
}

TEST_CASE("faults: allocations of OpenSSL fail in a TLS handshake, an exchange and a close") {
  REQUIRE(heap_replaced);
  CHECK(fail_openssl_allocations(&in_memory) > 5000);
}
