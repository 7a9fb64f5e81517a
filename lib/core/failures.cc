// SPDX-License-Identifier: MIT
#include <cuvee/core/failures.h>

#include <deque>

namespace cuvee::inline v0 {

namespace {

// Exceptions of foreign types have no room for a list, so it stands beside them. An entry owns its
// first error: the object's address, by which it is found, cannot be reused meanwhile.
struct entry {
  std::exception_ptr first;
  std::vector<std::exception_ptr> rest;
};
constexpr std::size_t most_entries = 64;

std::deque<entry>& entries() {
  static thread_local std::deque<entry> list;
  return list;
}

}  // namespace

std::vector<std::exception_ptr> suppressed(const std::exception_ptr& first) {
  for (const entry& e : entries())
    if (first && e.first == first) return e.rest;
  return {};
}

namespace detail {

namespace {

void remember(const std::exception_ptr& first, std::vector<std::exception_ptr> rest) {
  auto& list = entries();
  for (entry& e : list) {
    if (e.first != first) continue;
    e.rest.insert(e.rest.end(), rest.begin(), rest.end());
    return;
  }
  list.push_back({first, std::move(rest)});
  if (list.size() > most_entries) list.pop_front();
}

}  // namespace

void remember_suppressed(const std::exception_ptr& first,
                         std::vector<std::exception_ptr> rest) noexcept {
  try {
    remember(first, std::move(rest));
  } catch (const std::bad_alloc&) {  // the first one matters more
  }
}

}  // namespace detail
}  // namespace cuvee::inline v0
