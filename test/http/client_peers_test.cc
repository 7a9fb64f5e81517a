// SPDX-License-Identifier: MIT
// The client against servers that others have written.
#include "peer.h"

#include <cuvee/http/client.h>
#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace peers;

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("client with nginx: real files at once, have their sizes") {
  auto nginx = co_await start_nginx("/usr/share/doc");
  if (!nginx && skipped("nginx")) co_return;
  auto files = some_files("/usr/share/doc", 300);
  http::client c;
  std::size_t next = 0, right = 0;
  auto worker = [&]() -> task<> {
    while (next < files.size()) {
      const auto& [name, size] = files[next++];
      auto page = co_await c.get(nginx->url(name));
      CAPTURE(name);
      CHECK(page.status() == 200);
      CHECK(page.body().size() == size);
      right += page.body().size() == size;
    }
  };
  co_await gather(worker(), worker(), worker(), worker(), worker(), worker());
  CHECK(right == files.size());
  CHECK(c.connections() <= 6);
  auto head =
      co_await c.fetch(http::client_request(http::method::head, nginx->url(files[0].first)));
  CHECK(head.header("Content-Length").value_or("") == std::to_string(files[0].second));
  co_await nginx->stop();
}

CUVEE_TEST_CASE("client with httpbin: methods, redirects, credentials, chunks") {
  auto httpbin = co_await start_httpbin();
  if (!httpbin && skipped("httpbin")) co_return;
  std::string root = httpbin->url("");
  auto get = co_await http::get(root + "/get?a=1");
  CHECK(get.status() == 200);
  CHECK(get.body().find("?a=1\"") != std::string::npos);
  auto moved = co_await http::get(root + "/redirect/3");
  CHECK(moved.url().path() == "/get");
  auto stream = co_await http::get(root + "/stream/5");
  CHECK(std::count(stream.body().begin(), stream.body().end(), '\n') == 5);
  auto teapot = co_await http::get(root + "/status/418");
  CHECK(teapot.status() == 418);
  auto bytes = co_await http::get(root + "/bytes/10000");
  CHECK(bytes.body().size() == 10'000);
  std::string with_password = "http://me:secret@" + root.substr(7) + "/basic-auth/me/secret";
  auto secret = co_await http::get(with_password);
  CHECK(secret.status() == 200);
  http::client_request post(http::method::post, root + "/post");
  post.body("hello=world").content_type("application/x-www-form-urlencoded");
  auto posted = co_await http::fetch(std::move(post));
  CHECK(posted.body().find("\"hello\"") != std::string::npos);
  http::client_request del(http::method::delete_, root + "/delete");
  auto deleted = co_await http::fetch(std::move(del));
  CHECK(deleted.status() == 200);
  co_await httpbin->stop();
}

TEST_SUITE_END();
