// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/http/handler.h>
#include <cuvee/http/method.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cuvee::inline v0::http::detail {

/// The handlers of one pattern.
struct route {
  std::array<std::unique_ptr<handler>, method_count> by_method;
  std::unique_ptr<handler> any;
  std::vector<std::string> names;  // of the pattern's parameters, in order
  std::string allow;               // the value of Allow

  handler* find(method m) const noexcept;
};

/// A route and what its parameters stand for, raw, in the request's path.
struct route_match {
  static constexpr std::size_t most_parameters = 8;

  const route* found = nullptr;
  std::array<std::string_view, most_parameters> values;
  std::size_t count = 0;
};

/// A tree of path segments, and a table of the patterns without parameters before it, which nearly every
/// request hits. Paths are split before they are decoded, so an encoded slash stays in its segment.
class router {
 public:
  router();
  ~router();

  void add(const method* m, std::string_view pattern, std::unique_ptr<handler> h);
  void match(std::string_view path, route_match& m) const;
  std::unique_ptr<handler> fallback;

 private:
  struct node;
  struct literal {
    std::string path;
    const route* target = nullptr;
  };

  route& route_of(std::string_view pattern);
  void remember_literal(std::string_view path, const route& r);
  [[gnu::always_inline]] inline const route* find_literal(std::string_view path) const noexcept;
  void match_parameters(std::string_view path, route_match& m) const;
  static bool descend(const node& n, std::string_view rest, route_match& m);

  std::unique_ptr<node> root_;
  std::vector<literal> table_;  // open addressing, size a power of two
  std::size_t table_mask_;      // its size less one
  std::size_t literals_ = 0;
};

}  // namespace cuvee::inline v0::http::detail
