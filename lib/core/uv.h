// SPDX-License-Identifier: MIT
// The one place through which the library calls libuv where a call can fail: builds with
// CUVEE_FAULTS (meson's option `faults`) let tests make the n-th call fail with an error of their choice.
#pragma once
#include <uv.h>

#include <cerrno>

#if defined(CUVEE_FAULTS)
#include <atomic>
#endif

namespace cuvee::inline v0::detail::uv {

#if defined(CUVEE_FAULTS)
// Asked before each call, on whatever thread makes it; 0 lets it through.
inline std::atomic<int (*)(const char* call)> decide_fault = nullptr;
inline int fault(const char* call) {
  auto decide = decide_fault.load();
  return decide ? decide(call) : 0;
}
#else
constexpr int fault(const char*) { return 0; }
#endif

// The same for system calls: `errno` says how it failed.
inline bool refused(const char* call) {
  int e = fault(call);
  if (e != 0) errno = -e;
  return e != 0;
}

#define CUVEE_UV(name, parameters, arguments) \
  inline int name parameters {                \
    if (int e = fault("uv_" #name)) return e; \
    return uv_##name arguments;               \
  }

/// uv_loop_init. It and the two below fail where libuv would abort later.
int make_loop(uv_loop_t* l) noexcept;
/// Whether libuv's pool can have its threads, found out once.
int have_pool() noexcept;
/// uv_poll_init that leaves the descriptor's blocking mode alone, which others may share.
int poll_init_shared(uv_loop_t* l, uv_poll_t* h, int fd) noexcept;
/// Behind what may start watching a descriptor: whether the kernel will.
int watch(uv_loop_t* l, uv__io_t& io) noexcept;

// For what runs in libuv's pool.
#define CUVEE_UV_POOL(name, parameters, arguments) \
  inline int name parameters {                     \
    if (int e = fault("uv_" #name)) return e;      \
    if (int e = have_pool()) return e;             \
    return uv_##name arguments;                    \
  }

inline int loop_init(uv_loop_t* l) {
  if (int e = fault("uv_loop_init")) return e;
  return make_loop(l);
}
CUVEE_UV(loop_fork, (uv_loop_t * l), (l))
CUVEE_UV(timer_init, (uv_loop_t * l, uv_timer_t* h), (l, h))
CUVEE_UV(idle_init, (uv_loop_t * l, uv_idle_t* h), (l, h))
CUVEE_UV(async_init, (uv_loop_t * l, uv_async_t* h, uv_async_cb cb), (l, h, cb))
CUVEE_UV(signal_init, (uv_loop_t * l, uv_signal_t* h), (l, h))
CUVEE_UV(signal_start, (uv_signal_t * h, uv_signal_cb cb, int number), (h, cb, number))
CUVEE_UV_POOL(queue_work, (uv_loop_t * l, uv_work_t* r, uv_work_cb work, uv_after_work_cb done),
              (l, r, work, done))
CUVEE_UV(tcp_init, (uv_loop_t * l, uv_tcp_t* h), (l, h))
CUVEE_UV(tcp_open, (uv_tcp_t * h, uv_os_sock_t fd), (h, fd))
CUVEE_UV(tcp_bind, (uv_tcp_t * h, const sockaddr* a, unsigned flags), (h, a, flags))
CUVEE_UV(tcp_connect, (uv_connect_t * r, uv_tcp_t* h, const sockaddr* a, uv_connect_cb cb),
         (r, h, a, cb))
CUVEE_UV(tcp_keepalive, (uv_tcp_t * h, int on, unsigned seconds), (h, on, seconds))
CUVEE_UV(poll_init_socket, (uv_loop_t * l, uv_poll_t* h, uv_os_sock_t fd), (l, h, fd))
inline int poll_start(uv_poll_t* h, int events, uv_poll_cb cb) {
  if (int e = fault("uv_poll_start")) return e;
  int e = uv_poll_start(h, events, cb);
  if (e == 0) e = watch(h->loop, h->io_watcher);
  if (e != 0) uv_poll_stop(h);
  return e;
}
CUVEE_UV(tcp_nodelay, (uv_tcp_t * h, int on), (h, on))
CUVEE_UV(tcp_getsockname, (const uv_tcp_t* h, sockaddr* a, int* size), (h, a, size))
CUVEE_UV(tcp_getpeername, (const uv_tcp_t* h, sockaddr* a, int* size), (h, a, size))
CUVEE_UV(tcp_close_reset, (uv_tcp_t * h, uv_close_cb cb), (h, cb))
CUVEE_UV(pipe_init, (uv_loop_t * l, uv_pipe_t* h, int ipc), (l, h, ipc))
CUVEE_UV(pipe_open, (uv_pipe_t * h, uv_file fd), (h, fd))
CUVEE_UV(pipe, (uv_file ends[2], int read_flags, int write_flags), (ends, read_flags, write_flags))
CUVEE_UV(fileno, (const uv_handle_t* h, uv_os_fd_t* fd), (h, fd))
inline int read_start(uv_stream_t* h, uv_alloc_cb a, uv_read_cb r) {
  if (int e = fault("uv_read_start")) return e;
  int e = uv_read_start(h, a, r);
  if (e == 0) e = watch(h->loop, h->io_watcher);
  if (e != 0) uv_read_stop(h);
  return e;
}
CUVEE_UV(try_write, (uv_stream_t * h, const uv_buf_t* b, unsigned n), (h, b, n))
CUVEE_UV(write, (uv_write_t * r, uv_stream_t* h, const uv_buf_t* b, unsigned n, uv_write_cb cb),
         (r, h, b, n, cb))
CUVEE_UV(write2,
         (uv_write_t * r, uv_stream_t* h, const uv_buf_t* b, unsigned n, uv_stream_t* sent,
          uv_write_cb cb),
         (r, h, b, n, sent, cb))
CUVEE_UV(accept, (uv_stream_t * server, uv_stream_t* client), (server, client))
CUVEE_UV(shutdown, (uv_shutdown_t * r, uv_stream_t* h, uv_shutdown_cb cb), (r, h, cb))
CUVEE_UV_POOL(getaddrinfo,
              (uv_loop_t * l, uv_getaddrinfo_t* r, uv_getaddrinfo_cb cb, const char* node,
               const char* service, const addrinfo* hints),
              (l, r, cb, node, service, hints))
CUVEE_UV_POOL(getnameinfo,
              (uv_loop_t * l, uv_getnameinfo_t* r, uv_getnameinfo_cb cb, const sockaddr* a,
               int flags),
              (l, r, cb, a, flags))
CUVEE_UV(poll_init, (uv_loop_t * l, uv_poll_t* h, int fd), (l, h, fd))
CUVEE_UV(random, (void* into, size_t size), (nullptr, nullptr, into, size, 0, nullptr))
CUVEE_UV(fs_event_init, (uv_loop_t * l, uv_fs_event_t* h), (l, h))
inline int fs_event_start(uv_fs_event_t* h, uv_fs_event_cb cb, const char* path, unsigned flags) {
  if (int e = fault("uv_fs_event_start")) return e;
  int e = uv_fs_event_start(h, cb, path, flags);
#if defined(__linux__)
  if (e == 0) e = watch(h->loop, h->loop->inotify_read_watcher);
#endif
  if (e != 0) uv_fs_event_stop(h);
  return e;
}
CUVEE_UV_POOL(fs_open,
              (uv_loop_t * l, uv_fs_t* r, const char* path, int flags, int mode, uv_fs_cb cb),
              (l, r, path, flags, mode, cb))
CUVEE_UV_POOL(fs_close, (uv_loop_t * l, uv_fs_t* r, uv_file fd, uv_fs_cb cb), (l, r, fd, cb))
CUVEE_UV_POOL(fs_read,
              (uv_loop_t * l, uv_fs_t* r, uv_file fd, const uv_buf_t* b, unsigned n, int64_t offset,
               uv_fs_cb cb),
              (l, r, fd, b, n, offset, cb))
CUVEE_UV_POOL(fs_write,
              (uv_loop_t * l, uv_fs_t* r, uv_file fd, const uv_buf_t* b, unsigned n, int64_t offset,
               uv_fs_cb cb),
              (l, r, fd, b, n, offset, cb))
CUVEE_UV_POOL(fs_sendfile,
              (uv_loop_t * l, uv_fs_t* r, uv_file out, uv_file in, int64_t offset, size_t n,
               uv_fs_cb cb),
              (l, r, out, in, offset, n, cb))
CUVEE_UV_POOL(fs_ftruncate, (uv_loop_t * l, uv_fs_t* r, uv_file fd, int64_t size, uv_fs_cb cb),
              (l, r, fd, size, cb))
CUVEE_UV_POOL(fs_fsync, (uv_loop_t * l, uv_fs_t* r, uv_file fd, uv_fs_cb cb), (l, r, fd, cb))
CUVEE_UV_POOL(fs_fdatasync, (uv_loop_t * l, uv_fs_t* r, uv_file fd, uv_fs_cb cb), (l, r, fd, cb))
CUVEE_UV_POOL(fs_fchmod, (uv_loop_t * l, uv_fs_t* r, uv_file fd, int mode, uv_fs_cb cb),
              (l, r, fd, mode, cb))
CUVEE_UV_POOL(fs_fchown,
              (uv_loop_t * l, uv_fs_t* r, uv_file fd, uv_uid_t u, uv_gid_t g, uv_fs_cb cb),
              (l, r, fd, u, g, cb))
CUVEE_UV_POOL(fs_fstat, (uv_loop_t * l, uv_fs_t* r, uv_file fd, uv_fs_cb cb), (l, r, fd, cb))
CUVEE_UV_POOL(fs_stat, (uv_loop_t * l, uv_fs_t* r, const char* path, uv_fs_cb cb), (l, r, path, cb))
CUVEE_UV_POOL(fs_lstat, (uv_loop_t * l, uv_fs_t* r, const char* path, uv_fs_cb cb),
              (l, r, path, cb))
CUVEE_UV_POOL(fs_access, (uv_loop_t * l, uv_fs_t* r, const char* path, int mode, uv_fs_cb cb),
              (l, r, path, mode, cb))
CUVEE_UV_POOL(fs_rename, (uv_loop_t * l, uv_fs_t* r, const char* from, const char* to, uv_fs_cb cb),
              (l, r, from, to, cb))
CUVEE_UV_POOL(fs_unlink, (uv_loop_t * l, uv_fs_t* r, const char* path, uv_fs_cb cb),
              (l, r, path, cb))
CUVEE_UV_POOL(fs_mkdir, (uv_loop_t * l, uv_fs_t* r, const char* path, int mode, uv_fs_cb cb),
              (l, r, path, mode, cb))
CUVEE_UV_POOL(fs_rmdir, (uv_loop_t * l, uv_fs_t* r, const char* path, uv_fs_cb cb),
              (l, r, path, cb))
CUVEE_UV_POOL(fs_scandir, (uv_loop_t * l, uv_fs_t* r, const char* path, int flags, uv_fs_cb cb),
              (l, r, path, flags, cb))
CUVEE_UV_POOL(fs_symlink,
              (uv_loop_t * l, uv_fs_t* r, const char* target, const char* path, int flags,
               uv_fs_cb cb),
              (l, r, target, path, flags, cb))
CUVEE_UV_POOL(fs_readlink, (uv_loop_t * l, uv_fs_t* r, const char* path, uv_fs_cb cb),
              (l, r, path, cb))
CUVEE_UV_POOL(fs_realpath, (uv_loop_t * l, uv_fs_t* r, const char* path, uv_fs_cb cb),
              (l, r, path, cb))

#undef CUVEE_UV
#undef CUVEE_UV_POOL

template <class Handle>
uv_handle_t* as_handle(Handle* h) noexcept {
  return reinterpret_cast<uv_handle_t*>(h);
}

}  // namespace cuvee::inline v0::detail::uv
