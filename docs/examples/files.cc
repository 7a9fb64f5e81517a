// SPDX-License-Identifier: MIT
#include <cuvee/io.h>

#include <cstdio>

using namespace cuvee;

task<> whole_files(std::string folder) {
  std::string path = folder + "/notes";
  co_await write_file(path, "a line\n", write_mode::atomic);  // readers see the old or the new
  std::string text = co_await read_file(path, 1'000'000);     // more is an error
  std::printf("%s", text.c_str());
}

task<> in_pieces(std::string folder) {
  file f = co_await open_file(folder + "/log", open_mode::append | open_mode::create);
  co_await f.write("one\n");
  co_await f.write("two\n");
  auto s = co_await f.stat();
  std::printf("%d bytes\n", static_cast<int>(s.size));
  co_await f.close();
}

task<> names(std::string folder) {
  co_await files::mkdir(folder + "/a/b", files::parents::make);
  co_await files::rename(folder + "/log", folder + "/a/b/log");
  auto below = files::walk(folder);
  while (auto entry = co_await below.next())
    std::printf("%s\n", entry->path.c_str() + folder.size());
}

task<> amain() {
  temp_path folder = co_await make_temp_directory();  // goes with its owner
  co_await whole_files(folder.path());
  co_await in_pieces(folder.path());
  co_await names(folder.path());
  co_await folder.remove();
}

int main() { return cuvee::run(amain); }
