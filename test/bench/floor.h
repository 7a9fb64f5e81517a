// SPDX-License-Identifier: MIT
// What every floor program needs: an abort that names the call, a listener, a clock.
#pragma once

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

static inline void check(int status, const char* call) {
  if (status >= 0) return;
  fprintf(stderr, "%s: %s (%s)\n", call, uv_strerror(status), uv_err_name(status));
  exit(1);
}

static inline int run_listener(uv_tcp_t* listener, const char* port,
                               uv_connection_cb on_connection) {
  struct sockaddr_in address;
  uv_loop_t* loop = uv_default_loop();
  signal(SIGPIPE, SIG_IGN);
  check(uv_tcp_init(loop, listener), "uv_tcp_init");
  check(uv_ip4_addr("127.0.0.1", atoi(port), &address), "uv_ip4_addr");
  check(uv_tcp_bind(listener, (struct sockaddr*)&address, 0), "uv_tcp_bind");
  check(uv_listen((uv_stream_t*)listener, 1024, on_connection), "uv_listen");
  return uv_run(loop, UV_RUN_DEFAULT);
}

static inline int run_unix_listener(uv_pipe_t* listener, const char* path,
                                    uv_connection_cb on_connection) {
  uv_loop_t* loop = uv_default_loop();
  signal(SIGPIPE, SIG_IGN);
  check(uv_pipe_init(loop, listener, 0), "uv_pipe_init");
  check(uv_pipe_bind(listener, path), "uv_pipe_bind");
  check(uv_listen((uv_stream_t*)listener, 1024, on_connection), "uv_listen");
  return uv_run(loop, UV_RUN_DEFAULT);
}

static inline uint64_t clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
