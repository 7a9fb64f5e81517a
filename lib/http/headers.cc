// SPDX-License-Identifier: MIT
#include <cuvee/http/headers.h>

#include "chars.h"
#include "headers_access.h"
#include "quote.h"

#include <cuvee/base/error.h>

#include <algorithm>
#include <string>

namespace cuvee::inline v0::http {

using detail::iequal;

namespace {

constexpr std::string_view separator = ": ", line_end = "\r\n";

[[noreturn]] void refuse(std::string_view operation, std::string_view name,
                         std::string_view detail) {
  throw error(std::make_error_code(std::errc::invalid_argument), operation, detail::quoted(name),
              detail);
}

// Returns the value without the blanks around it.
std::string_view checked(std::string_view operation, std::string_view name,
                         std::string_view value) {
  if (name.empty()) refuse(operation, name, "empty header name");
  if (name.size() > UINT16_MAX) refuse(operation, name, "header name too long");
  if (!detail::all(name, detail::chars::token))
    refuse(operation, name, "a character that is not allowed in a header name");
  if (detail::is_reserved_header(name))
    refuse(operation, name, "the library writes this header itself");
  if (!detail::all(value, detail::chars::field_value))
    refuse(operation, name, "a control character in the value");
  return detail::trim_blanks(value);
}

}  // namespace

bool detail::is_reserved_header(std::string_view name) noexcept {
  switch (name.size()) {
    case 2: return iequal(name, "te");
    case 7: return iequal(name, "upgrade");
    case 10: return iequal(name, "connection") || iequal(name, "keep-alive");
    case 14: return iequal(name, "content-length");
    case 16: return iequal(name, "proxy-connection");
    case 17: return iequal(name, "transfer-encoding");
    default: return false;
  }
}

headers detail::headers_access::copy(const head_arena& from) {
  headers to;
  to.text_.reserve(from.size() + 2 * std::size_t{from.field_count()});
  to.entries_.reserve(from.field_count());
  for (std::uint32_t i = 0; i < from.field_count(); ++i) {
    const field_view f = from.view(i);
    to.append(f.name, f.value);
  }
  return to;
}

headers::headers(std::initializer_list<header_field> fields) {
  for (const header_field& f : fields) add(f.name, f.value);
}

headers& headers::set(std::string_view name, std::string_view value) {
  // The arguments may be views of our own text, which moves.
  const std::string copy(checked("set header", name, value));
  const std::string own_name(name);
  const std::size_t first = find(own_name, 0);
  check_room("set header", own_name, own_name.size() + copy.size() + 4);
  if (first == size()) {
    append(own_name, copy);
    return *this;
  }
  for (std::size_t i = size(); i-- > first + 1;)
    if (iequal((*this)[i].name, own_name)) remove(i);
  replace_value(first, copy);
  return *this;
}

headers& headers::add(std::string_view name, std::string_view value) {
  const std::string copy(checked("add header", name, value));
  const std::string own_name(name);
  check_room("add header", own_name, own_name.size() + copy.size() + 4);
  append(own_name, copy);
  return *this;
}

std::size_t headers::erase(std::string_view name) noexcept {
  std::size_t count = 0;
  for (std::size_t i = size(); i-- > 0;) {
    if (!iequal((*this)[i].name, name)) continue;
    remove(i);
    ++count;
  }
  return count;
}

void headers::clear() noexcept {
  text_.clear();
  entries_.clear();
}

std::optional<std::string_view> headers::get(std::string_view name) const noexcept {
  const std::size_t i = find(name, 0);
  if (i == size()) return std::nullopt;
  return (*this)[i].value;
}

std::vector<std::string_view> headers::get_all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (std::size_t i = find(name, 0); i != size(); i = find(name, i + 1))
    values.push_back((*this)[i].value);
  return values;
}

bool headers::contains(std::string_view name) const noexcept { return find(name, 0) != size(); }

header_field headers::operator[](std::size_t i) const noexcept {
  const entry& e = entries_[i];
  const char* line = text_.data() + e.at;
  return {{line, e.name_size}, {line + e.name_size + separator.size(), e.value_size}};
}

std::size_t headers::find(std::string_view name, std::size_t from) const noexcept {
  for (std::size_t i = from; i < entries_.size(); ++i)
    if (entries_[i].name_size == name.size() && iequal((*this)[i].name, name)) return i;
  return entries_.size();
}

void headers::append(std::string_view name, std::string_view value) {
  entries_.push_back({static_cast<std::uint32_t>(text_.size()),
                      static_cast<std::uint32_t>(value.size()),
                      static_cast<std::uint16_t>(name.size())});
  text_.resize(text_.size() + entries_.back().line_size());
  char* out = text_.data() + entries_.back().at;
  for (std::string_view part : {name, separator, value, line_end})
    out = std::copy(part.begin(), part.end(), out);
}

void headers::replace_value(std::size_t i, std::string_view value) {
  entry& e = entries_[i];
  const auto by = static_cast<std::ptrdiff_t>(value.size()) - std::ptrdiff_t{e.value_size};
  const auto at =
      text_.begin() + static_cast<std::ptrdiff_t>(e.at + e.name_size + separator.size());
  text_.insert(text_.erase(at, at + e.value_size), value.begin(), value.end());
  e.value_size = static_cast<std::uint32_t>(value.size());
  shift(i + 1, by);
}

void headers::remove(std::size_t i) noexcept {
  const std::size_t size = entries_[i].line_size();
  const auto line = text_.begin() + entries_[i].at;
  text_.erase(line, line + static_cast<std::ptrdiff_t>(size));
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(i));
  shift(i, -static_cast<std::ptrdiff_t>(size));
}

void headers::shift(std::size_t from, std::ptrdiff_t by) noexcept {
  for (std::size_t i = from; i < entries_.size(); ++i)
    entries_[i].at = static_cast<std::uint32_t>(entries_[i].at + by);
}

// Offsets are 32 bits wide; nothing near that is ever sent.
void headers::check_room(std::string_view operation, std::string_view name,
                         std::size_t more) const {
  constexpr std::size_t most = 16 * 1024 * 1024;
  if (more > most || text_.size() > most - more)
    throw error(errc::limit_exceeded, operation, detail::quoted(name), "headers over 16 MiB");
}

}  // namespace cuvee::inline v0::http
