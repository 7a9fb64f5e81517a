// SPDX-License-Identifier: MIT
#include "http/router.h"

#include <cuvee/http.h>

#include <doctest/doctest.h>

#include <string>

using namespace cuvee;

namespace {

/// A router over plain handlers, told apart by their addresses.
struct table {
  http::detail::router routes;
  std::vector<std::pair<const http::detail::handler*, std::string>> names;

  table& add(std::string_view pattern, http::method m = http::method::get) {
    auto h = http::detail::make_handler([] { return "x"; });
    names.emplace_back(h.get(), pattern);
    routes.add(&m, pattern, std::move(h));
    return *this;
  }
  table& any(std::string_view pattern) {
    auto h = http::detail::make_handler([] { return "x"; });
    names.emplace_back(h.get(), "any " + std::string(pattern));
    routes.add(nullptr, pattern, std::move(h));
    return *this;
  }
  /// The pattern that answers, with its raw parameters: `/u/{id} id=7`; empty if none does.
  std::string find(std::string_view path, http::method m = http::method::get) const {
    http::detail::route_match match;
    routes.match(path, match);
    if (!match.found) return "";
    const http::detail::handler* h = match.found->find(m);
    if (!h) return "no method";
    std::string text;
    for (const auto& [known, name] : names)
      if (known == h) text = name;
    for (std::size_t i = 0; i < match.count; i++)
      text += " " + match.found->names[i] + "=" + std::string(match.values[i]);
    return text;
  }
  std::string allowed(std::string_view path) const {
    http::detail::route_match match;
    routes.match(path, match);
    return match.found ? match.found->allow : "";
  }
};

std::string refusal(table& t, std::string_view pattern, http::method m = http::method::get) {
  try {
    t.add(pattern, m);
    return "";
  } catch (const error& e) {
    CHECK(e.code() == std::errc::invalid_argument);
    return e.what();
  }
}

}  // namespace

TEST_CASE("router: literals, parameters and the rest match what they say") {
  table t;
  t.add("/").add("/users").add("/users/{id}").add("/users/{id}/posts/{n}").add("/files/{path...}");
  CHECK(t.find("/") == "/");
  CHECK(t.find("/users") == "/users");
  CHECK(t.find("/users/7") == "/users/{id} id=7");
  CHECK(t.find("/users/7/posts/9") == "/users/{id}/posts/{n} id=7 n=9");
  CHECK(t.find("/files/a/b.txt") == "/files/{path...} path=a/b.txt");
  CHECK(t.find("/files/") == "/files/{path...} path=");
  for (std::string_view none :
       {"/user", "/users/7/posts", "/users/7/posts/9/x", "/Users", "/files"})
    CHECK(t.find(none) == "");
}

TEST_CASE("router: a literal wins over a parameter, and that over the rest") {
  table t;
  t.add("/{rest...}").add("/a/{x}").add("/a/b").add("/a/{x}/c").add("/a/b/d");
  CHECK(t.find("/a/b") == "/a/b");
  CHECK(t.find("/a/z") == "/a/{x} x=z");
  CHECK(t.find("/z") == "/{rest...} rest=z");
  CHECK(t.find("/a/b/d") == "/a/b/d");
}

TEST_CASE("router: what a more literal branch cannot match, another one may") {
  table t;
  t.add("/{rest...}").add("/a/{x}/c").add("/a/b/d");
  CHECK(t.find("/a/b/c") == "/a/{x}/c x=b");
  CHECK(t.find("/a/b/e") == "/{rest...} rest=a/b/e");
}

TEST_CASE("router: a slash at the end is another path, and a parameter is never empty") {
  table t;
  t.add("/users").add("/users/{id}").add("/dir/");
  CHECK(t.find("/users/") == "");
  CHECK(t.find("/dir/") == "/dir/");
  CHECK(t.find("/dir") == "");
  CHECK(t.find("//users") == "");
}

TEST_CASE("router: an encoded slash stays within its segment") {
  table t;
  t.add("/{a}/{b}").add("/{a}");
  CHECK(t.find("/x%2Fy") == "/{a} a=x%2Fy");
  CHECK(t.find("/x%2fy/z") == "/{a}/{b} a=x%2fy b=z");
}

TEST_CASE("router: an encoded literal is that literal") {
  table t;
  t.add("/users/{id}").add("/a b");
  CHECK(t.find("/%75sers/7") == "/users/{id} id=7");
  CHECK(t.find("/a%20b") == "/a b");
}

TEST_CASE("router: an encoded NUL matches nothing") {
  table t;
  t.add("/{a}").add("/f/{rest...}").add("/g/{a}/x");
  CHECK(t.find("/a%00") == "");
  CHECK(t.find("/f/a/b%00c") == "");
  CHECK(t.find("/g/%00/x") == "");
}

TEST_CASE("router: HEAD is answered by GET, and `any` by what has no handler of its own") {
  table t;
  t.add("/x").any("/x").add("/y", http::method::post);
  CHECK(t.find("/x", http::method::head) == "/x");
  CHECK(t.find("/x", http::method::put) == "any /x");
  CHECK(t.find("/y", http::method::head) == "no method");
}

TEST_CASE("router: Allow lists the methods, with HEAD and OPTIONS where they are implied") {
  table t;
  t.add("/g").add("/p", http::method::post).add("/p", http::method::delete_);
  CHECK(t.allowed("/g") == "GET, HEAD, OPTIONS");
  CHECK(t.allowed("/p") == "POST, DELETE, OPTIONS");
}

TEST_CASE("router: ambiguous and malformed patterns are refused by name") {
  table t;
  t.add("/a").add("/u/{id}").add("/f/{rest...}");
  CHECK(refusal(t, "/a").find("add route /a: there is a handler for it already") == 0);
  CHECK(refusal(t, "/u/{id}") != "");
  CHECK(refusal(t, "/u/{name}") != "");
  CHECK(refusal(t, "/f/{all...}") != "");
  CHECK(refusal(t, "/a", http::method::post) == "");
  for (std::string_view bad : {"", "a", "/{", "/x{id}", "/{id}x", "/{}", "/{...}", "/{a...}/b",
                               "/a}", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}"})
    CHECK_MESSAGE(refusal(t, bad) != "", bad);
}

TEST_CASE("router: a refused pattern leaves the table as it was") {
  table t;
  t.add("/u/{id}");
  CHECK(refusal(t, "/u/{name}") != "");
  CHECK(t.find("/u/7") == "/u/{id} id=7");
  CHECK(refusal(t, "/new/{a...}/b") != "");
  CHECK(t.find("/new/x") == "");
}

TEST_CASE("router: a thousand routes are all found") {
  table t;
  for (int i = 0; i < 1000; i++) t.add("/route/" + std::to_string(i));
  for (int i = 0; i < 1000; i++) {
    std::string path = "/route/" + std::to_string(i);
    CHECK(t.find(path) == path);
  }
  CHECK(t.find("/route/1000") == "");
}
