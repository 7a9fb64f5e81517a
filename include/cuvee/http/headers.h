// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

namespace cuvee::inline v0::http {

namespace detail {
struct headers_access;
}

/// One field of a message. Views into the `headers` it comes from.
struct header_field {
  std::string_view name, value;
};

/// The header fields of a message: an ordered multimap that owns its text. Names compare without
/// regard to case and keep the case they were given.
///
/// What is set here goes to the wire as it is, so names and values are checked on the way in. The
/// fields that tell where a message ends and what becomes of the connection (Connection,
/// Content-Length, Keep-Alive, Proxy-Connection, TE, Transfer-Encoding, Upgrade) are written by
/// the library alone; received messages do show them.
/// Lifetime: views returned are good until the next change.
class CUVEE_API headers {
 public:
  class iterator;

  headers() = default;
  /// Like `add` for each.
  headers(std::initializer_list<header_field> fields);

  /// Replaces all fields of that name, at the place of the first of them, or adds one.
  /// Blanks at the ends of the value are dropped.
  /// Errors: invalid_argument if the name is no token or reserved, or if the value holds a control
  /// character; the text names the header but never shows the value.
  headers& set(std::string_view name, std::string_view value);
  /// Adds a field at the end, beside others of that name.
  /// Errors: as `set`.
  headers& add(std::string_view name, std::string_view value);
  /// Removes all fields of that name. Returns: how many there were.
  std::size_t erase(std::string_view name) noexcept;
  void clear() noexcept;

  /// The value of the first field of that name.
  std::optional<std::string_view> get(std::string_view name) const noexcept;
  /// The values of all fields of that name, in order.
  std::vector<std::string_view> get_all(std::string_view name) const;
  bool contains(std::string_view name) const noexcept;

  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  header_field operator[](std::size_t i) const noexcept;
  iterator begin() const noexcept;
  iterator end() const noexcept;

  /// All fields as they are sent: `Name: value` lines, each with CR LF.
  std::string_view wire() const noexcept { return {text_.data(), text_.size()}; }

 private:
  friend struct detail::headers_access;

  // A field's line within `text_`: the name, ": ", the value, CR LF.
  struct entry {
    std::uint32_t at, value_size;
    std::uint16_t name_size;

    std::size_t line_size() const noexcept { return name_size + std::size_t{value_size} + 4; }
  };

  std::size_t find(std::string_view name, std::size_t from) const noexcept;
  void append(std::string_view name, std::string_view value);
  void replace_value(std::size_t i, std::string_view value);
  void remove(std::size_t i) noexcept;
  void check_room(std::string_view operation, std::string_view name, std::size_t more) const;
  void shift(std::size_t from, std::ptrdiff_t by) noexcept;

  std::vector<char>
      text_;  // no string: an empty one is dearer to move, and every response is moved
  std::vector<entry> entries_;
};

/// Goes over the fields in order.
class headers::iterator {
 public:
  using value_type = header_field;
  using difference_type = std::ptrdiff_t;
  using reference = header_field;
  using pointer = void;
  using iterator_category = std::input_iterator_tag;

  iterator() noexcept = default;
  iterator(const headers& of, std::size_t i) noexcept : of_(&of), i_(i) {}

  header_field operator*() const noexcept { return (*of_)[i_]; }
  iterator& operator++() noexcept {
    ++i_;
    return *this;
  }
  iterator operator++(int) noexcept { return {*of_, i_++}; }
  bool operator==(const iterator& other) const noexcept { return i_ == other.i_; }

 private:
  const headers* of_ = nullptr;
  std::size_t i_ = 0;
};

inline headers::iterator headers::begin() const noexcept { return {*this, 0}; }
inline headers::iterator headers::end() const noexcept { return {*this, entries_.size()}; }

}  // namespace cuvee::inline v0::http
