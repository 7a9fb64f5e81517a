// SPDX-License-Identifier: MIT
// Where libuv aborts because it finds too late that something fails, the same is tried before it does.
#include "uv.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <vector>

#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif

namespace cuvee::inline v0::detail::uv {

#if defined(__linux__)
int watch(uv_loop_t* l, uv__io_t& io) noexcept {
  if (io.events != 0 || io.pevents == 0 || io.fd < 0)
    return 0;  // it is watched already, or not wanted
  if (int e = fault("epoll_ctl")) return e;
  epoll_event wanted{};
  wanted.events = io.pevents;
  wanted.data.fd = io.fd;
  if (epoll_ctl(uv_backend_fd(l), EPOLL_CTL_ADD, io.fd, &wanted) != 0 && errno != EEXIST)
    return -errno;
  io.events = io.pevents;  // libuv need not add it any more
  return 0;
}

// uv_poll_init sets O_NONBLOCK; a process killed before it is taken back would leave it behind. So libuv gets
// a descriptor that nobody knows, and the handle then the one to be watched, which is tried here.
int poll_init_shared(uv_loop_t* l, uv_poll_t* h, int fd) noexcept {
  if (int e = fault("uv_poll_init")) return e;
  if (fd < 0) return UV_EBADF;
  if (static_cast<unsigned>(fd) < l->nwatchers && l->watchers[fd]) return UV_EEXIST;
  epoll_event nothing{};
  bool added = epoll_ctl(uv_backend_fd(l), EPOLL_CTL_ADD, fd, &nothing) == 0;
  if (!added && errno != EEXIST) return -errno;
  if (added) epoll_ctl(uv_backend_fd(l), EPOLL_CTL_DEL, fd, &nothing);
  int unknown = eventfd(0, EFD_CLOEXEC);
  if (unknown < 0) return -errno;
  int e = uv_poll_init(l, h, unknown);
  ::close(unknown);
  if (e == 0) h->io_watcher.fd = fd;
  return e;
}
#else
int watch(uv_loop_t*, uv__io_t&) noexcept { return 0; }

int poll_init_shared(uv_loop_t* l, uv_poll_t* h, int fd) noexcept {
  if (int e = fault("uv_poll_init")) return e;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -errno;
  int e = uv_poll_init(l, h, fd);
  if (e == 0 && (flags & O_NONBLOCK) == 0) fcntl(fd, F_SETFL, flags);
  return e;
}
#endif

namespace {

// The first loop of a process makes a pipe, for signals.
int try_pipe() noexcept {
  static std::atomic<bool> done = false;
  if (done) return 0;
  int ends[2];
  if (::pipe(ends) != 0) return -errno;
  for (int fd : ends) ::close(fd);
  done = true;
  return 0;
}

std::size_t pool_size() noexcept {
  constexpr std::size_t usual = 4, most = 1024;
  const char* wanted = std::getenv("UV_THREADPOOL_SIZE");
  if (!wanted) return usual;
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::atoi(wanted)), 1, most);
}

// As many threads at a time as libuv's pool will have, which makes them all at its first job.
int try_threads() noexcept try {
  std::vector<uv_thread_t> threads;
  threads.reserve(pool_size());
  uv_sem_t go;
  if (int e = uv_sem_init(&go, 0)) return e;
  auto wait = [](void* s) { uv_sem_wait(static_cast<uv_sem_t*>(s)); };
  uv_thread_options_t like_libuv{};
  like_libuv.flags = UV_THREAD_HAS_STACK_SIZE;
  like_libuv.stack_size = 8u << 20;
  int e = 0;
  for (std::size_t i = 0; e == 0 && i < pool_size(); i++) {
    uv_thread_t t;
    e = uv_thread_create_ex(&t, &like_libuv, wait, &go);
    if (e == 0) threads.push_back(t);
  }
  for (std::size_t i = 0; i < threads.size(); i++) uv_sem_post(&go);
  for (uv_thread_t& t : threads) uv_thread_join(&t);
  uv_sem_destroy(&go);
  return e;
} catch (const std::bad_alloc&) {
  return UV_ENOMEM;
}

}  // namespace

int make_loop(uv_loop_t* l) noexcept {
  int e = try_pipe();
  if (e == 0) e = uv_loop_init(l);
  if (e != 0) return e;
  e = watch(l, l->async_io_watcher);
  if (e == 0) e = watch(l, l->signal_io_watcher);
  if (e != 0) uv_loop_close(l);
  return e;
}

int have_pool() noexcept {
  static std::atomic<bool> there = false;
  if (there) return 0;
  int e = try_threads();
  there = e == 0;
  return e;
}

}  // namespace cuvee::inline v0::detail::uv
