// SPDX-License-Identifier: MIT
#include <cuvee/base/list.h>
#include <doctest/doctest.h>

#include <string>

using cuvee::detail::list;
using cuvee::detail::list_node;

namespace {

struct letter : list_node {
  explicit letter(char c) : text(c) {}
  char text;
};

std::string content(list<letter>& l) {
  std::string all;
  l.for_each([&](letter& x) { all += x.text; });
  return all;
}

}  // namespace

TEST_CASE("list: pushed elements leave in order") {
  list<letter> l;
  letter a('a'), b('b');
  CHECK(l.empty());
  CHECK(l.front() == nullptr);
  CHECK(l.pop_front() == nullptr);
  l.push_back(a);
  l.push_back(b);
  CHECK(a.linked());
  CHECK(l.pop_front() == &a);
  CHECK_FALSE(a.linked());
  CHECK(l.front() == &b);
  CHECK(l.pop_front() == &b);
  CHECK(l.empty());
}

TEST_CASE("list: an element unlinks itself wherever it stands") {
  list<letter> l;
  letter a('a'), b('b'), c('c');
  for (letter* x : {&a, &b, &c}) l.push_back(*x);
  b.unlink();
  CHECK(content(l) == "ac");
  l.push_back(b);
  a.unlink();
  CHECK(content(l) == "cb");
}

TEST_CASE("list: for_each survives the removal of the element it is at") {
  list<letter> l;
  letter a('a'), b('b'), c('c');
  for (letter* x : {&a, &b, &c}) l.push_back(*x);
  l.for_each([](letter& x) {
    if (x.text != 'b') x.unlink();
  });
  CHECK(content(l) == "b");
}
