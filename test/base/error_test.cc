// SPDX-License-Identifier: MIT
#include <cuvee/base/error.h>
#include <doctest/doctest.h>

#include <cerrno>
#include <set>
#include <string>

using namespace cuvee;

static std::error_code posix(int number) { return {number, std::generic_category()}; }

TEST_CASE("error: reads operation, object, cause, code") {
  error e(posix(EACCES), "listen", "127.0.0.1:80");
  CHECK(std::string(e.what()) == "listen 127.0.0.1:80: permission denied (EACCES)");
  CHECK(e.operation() == "listen");
  CHECK(e.subject() == "127.0.0.1:80");
  CHECK(e.code() == std::errc::permission_denied);
}

TEST_CASE("error: without an object, with a cause of its own, with nothing at all") {
  CHECK(std::string(error(posix(EMFILE), "accept").what()) ==
        "accept: too many open files (EMFILE)");
  CHECK(std::string(error(errc::protocol, "parse", "header", "a bare line feed").what()) ==
        "parse header: a bare line feed");
  CHECK(std::string(error(posix(EIO), "").what()) == "input/output error (EIO)");
  CHECK(std::string(error(posix(EIO), "", "disk").what()) == "disk: input/output error (EIO)");
}

TEST_CASE("error: a code that libc does not name") {
  CHECK(describe(posix(9999)) == "unknown error 9999");
}

TEST_CASE("error: codes of our own have distinct texts and compare") {
  std::set<std::string> texts;
  for (int i = 1; i <= static_cast<int>(errc::too_many_redirects); i++)
    texts.insert(std::error_code(i, cuvee_category()).message());
  CHECK(texts.size() == static_cast<std::size_t>(errc::too_many_redirects));
  CHECK_FALSE(texts.contains("unknown error"));
  CHECK(std::error_code(4711, cuvee_category()).message() == "unknown error");
  std::error_code code = errc::closed;
  CHECK(code == errc::closed);
  CHECK(code != errc::busy);
  CHECK(code.category() == cuvee_category());
  CHECK(std::string(cuvee_category().name()) == "cuvee");
}

TEST_CASE("error: copies share the text and cannot throw") {
  static_assert(std::is_nothrow_copy_constructible_v<error>);
  error e(posix(EPIPE), "write", "10.0.0.1:80");
  error copy = e;
  CHECK(copy.what() == e.what());
}

TEST_CASE("error: timeout and cancellation are errors with standard codes") {
  timeout_error t("connect", "example.org:80");
  CHECK(std::string(t.what()) == "connect example.org:80: timed out");
  CHECK(t.code() == std::errc::timed_out);
  cancelled_error c;
  CHECK(std::string(c.what()) == "join: the task was cancelled");
  CHECK(c.code() == std::errc::operation_canceled);
  const std::system_error& base = c;
  CHECK(std::string(base.what()) == c.what());
}

TEST_CASE("error: control characters of a foreign object are shown, not passed on") {
  using namespace std::string_view_literals;
  error e(posix(ENOENT), "open", "a\nb\0c\x7f"sv);
  CHECK(std::string(e.what()) == "open a\\x0ab\\x00c\\x7f: no such file or directory (ENOENT)");
  CHECK(e.subject() == "a\nb\0c\x7f"sv);
}

TEST_CASE("describe: the text of any exception") {
  CHECK(describe(std::make_exception_ptr(std::runtime_error("why"))) == "why");
  CHECK(describe(std::make_exception_ptr(error(errc::closed, "read"))) == "read: closed");
  CHECK(describe(std::make_exception_ptr(5)) == "an exception that is no std::exception");
  CHECK(describe(std::exception_ptr()) == "no exception");
}

TEST_CASE("describe: lower case, but an acronym keeps its letters") {
  CHECK(describe(posix(ENOENT)) == "no such file or directory (ENOENT)");
  CHECK(describe(make_error_code(errc::bad_url)) == "bad URL");
  CHECK(describe(posix(ENOTTY)) == "inappropriate ioctl for device (ENOTTY)");
}

TEST_CASE("error: any exception as a cuvee::error keeps code and text") {
  std::error_code full = std::make_error_code(std::errc::no_space_on_device);
  auto system = as_error(std::make_exception_ptr(std::system_error(full, "write")));
  CHECK(system.code() == full);
  CHECK(std::string(system.what()).starts_with("write: "));
  auto other = as_error(std::make_exception_ptr(std::runtime_error("broken")));
  CHECK(other.code() == errc::foreign);
  CHECK(std::string(other.what()) == "broken");
  CHECK(std::string(as_error(std::make_exception_ptr(3)).what()) ==
        describe(std::make_exception_ptr(3)));
}
