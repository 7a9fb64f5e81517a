// SPDX-License-Identifier: MIT
// The floor for subprocesses: N times uv_spawn of /bin/true, each waited for before the next.
// Prints `process NS_PER_OP`. usage: floor_spawn [N]
#include "floor.h"

static long left;
static uv_process_t child;
static void spawn_next(void);

static void on_close(uv_handle_t* handle) {
  (void)handle;
  if (--left > 0) spawn_next();
}

static void on_exit_status(uv_process_t* process, int64_t status, int term_signal) {
  if (status != 0 || term_signal != 0) exit(1);
  uv_close((uv_handle_t*)process, on_close);
}

static void spawn_next(void) {
  char* args[] = {"/bin/true", NULL};
  uv_stdio_container_t stdio[3];
  for (int fd = 0; fd < 3; fd++) {
    stdio[fd].flags = UV_INHERIT_FD;
    stdio[fd].data.fd = fd;
  }
  uv_process_options_t options = {
      .exit_cb = on_exit_status, .file = args[0], .args = args, .stdio = stdio, .stdio_count = 3};
  check(uv_spawn(uv_default_loop(), &child, &options), "uv_spawn /bin/true");
}

int main(int argc, char** argv) {
  long count = left = argc > 1 ? atol(argv[1]) : 200;
  uint64_t start = clock_ns(CLOCK_MONOTONIC);
  spawn_next();
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  printf("process %.0f\n", (double)(clock_ns(CLOCK_MONOTONIC) - start) / (double)count);
  return 0;
}
