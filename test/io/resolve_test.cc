// SPDX-License-Identifier: MIT
// Names from /etc/hosts and numeric addresses only: there may be no network. What cannot be found has a label that is
// too long to be sent anywhere.
#include "io_case.h"
#include "localhost.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

const std::string no_such_name = std::string(64, 'x') + ".invalid";

std::vector<std::string> as_text(const std::vector<endpoint>& list) {
  std::vector<std::string> text;
  for (const endpoint& e : list) text.push_back(e.to_string());
  return text;
}

struct libc_answer {
  int code = 0;
  std::vector<std::string> found;
  std::string canonical_name;
};

libc_answer by_libc(const char* host, const char* service, const resolve_options& o,
                    int more_flags = 0) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = o.kind == socket_kind::stream ? SOCK_STREAM : SOCK_DGRAM;
  if (o.family == address_family::v4) hints.ai_family = AF_INET;
  if (o.family == address_family::v6) hints.ai_family = AF_INET6;
  hints.ai_flags = more_flags;
  if (o.passive) hints.ai_flags |= AI_PASSIVE;
  if (o.v4_mapped) hints.ai_flags |= AI_V4MAPPED;
  libc_answer a;
  a.code = getaddrinfo(host, service, &hints, &found);
  std::vector<endpoint> list;
  for (addrinfo* i = found; i; i = i->ai_next) list.emplace_back(*i->ai_addr);
  if (found && found->ai_canonname) a.canonical_name = found->ai_canonname;
  if (found) freeaddrinfo(found);
  a.found = as_text(list);
  return a;
}

// The name of a code of getaddrinfo's, as it stands in the texts of errors.
std::string name_of(int code) {
  switch (code) {
    case EAI_NONAME: return "(EAI_NONAME)";
    case EAI_SERVICE: return "(EAI_SERVICE)";
    case EAI_ADDRFAMILY: return "(EAI_ADDRFAMILY)";
    case EAI_AGAIN: return "(EAI_AGAIN)";
    case EAI_NODATA: return "(EAI_NODATA)";
    default: return "(EAI_";
  }
}

void compare(const result<std::vector<endpoint>>& mine, const libc_answer& libc) {
  if (mine) {
    CHECK(libc.code == 0);
    CHECK(as_text(*mine) == libc.found);
  } else {
    INFO(std::string(mine.error().what()));
    REQUIRE(libc.code != 0);
    CHECK(std::string(mine.error().what()).find(name_of(libc.code)) != std::string::npos);
  }
}

// Goes through the pool, with or without /etc/services.
task<> look_up_a_service() {
  auto found = co_await as_result(resolve("127.0.0.1", "http"));
  static_cast<void>(found);
}

}  // namespace

TEST_CASE("resolve: what is numeric, and which address it is, libc says") {
  const char* hosts[] = {"127.0.0.1",    "127.1",
                         "0x7f000001",   "0x0000000000000000007f000001",
                         "0x7f.1",       "0177.0.0.1",
                         "2130706433",   "1.2.3.4.",
                         "1.2.3",        "256.1.1.1",
                         "1.2.3.4.5",    "0x",
                         "08.1",         " 127.0.0.1",
                         "127.0.0.1 ",   "::1",
                         "::",           "::ffff:1.2.3.4",
                         "1::2::3",      "[::1]",
                         "fe80::1%lo",   "fe80::1%1",
                         "fe80::1%nope", "::1%lo",
                         "127.0.0.1%lo", "%lo",
                         "-1",           "+1"};
  for (std::string host : hosts) {
    INFO(host);
    for (address_family f : {address_family::any, address_family::v4, address_family::v6}) {
      resolve_options o;
      o.family = f;
      detail::address_lookup lookup(host, 80, o);
      libc_answer libc = by_libc(host.c_str(), "80", o, AI_NUMERICHOST);
      bool numeric = lookup.await_ready();
      CHECK(numeric == (libc.code == 0));
      CHECK(as_text(lookup.found()) == libc.found);
    }
  }
}

