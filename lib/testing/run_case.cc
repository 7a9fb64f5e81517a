// SPDX-License-Identifier: MIT
#include <cuvee/testing/run_case.h>

#include <cuvee/core/run.h>
#include <cuvee/testing/shuffle.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace cuvee::inline v0::testing {

namespace fs = std::filesystem;

namespace {

// libuv opens a few descriptors once in a process and keeps them.
void warm_up() {
  static bool done = false;
  if (std::exchange(done, true)) return;
  auto nothing = []() -> task<> { co_return; };
  run(nothing);
}

}  // namespace

footprint footprint::take() {
  footprint f;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the directory's own descriptor
    std::string target = fs::read_symlink(entry.path(), gone).string();
    if (!gone && std::stoi(entry.path().filename()) > 2 && !target.ends_with("/fd"))
      f.open_files.push_back(target);
  }
  std::sort(f.open_files.begin(), f.open_files.end());
  for (const auto& thread : fs::directory_iterator("/proc/self/task")) {
    std::ifstream list(thread.path() / "children");
    for (std::string pid; list >> pid;) f.children++;
  }
  return f;
}

std::string footprint::grown_to(const footprint& now) const {
  std::vector<std::string> extra;
  std::set_difference(now.open_files.begin(), now.open_files.end(), open_files.begin(),
                      open_files.end(), std::back_inserter(extra));
  std::string text;
  for (const std::string& name : extra) text += "open descriptor " + name + "; ";
  if (now.children > children)
    text += std::to_string(now.children - children) + " child processes; ";
  return text;
}

std::string run_case(const std::function<task<>()>& body) {
  warm_up();
  footprint before = footprint::take();
  std::string leaks;
  {
    loop l;
    if (auto seed = test_seed()) shuffle_ready(l, *seed);
    l.run(body());
    if (std::size_t n = l.open_handles(); n != 0) leaks = std::to_string(n) + " libuv handles; ";
  }
  return leaks + before.grown_to(footprint::take());
}

}  // namespace cuvee::inline v0::testing
