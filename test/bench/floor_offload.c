// SPDX-License-Identifier: MIT
// The floor for offload: N round trips through uv_queue_work, one after another.
// Prints `offload NS_PER_OP`. usage: floor_offload [N]
#include "floor.h"

static long left;
static int answer;
static uv_work_t work;

static void on_work(uv_work_t* request) {
  (void)request;
  answer = 1;
}

static void on_done(uv_work_t* request, int status) {
  check(status, "uv_queue_work");
  if (--left > 0) check(uv_queue_work(request->loop, request, on_work, on_done), "uv_queue_work");
}

int main(int argc, char** argv) {
  long count = left = argc > 1 ? atol(argv[1]) : 50000;
  uint64_t start = clock_ns(CLOCK_MONOTONIC);
  check(uv_queue_work(uv_default_loop(), &work, on_work, on_done), "uv_queue_work");
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  printf("offload %.1f\n", (double)(clock_ns(CLOCK_MONOTONIC) - start) / (double)count);
  return answer == 1 ? 0 : 1;
}