CUVEE_TEST_CASE("resolve: names, services, no host and options give what libc gives") {
  const char* hosts[] = {"localhost", "127.0.0.1", "::1", nullptr, "", "*"};
  const char* services[] = {"http", "80", "domain", "tftp", "no-such-service", "0", "http ", "-1"};
  for (const char* host : hosts) {
    for (const char* service : services) {
      for (int bits = 0; bits < 16; bits++) {
        // /etc/hosts may know no IPv6 address for it, and then a server would be asked.
        if (host && host == std::string("localhost") && (bits & 4) != 0) continue;
        INFO((host ? host : "(none)") << " " << service << " " << bits);
        resolve_options o;
        o.configured_only = false;
        o.passive = (bits & 1) != 0;
        o.kind = (bits & 2) != 0 ? socket_kind::datagram : socket_kind::stream;
        if ((bits & 4) != 0) o.family = address_family::v6;
        o.v4_mapped = (bits & 8) != 0;
        std::optional<std::string> name;
        if (host) name = host;
        auto mine = co_await as_result(resolve(name, std::string(service), o));
        if (host && !*host) CHECK_FALSE(mine);
        else compare(mine, by_libc(host, service, o));
      }
    }
  }
  resolve_options passive;
  passive.passive = true;
  std::vector<endpoint> any = co_await resolve(std::nullopt, 80, passive);
  CHECK(as_text(any) == by_libc(nullptr, "80", passive).found);
  std::vector<endpoint> configured = co_await resolve("127.0.0.1", 0);
  CHECK(as_text(configured) == std::vector<std::string>{"127.0.0.1:0"});
}

CUVEE_TEST_CASE("resolve: the canonical name is libc's" * doctest::skip(no_localhost())) {
  for (std::string host : {"localhost", "127.0.0.1", "127.1"}) {
    std::string name = co_await canonical_name(host);
    CHECK(name == by_libc(host.c_str(), nullptr, {}, AI_CANONNAME | AI_ADDRCONFIG).canonical_name);
  }
  std::string text = co_await failure(canonical_name(no_such_name));
  CHECK(text.starts_with("resolve " + no_such_name + ": "));
}

CUVEE_TEST_CASE("resolve: an unknown name is an error that names it") {
  std::string bad = "a" + std::string(50, '1') + ".wat";
  for (std::string name : {bad, no_such_name, std::string("x..y")}) {
    auto code = co_await failure_code(resolve(name, 80));
    CHECK(code.category().name() == std::string("lookup"));
    std::string text = co_await failure(resolve(name, 80));
    CHECK(text.starts_with("resolve " + name + ": "));
    CHECK(text.find("(EAI_") != text.npos);
  }
  std::string text = co_await failure(resolve(std::string(300, 'x'), 80));
  CHECK_FALSE(text.empty());
  text = co_await failure(resolve("", 80));
  CHECK(text == "resolve: unknown node or service (EAI_NONAME)");
  text = co_await failure(resolve("127.0.0.1", "no-such-service"));
  CHECK(text.starts_with("resolve 127.0.0.1:no-such-service: service not available"));
  text = co_await failure(resolve(std::nullopt, "no-such-service"));
  CHECK(text.starts_with("resolve :no-such-service: "));
}

CUVEE_TEST_CASE("resolve: a NUL byte does not cut a name short") {
  for (std::string host :
       {std::string("localhost\0.evil", 15), std::string("127.0.0.1\0.evil", 15)}) {
    auto code = co_await failure_code(resolve(host, 80));
    CHECK(code.message().find("EAI_NONAME") != std::string::npos);
  }
  auto code = co_await failure_code(resolve("127.0.0.1", std::string("http\0x", 6)));
  CHECK(code.message().find("EAI_SERVICE") != std::string::npos);
}

CUVEE_TEST_CASE("resolve: cancelled before and during, nothing is waited for") {
  bool done = false;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await resolve("127.0.0.1", "http");
    done = true;
  });
  CHECK_FALSE(done);
  stopwatch watch;
  auto cut = co_await move_on_after(0ms, resolve("no-such-host.invalid", 80));
  CHECK_FALSE(cut);
  CHECK(watch.elapsed() < 5s);
}

