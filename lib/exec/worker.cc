// SPDX-License-Identifier: MIT
// The worker's side of a process pool: plain blocking reads and writes, no loop.
#include "worker.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <map>

namespace cuvee::inline v0 {

namespace {

using detail::job_end;
using detail::job_head;
using detail::result_head;

using functions = std::map<std::string, worker_function::body, std::less<>>;

functions& registered() {
  static functions all;
  return all;
}

bool entered = false;

bool read_all(void* into, std::size_t size) {
  auto* at = static_cast<char*>(into);
  while (size != 0) {
    ssize_t n = ::read(detail::worker_descriptor, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

bool write_all(const void* from, std::size_t size) {
  auto* at = static_cast<const char*>(from);
  while (size != 0) {
    ssize_t n = ::write(detail::worker_descriptor, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

std::string perform(const std::string& name, const std::string& argument, job_end& end) {
  try {
    auto found = registered().find(name);
    end = found == registered().end() ? job_end::exception : job_end::value;
    return found == registered().end() ? "the worker knows no such function"
                                       : found->second(argument);
  } catch (...) {
    end = job_end::exception;
    return describe(std::current_exception());
  }
}

bool serve_one() {
  job_head head;
  if (!read_all(&head, sizeof head)) return false;
  std::string name(head.name_bytes, '\0'), argument(head.argument_bytes, '\0');
  if (!read_all(name.data(), name.size()) || !read_all(argument.data(), argument.size()))
    return false;
  result_head result{};
  std::string bytes = perform(name, argument, result.end);
  result.bytes = bytes.size();
  return write_all(&result, sizeof result) && write_all(bytes.data(), bytes.size());
}

}  // namespace

worker_function::worker_function(std::string name, body fn) : name_(std::move(name)) {
  if (registered().emplace(name_, fn).second) return;
  throw error(std::make_error_code(std::errc::invalid_argument), "register", name_,
              "another worker function has this name");
}
worker_function::~worker_function() { registered().erase(name_); }

void worker_entry() {
  entered = true;
  if (!std::getenv(detail::worker_variable)) return;
  unsetenv(detail::worker_variable);  // not for the worker's own children; nor is the descriptor
  fcntl(detail::worker_descriptor, F_SETFD, FD_CLOEXEC);
  while (serve_one()) continue;
  std::exit(0);  // the pool is closed, or gone
}

bool detail::worker_entry_called() noexcept { return entered; }
bool detail::worker_function_known(const std::string& name) {
  return registered().find(name) != registered().end();
}

}  // namespace cuvee::inline v0
