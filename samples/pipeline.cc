// SPDX-License-Identifier: MIT
// A pipeline without a shell around it: each argument is a command, whose words are parted at blanks; its
// stdout is the next one's stdin. What the last one prints is shown with how each of them ended. Ctrl-C ends
// all commands and waits for them.
//   ./pipeline 'ls /usr/bin' 'sort -r' 'head -n 3'
#include <cuvee/io.h>

#include "args.h"

#include <cstdio>

namespace {

struct settings {
  std::vector<std::string> commands;
  bool pipefail = false;
};

cuvee::command parse(const std::string& text) {
  std::istringstream words(text);
  std::string word;
  words >> word;
  cuvee::command c(word);
  while (words >> word) c.arg(word);
  return c;
}

cuvee::task<int> amain(const settings& s) {
  cuvee::pipeline p(parse(s.commands[0]));
  for (std::size_t i = 1; i < s.commands.size(); i++) p.add(parse(s.commands[i]));
  if (s.pipefail) p.pipefail();
  auto result = co_await cuvee::run_process(p, cuvee::capture::out);
  std::fwrite(result.out.data(), 1, result.out.size(), stdout);
  std::fflush(stdout);
  for (std::size_t i = 0; i < s.commands.size(); i++) {
    std::string end = result.statuses[i].to_string();
    std::fprintf(stderr, "%s: %s\n", s.commands[i].c_str(), end.c_str());
  }
  // As a shell reports it: 128 and the signal.
  co_return result.status.code().value_or(128 + result.status.signal().value_or(0));
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  samples::args args("pipeline", "Runs commands, each reading what the one before writes.");
  args.flag("--pipefail", s.pipefail, "fail where any command does, not only the last one");
  args.positionals("COMMAND...", s.commands, 0);
  if (auto status = args.parse(argc, argv)) return *status;
  if (s.commands.empty()) s.commands = {"ls /", "wc -l"};
  return cuvee::run(amain, s);
}
