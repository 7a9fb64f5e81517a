// SPDX-License-Identifier: MIT
#include <cuvee/io/inherited.h>

#include "acceptor.h"
#include "udp_block.h"
#include "uv_error.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace cuvee::inline v0 {

using detail::acceptor;
using detail::descriptor;
using detail::loop_state;
using detail::uv_error;
using detail::uv_stream_block;
namespace sys = detail::sys;

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

error unfit(std::string_view subject, std::string_view why) {
  return error(std::make_error_code(std::errc::invalid_argument), "inherit", subject, why);
}

std::vector<std::string> names_of(int count) {
  const auto size = static_cast<std::size_t>(count);
  const char* text = std::getenv("LISTEN_FDNAMES");
  if (!text) return std::vector<std::string>(size, "unknown");
  std::vector<std::string> names(1);
  for (; *text; text++) {
    if (*text == ':') names.emplace_back();
    else names.back() += *text;
  }
  if (names.size() != size)
    throw unfit("LISTEN_FDNAMES", std::to_string(names.size()) + " names for " +
                                      std::to_string(count) + " descriptors");
  return names;
}

std::string subject_of(int fd) { return "descriptor " + std::to_string(fd); }

/// A socket that was handed to this process, and what it is.
struct found_socket {
  explicit found_socket(int fd) {
    int e = sys::get_option(fd, SOL_SOCKET, SO_TYPE, type);
    if (e == 0) e = sys::get_option(fd, SOL_SOCKET, SO_ACCEPTCONN, listens);
#if defined(SO_PROTOCOL)
    if (e == 0) e = sys::get_option(fd, SOL_SOCKET, SO_PROTOCOL, protocol);
#endif
    if (e == 0) e = sys::address(fd, own, size);
    if (e < 0 && e != -ENOTSOCK) throw uv_error(e, "inherit", subject_of(fd));
  }

  bool is_ip() const { return own.ss_family == AF_INET || own.ss_family == AF_INET6; }
  bool is_stream() const { return type == SOCK_STREAM && listens != 0; }
  bool is_udp() const { return type == SOCK_DGRAM && is_ip() && protocol == IPPROTO_UDP; }
  endpoint at() const { return endpoint(reinterpret_cast<const sockaddr&>(own)); }

  int type = 0, listens = 0, protocol = IPPROTO_UDP;
  sockaddr_storage own{};
  socklen_t size = 0;
};

const char* kind_of_file(int fd) {
  struct stat s;
  if (fstat(fd, &s) != 0) return "something unknown";
  switch (s.st_mode & S_IFMT) {
    case S_IFREG: return "a regular file";
    case S_IFDIR: return "a directory";
    case S_IFIFO: return "a pipe";
    case S_IFCHR:
    case S_IFBLK: return "a device";
    default: return "something unknown";
  }
}

const char* kind_of(int fd, const found_socket& s) {
  const bool local = s.own.ss_family == AF_UNIX;
  switch (s.type) {
    case 0: return kind_of_file(fd);
    case SOCK_STREAM:
      return s.listens != 0 ? "a stream socket of an unknown family"
                            : "a stream socket that does not listen";
    case SOCK_DGRAM: return local ? "a unix datagram socket" : "a datagram socket, but not of UDP";
    case SOCK_SEQPACKET: return "a socket of sequenced packets";
    case SOCK_RAW: return "a raw socket";
    default: return "a socket of an unknown type";
  }
}

tcp_listener adopt_tcp(descriptor fd, const endpoint& at) {
  std::string name = at.to_string();
  int e = sys::set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);  // what is accepted has it
  if (e < 0) throw uv_error(e, "inherit", name);
  auto make = [](loop_state& l) { return uv_stream_block::make_tcp(l); };
  return tcp_listener(acceptor::make(loop_state::current(), std::move(fd), make, "tcp " + name));
}

unix_listener adopt_local(descriptor fd, const found_socket& s) {
  const auto& local = reinterpret_cast<const sockaddr_un&>(s.own);
  std::string path(local.sun_path, s.size - offsetof(sockaddr_un, sun_path));
  if (!path.starts_with('\0')) path.resize(path.find_last_not_of('\0') + 1);
  auto make = [](loop_state& l) { return uv_stream_block::make_pipe(l); };
  std::string name = path;
  acceptor* socket = acceptor::make(loop_state::current(), std::move(fd), make, std::move(name));
  return unix_listener(socket, std::move(path));
}

udp_socket adopt_udp(descriptor fd, const endpoint& at) {
  detail::udp_block::identity who;
  endpoint peer;
  int e = sys::peer_address(fd.get(), peer);
  if (e == 0) who.peer = peer;
  else if (e != UV_ENOTCONN) throw uv_error(e, "inherit", at.to_string());
  who.name = who.peer.value_or(at).to_string();
  who.v6 = at.is_v6();
  sys::refuse_foreign_groups(fd.get(), who.v6);
  return udp_socket(detail::udp_block::make(loop_state::current(), std::move(fd), std::move(who)));
}

void adopt(descriptor fd, const std::string& name, inherited_sockets& into) {
  const found_socket found(fd.get());
  const bool local = found.own.ss_family == AF_UNIX;
  const bool fits = found.is_udp() || (found.is_stream() && (local || found.is_ip()));
  if (!fits)
    throw unfit(subject_of(fd.get()),
                std::string("neither a listening stream socket nor a UDP socket: ") +
                    kind_of(fd.get(), found));
  if (int e = sys::make_ours(fd.get()); e < 0) throw uv_error(e, "inherit", subject_of(fd.get()));
  if (found.is_udp()) {
    into.udp.push_back(adopt_udp(std::move(fd), found.at()));
    into.names.udp.push_back(name);
  } else if (local) {
    into.local.push_back(adopt_local(std::move(fd), found));
    into.names.local.push_back(name);
  } else {
    into.tcp.push_back(adopt_tcp(std::move(fd), found.at()));
    into.names.tcp.push_back(name);
  }
}

/// Closes those that were not reached.
struct descriptors_left {
  int next, end;
  ~descriptors_left() {
    for (; next < end; next++) descriptor closed(next);
  }
};

}  // namespace

inherited_sockets detail::adopt_sockets(int first, const std::vector<std::string>& names) {
  inherited_sockets all;
  descriptors_left left{first, first + static_cast<int>(names.size())};
  for (const std::string& name : names) adopt(descriptor(left.next++), name, all);
  return all;
}

inherited_sockets take_inherited_sockets() {
  int count = number("LISTEN_FDS");
  bool ours = number("LISTEN_PID") == getpid();
  if (!ours || count <= 0) return {};
  const std::vector<std::string> names = names_of(count);
  for (const char* variable : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) unsetenv(variable);
  return detail::adopt_sockets(first_inherited, names);
}

}  // namespace cuvee::inline v0