CUVEE_TEST_CASE(
    "resolve: many at once wait in line, in order, and one that waits can be cancelled") {
  int asked = 0;
  std::vector<int> order;
  auto ask = [&]() -> task<> {
    int place = asked++;
    co_await look_up_a_service();
    order.push_back(place);
  };
  co_await task_group([&](group& g) -> task<> {
    std::vector<task_handle<void>> all;
    for (int i = 0; i < 40; i++) all.push_back(g.spawn(ask));
    while (asked != 40) co_await checkpoint();
    for (std::size_t i = 20; i < 30; i++) all[i].cancel();
  });
  CHECK(order.size() >= 30);
  CHECK(order.size() < 40);  // more than the pool runs at once
  // Two run at once in libuv's pool. Nobody overtakes more than one that runs and those of the same turn.
  std::vector<int> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < order.size(); i++) {
    auto place = std::find(sorted.begin(), sorted.end(), order[i]) - sorted.begin();
    CHECK(place - static_cast<std::ptrdiff_t>(i) <= 4);
  }
}

TEST_CASE("resolve: a loop ends with lookups in flight and in line") {
  for (int i = 0; i < 20; i++) {
    std::string leaked = testing::run_case([&]() -> task<> {
      for (int n = 0; n < 8; n++) loop::current().background().spawn(look_up_a_service);
      co_await checkpoint();
    });
    CHECK(leaked == "");
  }
}

TEST_CASE("resolve: cancelled at every suspension, nothing is left") {
  auto report = testing::torture([]() -> task<> {
    auto ask = []() -> task<> {
      co_await look_up_a_service();
      co_await canonical_name("127.0.0.1");
      co_await reverse_lookup(endpoint("127.0.0.1", 80));
    };
    co_await gather(ask(), ask(), ask(), ask());
  });
  CHECK(report.suspensions > 0);
  CHECK(report.leaks == "");
}

// ---- reverse

CUVEE_TEST_CASE("reverse lookup: names are those of libc") {
  for (std::string address : {"127.0.0.1", "::1", "192.0.2.7"}) {
    for (int bits = 0; bits < 8; bits++) {
      if (address != "127.0.0.1" && (bits & 1) == 0) continue;  // a server might be asked
      INFO(address << " " << bits);
      reverse_options o;
      o.numeric_host = (bits & 1) != 0;
      o.numeric_service = (bits & 2) != 0;
      if ((bits & 4) != 0) o.kind = socket_kind::datagram;
      sockaddr_storage storage;
      auto& native = reinterpret_cast<sockaddr&>(storage);
      endpoint of(address, 69);
      char host[NI_MAXHOST], service[NI_MAXSERV];
      int flags = ((bits & 1) != 0 ? NI_NUMERICHOST : 0) | ((bits & 2) != 0 ? NI_NUMERICSERV : 0) |
                  ((bits & 4) != 0 ? NI_DGRAM : 0);
      int code =
          getnameinfo(&native, of.store(native), host, sizeof host, service, sizeof service, flags);
      REQUIRE(code == 0);
      endpoint_name name = co_await reverse_lookup(of, o);
      CHECK(name.host == host);
      CHECK(name.service == service);
    }
  }
}

CUVEE_TEST_CASE("reverse lookup: a name can be required") {
  reverse_options o;
  o.require_name = o.numeric_host = true;  // contradicts itself: fails without asking anyone
  std::string text = co_await failure(reverse_lookup(endpoint("127.0.0.1", 80), o));
  CHECK(text == "reverse lookup 127.0.0.1:80: unknown node or service (EAI_NONAME)");
}

CUVEE_TEST_CASE("reverse lookup: cancelled before and during") {
  bool done = false;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await reverse_lookup(endpoint("127.0.0.1", 80));
    done = true;
  });
  CHECK_FALSE(done);
  auto cut = co_await move_on_after(0ms, reverse_lookup(endpoint("127.0.0.1", 80)));
  CHECK_FALSE(cut);
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("resolve: user jobs that block delay neither a lookup nor a numeric connect") {
  std::atomic<bool> found = false;
  auto job = [&] {
    for (int i = 0; i < 10'000 && !found; i++) usleep(1000);
    return found.load();
  };
  auto block = [&]() -> task<bool> { co_return co_await offload(job); };
  auto look_up = [&]() -> task<> {
    co_await look_up_a_service();
    tcp_listener l = listen(endpoint("127.0.0.1", 0));
    co_await connect("127.0.0.1", l.local().port());
    found = true;
  };
  auto [a, b, c, d, none] = co_await gather(block(), block(), block(), block(), look_up());
  CHECK(a);  // else the lookup had to wait for the jobs
}

TEST_SUITE_END();
