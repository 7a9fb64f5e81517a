// SPDX-License-Identifier: MIT
// The descriptors, files and rights that a child is given.
#include "in_child.h"
#include "io_case.h"

#include <cuvee/testing/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace cuvee;
using namespace io_case;

namespace {

struct temporary_folder {
  temporary_folder() {
    char name[] = "/tmp/cuvee-fds-XXXXXX";
    path = mkdtemp(name);
  }
  ~temporary_folder() { std::filesystem::remove_all(path); }
  std::string operator/(const char* name) const { return path + '/' + name; }
  std::string path;
};

struct own_descriptor {
  explicit own_descriptor(int number) : fd(number) {}
  ~own_descriptor() { close(fd); }
  int fd;
};

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string spawn_failure(const command& c) {
  try {
    process p = spawn(c);
    return "";
  } catch (const error& e) {
    return e.what();
  }
}

// One line: the descriptors that a shell has.
const char* const list_descriptors = "ls -m /proc/$$/fd; true";

}  // namespace

CUVEE_TEST_CASE("process: streams to and from files, emptied or added to") {
  temporary_folder folder;
  std::ofstream(folder / "in") << "some data";
  std::ofstream(folder / "out") << "old, and longer than what is new\n";
  std::ofstream(folder / "log") << "first\n";
  command c = command::shell("cat; echo; echo trouble >&2");
  c.in_from(folder / "in").out_to(folder / "out").err_append(folder / "log");
  process_result r = co_await run_process(c);
  CHECK(r.status.success());
  CHECK(content(folder / "out") == "some data\n");
  CHECK(content(folder / "log") == "first\ntrouble\n");
  c.out_append(folder / "out").err_to(folder / "log");
  r = co_await run_process(c);
  CHECK(content(folder / "out") == "some data\nsome data\n");
  CHECK(content(folder / "log") == "trouble\n");
}

CUVEE_TEST_CASE("process: a file that cannot be opened is named, and nothing is started") {
  CHECK(spawn_failure(command("cat").in_from("/no/such/file")) ==
        "spawn cat with stdin /no/such/file: no such file or directory (ENOENT)");
  CHECK(spawn_failure(command("cat").err_to("/")) ==
        "spawn cat with stderr /: is a directory (EISDIR)");
  CHECK(spawn_failure(command("cat").out_fd(9999)) ==
        "spawn cat with stdout 9999: bad file descriptor (EBADF)");
  CHECK(spawn_failure(command("cat").pass_fd(9999, 5)) ==
        "spawn cat with descriptor 9999: bad file descriptor (EBADF)");
  CHECK(spawn_failure(command("cat").pass_fd(1, 2)) == "spawn cat: not a descriptor to pass");
  co_return;
}

CUVEE_TEST_CASE("process: stdout and stderr in one file, in the order of writing") {
  temporary_folder folder;
  command c = command::shell("echo out; echo err >&2");
  process_result r = co_await run_process(c.out_to(folder / "both").err(to_stdout));
  CHECK(r.status.success());
  CHECK(content(folder / "both") == "out\nerr\n");
}

CUVEE_TEST_CASE("process: stdout and stderr exchanged by their descriptors") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  own_descriptor reader(ends[0]);
  {
    own_descriptor writer(ends[1]);
    command c = command::shell("echo out; echo err >&2");
    process_result r = co_await run_process(c.err_fd(writer.fd), capture::out);
    CHECK(r.out == "out\n");
  }
  char text[16] = {};
  CHECK(read(reader.fd, text, sizeof text) == 4);
  CHECK(std::string(text) == "err\n");
}

CUVEE_TEST_CASE("process: descriptors of the parent are passed on under numbers of choice") {
  int one[2], two[2];
  REQUIRE(pipe2(one, O_CLOEXEC) == 0);
  REQUIRE(pipe2(two, O_CLOEXEC) == 0);
  own_descriptor a(one[0]), b(one[1]), c(two[0]), d(two[1]);
  // Each takes the number that the other one has in the parent.
  command child =
      command::shell("echo one >/dev/fd/" + std::to_string(d.fd) + "; echo two >/dev/fd/" +
                     std::to_string(b.fd) + "; echo nine >/dev/fd/9");
  child.pass_fd(b.fd, d.fd).pass_fd(d.fd, b.fd).pass_fd(b.fd, 9);
  process_result r = co_await run_process(child);
  REQUIRE(r.status.success());
  char text[32] = {};
  CHECK(read(a.fd, text, sizeof text) == 9);
  CHECK(std::string(text) == "one\nnine\n");
  char other[32] = {};
  CHECK(read(c.fd, other, sizeof other) == 4);
  CHECK(std::string(other) == "two\n");
}

CUVEE_TEST_CASE("process: a passed descriptor keeps its number") {
  own_descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  command c = command::shell("test -e /proc/$$/fd/" + std::to_string(null.fd));
  process_result with = co_await run_process(c);
  CHECK_FALSE(with.status.success());
  with = co_await run_process(c.pass_fd(null.fd));
  CHECK(with.status.success());
}

