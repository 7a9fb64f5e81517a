// SPDX-License-Identifier: MIT
#include <cuvee/io/inherited.h>

#include "acceptor.h"
#include "uv_error.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace cuvee::inline v0 {

namespace {

constexpr int first_inherited = 3;  // as the protocol says

int number(const char* variable) {
  const char* text = std::getenv(variable);
  if (!text) return -1;
  std::string_view digits(text);
  int value = -1;
  auto [end, e] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return e == std::errc() && end == digits.data() + digits.size() ? value : -1;
}

void refuse(int fd, const char* why) {
  throw error(std::make_error_code(std::errc::invalid_argument), "inherit",
              "descriptor " + std::to_string(fd), why);
}

void check_listens(int fd) {
  int type = 0, listens = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM)
    refuse(fd, "not a stream socket");
  size = sizeof listens;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)
    refuse(fd, "it does not listen");
}

void adopt(detail::descriptor fd, inherited_sockets& into) {
  using detail::acceptor;
  using detail::uv_stream_block;
  check_listens(fd.get());
  sockaddr_storage own{};
  socklen_t size;
  int e = detail::sys::make_ours(fd.get());
  if (e == 0) e = detail::sys::address(fd.get(), own, size);
  if (e < 0) throw detail::uv_error(e, "inherit", "descriptor " + std::to_string(fd.get()));
  detail::loop_state& home = detail::loop_state::current();
  if (own.ss_family == AF_UNIX) {
    const auto& local = reinterpret_cast<const sockaddr_un&>(own);
    std::size_t room = size - offsetof(sockaddr_un, sun_path);
    std::string path(local.sun_path, room);
    if (!path.starts_with('\0')) path.resize(path.find_last_not_of('\0') + 1);
    auto make = [](detail::loop_state& l) { return uv_stream_block::make_pipe(l); };
    std::string name = path;
    unix_listener l(acceptor::make(home, std::move(fd), make, std::move(name)), std::move(path));
    into.local.push_back(std::move(l));
  } else if (own.ss_family == AF_INET || own.ss_family == AF_INET6) {
    e = detail::sys::set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);  // what is accepted has it
    std::string name = endpoint(reinterpret_cast<const sockaddr&>(own)).to_string();
    if (e < 0) throw detail::uv_error(e, "inherit", name);
    auto make = [](detail::loop_state& l) { return uv_stream_block::make_tcp(l); };
    tcp_listener l(acceptor::make(home, std::move(fd), make, "tcp " + name));
    into.tcp.push_back(std::move(l));
  } else {
    refuse(fd.get(), "of an unknown family");
  }
}

}  // namespace

inherited_sockets detail::adopt_sockets(int first, int count) {
  inherited_sockets all;
  for (int fd = first; fd < first + count; fd++) adopt(descriptor(fd), all);
  return all;
}

inherited_sockets take_inherited_sockets() {
  int count = number("LISTEN_FDS");
  bool ours = number("LISTEN_PID") == getpid();
  if (!ours || count <= 0) return {};
  for (const char* variable : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) unsetenv(variable);
  return detail::adopt_sockets(first_inherited, count);
}

}  // namespace cuvee::inline v0
