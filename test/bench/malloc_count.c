// SPDX-License-Identifier: MIT
// Preloaded into a server: counts its heap allocations in a file that the harness maps too, so that
// the count can be read while the server runs, with no signal and no call into the server.
// usage: MALLOC_COUNT_FILE=FILE LD_PRELOAD=libmalloc_count.so COMMAND (FILE holds 8 bytes)
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// glibc's own entry points: dlsym would itself allocate before the first malloc has returned.
extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* block, size_t size);
extern void* __libc_memalign(size_t alignment, size_t size);

static _Atomic uint64_t before_start;
static _Atomic uint64_t* count = &before_start;

__attribute__((constructor)) static void map_count(void) {
  const char* path = getenv("MALLOC_COUNT_FILE");
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void* page = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (page == MAP_FAILED) return;
  count = page;
}

static void note(void) { atomic_fetch_add_explicit(count, 1, memory_order_relaxed); }

void* malloc(size_t size) {
  note();
  return __libc_malloc(size);
}

void* calloc(size_t n, size_t size) {
  note();
  return __libc_calloc(n, size);
}

void* realloc(void* block, size_t size) {
  note();
  return __libc_realloc(block, size);
}

void* memalign(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void** out, size_t alignment, size_t size) {
  void* block = memalign(alignment, size);
  if (!block) return ENOMEM;
  *out = block;
  return 0;
}
