// SPDX-License-Identifier: MIT
// Looks up the addresses of names, and the names of addresses, several at once; each is shown when it has come.
// One that fails is a line on stderr and makes the exit status 1; the others go on.
//   ./dns localhost 127.0.0.1 ::1 example.org
#include <cuvee/io.h>

#include "args.h"

#include <chrono>
#include <cstdio>

namespace {

struct settings {
  std::vector<std::string> questions;
  std::string service;
  std::size_t at_once = 8;
  double timeout = 10;
  bool v4 = false;
  bool v6 = false;
};

// What is no numeric address is a name.
std::optional<cuvee::endpoint> as_address(const std::string& text) {
  try {
    return cuvee::endpoint(text, 0);
  } catch (const cuvee::error&) {
    return std::nullopt;
  }
}

cuvee::task<std::string> name_of(cuvee::endpoint address) {
  cuvee::reverse_options how;
  how.require_name = true;
  cuvee::endpoint_name found = co_await cuvee::reverse_lookup(address, how);
  co_return found.host;
}

cuvee::task<std::string> addresses_of(std::string name, const settings& s) {
  cuvee::resolve_options how;
  if (s.v4 != s.v6) how.family = s.v4 ? cuvee::address_family::v4 : cuvee::address_family::v6;
  std::vector<cuvee::endpoint> found = co_await cuvee::resolve(std::move(name), s.service, how);
  std::string text;
  for (const cuvee::endpoint& e : found) {
    if (!text.empty()) text += ' ';
    text += s.service.empty() ? e.address() : e.to_string();
  }
  co_return text;
}

// Returns: whether there was an answer.
cuvee::task<bool> answer(std::string question, const settings& s) {
  std::chrono::duration<double> limit(s.timeout);
  try {
    auto address = as_address(question);
    auto lookup = address ? name_of(*address) : addresses_of(question, s);
    std::string text = co_await cuvee::timeout(limit, std::move(lookup));
    std::printf("%s: %s\n", question.c_str(), text.c_str());
    co_return true;
  } catch (const cuvee::timeout_error&) {
    std::fprintf(stderr, "dns: %s: no answer within %g s\n", question.c_str(), s.timeout);
  } catch (const cuvee::error& e) {
    std::fprintf(stderr, "dns: %s\n", e.what());
  }
  co_return false;
}

cuvee::task<int> amain(const settings& s) {
  std::vector<cuvee::task<bool>> lookups;
  for (const std::string& question : s.questions) lookups.push_back(answer(question, s));
  auto answered = co_await cuvee::gather(cuvee::width(s.at_once), std::move(lookups));
  for (bool yes : answered)
    if (!yes) co_return 1;
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  samples::args args("dns", "Looks up the addresses of names and the names of addresses.");
  args.value("-s, --service NAME", s.service, "show addresses with the port of this service")
      .number<std::size_t>("-n, --at-once N", s.at_once, 1, 1000, "lookups at once (8)")
      .number<double>("--timeout SECONDS", s.timeout, 0.001, 1e6, "for each lookup (10)")
      .flag("-4", s.v4, "IPv4 addresses only")
      .flag("-6", s.v6, "IPv6 addresses only")
      .positionals("NAME|ADDRESS...", s.questions, 1);
  if (auto status = args.parse(argc, argv)) return *status;
  return cuvee::run(amain, s);
}
