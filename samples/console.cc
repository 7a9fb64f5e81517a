// SPDX-License-Identifier: MIT
// A prompt beside which timers run: what they print appears above it. Lines are edited where the library was built
// with libedit: cursor keys, history, Tab. Commands can also come from a file or a pipe.
//   ./console          then: every 2 tick, list, stop 1, Ctrl-D
//   echo 'echo hello' | ./console
#include <cuvee/io.h>

#include "args.h"

#include <charconv>
#include <map>
#include <string>

using namespace std::chrono_literals;

constexpr std::string_view usage =
    "echo TEXT          print it\n"
    "every SECONDS TEXT print it again and again\n"
    "list               what is printed again and again\n"
    "stop NUMBER        one of these\n"
    "size               of the window\n"
    "secret             reads something that is not shown\n"
    "quit               or Ctrl-D";

// The first word, and what follows it.
std::pair<std::string, std::string> first_word(const std::string& line) {
  std::size_t begin = line.find_first_not_of(' ');
  if (begin == line.npos) return {};
  std::size_t end = line.find(' ', begin);
  if (end == line.npos) return {line.substr(begin), ""};
  std::size_t rest = line.find_first_not_of(' ', end);
  return {line.substr(begin, end - begin), rest == line.npos ? "" : line.substr(rest)};
}

std::optional<double> number(const std::string& text) {
  double value = 0;
  auto [end, e] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool good = e == std::errc() && end == text.data() + text.size() && value > 0 && value < 1e6;
  return good ? std::optional<double>(value) : std::nullopt;
}

class shell {
 public:
  shell(cuvee::console& c, cuvee::group& g) : console_(c), group_(g) {}

  /// Returns: whether to go on.
  cuvee::task<bool> execute(std::string line) {
    auto [verb, rest] = first_word(line);
    if (verb == "quit") co_return false;
    if (verb == "every") co_await every(rest);
    else if (verb == "stop") co_await stop(rest);
    else if (verb == "secret") co_await secret();
    else if (verb == "echo") co_await console_.print(rest);
    else if (verb == "list") co_await list();
    else if (verb == "size") co_await size();
    else if (!verb.empty()) co_await console_.print(std::string(usage));
    co_return true;
  }

 private:
  struct repeated {
    cuvee::task_handle<void> task;
    std::string text;
  };

  cuvee::task<> repeat(cuvee::duration pause, std::string text) {
    for (;;) {
      co_await cuvee::sleep(pause);
      co_await console_.print(text);
    }
  }
  cuvee::task<> every(std::string rest) {
    auto [count, text] = first_word(rest);
    auto seconds = number(count);
    if (!seconds) co_return co_await console_.print("every: how many seconds?");
    auto pause =
        std::chrono::duration_cast<cuvee::duration>(std::chrono::duration<double>(*seconds));
    auto run = [this, pause](std::string what) { return repeat(pause, std::move(what)); };
    running_.emplace(++last_, repeated{group_.spawn(run, text), text});
    co_await console_.print(std::to_string(last_) + ": " + text);
  }
  cuvee::task<> list() {
    std::string text;
    for (const auto& [n, r] : running_) text += std::to_string(n) + ": " + r.text + "\n";
    if (text.empty()) text = "nothing";
    co_await console_.print(text);
  }
  cuvee::task<> stop(std::string rest) {
    auto n = number(rest);
    auto found = running_.find(n ? static_cast<int>(*n) : 0);
    if (found == running_.end()) co_return co_await console_.print("stop: which one?");
    found->second.task.cancel();
    running_.erase(found);
  }
  cuvee::task<> size() {
    std::string text = "there is no window";
    if (cuvee::is_terminal(0)) {
      cuvee::terminal_size now = cuvee::window_size(0);
      text = std::to_string(now.columns) + " x " + std::to_string(now.rows);
    }
    co_await console_.print(text);
  }
  cuvee::task<> secret() {
    auto line = co_await console_.read_hidden("secret: ");
    std::string said = line ? std::to_string(line->size()) + " bytes" : "nothing";
    co_await console_.print(said);
  }

  cuvee::console& console_;
  cuvee::group& group_;
  std::map<int, repeated> running_;
  int last_ = 0;
};

cuvee::task<> amain() {
  cuvee::console console;
  console.complete_with([](std::string_view, std::string_view line) {
    std::vector<std::string> words = {"echo", "every", "list", "stop", "size", "secret", "quit"};
    return line.find(' ') == line.npos ? words : std::vector<std::string>();
  });
  if (console.is_interactive()) co_await console.print("help tells the commands, Ctrl-D ends");
  auto body = [&console](cuvee::group& g) -> cuvee::task<> {
    shell commands(console, g);
    while (auto line = co_await console.read_line("console> ")) {
      bool more = co_await commands.execute(std::move(*line));
      if (!more) break;
    }
    g.cancel("the input has ended");
  };
  co_await cuvee::task_group(body);
}

int main(int argc, char** argv) {
  samples::args args("console", "A prompt beside which timers run.");
  if (auto status = args.parse(argc, argv)) return *status;
  return cuvee::run(amain);
}
