// SPDX-License-Identifier: MIT
#include "process_block.h"

#include "core/loop_state.h"
#include "uv_error.h"
#include "uv_stream_block.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>

extern char** environ;

namespace cuvee::inline v0::detail {

namespace {

constexpr const char* stream_names[] = {"stdin", "stdout", "stderr"};

// The descriptors that only the child needs, until it has them.
class descriptors {
 public:
  descriptors() = default;
  descriptors(const descriptors&) = delete;
  ~descriptors() {
    for (int fd : fds_)
      if (fd >= 0) ::close(fd);
  }
  int add(int fd) noexcept { return fds_[count_++] = fd; }

 private:
  int fds_[3] = {-1, -1, -1};
  int count_ = 0;
};

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

bool has_nul(const std::string& s) { return s.find('\0') != std::string::npos; }

// The child's environment as `NAME=value` strings.
std::vector<std::string> environment_of(
    const std::vector<std::pair<std::string, std::string>>& variables, bool inherited) {
  std::vector<std::string> result;
  for (char** v = environ; inherited && v && *v; v++) {
    std::string_view entry(*v);
    std::string_view name = entry.substr(0, entry.find('='));
    bool replaced = false;
    for (const auto& [own_name, value] : variables) replaced |= own_name == name;
    if (!replaced) result.emplace_back(entry);
  }
  for (const auto& [name, value] : variables) result.push_back(name + '=' + value);
  return result;
}

}  // namespace

struct process_block::child_ends {
  descriptors own;
  uv_stdio_container_t list[3];
};

void process_block::check(const command& c) const {
  auto refuse = [&](const char* why) {
    throw error(std::make_error_code(std::errc::invalid_argument), "spawn", name_, why);
  };
  for (const std::string& word : c.words_)
    if (has_nul(word)) refuse("an argument contains a NUL byte");
  for (const auto& [name, value] : c.variables_)
    if (name.empty() || name.find('=') != std::string::npos || has_nul(name) || has_nul(value))
      refuse("not a name or value of an environment variable");
  if (c.cwd_ && (c.cwd_->empty() || has_nul(*c.cwd_))) refuse("not a name of a directory");
}

void process_block::start(const command& c) {
  name_ = c.words_[0];
  check(c);
  std::vector<char*> arguments = pointers_to(c.words_);
  uv_process_options_t options{};
  options.file = arguments[0];
  options.args = arguments.data();
  if (c.cwd_) options.cwd = c.cwd_->c_str();
  std::vector<std::string> variables;
  std::vector<char*> environment;
  if (c.own_env_ || !c.variables_.empty()) {
    variables = environment_of(c.variables_, !c.own_env_);
    environment = pointers_to(variables);
    options.env = environment.data();
  }
  options.exit_cb = [](uv_process_t* h, std::int64_t code, int signal) {
    of<process_block>(h).on_exit(signal != 0 ? exit_status::signaled(signal)
                                             : exit_status::exited(static_cast<int>(code)));
  };
  child_ends ends;
  connect(c, ends);
  options.stdio = ends.list;
  options.stdio_count = 3;
  int e = uv::spawn(home().uv, &handle_, &options);
  // libuv initialises the handle even where it fails afterwards: it must be closed then.
  if (handle_.type == UV_PROCESS) opened(uv::as_handle(&handle_));
  if (e < 0) throw failure(e, c);
  running_ = true;
}

// Real pipes, not the socket pairs of UV_CREATE_PIPE: a child can then open /dev/stdin and
// /dev/stdout again, as scripts do, and two of its descriptors can share one.
int process_block::make_pipe(stream_index i) {
  uv_file ends[2];
  int e = i == in ? uv::pipe(ends, 0, UV_NONBLOCK_PIPE) : uv::pipe(ends, UV_NONBLOCK_PIPE, 0);
  if (e < 0) throw uv_error(e, "spawn", name_);
  int ours = i == in ? ends[1] : ends[0];
  int theirs = i == in ? ends[0] : ends[1];
  try {
    uv_stream_block* block = uv_stream_block::make_pipe(home());
    pipes_[i].emplace(block);
    block->set_name(std::string(stream_names[i]) + " of " + name_);
    e = uv::pipe_open(block->pipe(), ours);
    if (e < 0) throw uv_error(e, "spawn", name_);
  } catch (...) {
    ::close(ours);
    ::close(theirs);
    throw;
  }
  return theirs;
}

void process_block::connect(const command& c, child_ends& ends) {
  const stdio wanted[3] = {c.in_, c.out_, c.err_};
  for (stream_index i : {in, out, err}) {
    uv_stdio_container_t& slot = ends.list[i];
    if (i == err && c.err_place_ == command::error_output::same_as_output) {
      slot = ends.list[out];
      continue;
    }
    slot.flags = wanted[i] == stdio::null ? UV_IGNORE : UV_INHERIT_FD;  // libuv opens /dev/null
    slot.data.fd = i;
    if (wanted[i] == stdio::pipe) slot.data.fd = ends.own.add(make_pipe(i));
  }
}

error process_block::failure(int status, const command& c) const {
  if (!c.cwd_) return uv_error(status, "spawn", name_);
  std::error_code ignored;
  bool usable =
      std::filesystem::is_directory(*c.cwd_, ignored) && access(c.cwd_->c_str(), X_OK) == 0;
  return uv_error(status, "spawn", usable ? name_ : name_ + " in " + *c.cwd_);
}

pipe_stream& process_block::require_pipe(stream_index i) {
  if (pipe_stream* p = pipe(i)) return *p;
  throw error(std::make_error_code(std::errc::invalid_argument), "use",
              std::string(stream_names[i]) + " of " + name_, "it is not a pipe");
}

void process_block::kill(int signal) {
  if (!running_) return;
  int e = uv::process_kill(&handle_, signal);
  if (e < 0 && e != UV_ESRCH) throw uv_error(e, "kill", name_);
}

void process_block::abandon() {
  for (auto& p : pipes_) p.reset();
  if (running_) {
    abandoned_ = true;
    // Closing already, as far as others can see; libuv must reap before it may forget the handle.
    start_close([](uv_handle_t* h, uv_close_cb done) {
      of<process_block>(h).when_closed_ = done;
      uv_process_kill(reinterpret_cast<uv_process_t*>(h), SIGKILL);  // fails for the dead only
    });
  }
  disown();
}

// No tasks run here: see the class comment.
void process_block::on_exit(exit_status s) {
  running_ = false;
  status_ = s;
  if (abandoned_) uv_close(uv::as_handle(&handle_), when_closed_);
  else close();
}

// Running still: the loop ends, and with it whoever would reap.
void process_block::on_closing() {
  if (!running_ || abandoned_) return;
  running_ = false;
  status_ = exit_status::signaled(SIGKILL);
  ::kill(handle_.pid, SIGKILL);
  while (waitpid(handle_.pid, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace cuvee::inline v0::detail
