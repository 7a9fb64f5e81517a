// SPDX-License-Identifier: MIT
// The floor for sleeps: N one-shot uv_timer_t of 0 to 999 ms at a time, each allocated, started,
// closed and freed as a hand-written program would. Prints `sleeps_cpu NS_OF_CPU_PER_TIMER`.
// usage: floor_timers [N]
#include "floor.h"

static long fired;

static void on_close(uv_handle_t* handle) { free(handle); }

static void on_timer(uv_timer_t* timer) {
  fired++;
  uv_close((uv_handle_t*)timer, on_close);
}

int main(int argc, char** argv) {
  long count = argc > 1 ? atol(argv[1]) : 100000;
  uint64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (long i = 0; i < count; i++) {
    uv_timer_t* timer = malloc(sizeof *timer);
    check(uv_timer_init(uv_default_loop(), timer), "uv_timer_init");
    check(uv_timer_start(timer, on_timer, (uint64_t)(i % 1000), 0), "uv_timer_start");
  }
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  double spent = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start);
  printf("sleeps_cpu %.1f\n", spent / (double)count);
  return fired == count ? 0 : 1;
}
