// SPDX-License-Identifier: MIT
// Runs the programs of docs/examples and compares what they print with the .out files beside them.
#include <cuvee/io.h>

#include <cuvee/testing/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

std::string folder_in(const char* variable, const char* fallback) {
  const char* root = std::getenv(variable);
  return root ? root : fallback;
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> outputs() {
  std::vector<std::filesystem::path> found;
  std::string folder = folder_in("CUVEE_SOURCE", ".") + "/docs/examples";
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".out") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

CUVEE_TEST_CASE("guide: its programs print what it says" * doctest::test_suite("slow")) {
  auto expected = outputs();
  CHECK(expected.size() >= 14);
  for (const auto& file : expected) {
    std::string program = folder_in("CUVEE_EXAMPLES", "docs/examples") + '/' + file.stem().string();
    process_result r = co_await run_process(command(program), capture::all);
    CAPTURE(program);
    CHECK(r.status.success());
    CHECK(r.err.empty());
    std::string wanted = text_of(file);
    CHECK(r.out == wanted);
  }
}
