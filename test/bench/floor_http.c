// SPDX-License-Identifier: MIT
// The floor for HTTP servers: libuv and llhttp with no framework, answering every request with the
// same constant bytes. What cuvee adds is its ratio to this program. usage: floor_http PORT
#include <llhttp.h>
#include <string.h>

#include "floor.h"

enum { max_batch = 512 };

typedef struct {
  uv_tcp_t tcp;
  llhttp_t parser;
  int owed;  // requests parsed in this read and not yet answered
  int keep_alive;
} connection;

typedef struct {
  uv_write_t request;
  char bytes[];
} pending_write;

static const char response[] =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: text/plain\r\n"
    "Date: Sun, 22 Nov 2026 00:00:00 GMT\r\n"
    "Content-Length: 13\r\n"
    "\r\n"
    "Hello, World!";

enum { response_bytes = sizeof response - 1 };

// One read buffer for the whole loop stays in cache; a batch of responses is one contiguous write.
static char read_buffer[65536];
static char batch[response_bytes * max_batch];
static llhttp_settings_t settings;

static void on_close(uv_handle_t* handle) { free(handle->data); }

static void close_connection(connection* c) {
  if (!uv_is_closing((uv_handle_t*)&c->tcp)) uv_close((uv_handle_t*)&c->tcp, on_close);
}

static void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buffer) {
  (void)handle;
  (void)suggested;
  buffer->base = read_buffer;
  buffer->len = sizeof read_buffer;
}

static int on_message_complete(llhttp_t* parser) {
  connection* c = parser->data;
  c->owed++;
  c->keep_alive = llhttp_should_keep_alive(parser);
  return 0;
}

static void on_write(uv_write_t* request, int status) {
  (void)status;
  free(request);
}

static void write_rest(connection* c, const char* bytes, size_t size) {
  pending_write* p = malloc(sizeof *p + size);
  memcpy(p->bytes, bytes, size);
  uv_buf_t buffer = uv_buf_init(p->bytes, (unsigned)size);
  check(uv_write(&p->request, (uv_stream_t*)&c->tcp, &buffer, 1, on_write), "uv_write");
}

static void respond(connection* c) {
  while (c->owed > 0) {
    int count = c->owed > max_batch ? max_batch : c->owed;
    c->owed -= count;
    uv_buf_t buffer = uv_buf_init(batch, (unsigned)(count * response_bytes));
    int written = uv_try_write((uv_stream_t*)&c->tcp, &buffer, 1);
    if (written < 0) written = 0;
    if ((size_t)written < buffer.len) write_rest(c, batch + written, buffer.len - (size_t)written);
  }
}

static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  connection* c = stream->data;
  if (size == 0) return;
  if (size < 0 || llhttp_execute(&c->parser, buffer->base, (size_t)size) != HPE_OK) {
    close_connection(c);
    return;
  }
  respond(c);
  if (!c->keep_alive) close_connection(c);
}

static void on_connection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  connection* c = malloc(sizeof *c);
  c->owed = 0;
  c->keep_alive = 1;
  check(uv_tcp_init(listener->loop, &c->tcp), "uv_tcp_init");
  c->tcp.data = c;
  if (uv_accept(listener, (uv_stream_t*)&c->tcp) != 0) {
    close_connection(c);
    return;
  }
  uv_tcp_nodelay(&c->tcp, 1);
  llhttp_init(&c->parser, HTTP_REQUEST, &settings);
  c->parser.data = c;
  uv_read_start((uv_stream_t*)&c->tcp, on_alloc, on_read);
}

int main(int argc, char** argv) {
  if (argc != 2) return fprintf(stderr, "usage: floor_http PORT\n"), 2;
  for (int i = 0; i < max_batch; i++) memcpy(batch + i * response_bytes, response, response_bytes);
  llhttp_settings_init(&settings);
  settings.on_message_complete = on_message_complete;
  static uv_tcp_t listener;
  return run_listener(&listener, argv[1], on_connection);
}
