// SPDX-License-Identifier: MIT
// The floor for HTTP clients: libuv and llhttp, CONNS keep-alive connections, N GETs in all.
// Prints N. usage: floor_client PORT N CONNS PATH
#include <llhttp.h>
#include <string.h>

#include "floor.h"

typedef struct {
  uv_tcp_t tcp;
  uv_connect_t connect;
  llhttp_t parser;
  int complete;
} connection;

static char read_buffer[65536];
static char request[512];
static size_t request_bytes;
static long unsent, done, body_bytes;
static llhttp_settings_t settings;

static void send_next(connection* c) {
  if (unsent == 0) {
    uv_close((uv_handle_t*)&c->tcp, NULL);
    return;
  }
  unsent--;
  uv_buf_t buffer = uv_buf_init(request, (unsigned)request_bytes);
  // A socket with nothing in flight always takes so little at once.
  check(uv_try_write((uv_stream_t*)&c->tcp, &buffer, 1), "uv_try_write");
}

static int on_body(llhttp_t* parser, const char* at, size_t size) {
  (void)parser;
  (void)at;
  body_bytes += (long)size;
  return 0;
}

static int on_message_complete(llhttp_t* parser) {
  connection* c = parser->data;
  c->complete = 1;
  return 0;
}

static void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buffer) {
  (void)handle;
  (void)suggested;
  buffer->base = read_buffer;
  buffer->len = sizeof read_buffer;
}

static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  connection* c = stream->data;
  if (size == 0) return;
  check((int)size, "read");
  if (llhttp_execute(&c->parser, buffer->base, (size_t)size) != HPE_OK) {
    fprintf(stderr, "malformed response: %s\n", llhttp_get_error_reason(&c->parser));
    exit(1);
  }
  if (!c->complete) return;
  c->complete = 0;
  done++;
  send_next(c);
}

static void on_connect(uv_connect_t* connect, int status) {
  check(status, "uv_tcp_connect");
  connection* c = connect->data;
  uv_tcp_nodelay(&c->tcp, 1);
  check(uv_read_start((uv_stream_t*)&c->tcp, on_alloc, on_read), "uv_read_start");
  send_next(c);
}

static void open_connection(connection* c, const struct sockaddr* address) {
  check(uv_tcp_init(uv_default_loop(), &c->tcp), "uv_tcp_init");
  c->tcp.data = c;
  c->connect.data = c;
  llhttp_init(&c->parser, HTTP_RESPONSE, &settings);
  c->parser.data = c;
  check(uv_tcp_connect(&c->connect, &c->tcp, address, on_connect), "uv_tcp_connect");
}

int main(int argc, char** argv) {
  if (argc != 5) return fprintf(stderr, "usage: floor_client PORT N CONNS PATH\n"), 2;
  int port = atoi(argv[1]);
  long wanted = unsent = atol(argv[2]);
  size_t count = (size_t)atoi(argv[3]);
  request_bytes = (size_t)snprintf(
      request, sizeof request,
      "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: floor\r\nAccept: */*\r\n\r\n", argv[4],
      port);
  if (request_bytes >= sizeof request) return fprintf(stderr, "PATH is too long\n"), 2;
  llhttp_settings_init(&settings);
  settings.on_body = on_body;
  settings.on_message_complete = on_message_complete;
  struct sockaddr_in address;
  check(uv_ip4_addr("127.0.0.1", port, &address), "uv_ip4_addr");
  connection* connections = calloc(count, sizeof *connections);
  for (size_t i = 0; i < count; i++)
    open_connection(&connections[i], (struct sockaddr*)&address);
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  free(connections);
  printf("%ld\n", done);
  return done == wanted ? 0 : 1;
}
