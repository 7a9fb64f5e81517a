// SPDX-License-Identifier: MIT
#include "router.h"

#include "chars.h"

#include <cuvee/base/error.h>
#include <cuvee/http/url.h>

#include <algorithm>

namespace cuvee::inline v0::http::detail {

struct router::node {
  std::vector<std::pair<std::string, std::unique_ptr<node>>> literals;
  std::unique_ptr<node> parameter;
  std::unique_ptr<route> here;
  std::unique_ptr<route> rest;  // `{name...}`
};

namespace {

[[noreturn]] void refuse(std::string_view pattern, std::string_view why) {
  throw error(std::make_error_code(std::errc::invalid_argument), "add route", pattern, why);
}

std::size_t hash_of(std::string_view path) noexcept {
  std::size_t h = path.size() * 31;
  if (path.size() > 1)
    h = (h + static_cast<unsigned char>(path[1])) * 31 + static_cast<unsigned char>(path.back());
  return h;
}

// Takes the first segment off `rest`, which begins with its slash.
std::string_view take_segment(std::string_view& rest) noexcept {
  rest.remove_prefix(1);
  std::size_t end = std::min(rest.find('/'), rest.size());
  std::string_view segment = rest.substr(0, end);
  rest.remove_prefix(end);
  return segment;
}

bool encoded(std::string_view segment) noexcept {
  return segment.find('%') != std::string_view::npos;
}
bool hides_nul(std::string_view segment) noexcept {
  return segment.find("%00") != std::string_view::npos;
}

// "{name}" or "{name...}" to the name; empty for a literal.
std::string_view parameter_name(std::string_view segment, std::string_view pattern, bool& is_rest) {
  is_rest = false;
  if (segment.empty() || segment.front() != '{') {
    if (segment.find_first_of("{}") != std::string_view::npos)
      refuse(pattern, "a parameter must be a whole segment");
    return {};
  }
  if (segment.back() != '}') refuse(pattern, "a parameter must be a whole segment");
  segment = segment.substr(1, segment.size() - 2);
  if (segment.ends_with("...")) {
    is_rest = true;
    segment.remove_suffix(3);
  }
  if (segment.empty()) refuse(pattern, "a parameter needs a name");
  return segment;
}

void describe_methods(route& r) {
  std::string names;
  auto add = [&](method m) {
    if (!names.empty()) names += ", ";
    names += to_string(m);
  };
  for (int i = 0; i < method_count; i++) {
    auto m = static_cast<method>(i);
    bool implied = m == method::options || (m == method::head && r.find(method::get));
    if (implied || r.by_method[static_cast<std::size_t>(i)]) add(m);
  }
  r.allow = std::move(names);
}

}  // namespace

handler* route::find(method m) const noexcept {
  if (auto& own = by_method[static_cast<std::size_t>(m)]) return own.get();
  if (m == method::head)
    if (auto& get = by_method[static_cast<std::size_t>(method::get)]) return get.get();
  return any.get();
}

router::router() : root_(std::make_unique<node>()), table_(16), table_mask_(table_.size() - 1) {}
router::~router() = default;

void router::add(const method* m, std::string_view pattern, std::unique_ptr<handler> h) {
  route& r = route_of(pattern);
  std::unique_ptr<handler>& place = m ? r.by_method[static_cast<std::size_t>(*m)] : r.any;
  if (place) refuse(pattern, "there is a handler for it already");
  place = std::move(h);
  describe_methods(r);
}

route& router::route_of(std::string_view pattern) {
  if (pattern.empty() || pattern.front() != '/') refuse(pattern, "a pattern begins with a slash");
  node* at = root_.get();
  std::vector<std::string> names;
  bool is_rest = false;
  for (std::string_view rest = pattern; !rest.empty();) {
    std::string_view segment = take_segment(rest);
    std::string_view name = parameter_name(segment, pattern, is_rest);
    if (!name.empty()) names.emplace_back(name);
    if (is_rest) {
      if (!rest.empty()) refuse(pattern, "only the last segment can be {name...}");
      break;
    }
    if (!name.empty()) {
      if (!at->parameter) at->parameter = std::make_unique<node>();
      at = at->parameter.get();
      continue;
    }
    auto known = std::find_if(at->literals.begin(), at->literals.end(),
                              [&](const auto& l) { return l.first == segment; });
    if (known == at->literals.end())
      known = at->literals.emplace(known, segment, std::make_unique<node>());
    at = known->second.get();
  }
  if (names.size() > route_match::most_parameters) refuse(pattern, "too many parameters");
  std::unique_ptr<route>& place = is_rest ? at->rest : at->here;
  if (!place) {
    place = std::make_unique<route>();
    place->names = names;
    if (names.empty()) remember_literal(pattern, *place);
  }
  if (place->names != names) refuse(pattern, "another pattern has other names at these places");
  return *place;
}

void router::remember_literal(std::string_view path, const route& r) {
  if (++literals_ * 2 > table_.size()) {
    std::vector<literal> old(table_.size() * 2);
    old.swap(table_);
    table_mask_ = table_.size() - 1;
    literals_ = 1;
    for (literal& l : old)
      if (l.target) remember_literal(l.path, *l.target);
  }
  std::size_t i = hash_of(path);
  while (table_[i & table_mask_].target) i++;
  table_[i & table_mask_] = {std::string(path), &r};
}

inline const route* router::find_literal(std::string_view path) const noexcept {
  const std::size_t mask = table_mask_;
  const literal* const table = table_.data();
  for (std::size_t i = hash_of(path);; i++) {
    const literal& l = table[i & mask];
    if (!l.target) return nullptr;
    if (l.path.size() == path.size() && same_bytes(l.path.data(), path.data(), path.size()))
      return l.target;
  }
}

void router::match(std::string_view path, route_match& m) const {
  m.count = 0;
  m.found = find_literal(path);
  if (!m.found) [[unlikely]]
    match_parameters(path, m);
}

// Apart, so that the usual case needs no stack.
[[gnu::noinline]] void router::match_parameters(std::string_view path, route_match& m) const {
  if (path.front() == '/') descend(*root_, path, m);
}

bool router::descend(const node& n, std::string_view rest, route_match& m) {
  if (rest.empty()) {
    m.found = n.here.get();
    return m.found != nullptr;
  }
  std::string_view whole = rest.substr(1);
  std::string_view segment = take_segment(rest);
  if (hides_nul(segment)) return false;
  std::size_t captured = m.count;
  bool plain = !encoded(segment);
  for (const auto& [text, next] : n.literals) {
    if (!(plain ? text == segment : text == percent_decode(segment))) continue;
    if (descend(*next, rest, m)) return true;
    break;
  }
  if (n.parameter && !segment.empty() && captured < route_match::most_parameters) {
    m.values[m.count++] = segment;
    if (descend(*n.parameter, rest, m)) return true;
    m.count = captured;
  }
  if (!n.rest || hides_nul(whole)) return false;
  m.values[m.count++] = whole;
  m.found = n.rest.get();
  return true;
}

}  // namespace cuvee::inline v0::http::detail
