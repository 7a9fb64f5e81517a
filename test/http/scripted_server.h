// SPDX-License-Identifier: MIT
// A server that says what a test wants, byte by byte.
#pragma once
#include <cuvee/core.h>
#include <cuvee/http/client.h>
#include <cuvee/io/tcp.h>

#include <string>
#include <vector>

namespace scripted {

using cuvee::task;

enum class then { keep, close, reset, stall };

/// The answer to one request.
struct step {
  std::string text;
  then after = then::keep;
};

inline std::string ok(std::string_view body, std::string_view fields = {}) {
  std::string text = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  return text.append(fields).append("\r\n").append(body);
}

inline std::string moved(int status, std::string_view to) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " Moved\r\nContent-Length: 5\r\n";
  return text.append("Location: ").append(to).append("\r\n\r\nmoved");
}

/// Answers the n-th request it sees, on whatever connection, with the n-th step; the last one goes on
/// for ever.
class server {
 public:
  explicit server(std::vector<step> steps) : steps_(std::move(steps)) {}
  explicit server(std::string text) : server(std::vector<step>{{std::move(text)}}) {}

  std::string url(std::string_view path = "/") const {
    return ("http://" + listener_.local().to_string()).append(path);
  }
  std::uint16_t port() const { return listener_.local().port(); }

  /// Serves until `user` has ended.
  task<> during(task<> user) { co_await cuvee::any_of(serve(), std::move(user)); }

  std::vector<std::string> requests;  ///< heads and bodies as they came
  int connections = 0;

 private:
  task<> serve() {
    co_await cuvee::task_group([this](cuvee::group& g) -> task<> {
      for (;;) {
        cuvee::tcp_stream s = co_await listener_.accept();
        connections++;
        g.spawn(&server::answer, this, std::move(s));
      }
    });
  }

  task<> answer(cuvee::tcp_stream s) {
    try {
      for (;;) {
        std::string request = co_await read_request(s);
        if (request.empty()) co_return;
        requests.push_back(request);
        const step& now = steps_[std::min(requests.size(), steps_.size()) - 1];
        co_await s.write(now.text);
        if (now.after == then::reset) {
          // libuv takes a reset that comes with data for an end.
          co_await cuvee::sleep(std::chrono::milliseconds(2));
          s.abort();
        }
        if (now.after == then::reset || now.after == then::close) co_return;
        if (now.after == then::stall) co_await cuvee::forever();
      }
    } catch (const cuvee::error&) {  // the client went away
    }
  }

  static std::size_t body_size(std::string_view head) {
    std::size_t at = head.find("Content-Length: ");
    return at == head.npos ? 0 : std::stoul(std::string(head.substr(at + 16, 12)));
  }
  static task<std::string> read_request(cuvee::tcp_stream& s) {
    std::string text, piece(256 * 1024, '\0');
    std::size_t whole = 0;  // 0: not known yet
    while (whole == 0 || text.size() < whole) {
      std::size_t n = co_await s.read_some(piece);
      if (n == 0) co_return std::string();
      text.append(piece, 0, n);
      std::size_t end = whole == 0 ? text.find("\r\n\r\n") : text.npos;
      if (end != text.npos) whole = end + 4 + body_size(std::string_view(text).substr(0, end + 4));
    }
    co_return text;
  }

  cuvee::tcp_listener listener_ = cuvee::listen(cuvee::endpoint("127.0.0.1", 0));
  std::vector<step> steps_;
};

/// What a request fails with; empty if it does not.
template <class T>
task<std::string> error_of(task<T> request) {
  try {
    co_await std::move(request);
  } catch (const cuvee::error& e) {
    co_return e.what();
  }
  co_return std::string();
}

}  // namespace scripted
