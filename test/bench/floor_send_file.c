// SPDX-License-Identifier: MIT
// The floor for sending files: sendfile(2) on the loop's thread, and uv_poll while the socket is full.
// (uv_fs_sendfile of libuv 1.44 tries copy_file_range first, and then reads and writes.)
// Sends the file for each byte that a client sends. usage: floor_send_file PORT FILE
#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "floor.h"

enum { piece_bytes = 256 * 1024, turn_pieces = 4 };

typedef struct {
  uv_tcp_t tcp;
  uv_poll_t room;  // on a duplicate, as libuv watches a descriptor once
  int fd;
  off_t offset;
  int wanted;   // files
  int handles;  // that are open
} connection;

static int file;
static off_t file_bytes;
static char request[64];

static void on_close(uv_handle_t* handle) {
  connection* c = handle->data;
  if (--c->handles > 0) return;
  close(c->fd);
  free(c);
}

static void close_all(connection* c) {
  if (uv_is_closing((uv_handle_t*)&c->tcp)) return;
  uv_close((uv_handle_t*)&c->tcp, on_close);
  uv_close((uv_handle_t*)&c->room, on_close);
}

static void on_room(uv_poll_t* poll, int status, int events);

static void send_some(connection* c) {
  for (int piece = 0; c->wanted > 0 && piece < turn_pieces; piece++) {
    off_t left = file_bytes - c->offset;
    size_t size = left < piece_bytes ? (size_t)left : piece_bytes;
    ssize_t sent = sendfile(c->fd, file, &c->offset, size);
    if (sent < 0 && errno == EAGAIN) break;
    if (sent <= 0) {
      close_all(c);
      return;
    }
    if (c->offset < file_bytes) continue;
    c->offset = 0;
    c->wanted--;
  }
  if (c->wanted > 0) check(uv_poll_start(&c->room, UV_WRITABLE, on_room), "uv_poll_start");
  else uv_poll_stop(&c->room);
}

static void on_room(uv_poll_t* poll, int status, int events) {
  (void)events;
  if (status < 0) close_all(poll->data);
  else send_some(poll->data);
}

static void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buffer) {
  (void)handle;
  (void)suggested;
  buffer->base = request;
  buffer->len = sizeof request;
}

static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  (void)buffer;
  connection* c = stream->data;
  if (size < 0) {
    close_all(c);
    return;
  }
  int idle = c->wanted == 0;
  c->wanted += (int)size;
  if (idle) send_some(c);
}

static void on_connection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  connection* c = calloc(1, sizeof *c);
  check(uv_tcp_init(listener->loop, &c->tcp), "uv_tcp_init");
  check(uv_accept(listener, (uv_stream_t*)&c->tcp), "uv_accept");
  uv_tcp_nodelay(&c->tcp, 1);
  uv_os_fd_t fd;
  check(uv_fileno((uv_handle_t*)&c->tcp, &fd), "uv_fileno");
  c->fd = dup(fd);
  check(uv_poll_init(listener->loop, &c->room, c->fd), "uv_poll_init");
  c->tcp.data = c->room.data = c;
  c->handles = 2;
  check(uv_read_start((uv_stream_t*)&c->tcp, on_alloc, on_read), "uv_read_start");
}

int main(int argc, char** argv) {
  if (argc != 3) return fprintf(stderr, "usage: floor_send_file PORT FILE\n"), 2;
  struct stat s;
  file = open(argv[2], O_RDONLY);
  if (file < 0 || fstat(file, &s) != 0) return perror(argv[2]), 1;
  file_bytes = s.st_size;
  static uv_tcp_t listener;
  return run_listener(&listener, argv[1], on_connection);
}
