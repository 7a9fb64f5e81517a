// SPDX-License-Identifier: MIT
#include <cuvee/io/unix.h>

#include "acceptor.h"
#include "uv_error.h"

#include <cuvee/core/sleep.h>

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace cuvee::inline v0 {

using detail::acceptor;
using detail::descriptor;
using detail::loop_state;
using detail::uv_error;
using detail::uv_stream_block;
namespace sys = detail::sys;

namespace {

bool is_abstract(const std::string& path) { return path.starts_with('\0'); }

// For people: `@name`, as ss(8) has it.
std::string shown(std::string path) {
  std::replace(path.begin(), path.end(), '\0', '@');
  return path;
}

struct unix_address {
  sockaddr_un native{};
  socklen_t size = 0;

  unix_address(const std::string& path, const char* operation) {
    native.sun_family = AF_UNIX;
    bool named = is_abstract(path);
    if (path.empty() || (!named && path.find('\0') != path.npos))
      throw uv_error(UV_EINVAL, operation, shown(path));
    if (path.size() + !named > sizeof native.sun_path)
      throw uv_error(UV_ENAMETOOLONG, operation, shown(path));
    std::memcpy(native.sun_path, path.data(), path.size());
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + !named);
  }
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&native); }
};

descriptor unix_socket(const char* operation, const std::string& path, int type = SOCK_STREAM) {
  int fd = sys::socket(AF_UNIX, type);
  if (fd < 0) throw uv_error(fd, operation, shown(path));
  return descriptor(fd);
}

// A file that a listener has left behind is removed. A socket of another type asks: a living listener is told from none
// without its getting a connection, also one that is bound and does not listen yet.
void clear_path(const std::string& path, const unix_address& at) {
  struct stat file;
  if (lstat(path.c_str(), &file) != 0) return;
  auto in_use = [&] { return uv_error(UV_EADDRINUSE, "listen", path); };
  if (!S_ISSOCK(file.st_mode)) throw in_use();
  descriptor probe = unix_socket("listen", path, SOCK_DGRAM);
  if (sys::connect(probe.get(), at.get(), at.size) != UV_ECONNREFUSED) throw in_use();
  unlink(path.c_str());
}

}  // namespace

namespace detail {

unix_stream adopt_unix(descriptor fd, std::string name, bool pass_handles) {
  loop_state& home = loop_state::current();
  uv_stream_block* block =
      pass_handles ? uv_stream_block::make_passing_pipe(home) : uv_stream_block::make_pipe(home);
  unix_stream s(block);
  block->set_name(std::move(name));
  int e = uv::pipe_open(block->pipe(), fd.get());
  if (e < 0) throw uv_error(e, "open", block->name());
  fd.release();
  return s;
}

}  // namespace detail

task<unix_stream> connect_unix(std::string path, unix_options options) {
  unix_address to(path, "connect");
  duration wait = std::chrono::milliseconds(1);
  for (;;) {
    descriptor fd = unix_socket("connect", path);
    int e = sys::connect(fd.get(), to.get(), to.size);
    if (e == 0) co_return detail::adopt_unix(std::move(fd), shown(path), options.pass_handles);
    // The listener's queue is full, and nothing can be polled for room in it.
    if (e != UV_EAGAIN) throw uv_error(e, "connect", shown(path));
    co_await sleep(wait);
    wait = std::min<duration>(wait * 2, std::chrono::milliseconds(50));
  }
}

std::pair<unix_stream, unix_stream> unix_stream_pair(unix_options options) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
    throw uv_error(-errno, "make", "unix stream pair");
  descriptor a(ends[0]), b(ends[1]);
  for (int fd : ends)
    if (int e = sys::make_ours(fd); e < 0) throw uv_error(e, "make", "unix stream pair");
  bool passing = options.pass_handles;
  unix_stream first = detail::adopt_unix(std::move(a), "unix stream", passing);
  return {std::move(first), detail::adopt_unix(std::move(b), "unix stream", passing)};
}

result<unix_stream> unix_accept_awaiter::await_result() {
  result<detail::stream_block*> block = taken();
  if (!block) return block.error();
  (*block)->set_name("unix peer");
  return unix_stream(*block);
}

// ---- unix_listener

unix_listener& unix_listener::operator=(unix_listener&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}

unix_listener::~unix_listener() {
  remove_file();
  if (socket_) socket_->disown_all();
}

void unix_listener::close() {
  remove_file();
  if (socket_) socket_->close_all();
}

event::wait_awaiter unix_listener::until_closed() { return socket_->end().wait(); }
bool unix_listener::is_open() const noexcept { return socket_ && !socket_->closing(); }

void unix_listener::own_file() noexcept {
  struct stat file;
  if (is_abstract(path_) || lstat(path_.c_str(), &file) != 0) return;
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

void unix_listener::remove_file() noexcept {
  struct stat file;
  std::uint64_t ours = std::exchange(inode_, 0);
  if (ours == 0 || lstat(path_.c_str(), &file) != 0) return;
  if (file.st_dev == device_ && file.st_ino == ours) unlink(path_.c_str());
}

unix_listener listen_unix(std::string path, unix_listen_options options) {
  unix_address at(path, "listen");
  auto check = [&](int status) {
    if (status < 0) throw uv_error(status, "listen", shown(path));
  };
  if (!is_abstract(path)) clear_path(path, at);
  descriptor fd = unix_socket("listen", path);
  int socket = fd.get();
  auto make =
      options.pass_handles ? &uv_stream_block::make_passing_pipe : &uv_stream_block::make_pipe;
  std::string own = path;  // here, as nothing may throw between the acceptor and its listener
  acceptor* a = acceptor::make(loop_state::current(), std::move(fd), make, shown(path));
  unix_listener l(a, std::move(own));
  check(sys::bind(socket, at.get(), at.size));
  l.own_file();  // it goes with the listener if anything fails from here on
  // Nobody can connect before it listens, so the mode is in force from the first.
  if (options.mode && !is_abstract(path) && chmod(path.c_str(), *options.mode) != 0) check(-errno);
  check(sys::listen(socket, options.backlog));
  return l;
}

}  // namespace cuvee::inline v0
