// SPDX-License-Identifier: MIT
#include "task_walk.h"
#include "loop_state.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <string_view>

namespace cuvee::inline v0 {

namespace {

constexpr std::size_t most_frames = 32;  // of a task; more are only counted

std::string_view base_name(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

const char* describe_state(task_state s) noexcept {
  switch (s) {
    case task_state::created: return "not begun";
    case task_state::ready: return "ready";
    case task_state::running: return "running";
    case task_state::ending: return "cancelled, ending";
    case task_state::waiting: break;
  }
  return "waits";
}

std::string describe_age(duration age) {
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(age).count();
  return ms < 10'000 ? std::to_string(ms) + " ms" : std::to_string(ms / 1000) + " s";
}

std::string label(const task_info& n) {
  if (n.kind == task_kind::operation) return {};
  if (n.name.empty()) return n.kind == task_kind::block ? "a block" : "a task";
  return n.kind == task_kind::block ? "block " + n.name : "task '" + n.name + "'";
}

void print_head(std::string& out, const task_tree& tree, const task_info& n) {
  std::string text = label(n);
  if (n.kind != task_kind::operation) text += ": ";
  if (n.state != task_state::waiting) text += describe_state(n.state);
  else text += n.waits_for.empty() ? std::string("waits") : n.waits_for;
  for (std::size_t i : n.joins) text += " -> " + label(tree.nodes[i]);
  if (n.cancel_requested && n.state != task_state::ending) text += ", cancel requested";
  if (n.age) text += ", " + describe_age(*n.age) + " old";
  if (!n.created_by.empty()) text += ", created by " + n.created_by;
  out += std::string(2 * n.depth, ' ') + text + '\n';
}

void print_frames(std::string& out, const task_info& n) {
  std::string indent(2 * n.depth + 4, ' ');
  std::size_t count = std::min(n.frames.size(), most_frames);
  for (std::size_t i = 0; i < count; i++) out += indent + "at " + to_string(n.frames[i]) + '\n';
  if (std::size_t more = n.frames.size() - count; more != 0)
    out += indent + "and " + std::to_string(more) + " more\n";
}

// The first sentence of a deadlock: who waits for what, without those who only wait for others.
std::string summary(const task_tree& tree) {
  std::vector<bool> waits_for_another(tree.nodes.size());
  for (const task_info& n : tree.nodes)
    if (n.parent != task_info::none) waits_for_another[n.parent] = true;
  constexpr std::size_t most = 3;
  std::string text;
  std::size_t leaves = 0;
  for (std::size_t i = 0; i < tree.nodes.size(); i++) {
    const task_info& n = tree.nodes[i];
    if (waits_for_another[i] || leaves++ >= most) continue;
    text += leaves == 1 ? "" : ", ";
    text += n.kind == task_kind::operation ? n.waits_for : label(n) + " in " + n.waits_for;
    if (!n.frames.empty()) text += " at " + to_string(n.frames.front());
  }
  if (leaves > most) text += " and " + std::to_string(leaves - most) + " more";
  return "nothing is left that could wake " + text;
}

}  // namespace

std::size_t task_tree::size() const noexcept {
  auto is_task = [](const task_info& n) { return n.kind == task_kind::task; };
  return static_cast<std::size_t>(std::count_if(nodes.begin(), nodes.end(), is_task));
}

const task_info* task_tree::find(std::string_view name) const noexcept {
  for (const task_info& n : nodes)
    if (n.kind == task_kind::task && n.name == name) return &n;
  return nullptr;
}

std::string to_string(const task_tree& tree) {
  std::string out;
  for (const task_info& n : tree.nodes) {
    print_head(out, tree, n);
    print_frames(out, n);
  }
  for (const auto& cycle : tree.cycles) {
    out += "cycle: ";
    for (std::size_t i : cycle) out += label(tree.nodes[i]) + " -> ";
    out += label(tree.nodes[cycle.front()]) + '\n';
  }
  return out;
}

// clang gives the signature, g++ that of the function into which it turns the body: `void f(f(int)::….Frame*)`.
std::string short_name(const std::source_location& place) {
  std::string all = place.function_name();
  for (std::string_view part : {"(anonymous namespace)::", "{anonymous}::"})
    for (std::size_t at; (at = all.find(part)) != all.npos;) all.erase(at, part.size());
  std::string name;
  int nesting = 0;
  std::size_t end = 0;
  for (; end < all.size(); end++) {
    char c = all[end];
    if (c == '<') nesting++;
    if (nesting == 0 && c == '(' && !name.empty()) break;
    if (nesting == 0 && c == ' ') name.clear();
    else if (nesting == 0) name += c;
    if (c == '>') nesting--;
  }
  std::string_view rest = std::string_view(all).substr(end);
  bool lambda = rest.find("lambda") != rest.npos || rest.find("(anonymous class)") != rest.npos;
  if (std::size_t colon = name.rfind("::"); !lambda && colon != name.npos)
    if (std::size_t outer = name.rfind("::", colon - 1); outer != name.npos)
      name.erase(0, outer + 2);  // at most Class::function
  return lambda ? "lambda in " + name : name;
}

std::string to_string(const std::source_location& place) {
  if (place.line() == 0) return "?";
  return short_name(place) + " (" + std::string(base_name(place.file_name())) + ":" +
         std::to_string(place.line()) + ")";
}

task_tree loop::tasks() const {
  state_->check_thread("list the tasks");
  return detail::walk_tasks(*state_);
}

task_tree dump_tasks(const loop_ref& target) {
  detail::refuse_to_block("dump tasks", target);
  std::promise<task_tree> promise;
  std::future<task_tree> tree = promise.get_future();
  target.post([p = std::move(promise)]() mutable {
    try {
      p.set_value(loop::current().tasks());
    } catch (...) {
      p.set_exception(std::current_exception());
    }
  });
  try {
    return tree.get();
  } catch (const std::future_error&) {  // the loop went, and the post with it
    throw error(errc::loop_closed, "dump tasks");
  }
}

deadlock_error::deadlock_error(task_tree tasks)
    : error(errc::deadlock, "run", {}, "deadlock: " + summary(tasks)),
      tasks_(std::make_shared<const task_tree>(std::move(tasks))) {}
deadlock_error::~deadlock_error() = default;

}  // namespace cuvee::inline v0
