// SPDX-License-Identifier: MIT
// What the tests of the HTTP server share: a server for the length of a block, and a client that sends and
// sees bytes.
#pragma once
#include <cuvee/http.h>
#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace server_case {

using namespace cuvee;
using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace std::string_view_literals;

/// Runs `client(address)` while `a` is served on a port of its own, then stops the server.
template <class F>
task<> serving(const http::app& a, http::serve_options options, F client) {
  options.port = 0;
  co_await task_group([&](group& g) -> task<> {
    endpoint at = co_await g.start<endpoint>(&http::serve_ready, std::cref(a), options);
    co_await client(at);
    g.cancel();
  });
}
template <class F>
task<> serving(const http::app& a, F client) {
  co_await serving(a, http::serve_options(), std::move(client));
}

/// The text without its Date lines, which no test can know, and Keep-Alive, which says nothing new.
inline std::string steady(std::string text) {
  for (std::string_view name : {"Date: "sv, "Keep-Alive: "sv})
    for (std::size_t at; (at = text.find(name)) != text.npos;)
      text.erase(at, text.find('\n', at) + 1 - at);
  return text;
}

struct answer {
  int status = 0;
  std::string head;  // with its empty line
  std::string body;  // decoded

  bool has(std::string_view line) const {
    return head.find("\r\n" + std::string(line) + "\r\n") != head.npos;
  }
};

class client {
 public:
  explicit client(tcp_stream s) : stream_(std::move(s)) {}

  task<> send(std::string_view bytes) { co_await stream_.write(bytes); }
  task<> finish() { co_await stream_.shutdown_write(); }
  /// What arrives next, up to the end of the connection.
  task<std::string> rest() {
    for (bool more = true; more;) more = co_await more_of();
    co_return std::exchange(pending_, {});
  }
  /// The next response, which must have a length or be chunked; to a HEAD without its body.
  task<answer> next(bool to_head = false) {
    answer a;
    a.head = co_await until("\r\n\r\n");
    if (a.head.size() > 12) a.status = std::stoi(a.head.substr(9, 3));
    if (to_head || http::is_bodyless(a.status)) co_return a;
    if (std::size_t at = a.head.find("\r\nContent-Length: "); at != a.head.npos)
      a.body = co_await exactly(std::stoul(a.head.substr(at + 18)));
    else if (a.has("Transfer-Encoding: chunked")) a.body = co_await chunks();
    co_return a;
  }
  task<answer> ask(std::string_view request) {
    co_await send(request);
    co_return co_await next();
  }
  /// Bytes that are there or come next; empty at the end.
  task<std::string> some() {
    if (pending_.empty()) co_await more_of();
    co_return std::exchange(pending_, {});
  }
  task<std::string> until(std::string_view mark) {
    std::size_t at;
    while ((at = pending_.find(mark)) == pending_.npos) {
      bool more = co_await more_of();
      if (!more) co_return std::exchange(pending_, {});
    }
    co_return take(at + mark.size());
  }
  tcp_stream& stream() { return stream_; }

 private:
  task<bool> more_of() {
    char piece[16384];
    std::size_t n = co_await stream_.read_some(piece);
    pending_.append(piece, n);
    co_return n != 0;
  }
  task<std::string> exactly(std::size_t size) {
    while (pending_.size() < size) {
      bool more = co_await more_of();
      if (!more) break;
    }
    co_return take(std::min(size, pending_.size()));
  }
  task<std::string> chunks() {
    std::string body;
    for (;;) {
      std::string line = co_await until("\r\n");
      std::size_t size = line.empty() ? 0 : std::stoul(line, nullptr, 16);
      std::string piece = co_await exactly(size + 2);
      if (size == 0) co_return body;
      body.append(piece, 0, size);
    }
  }
  std::string take(std::size_t n) {
    std::string taken = pending_.substr(0, n);
    pending_.erase(0, n);
    return taken;
  }

  tcp_stream stream_;
  std::string pending_;
};

inline task<client> connected(endpoint at) { co_return client(co_await connect(at)); }

/// Runs `talk` with one connection to a server of `a`.
template <class F>
task<> talking(const http::app& a, F talk) {
  co_await serving(a, [&talk](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await talk(c);
  });
}

/// All that the server says to these bytes, on a connection that the client leaves open.
inline task<std::string> reply_to(endpoint at, std::string_view request) {
  client c = co_await connected(at);
  co_await c.send(request);
  co_return co_await c.rest();
}

/// The same; the client finishes sending first.
inline task<std::string> reply_after_eof(endpoint at, std::string_view request) {
  client c = co_await connected(at);
  co_await c.send(request);
  co_await c.finish();
  co_return co_await c.rest();
}

/// Collects what nobody awaits, instead of printing it.
class reports {
 public:
  reports() {
    loop::current().on_report([this](const report& r) { messages.push_back(r.message); });
  }
  reports(const reports&) = delete;
  ~reports() { loop::current().on_report(nullptr); }
  std::vector<std::string> messages;
};

inline int status_of(std::string_view reply) {
  return reply.size() < 12 ? 0 : std::stoi(std::string(reply.substr(9, 3)));
}

}  // namespace server_case
