// SPDX-License-Identifier: MIT
// The floor for echo over TCP or a unix socket: libuv, one read buffer for the loop, uv_try_write first.
// usage: floor_echo PORT | PATH
#include <string.h>

#include "floor.h"

typedef struct {
  uv_write_t request;
  char bytes[];
} pending_write;

// 256 KiB: with 64 KiB a message of 100 KiB takes two reads, and the ratio measures that instead.
static char read_buffer[262144];

static void on_close(uv_handle_t* handle) { free(handle); }

static void close_stream(uv_stream_t* stream) {
  if (!uv_is_closing((uv_handle_t*)stream)) uv_close((uv_handle_t*)stream, on_close);
}

static void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buffer) {
  (void)handle;
  (void)suggested;
  buffer->base = read_buffer;
  buffer->len = sizeof read_buffer;
}

static void on_write(uv_write_t* request, int status) {
  (void)status;
  free(request);
}

static void write_rest(uv_stream_t* stream, const char* bytes, size_t size) {
  pending_write* p = malloc(sizeof *p + size);
  memcpy(p->bytes, bytes, size);
  uv_buf_t buffer = uv_buf_init(p->bytes, (unsigned)size);
  check(uv_write(&p->request, stream, &buffer, 1, on_write), "uv_write");
}

static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  if (size == 0) return;
  if (size < 0) {
    close_stream(stream);
    return;
  }
  uv_buf_t echo = uv_buf_init(buffer->base, (unsigned)size);
  int written = uv_try_write(stream, &echo, 1);
  if (written < 0) written = 0;
  if (written < size) write_rest(stream, buffer->base + written, (size_t)(size - written));
}

static void on_tcp(uv_stream_t* listener, int status) {
  if (status < 0) return;
  uv_tcp_t* tcp = malloc(sizeof *tcp);
  check(uv_tcp_init(listener->loop, tcp), "uv_tcp_init");
  if (uv_accept(listener, (uv_stream_t*)tcp) != 0) {
    close_stream((uv_stream_t*)tcp);
    return;
  }
  uv_tcp_nodelay(tcp, 1);
  uv_read_start((uv_stream_t*)tcp, on_alloc, on_read);
}

static void on_unix(uv_stream_t* listener, int status) {
  if (status < 0) return;
  uv_pipe_t* pipe = malloc(sizeof *pipe);
  check(uv_pipe_init(listener->loop, pipe, 0), "uv_pipe_init");
  if (uv_accept(listener, (uv_stream_t*)pipe) != 0) {
    close_stream((uv_stream_t*)pipe);
    return;
  }
  uv_read_start((uv_stream_t*)pipe, on_alloc, on_read);
}

int main(int argc, char** argv) {
  if (argc != 2) return fprintf(stderr, "usage: floor_echo PORT | PATH\n"), 2;
  static uv_tcp_t tcp;
  static uv_pipe_t pipe;
  if (strchr(argv[1], '/') == NULL) return run_listener(&tcp, argv[1], on_tcp);
  return run_unix_listener(&pipe, argv[1], on_unix);
}
