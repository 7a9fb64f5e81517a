// SPDX-License-Identifier: MIT
#include <cuvee/base/bytes.h>
#include <doctest/doctest.h>

#include <array>
#include <span>
#include <string>
#include <vector>

using namespace cuvee;
using namespace std::string_view_literals;

static std::size_t size_of(const_bytes b) { return b.size(); }
static std::size_t room_of(mutable_bytes b) { return b.size(); }

TEST_CASE("const_bytes: from text, a literal without its terminator") {
  CHECK(const_bytes("hello").text() == "hello");
  CHECK(const_bytes("a\0b"sv).size() == 3);
  CHECK(const_bytes(std::string("abc")).size() == 3);
  CHECK(const_bytes().empty());
  const char array[6] = "hello";
  CHECK(const_bytes(array).text() == "hello");
}

TEST_CASE("const_bytes: from any range of bytes") {
  std::vector<std::byte> bytes(5);
  std::array<unsigned char, 3> chars{1, 2, 3};
  unsigned char raw[4] = {};
  CHECK(size_of(bytes) == 5);
  CHECK(size_of(chars) == 3);
  CHECK(size_of(raw) == 4);
  CHECK(size_of(std::span<const std::byte>(bytes)) == 5);
  CHECK(const_bytes(chars).data() == reinterpret_cast<const char*>(chars.data()));
  static_assert(!std::is_constructible_v<const_bytes, std::vector<int>>);
}

TEST_CASE("mutable_bytes: from writable ranges and arrays, not from constants") {
  char text[16];
  std::string string(7, 'x');
  std::vector<std::byte> bytes(5);
  std::span<char> span(text, 9);
  CHECK(room_of(text) == 16);
  CHECK(room_of(string) == 7);
  CHECK(room_of(bytes) == 5);
  CHECK(room_of(span) == 9);
  CHECK(mutable_bytes().empty());
  static_assert(!std::is_constructible_v<mutable_bytes, const std::string&>);
  static_assert(!std::is_constructible_v<mutable_bytes, std::string_view>);
  static_assert(!std::is_constructible_v<mutable_bytes, std::span<const std::byte>>);
}
