// SPDX-License-Identifier: MIT
// Copies a file. usage: file_bench FROM TO
#include <cuvee/io.h>

#include <cstdio>

using namespace cuvee;

static task<> amain(std::string from, std::string to) { co_await files::copy(from, to); }

int main(int argc, char** argv) {
  if (argc == 3) return run(amain, std::string(argv[1]), std::string(argv[2]));
  std::fprintf(stderr, "usage: file_bench FROM TO\n");
  return 2;
}