CUVEE_TEST_CASE("process: no descriptor leaks into a child, not even those without close-on-exec") {
  own_descriptor leaky(open("/dev/null", O_RDWR));  // as libraries leave them
  own_descriptor far(dup2(leaky.fd, 200));
  process other = spawn(command("cat").in(stdio::pipe).out(stdio::pipe));
  process_result r = co_await run_process(command::shell(list_descriptors), capture::out);
  CHECK(r.out == "0, 1, 2\n");
  r = co_await run_process(command::shell(list_descriptors).pass_fd(leaky.fd, 7), capture::out);
  CHECK(r.out == "0, 1, 2, 7\n");
  process_result end = co_await other.communicate();
  CHECK(end.status.success());
}

CUVEE_TEST_CASE(
    "process: an inherited stream that is closed in the parent is closed in the child") {
  own_descriptor saved(fcntl(0, F_DUPFD_CLOEXEC, 10));
  close(0);
  process_result r =
      co_await run_process(command::shell("[ -e /proc/$$/fd/0 ] || echo none"), capture::out);
  dup2(saved.fd, 0);
  bool closed = r.out == "none\n" || r.out.empty();  // the pipe for stdout may have got the number
  CHECK(closed);
  CHECK(r.status.success());
}

CUVEE_TEST_CASE("process: umask, and a name of its own") {
  command c = command::shell("umask");
  process_result r = co_await run_process(c.umask(027), capture::out);
  CHECK(r.out == "0027\n");
  command named("my-name", "-c", "echo $0");
  r = co_await run_process(named.executable("/bin/sh"), capture::out);
  CHECK(r.out == "my-name\n");
  auto text = co_await failure(run_process(command("x").executable("no-such-program")));
  CHECK(text == "spawn x: no such file or directory (ENOENT)");
}

CUVEE_TEST_CASE("process: variables are replaced, added and removed") {
  setenv("CUVEE_OLD", "old", 1);
  setenv("CUVEE_GONE", "gone", 1);
  command c = command::shell("echo $CUVEE_OLD $CUVEE_NEW ${CUVEE_GONE-none}");
  c.env("CUVEE_OLD", "replaced").env("CUVEE_NEW", "added").remove_env("CUVEE_GONE");
  process_result r = co_await run_process(c, capture::out);
  CHECK(r.out == "replaced added none\n");
  c.remove_env("CUVEE_NEW").env("CUVEE_GONE", "back").remove_env("CUVEE_OLD");
  r = co_await run_process(c, capture::out);
  CHECK(r.out == "back\n");
  unsetenv("CUVEE_OLD");
  unsetenv("CUVEE_GONE");
}

CUVEE_TEST_CASE("process: the program is looked up in the child's PATH, past places without it") {
  temporary_folder folder;
  std::filesystem::create_directory(folder / "sub");
  std::ofstream(folder / "cuvee-tool") << "#!/bin/sh\necho found\n";
  command c("cuvee-tool");
  c.env("PATH", "/no/such/place:" + (folder / "sub") + ":" + folder.path);
  auto text = co_await failure(run_process(c, capture::out));
  CHECK(text == "spawn cuvee-tool: permission denied (EACCES)");
  std::filesystem::permissions(folder / "cuvee-tool", std::filesystem::perms::owner_all);
  process_result r = co_await run_process(c, capture::out);
  CHECK(r.out == "found\n");
  command relative("./cuvee-tool");
  r = co_await run_process(relative.cwd(folder.path), capture::out);
  CHECK(r.out == "found\n");
}

CUVEE_TEST_CASE(
    "process: a script without an interpreter runs in sh, one with a missing one is told") {
  temporary_folder folder;
  std::ofstream(folder / "plain") << "echo plain $1\n";
  std::ofstream(folder / "broken") << "#!/no/such/interpreter\n";
  for (const char* name : {"plain", "broken"})
    std::filesystem::permissions(folder / name, std::filesystem::perms::owner_all);
  process_result r = co_await run_process(command(folder / "plain", "x"), capture::out);
  CHECK(r.out == "plain x\n");
  CHECK(spawn_failure(command(folder / "broken")) == "spawn " + (folder / "broken") +
                                                         ": the interpreter of " +
                                                         (folder / "broken") + " is missing");
}

CUVEE_TEST_CASE("process: signals have their default effect in a child and none is blocked") {
  std::signal(SIGUSR1, SIG_IGN);
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  process_result r = co_await run_process(command("cat", "/proc/self/status"), capture::out);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  std::signal(SIGUSR1, SIG_DFL);
  bool clean = r.out.find(
                   "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
                   "SigCgt:\t0000000000000000\n") != r.out.npos;
  CHECK(clean);
}

TEST_CASE("process: another user without the right to it is refused, and named") {
  auto end = scenario::in_child([] {
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 1;
    loop l;
    l.run([]() -> task<> {
      std::puts(spawn_failure(command("true").uid(0)).c_str());
      std::puts(spawn_failure(command("true").uid(0).gid(0)).c_str());
      co_return;
    });
    return 0;
  });
  CHECK(end.exited_with(0));
  CHECK(end.output ==
        "spawn true as user 0: operation not permitted (EPERM)\n"
        "spawn true as user 0 as group 0: operation not permitted (EPERM)\n");
}

CUVEE_TEST_CASE("process: another user and group, without the parent's other groups") {
  if (geteuid() != 0) {
    MESSAGE("skipped: only root may do this");
    co_return;
  }
  command c = command::shell("id -u; id -g; id -G");
  process_result r = co_await run_process(c.uid(65534).gid(65533), capture::out);
  CHECK(r.out == "65534\n65533\n65533\n");
}
