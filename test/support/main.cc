// SPDX-License-Identifier: MIT
// The runner of every test program. ./dev test counts the cases from doctest's summary.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <csignal>
#include <cstdio>
#include <iostream>

int main(int argc, char** argv) {
  // What was said before a crash must not be lost with it.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::cout << std::unitbuf;
  // What a shell runs in the background starts with these ignored.
  for (int number : {SIGINT, SIGQUIT, SIGHUP, SIGTERM}) std::signal(number, SIG_DFL);
  doctest::Context context(argc, argv);
  context.setOption("no-intro", true);
  return context.run();
}
