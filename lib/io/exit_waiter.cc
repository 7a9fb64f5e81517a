// SPDX-License-Identifier: MIT
#include "exit_waiter.h"

#include "core/uv.h"

#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace cuvee::inline v0::detail {

namespace {

int make_eventfd() {
  int fd = uv::refused("eventfd") ? -1 : ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw std::system_error(errno, std::generic_category());
  return fd;
}

}  // namespace

exit_waiter::exit_waiter() : ended_(make_eventfd()) {
  if (int e = uv::fault("thread")) throw std::system_error(-e, std::generic_category());
  thread_ = std::thread([this] { run(); });
}

exit_waiter::~exit_waiter() {
  if (pid_ == unknown) begin(none);
  finish();
}

void exit_waiter::begin(int pid) noexcept {
  pid_ = pid;
  pid_.notify_one();
}

void exit_waiter::finish() noexcept {
  if (thread_.joinable()) thread_.join();
}

void exit_waiter::run() noexcept {
  pid_.wait(unknown);
  if (pid_ == none) return;
  siginfo_t end{};
  int e;
  // Left to be reaped: until then the number is no other child's.
  do e = waitid(P_PID, static_cast<id_t>(pid_.load()), &end, WEXITED | WNOWAIT);
  while (e != 0 && errno == EINTR);
  std::uint64_t one = 1;
  while (::write(ended_.get(), &one, sizeof one) < 0 && errno == EINTR) continue;
}

}  // namespace cuvee::inline v0::detail
