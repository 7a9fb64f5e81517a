// SPDX-License-Identifier: MIT
// What is put together from calls about paths.
#include <cuvee/io/files.h>

#include "remove_tree.h"

#include <cuvee/core/as_result.h>
#include <cuvee/core/offload.h>

#include <algorithm>

namespace cuvee::inline v0::files {

task<> mkdir(std::string path, parents, unsigned permissions) {
  // From the inside out, as the outer ones usually exist and may be unwritable.
  std::vector<std::string> missing;
  for (std::string at = path;;) {
    auto made = co_await as_result(mkdir(at, permissions));
    if (made) break;
    if (made.error().code() == std::errc::file_exists) {
      file_status there = co_await stat(at);
      if (there.type == file_type::directory) break;
      throw error(std::make_error_code(std::errc::not_a_directory), "mkdir", at);
    }
    if (made.error().code() != std::errc::no_such_file_or_directory) throw error(made.error());
    std::size_t name = at.find_last_not_of('/');
    std::size_t slash = name == at.npos ? name : at.find_last_of('/', name);
    std::size_t end = slash == at.npos ? slash : at.find_last_not_of('/', slash);
    if (end == at.npos) throw error(made.error());
    missing.push_back(at);
    at.resize(end + 1);
  }
  for (; !missing.empty(); missing.pop_back()) {
    auto made = co_await as_result(mkdir(missing.back(), permissions));
    if (!made && made.error().code() != std::errc::file_exists) throw error(made.error());
  }
}

task<std::uint64_t> remove_all(std::string path) {
  if (path.find('\0') != path.npos)
    throw error(std::make_error_code(std::errc::invalid_argument), "remove", path);
  auto job = [path](std::stop_token stop) { return detail::remove_tree(path, stop); };
  std::uint64_t removed = co_await offload(std::move(job));
  co_return removed;
}

namespace {

struct level {
  std::string path;
  std::vector<directory_entry> entries;  // last first
};

task<level> read_level(std::string path) {
  level l;
  l.entries = co_await scandir(path);
  std::reverse(l.entries.begin(), l.entries.end());
  l.path = std::move(path);
  co_return l;
}

bool may_skip(const error& e, unreadable how) {
  return how == unreadable::skip || e.code() == std::errc::no_such_file_or_directory;
}

}  // namespace

generator<walk_entry> walk(std::string path, unreadable how) {
  std::vector<level> open;
  level top = co_await read_level(std::move(path));
  open.push_back(std::move(top));
  while (!open.empty()) {
    level& inside = open.back();
    if (inside.entries.empty()) {
      open.pop_back();
      continue;
    }
    walk_entry entry;
    bool slash = inside.path.ends_with('/');
    entry.path = inside.path + (slash ? "" : "/") + inside.entries.back().name;
    entry.type = inside.entries.back().type;
    entry.depth = open.size() - 1;
    inside.entries.pop_back();
    if (entry.type == file_type::unknown) {  // some file systems do not tell
      auto status = co_await as_result(lstat(entry.path));
      if (!status && may_skip(status.error(), how)) continue;
      if (!status) throw error(status.error());
      entry.type = status->type;
    }
    std::string at = entry.type == file_type::directory ? entry.path : std::string();
    walk_entry& shown = entry;
    co_yield std::move(shown);
    if (at.empty() || !entry.enter) continue;
    auto below = co_await as_result(read_level(std::move(at)));
    if (below) open.push_back(std::move(*below));
    else if (!may_skip(below.error(), how)) throw error(below.error());
  }
}

}  // namespace cuvee::inline v0::files
