// SPDX-License-Identifier: MIT
#include "process_block.h"

#include "child_pipe.h"
#include "core/loop_state.h"
#include "process_plan.h"
#include "stream_block.h"
#include "uv_error.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace cuvee::inline v0::detail {

namespace {

constexpr const char* stream_names[] = {"stdin", "stdout", "stderr", "terminal"};

std::string name_of(process_block::stream_index i, const std::string& owner) {
  return std::string(stream_names[i]) + " of " + owner;
}

winsize window_of(terminal_size size) noexcept {
  winsize w{};
  w.ws_col = size.columns;
  w.ws_row = size.rows;
  return w;
}

}  // namespace

void process_block::start(const command& c) {
  name_ = c.parts().words[0];
  process_plan plan(*this, c);
  if (auto failure = launch(plan.ready(), child_)) throw plan.failure(*failure);
  running_ = true;
  leads_group_ = plan.ready().new_session || plan.ready().group == 0;
  watch_exit();
}

void process_block::watch_exit() {
  int e = uv::poll_init(home().uv, &handle_, child_.watch);
  if (e == 0) {
    opened(uv::as_handle(&handle_));
    e = uv::poll_start(&handle_, UV_READABLE, [](uv_poll_t* h, int, int) {
      auto& self = of<process_block>(h);
      turn t(self.home());
      self.on_readable();
    });
  }
  if (e == 0) return;
  if (closed()) on_closing();  // there is no handle whose closing would do it
  else close();
  throw uv_error(e, "spawn", name_);
}

int process_block::make_pipe(stream_index i) {
  auto d = i == in ? child_pipe::direction::to_child : child_pipe::direction::to_parent;
  child_pipe p = child_pipe::make(d, name_of(i, name_), name_);
  pipes_[i].emplace(std::move(p.ours));
  return p.theirs;
}

int process_block::make_terminal(terminal_size size) {
  int ours = uv::refused("posix_openpt") ? -1 : posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (ours < 0) throw uv_error(-errno, "spawn", name_ + " at a terminal");
  char path[64];
  winsize window = window_of(size);
  bool ready = !uv::refused("ptsname") && grantpt(ours) == 0 && unlockpt(ours) == 0 &&
               ptsname_r(ours, path, sizeof path) == 0 && ioctl(ours, TIOCSWINSZ, &window) == 0;
  int theirs = ready ? ::open(path, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
  int code = errno;
  if (theirs < 0) {
    ::close(ours);
    throw uv_error(-code, "spawn", name_ + " at a terminal");
  }
  try {
    pipes_[terminal].emplace(adopt_terminal(ours, name_of(terminal, name_), name_));
  } catch (...) {
    ::close(theirs);
    throw;
  }
  return theirs;
}

pipe_stream& process_block::require_pipe(stream_index i) {
  if (pipe_stream* p = pipe(i)) return *p;
  throw error(std::make_error_code(std::errc::invalid_argument), "use", name_of(i, name_),
              i == terminal ? "there is none" : "it is not a pipe");
}

void process_block::resize_terminal(terminal_size size) {
  pipe_stream& t = require_pipe(terminal);
  winsize window = window_of(size);
  if (ioctl(t.native().descriptor(), TIOCSWINSZ, &window) != 0)
    throw uv_error(-errno, "resize", name_of(terminal, name_));
}

void process_block::kill(int signal) {
  if (!running_) return;
  int e = send_signal(child_, signal);
  if (e != 0 && e != ESRCH) throw uv_error(-e, "kill", name_);
}

// The group's number cannot be another one's as long as the child is not reaped.
void process_block::kill_group(int signal) {
  if (!running_) return;
  if (::kill(-child_.pid, signal) != 0 && errno != ESRCH) throw uv_error(-errno, "kill", name_);
}

void process_block::abandon() {
  for (auto& p : pipes_) p.reset();
  if (running_) {
    abandoned_ = true;
    // Closing already, as far as others can see; the child must be reaped before it may be forgotten.
    start_close([](uv_handle_t* h, uv_close_cb done) {
      auto& self = of<process_block>(h);
      self.when_closed_ = done;
      if (self.leads_group_) ::kill(-self.child_.pid, SIGKILL);
      send_signal(self.child_, SIGKILL);
    });
  }
  disown();
}

void process_block::on_readable() {
  if (!running_) return;
  if (end_group_ && has_ended(child_)) ::kill(-child_.pid, SIGKILL);
  if (auto s = try_reap(child_)) tell_exit(*s);
}

void process_block::tell_exit(exit_status s) {
  running_ = false;
  status_ = s;
  if (abandoned_) {
    uv_close(uv::as_handle(&handle_), when_closed_);
    close_watch(child_);
  } else {
    close();
  }
  while (process_wait_awaiter* a = waiters.pop_front()) {
    a->status_ = s;
    a->waiter_->complete();
  }
}

void process_block::on_closing() {
  if (abandoned_) return;
  if (running_) {  // the loop ends, and with it whoever would reap
    running_ = false;
    if (leads_group_) ::kill(-child_.pid, SIGKILL);
    send_signal(child_, SIGKILL);
    reap_killed(child_);
    status_ = exit_status::signaled(SIGKILL);
  }
  if (handle_.type == UV_POLL) uv_poll_stop(&handle_);  // before the number can be another's
  close_watch(child_);
}

}  // namespace cuvee::inline v0::detail
