// SPDX-License-Identifier: MIT
// Fails the n-th call to libuv or the system, or the n-th allocation, for every n: what is awaited ends with
// a value or an error, and nothing is left.
#pragma once
#include <cuvee/io.h>

#include <functional>
#include <string>

namespace fault_case {

using coroutine = std::function<cuvee::task<>()>;

/// Each with several codes. Returns: how many could be made to fail.
std::size_t fail_calls(const coroutine& body);
std::size_t fail_allocations(const coroutine& body);
/// Some of OpenSSL's allocations: all of the first hundred, then ever fewer.
std::size_t fail_openssl_allocations(const coroutine& body);
bool openssl_allocation_fails() noexcept;
/// The call that was made to fail last.
std::string failed_call();

/// The same for what makes its own loop.
std::size_t fail_calls_of(const std::function<void()>& whole);
std::size_t fail_allocations_of(const std::function<void()>& whole);

inline cuvee::task<std::string> read_all(cuvee::stream& s) {
  std::string all, piece(5000, '\0');
  while (std::size_t n = co_await s.read_some(piece)) all.append(piece, 0, n);
  co_return all;
}

}  // namespace fault_case
