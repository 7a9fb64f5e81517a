// SPDX-License-Identifier: MIT
// The floor for TLS echo: libuv and OpenSSL's memory BIOs, one read buffer and one buffer of plaintext for the
// loop, uv_try_write first. usage: floor_tls_echo PORT CERT KEY
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "floor.h"

typedef struct {
  uv_tcp_t tcp;
  SSL* ssl;
  BIO* in;
  BIO* out;
} connection;

typedef struct {
  uv_write_t request;
  char bytes[];
} pending_write;

static char read_buffer[262144];
static char plain[262144];
static SSL_CTX* context;

static void require(int done, const char* call) {
  if (done == 1) return;
  fprintf(stderr, "%s: ", call);
  ERR_print_errors_fp(stderr);
  exit(1);
}

static void on_close(uv_handle_t* handle) {
  connection* c = (connection*)handle;
  SSL_free(c->ssl);
  free(c);
}

static void close_connection(connection* c) {
  if (!uv_is_closing((uv_handle_t*)&c->tcp)) uv_close((uv_handle_t*)&c->tcp, on_close);
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

static void write_rest(connection* c, const char* bytes, size_t size) {
  pending_write* p = malloc(sizeof *p + size);
  memcpy(p->bytes, bytes, size);
  uv_buf_t buffer = uv_buf_init(p->bytes, (unsigned)size);
  check(uv_write(&p->request, (uv_stream_t*)&c->tcp, &buffer, 1, on_write), "uv_write");
}

static void send_output(connection* c) {
  char* bytes;
  long size = BIO_get_mem_data(c->out, &bytes);
  if (size <= 0) return;
  uv_buf_t buffer = uv_buf_init(bytes, (unsigned)size);
  int written = uv_try_write((uv_stream_t*)&c->tcp, &buffer, 1);
  if (written < 0) written = 0;
  if (written < size) write_rest(c, bytes + written, (size_t)(size - written));
  (void)BIO_reset(c->out);
}

// Returns whether the connection goes on.
static int echo(connection* c) {
  size_t size;
  while (SSL_read_ex(c->ssl, plain, sizeof plain, &size)) {
    size_t done;
    require(SSL_write_ex(c->ssl, plain, size, &done), "SSL_write_ex");
  }
  return SSL_get_error(c->ssl, 0) == SSL_ERROR_WANT_READ;
}

static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  connection* c = (connection*)stream;
  if (size == 0) return;
  if (size < 0) {
    close_connection(c);
    return;
  }
  BIO_write(c->in, buffer->base, (int)size);
  int goes_on = echo(c);
  send_output(c);
  if (!goes_on) close_connection(c);
}

static void on_connection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  connection* c = calloc(1, sizeof *c);
  check(uv_tcp_init(listener->loop, &c->tcp), "uv_tcp_init");
  c->ssl = SSL_new(context);
  c->in = BIO_new(BIO_s_mem());
  c->out = BIO_new(BIO_s_mem());
  SSL_set_bio(c->ssl, c->in, c->out);
  SSL_set_accept_state(c->ssl);
  if (uv_accept(listener, (uv_stream_t*)&c->tcp) != 0) {
    close_connection(c);
    return;
  }
  uv_tcp_nodelay(&c->tcp, 1);
  uv_read_start((uv_stream_t*)&c->tcp, on_alloc, on_read);
}

int main(int argc, char** argv) {
  if (argc != 4) return fprintf(stderr, "usage: floor_tls_echo PORT CERT KEY\n"), 2;
  static uv_tcp_t listener;
  context = SSL_CTX_new(TLS_server_method());
  require(SSL_CTX_use_certificate_chain_file(context, argv[2]), "certificate");
  require(SSL_CTX_use_PrivateKey_file(context, argv[3], SSL_FILETYPE_PEM), "key");
  return run_listener(&listener, argv[1], on_connection);
}
