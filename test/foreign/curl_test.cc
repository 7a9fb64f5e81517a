// SPDX-License-Identifier: MIT
// libcurl's multi interface, driven by `foreign_sockets` against our own server in the same loop.
#include <cuvee/testing/doctest.h>

#if defined(CUVEE_TEST_LIBCURL)
#include <cuvee/http.h>
#include <curl/curl.h>

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <vector>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

/// What is fetched and what became of it.
struct transfer {
  std::string url, body;
  CURLcode result = CURL_LAST;
  CURL* easy = nullptr;
};

fd_event wanted_by(int what) {
  switch (what) {
    case CURL_POLL_IN: return fd_event::readable;
    case CURL_POLL_OUT: return fd_event::writable;
    case CURL_POLL_INOUT: return fd_event::readable | fd_event::writable;
    default: return fd_event::none;
  }
}

int as_curl(fd_event events) {
  return (intersects(events, fd_event::readable) ? CURL_CSELECT_IN : 0) |
         (intersects(events, fd_event::writable) ? CURL_CSELECT_OUT : 0);
}

class downloader {
 public:
  downloader() : multi_(curl_multi_init()) {
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, &sockets_);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, &sockets_);
  }
  downloader(const downloader&) = delete;
  ~downloader() {
    for (transfer& t : transfers) release(t);
    curl_multi_cleanup(multi_);
  }

  transfer& add(std::string url, std::chrono::milliseconds limit = 0ms) {
    transfer& t = transfers.emplace_back();
    t.url = std::move(url);
    t.easy = curl_easy_init();
    curl_easy_setopt(t.easy, CURLOPT_URL, t.url.c_str());
    curl_easy_setopt(t.easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t.easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(t.easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
    curl_easy_setopt(t.easy, CURLOPT_WRITEFUNCTION, &on_body);
    curl_easy_setopt(t.easy, CURLOPT_WRITEDATA, &t.body);
    curl_easy_setopt(t.easy, CURLOPT_PRIVATE, &t);
    curl_multi_add_handle(multi_, t.easy);
    return t;
  }

  /// Until all transfers have ended.
  task<> run() {
    for (int running = 1; running != 0;) {
      socket_activity a = co_await sockets_.next();
      most_sockets = std::max(most_sockets, sockets_.size());
      curl_multi_socket_action(multi_, a.descriptor.value_or(CURL_SOCKET_TIMEOUT),
                               as_curl(a.events), &running);
      collect();
    }
  }

  std::deque<transfer> transfers;
  std::size_t most_sockets = 0;

 private:
  static int on_socket(CURL*, curl_socket_t s, int what, void* table, void*) {
    static_cast<foreign_sockets*>(table)->set(s, wanted_by(what));
    return 0;
  }
  static int on_timer(CURLM*, long ms, void* table) {
    auto& sockets = *static_cast<foreign_sockets*>(table);
    if (ms < 0) sockets.clear_timer();
    else sockets.set_timer(std::chrono::milliseconds(ms));
    return 0;
  }
  static std::size_t on_body(char* data, std::size_t size, std::size_t n, void* body) {
    static_cast<std::string*>(body)->append(data, size * n);
    return size * n;
  }
  void collect() {
    int left = 0;
    while (CURLMsg* m = curl_multi_info_read(multi_, &left)) {
      transfer* t = nullptr;
      CURLcode result = m->data.result;
      curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
      t->result = result;
      release(*t);
    }
  }
  void release(transfer& t) noexcept {
    if (!t.easy) return;
    curl_multi_remove_handle(multi_, t.easy);
    curl_easy_cleanup(std::exchange(t.easy, nullptr));
  }

  foreign_sockets sockets_;  // outlives what calls it
  CURLM* multi_;
};

http::app pages() {
  http::app app;
  app.get("/size/{n}", [](http::request& req) {
    return std::string(static_cast<std::size_t>(std::atoi(std::string(req.param("n")).c_str())),
                       'x');
  });
  app.get("/never", [](http::request&) -> task<http::response> {
    co_await forever();
    co_return http::response(200);
  });
  return app;
}

// Runs `use(url)` beside a server.
task<> with_server(std::function<task<>(std::string)> use) {
  http::app app = pages();
  http::serve_options options;
  options.port = 0;
  options.shutdown_timeout = 0s;
  co_await task_group([&](group& g) -> task<> {
    endpoint at = co_await g.start<endpoint>(&http::serve_ready, std::cref(app), options);
    co_await use("http://" + at.to_string());
    g.cancel();
  });
}

}  // namespace

CUVEE_TEST_CASE("libcurl: twenty transfers at once, in the loop that serves them") {
  co_await with_server([](std::string url) -> task<> {
    downloader d;
    for (int i = 0; i < 20; i++) d.add(url + "/size/" + std::to_string(i * i * 1000));
    co_await d.run();
    for (std::size_t i = 0; i < 20; i++) {
      CHECK(d.transfers[i].result == CURLE_OK);
      CHECK(d.transfers[i].body.size() == i * i * 1000);
    }
    CHECK(d.most_sockets > 5);
    transfer& again = d.add(url + "/size/7");  // by a connection that was kept
    co_await d.run();
    CHECK(again.body == "xxxxxxx");
  });
}

CUVEE_TEST_CASE("libcurl: its timer ends what takes too long, and a refused connection is told") {
  std::uint16_t closed = 0;
  {
    tcp_listener l = listen(endpoint("127.0.0.1", 0));
    closed = l.local().port();
  }
  auto use = [closed](std::string url) -> task<> {
    downloader d;
    transfer& late = d.add(url + "/never", 20ms);
    transfer& refused = d.add("http://127.0.0.1:" + std::to_string(closed) + "/");
    co_await d.run();
    CHECK(late.result == CURLE_OPERATION_TIMEDOUT);
    CHECK(refused.result == CURLE_COULDNT_CONNECT);
  };
  co_await with_server(use);
}

CUVEE_TEST_CASE("libcurl: a task that drives it can be cancelled half-way and begun again") {
  co_await with_server([](std::string url) -> task<> {
    downloader d;
    d.add(url + "/never");
    transfer& quick = d.add(url + "/size/100000");
    auto until_quick = [&]() -> task<> {
      while (quick.result != CURLE_OK) co_await sleep(1ms);
    };
    co_await any_of(d.run(), until_quick());
    transfer& second = d.add(url + "/size/3");
    auto until_second = [&]() -> task<> {
      while (second.result != CURLE_OK) co_await sleep(1ms);
    };
    co_await any_of(until_second(), d.run());
    CHECK(second.body == "xxx");
  });
}

#else

TEST_CASE("libcurl: not tested") {
  std::printf("skipped: libcurl, which was not there when this build was configured\n");
}

#endif
