// SPDX-License-Identifier: MIT
#include <cuvee/io/tty.h>

#include <cuvee/core/visitor.h>

#include "kept_modes.h"
#include "uv_error.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace cuvee::inline v0 {

namespace {

std::string name_of(int fd) {
  constexpr const char* standard[] = {"stdin", "stdout", "stderr"};
  return fd >= 0 && fd < 3 ? standard[fd] : "descriptor " + std::to_string(fd);
}

[[noreturn]] void fail(int status, const char* operation, int fd) {
  throw detail::uv_error(status, operation, name_of(fd));
}

termios changed(termios modes, tty_mode how) noexcept {
  if (how == tty_mode::bytes) {
    cfmakeraw(&modes);
  } else if (how == tty_mode::hidden) {
    modes.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    modes.c_lflag |= ECHONL;  // or the next output begins behind the prompt
  } else {
    modes.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    modes.c_iflag &= ~static_cast<tcflag_t>(ICRNL | INLCR | IGNCR | IXON);
    if (how == tty_mode::all_keys) modes.c_lflag &= ~static_cast<tcflag_t>(ISIG | IEXTEN);
  }
  if (how != tty_mode::hidden) {
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
  }
  return modes;
}

// A terminal's number may become something else's while its mode is held.
detail::descriptor own_terminal(int fd, const char* operation) {
  if (!isatty(fd)) fail(errno == 0 ? -ENOTTY : -errno, operation, fd);
  detail::descriptor own(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!own) fail(-errno, operation, fd);
  return own;
}

detail::descriptor controlling_terminal() {
  detail::descriptor own(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!own) throw detail::uv_error(-errno, "open", "/dev/tty");
  return own;
}

}  // namespace

bool is_terminal(int descriptor) noexcept { return isatty(descriptor) == 1; }

terminal_size window_size(int descriptor) {
  winsize w{};
  if (ioctl(descriptor, TIOCGWINSZ, &w) != 0) fail(-errno, "get window size of", descriptor);
  terminal_size size;
  if (w.ws_col != 0) size.columns = w.ws_col;
  if (w.ws_row != 0) size.rows = w.ws_row;
  return size;
}

raw_mode::raw_mode(int descriptor, tty_mode how) {
  constexpr const char* operation = "set mode of";
  detail::descriptor own = own_terminal(descriptor, operation);
  termios before;
  if (tcgetattr(own.get(), &before) != 0) fail(-errno, operation, descriptor);
  int place = detail::kept_modes::hold(std::move(own), before, changed(before, how));
  if (place == -ENOSPC) throw error(errc::limit_exceeded, operation, name_of(descriptor));
  if (place < 0) fail(place, operation, descriptor);
  place_ = place;
}

void raw_mode::restore() noexcept {
  int place = std::exchange(place_, nothing);
  if (place != nothing) detail::kept_modes::release(place);
}

terminal_size resize_awaiter::await_resume() {
  signal_awaiter::await_resume();
  return window_size(descriptor_);
}

void resize_awaiter::visit(detail::visitor& v) { v.about("window of " + name_of(descriptor_)); }

window_watch::window_watch(int descriptor) : descriptor_(descriptor), changes_(SIGWINCH) { size(); }

tty_stream::tty_stream() : tty_stream(controlling_terminal().get(), "/dev/tty") {}

tty_stream::tty_stream(int descriptor, std::string name)
    : shared_stream(descriptor, std::move(name)),
      descriptor_(own_terminal(descriptor, "open").release()) {}

tty_stream::~tty_stream() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace cuvee::inline v0
