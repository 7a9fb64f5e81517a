// SPDX-License-Identifier: MIT
#include <cuvee/base/result.h>
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

using namespace cuvee;

TEST_CASE("result: holds a value") {
  result<std::string> r(std::string("text"));
  CHECK(r.has_value());
  CHECK(static_cast<bool>(r));
  CHECK(*r == "text");
  CHECK(r->size() == 4);
  r.value() += "s";
  CHECK(std::as_const(r).value() == "texts");
  CHECK(std::move(r).value() == "texts");
}

TEST_CASE("result: holds an error, value() throws it") {
  result<int> r(error(errc::busy, "read", "pipe"));
  CHECK_FALSE(r);
  CHECK(r.error().code() == errc::busy);
  std::string text;
  try {
    std::move(r).value();
  } catch (const error& e) {
    text = e.what();
  }
  CHECK(text == "read pipe: another operation is pending");
}

TEST_CASE("result: of void and of a move-only type") {
  result<void> done;
  CHECK(done.has_value());
  std::move(done).value();
  done.value();
  result<void> failed(error(errc::closed, "write"));
  CHECK_THROWS_AS(failed.value(), error);
  CHECK_THROWS_AS(std::move(failed).value(), error);
  result<std::unique_ptr<int>> owner(std::make_unique<int>(3));
  std::unique_ptr<int> owned = std::move(owner).value();
  CHECK(*owned == 3);
}

TEST_CASE("result: of a caught exception, describes it and throws it as it was") {
  auto lost = result<int>::caught(std::make_exception_ptr(timeout_error("read")));
  REQUIRE_FALSE(lost);
  CHECK(lost.error().code() == std::errc::timed_out);
  CHECK(lost.error().operation() == "read");
  CHECK_THROWS_AS(std::move(lost).value(), timeout_error);
  auto foreign = result<int>::caught(std::make_exception_ptr(std::string("text")));
  CHECK(foreign.error().code() == errc::foreign);
  CHECK_THROWS_AS(std::move(foreign).value(), std::string);
}
