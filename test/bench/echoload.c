// SPDX-License-Identifier: MIT
// A closed-loop echo client: CONNS connections, each sends SIZE bytes and waits for SIZE back.
// Prints the round trips done. usage: echoload PORT CONNS SIZE SECONDS
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  int fd;
  size_t sent;
  size_t received;
} connection;

static char sink[1 << 20];
static char* message;
static size_t message_bytes;
static long long trips;

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void open_connection(connection* c, int port, int epoll) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0) fail("socket");
  if (connect(c->fd, (struct sockaddr*)&address, sizeof address) != 0) fail("connect");
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) fail("epoll_ctl");
}

static void send_some(connection* c) {
  while (c->sent < message_bytes) {
    ssize_t n = write(c->fd, message + c->sent, message_bytes - c->sent);
    if (n <= 0) return;  // full; a real error shows at the read
    c->sent += (size_t)n;
  }
}

// Returns the bytes read, or 0 when there are none for now.
static size_t receive_some(connection* c) {
  ssize_t n = read(c->fd, sink, sizeof sink);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n <= 0) fail("connection lost");
  c->received += (size_t)n;
  if (c->received < message_bytes) return (size_t)n;
  trips++;
  c->received = 0;
  c->sent = 0;
  return (size_t)n;
}

// Edge-triggered: goes on until the socket has nothing more to read.
static void drive(connection* c) {
  do send_some(c);
  while (receive_some(c) > 0);
}

int main(int argc, char** argv) {
  if (argc != 5) return fprintf(stderr, "usage: echoload PORT CONNS SIZE SECONDS\n"), 2;
  int port = atoi(argv[1]);
  size_t count = (size_t)atoi(argv[2]);
  message_bytes = (size_t)atol(argv[3]);
  message = malloc(message_bytes);
  memset(message, 'x', message_bytes);
  connection* connections = calloc(count, sizeof *connections);
  int epoll = epoll_create1(0);
  if (epoll < 0) fail("epoll_create1");
  for (size_t i = 0; i < count; i++) open_connection(&connections[i], port, epoll);
  double end = seconds() + atof(argv[4]);
  while (seconds() < end) {
    struct epoll_event events[256];
    int ready = epoll_wait(epoll, events, 256, 100);
    for (int i = 0; i < ready; i++) drive(events[i].data.ptr);
  }
  printf("%lld\n", trips);
  return 0;
}
