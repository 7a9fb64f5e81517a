// SPDX-License-Identifier: MIT
// Command lines of the samples: `--name value`, `--name=value`, `-n value`, flags, positionals,
// `--help`.
#pragma once
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace samples {

/// At exit: output that was lost, on a full disk say, makes the exit status 1.
inline void check_output() {
  errno = 0;
  bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written) return;
  if (errno != EPIPE)  // `| head` has seen enough
    std::fprintf(stderr, "%s: write stdout: %s\n", program_invocation_short_name,
                 errno != 0 ? std::strerror(errno) : "some of it was lost");
  _exit(1);
}

/// Describe each option once, as its help line spells it (`"-o, --output FILE"`), with the variable
/// that it sets and that holds the default; then `parse`.
class args {
 public:
  args(std::string program, std::string about)
      : program_(std::move(program)), about_(std::move(about)) {
    std::atexit(&check_output);
  }

  /// An option without a value.
  args& flag(std::string spelling, bool& into, std::string help) {
    return add(std::move(spelling), std::move(help), [&into](std::string_view) { into = true; });
  }
  args& value(std::string spelling, std::string& into, std::string help) {
    return add(std::move(spelling), std::move(help), [&into](std::string_view v) { into = v; });
  }
  /// An option that may be given several times.
  args& values(std::string spelling, std::vector<std::string>& into, std::string help) {
    return add(std::move(spelling), std::move(help),
               [&into](std::string_view v) { into.emplace_back(v); });
  }
  /// A number from `least` to `most`.
  template <class Number>
  args& number(std::string spelling, Number& into, Number least, Number most, std::string help) {
    return add(std::move(spelling), std::move(help), [&into, least, most](std::string_view v) {
      Number n{};
      auto [end, e] = std::from_chars(v.data(), v.data() + v.size(), n);
      if (e == std::errc() && end == v.data() + v.size() && n >= least && n <= most) into = n;
      else throw std::invalid_argument(range_text(least, most));
    });
  }
  /// What is not an option: at least `least` of them.
  args& positionals(std::string name, std::vector<std::string>& into, std::size_t least) {
    positional_name_ = std::move(name);
    positionals_ = &into;
    least_ = least;
    return *this;
  }

  /// Returns: nothing if the program shall go on, else its exit status: 0 after `--help`, 2 after
  /// one line that says what is wrong.
  std::optional<int> parse(int argc, char** argv) {
    bool options = true;
    for (int i = 1; i < argc; i++) {
      std::string_view word = argv[i];
      if (options && word == "--") {
        options = false;
      } else if (options && word == "--help") {
        return print_help();
      } else if (options && word.size() > 1 && word[0] == '-') {
        std::string wrong = take_option(word, i + 1 < argc ? argv[i + 1] : nullptr, i);
        if (!wrong.empty()) return refuse(wrong);
      } else if (positionals_) {
        positionals_->emplace_back(word);
      } else {
        return refuse("unexpected argument " + std::string(word));
      }
    }
    if (positionals_ && positionals_->size() < least_) return refuse("missing " + positional_name_);
    return std::nullopt;
  }

  /// Says what is wrong in one line. Returns: the exit status for it.
  int refuse(const std::string& why) const {
    std::fprintf(stderr, "%s: %s\n", program_.c_str(), why.c_str());
    return 2;
  }
  const std::string& program() const { return program_; }

 private:
  struct option {
    std::string spelling, help;
    std::vector<std::string> names;
    bool takes_value = false;
    std::function<void(std::string_view)> set;
  };

  args& add(std::string spelling, std::string help, std::function<void(std::string_view)> set) {
    option o{std::move(spelling), std::move(help), {}, false, std::move(set)};
    std::istringstream words(o.spelling);
    for (std::string word; words >> word;) {
      if (word.back() == ',') word.pop_back();
      if (word[0] == '-') o.names.push_back(word);
      else o.takes_value = true;
    }
    options_.push_back(std::move(o));
    return *this;
  }

  // Returns: what is wrong, empty if nothing. Moves `at` on if it used the next word.
  std::string take_option(std::string_view word, const char* next, int& at) {
    std::string name(word.starts_with("--") ? word.substr(0, word.find('=')) : word);
    std::optional<std::string_view> value;
    if (name.size() < word.size()) value = word.substr(name.size() + 1);
    for (const option& o : options_) {
      if (std::find(o.names.begin(), o.names.end(), name) == o.names.end()) continue;
      if (!o.takes_value && value) return name + " takes no value";
      if (o.takes_value && !value) {
        if (!next) return name + " needs a value";
        value = next;
        at++;
      }
      try {
        o.set(value.value_or(""));
        return "";
      } catch (const std::invalid_argument& e) {
        return name + ": " + std::string(*value) + " is not " + e.what();
      }
    }
    return "unknown option " + name + " (see --help)";
  }

  template <class Number>
  static std::string range_text(Number least, Number most) {
    char text[96];
    std::snprintf(text, sizeof text, "a number from %.15g to %.15g", static_cast<double>(least),
                  static_cast<double>(most));
    return text;
  }

  int print_help() const {
    std::string usage = "usage: " + program_ + " [option]...";
    if (positionals_) usage += ' ' + positional_name_;
    std::printf("%s\n%s\n\n", usage.c_str(), about_.c_str());
    for (const option& o : options_)
      std::printf("  %-24s %s\n", o.spelling.c_str(), o.help.c_str());
    std::printf("  %-24s %s\n", "--help", "this text");
    return 0;
  }

  std::string program_, about_, positional_name_;
  std::vector<option> options_;
  std::vector<std::string>* positionals_ = nullptr;
  std::size_t least_ = 0;
};

}  // namespace samples
