// SPDX-License-Identifier: MIT
// Smoke run of tail_f.
#include "peer.h"

#include <cuvee/testing/doctest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

std::string tail_f() {
  const char* folder = std::getenv("CUVEE_SAMPLES");
  return std::string(folder ? folder : ".") + "/tail_f";
}

task<std::string> read_exact(stream& s, std::size_t n) {
  std::string all(n, '\0');
  for (std::size_t filled = 0; filled < n;) {
    mutable_bytes rest(all.data() + filled, n - filled);
    std::size_t got = co_await timeout(20s, s.read_some(rest));
    if (got == 0) break;
    filled += got;
  }
  co_return all;
}

}  // namespace

CUVEE_TEST_CASE("samples: tail_f explains itself, and wants a file") {
  process_result r = co_await run_process(command(tail_f(), "--help"), capture::all);
  CHECK(r.status.success());
  CHECK(r.out.starts_with("usage: tail_f [option]... FILE\n"));
  r = co_await run_process(command(tail_f()), capture::all);
  CHECK(r.status == exit_status::exited(2));
  CHECK(r.err == "tail_f: missing FILE\n");
  r = co_await run_process(command(tail_f(), "/no/such/file"), capture::all);
  CHECK(r.status == exit_status::exited(1));
  CHECK(r.err == "tail_f: error: watch /no/such/file: no such file or directory (ENOENT)\n");
}

CUVEE_TEST_CASE("samples: tail_f follows a file over growth, truncation and rotation") {
  peers::temporary_folder folder;
  std::string log = folder.path() + "/log";
  auto append = [&](std::string_view text) { std::ofstream(log, std::ios::app) << text; };
  append("one\ntwo\nthree\n");
  process p = spawn(command(tail_f(), "-n", "2", log).out(stdio::pipe).err(stdio::null));
  std::string text = co_await read_exact(p.out(), 10);
  CHECK(text == "two\nthree\n");
  append("four\n");
  text = co_await read_exact(p.out(), 5);
  CHECK(text == "four\n");
  std::ofstream(log, std::ios::trunc) << "cut\n";
  text = co_await read_exact(p.out(), 4);
  CHECK(text == "cut\n");
  co_await files::rename(log, log + ".1");
  append("new\n");
  text = co_await read_exact(p.out(), 4);
  CHECK(text == "new\n");
  p.kill(SIGINT);
  exit_status end = co_await timeout(20s, p.wait());
  CHECK(end == exit_status::exited(130));
}
