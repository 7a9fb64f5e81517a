// SPDX-License-Identifier: MIT
// A closed-loop echo client: CONNS connections, each sends SIZE bytes and waits for SIZE back.
// Prints the round trips done. usage: echoload PORT|PATH CONNS SIZE SECONDS [tls|reconnect]
// With `reconnect` each round trip has a connection of its own.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  int fd;
  SSL* ssl;  // if it speaks TLS
  size_t sent;
  size_t received;
} connection;

static char sink[1 << 20];
static char* message;
static size_t message_bytes;
static long long trips;
static int epoll;
static const char* server;
static int tls, reconnect;

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// A closed connection keeps its port for a while; other addresses of the loopback have as many again.
static void use_next_address(int fd) {
  static uint32_t next;
  int one = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  struct sockaddr_in own = {.sin_family = AF_INET};
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + next++ % 64);
  if (bind(fd, (struct sockaddr*)&own, sizeof own) != 0) fail("bind");
}

static int connect_to(const char* where) {
  struct sockaddr_in tcp = {.sin_family = AF_INET};
  struct sockaddr_un path = {.sun_family = AF_UNIX};
  int named = strchr(where, '/') != NULL;
  int fd = socket(named ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
  if (fd < 0) fail("socket");
  tcp.sin_port = htons((uint16_t)atoi(where));
  tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  snprintf(path.sun_path, sizeof path.sun_path, "%s", where);
  struct sockaddr* address = named ? (struct sockaddr*)&path : (struct sockaddr*)&tcp;
  if (reconnect && !named) use_next_address(fd);
  if (connect(fd, address, named ? sizeof path : sizeof tcp) != 0) fail("connect");
  int one = 1;
  if (!named) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static SSL* shake_hands(int fd) {
  static SSL_CTX* context;
  if (!context) context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  if (SSL_connect(ssl) != 1) fail("TLS handshake");
  return ssl;
}

static void open_connection(connection* c) {
  c->fd = connect_to(server);
  if (tls) c->ssl = shake_hands(c->fd);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) fail("epoll_ctl");
}

static ssize_t read_from(connection* c) {
  if (!c->ssl) return read(c->fd, sink, sizeof sink);
  int n = SSL_read(c->ssl, sink, sizeof sink);
  if (n <= 0 && SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ) errno = EAGAIN;
  return n > 0 ? n : -1;
}

static ssize_t write_to(connection* c, const char* bytes, size_t size) {
  return c->ssl ? SSL_write(c->ssl, bytes, (int)size) : write(c->fd, bytes, size);
}

static void send_some(connection* c) {
  while (c->sent < message_bytes) {
    ssize_t n = write_to(c, message + c->sent, message_bytes - c->sent);
    if (n <= 0) return;  // full; a real error shows at the read
    c->sent += (size_t)n;
  }
}

// Returns the bytes read, or 0 when there are none for now.
static size_t receive_some(connection* c) {
  ssize_t n = read_from(c);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n <= 0) fail("connection lost");
  c->received += (size_t)n;
  if (c->received < message_bytes) return (size_t)n;
  trips++;
  c->received = 0;
  c->sent = 0;
  if (!reconnect) return (size_t)n;
  close(c->fd);
  open_connection(c);  // epoll tells when it can be written to
  return 0;
}

// Edge-triggered: goes on until the socket has nothing more to read.
static void drive(connection* c) {
  do send_some(c);
  while (receive_some(c) > 0);
}

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6)
    return fprintf(stderr, "usage: echoload PORT|PATH CONNS SIZE SECONDS [tls|reconnect]\n"), 2;
  server = argv[1];
  tls = argc == 6 && strcmp(argv[5], "tls") == 0;
  reconnect = argc == 6 && strcmp(argv[5], "reconnect") == 0;
  size_t count = (size_t)atoi(argv[2]);
  message_bytes = (size_t)atol(argv[3]);
  message = malloc(message_bytes);
  memset(message, 'x', message_bytes);
  connection* connections = calloc(count, sizeof *connections);
  epoll = epoll_create1(0);
  if (epoll < 0) fail("epoll_create1");
  for (size_t i = 0; i < count; i++) open_connection(&connections[i]);
  double end = seconds() + atof(argv[4]);
  while (seconds() < end) {
    struct epoll_event events[256];
    int ready = epoll_wait(epoll, events, 256, 100);
    for (int i = 0; i < ready; i++) drive(events[i].data.ptr);
  }
  printf("%lld\n", trips);
  return 0;
}
