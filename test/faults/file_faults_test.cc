// SPDX-License-Identifier: MIT
// Files, names, watching, and files sent to streams.
#include "fault_case.h"
#include "peer.h"

#include <doctest/doctest.h>

using namespace cuvee;
using namespace fault_case;

namespace {

// A folder to work in; what a failed run has left there is the next one's to remove.
const std::string& work_folder() {
  static const peers::temporary_folder folder;
  return folder.path();
}

task<> file_calls() {
  std::string in = work_folder() + "/files";
  co_await files::remove_all(in);
  co_await files::mkdir(in + "/deep", files::parents::make);
  open_mode how = open_mode::read | open_mode::write | open_mode::create;
  file f = co_await open_file(in + "/a", how);
  co_await f.write("some text");
  co_await f.sync();
  co_await f.truncate(4);
  file_status status = co_await f.stat();
  CHECK(status.size == 4);
  co_await f.close();
  std::string text = co_await read_file(in + "/a", 100);
  CHECK(text == "some");
  co_await files::rename(in + "/a", in + "/b");
  co_await files::symlink("b", in + "/link");
  text = co_await files::readlink(in + "/link");
  CHECK(text == "b");
}

task<> file_compounds() {
  std::string in = work_folder() + "/compounds";
  co_await files::mkdir(in, files::parents::make);
  co_await write_file(in + "/a", "old");
  co_await write_file(in + "/a", "new", write_mode::atomic);
  std::uint64_t copied = co_await files::copy(in + "/a", in + "/b");
  CHECK(copied == 3);
  std::size_t seen = 0;
  auto names = files::walk(in);
  while (auto* entry = co_await names.next()) seen += entry->path.ends_with("/a");
  CHECK(seen == 1);
  temp_file one = co_await make_temp_file(in);
  temp_path two = co_await make_temp_directory(in);
  co_await one.name.remove();
}

task<> watching_files() {
  file_watcher w = files::watch(work_folder(), std::chrono::milliseconds(1));
  co_await write_file(work_folder() + "/seen", "x");
  file_change change = co_await w.next();
  CHECK(!change.path.empty());
}

task<> sending(tcp_listener& l, std::string path, std::size_t size) {
  tcp_stream s = co_await l.accept();
  file f = co_await open_file(std::move(path));
  co_await send_file(s, f, 0, size);
  co_await s.shutdown_write();
}
task<> receiving(endpoint at, std::size_t size) {
  tcp_stream s = co_await connect(at);
  std::string all = co_await read_all(s);
  if (all.size() != size) throw error(errc::end_of_stream, "receive");
}
task<> sending_a_file() {
  std::string path = work_folder() + "/sent";
  constexpr std::size_t size = 8'000'000;
  std::ofstream(path, std::ios::binary) << std::string(size, 'x');
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  co_await gather(sending(l, path, size), receiving(l.local(), size));
}

}  // namespace

TEST_CASE("faults: every call to libuv fails in working with files, watching and sending them") {
  CHECK(fail_calls(&file_calls) > 15);
  CHECK(fail_calls(&file_compounds) > 30);
  CHECK(fail_calls(&watching_files) > 3);
  CHECK(fail_calls(&sending_a_file) > 10);
}

TEST_CASE("faults: every allocation fails in working with files, watching and sending them") {
  CHECK(fail_allocations(&file_calls) > 10);
  CHECK(fail_allocations(&file_compounds) > 20);
  CHECK(fail_allocations(&watching_files) > 3);
  CHECK(fail_allocations(&sending_a_file) > 5);
}
