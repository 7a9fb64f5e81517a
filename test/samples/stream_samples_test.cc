// SPDX-License-Identifier: MIT
// Smoke runs of chat and port_forward.
#include <cuvee/io.h>

#include <cuvee/testing/doctest.h>

#include <csignal>
#include <cstdlib>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

std::string sample(std::string_view name) {
  const char* folder = std::getenv("CUVEE_SAMPLES");
  return std::string(folder ? folder : ".") + '/' + std::string(name);
}

struct server {
  process child;
  endpoint at;
};
task<server> start(command c) {
  process p = spawn(c.out(stdio::pipe).err(to_stdout));
  buffered_reader lines(p.out());
  auto line = co_await lines.read_line();
  REQUIRE(line);
  std::string before = "127.0.0.1:";
  std::size_t at = line->find(before);
  REQUIRE(at != line->npos);
  int port = std::atoi(line->c_str() + at + before.size());
  co_return server{std::move(p), endpoint("127.0.0.1", static_cast<std::uint16_t>(port))};
}

task<> stop(server& s) {
  s.child.kill(SIGINT);
  exit_status end = co_await timeout(5s, s.child.wait());
  CHECK(end.success());
}

}  // namespace

CUVEE_TEST_CASE(
    "samples: chat and port_forward explain themselves, and refuse what they do not know") {
  for (std::string name : {"chat", "port_forward"}) {
    process_result r = co_await run_process(command(sample(name), "--help"), capture::all);
    CHECK(r.status.success());
    CHECK(r.out.starts_with("usage: " + name));
    r = co_await run_process(command(sample(name), "--nonsense"), capture::all);
    CHECK(r.status == exit_status::exited(2));
    CHECK(r.err == name + ": unknown option --nonsense (see --help)\n");
  }
  process_result r = co_await run_process(command(sample("port_forward"), "a", "b"), capture::all);
  CHECK(r.status == exit_status::exited(2));
  CHECK(r.err == "port_forward: give one HOST and a PORT from 0 to 65535\n");
}

CUVEE_TEST_CASE("samples: chat tells each what the others say, and ends with Ctrl-C") {
  server s = co_await start(command(sample("chat"), "--port", "0"));
  tcp_stream ann = co_await connect(s.at), bob = co_await connect(s.at);
  buffered_reader ann_reads(ann), bob_reads(bob);
  std::string asked = co_await ann_reads.read_until("? ");
  CHECK(asked == "your name? ");
  co_await ann.write("Ann\n");
  asked = co_await bob_reads.read_until("? ");
  co_await bob.write("Bob\nhello\n");
  std::string heard;
  while (!heard.ends_with("hello")) {  // Bob may hear of Ann's coming, or be too late for it
    auto line = co_await ann_reads.read_line();
    REQUIRE(line);
    heard += *line;
  }
  CHECK(heard == "Bob joinedBob says: hello");
  co_await bob.close();
  auto line = co_await timeout(5s, ann_reads.read_line());
  CHECK(line == "Bob left");
  co_await stop(s);
}

CUVEE_TEST_CASE("samples: port_forward passes everything on, and the end of each side") {
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  server s = co_await start(command(sample("port_forward"), "--port", "0", "127.0.0.1",
                                    std::to_string(l.local().port())));
  std::string big(1'000'000, 'x');
  auto answer = [&]() -> task<> {
    tcp_stream peer = co_await l.accept();
    buffered_reader r(peer);
    std::string got = co_await r.read_all(2'000'000);
    CHECK(got == big);
    co_await peer.write("answer");
  };
  auto ask = [&]() -> task<> {
    tcp_stream client = co_await connect(s.at);
    co_await client.write(big);
    co_await client.shutdown_write();
    buffered_reader r(client);
    std::string got = co_await r.read_all(100);
    CHECK(got == "answer");
  };
  task<> answering = answer(), asking = ask();
  co_await gather(std::move(answering), std::move(asking));
  co_await stop(s);
}
