// SPDX-License-Identifier: MIT
// Prints the last lines of a file and then what is added to it, over truncation and rotation, until
// Ctrl-C.
//   ./tail_f /tmp/log & echo one >>/tmp/log; mv /tmp/log /tmp/log.1; echo two >/tmp/log
#include <cuvee/io.h>

#include "args.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>

using namespace std::chrono_literals;

constexpr std::size_t buffer_bytes = 64 * 1024;

struct followed {
  cuvee::file file;
  cuvee::file_status identity;
  std::uint64_t position = 0;

  followed(cuvee::file f, cuvee::file_status s, std::uint64_t p)
      : file(std::move(f)), identity(s), position(p) {}
};

// Where the last `lines` lines begin: found from the end, so a large file costs no more.
cuvee::task<std::uint64_t> start_of_last_lines(cuvee::file& f, std::uint64_t size,
                                               std::size_t lines) {
  if (lines == 0) co_return size;
  std::string block;
  std::size_t seen = 0;
  for (std::uint64_t end = size; end > 0;) {
    std::uint64_t start = end - std::min<std::uint64_t>(end, buffer_bytes);
    block.resize(static_cast<std::size_t>(end - start));
    std::size_t n = co_await f.read_some_at(start, block);
    for (std::size_t i = n; i > 0; i--) {
      bool last_byte = start + i == size;  // it ends the last line and begins none
      if (block[i - 1] == '\n' && !last_byte && ++seen == lines) co_return start + i;
    }
    end = start;
  }
  co_return 0;
}

cuvee::task<> print_new(followed& f) {
  auto buffer = std::make_unique_for_overwrite<char[]>(buffer_bytes);
  cuvee::mutable_bytes room(buffer.get(), buffer_bytes);
  while (std::size_t n = co_await f.file.read_some_at(f.position, room)) {
    std::fwrite(buffer.get(), 1, n, stdout);
    f.position += n;
  }
  std::fflush(stdout);
}

/// Opens what the name stands for now. Empty: nothing.
cuvee::task<std::optional<followed>> open_now(std::string path) {
  auto opened = co_await cuvee::as_result(cuvee::open_file(path));
  if (opened) {
    cuvee::file_status status = co_await opened->stat();
    co_return followed(std::move(*opened), status, 0);
  }
  if (opened.error().code() == std::errc::no_such_file_or_directory) co_return std::nullopt;
  throw cuvee::error(opened.error());
}

cuvee::task<> catch_up(std::optional<followed>& now, const std::string& path) {
  if (now) co_await print_new(*now);
  auto named = co_await cuvee::as_result(cuvee::files::stat(path));
  if (!named) co_return;  // moved away, and not made anew yet
  if (!now || !named->same_file(now->identity)) {
    if (now) {
      std::fprintf(stderr, "tail_f: %s is another file now\n", path.c_str());
      co_await print_new(*now);  // what came before the name did
    }
    now = co_await open_now(path);
  } else if (named->size < now->position) {
    std::fprintf(stderr, "tail_f: %s was cut\n", path.c_str());
    now->position = 0;
  }
  if (now) co_await print_new(*now);
}

cuvee::task<> follow(std::string path, std::size_t lines) {
  cuvee::file_watcher changes = cuvee::files::watch(path, 10ms);
  std::optional<followed> now = co_await open_now(path);
  if (now) now->position = co_await start_of_last_lines(now->file, now->identity.size, lines);
  else std::fprintf(stderr, "tail_f: waiting for %s\n", path.c_str());
  for (;;) {
    co_await catch_up(now, path);
    // Once a second in any case: no event tells what happens behind a symlink or on another machine.
    co_await cuvee::move_on_after(1s, changes.next());
  }
}

int main(int argc, char** argv) {
  std::size_t lines = 10;
  std::vector<std::string> paths;
  samples::args args("tail_f", "Prints the end of a file and what is added to it, until Ctrl-C.");
  args.number<std::size_t>("-n, --lines N", lines, 0, 1'000'000, "last lines to begin with (10)")
      .positionals("FILE", paths, 1);
  if (auto status = args.parse(argc, argv)) return *status;
  return cuvee::run(follow, paths.front(), lines);
}
