// SPDX-License-Identifier: MIT
#include "run.h"

#include <poll.h>

using namespace cuvee;
using namespace std::chrono_literals;

task<> visit(bool& ended) {
  co_await sleep(10ms);
  std::printf("a guest of another event loop\n");
  ended = true;
}

// What a GUI's event loop does, in small.
void host(loop& guest, const bool& ended) {
  while (!ended) {
    std::optional<duration> wait = guest.backend_timeout();
    auto rounded = wait ? std::chrono::ceil<std::chrono::milliseconds>(*wait).count() : -1;
    pollfd files[] = {{guest.backend_fd(), POLLIN, 0}};  // and the host's own
    ::poll(files, 1, static_cast<int>(rounded));
    guest.poll();
  }
}

int main() {
  loop guest;
  bool ended = false;
  guest.background().spawn(visit, std::ref(ended));
  host(guest, ended);
}
