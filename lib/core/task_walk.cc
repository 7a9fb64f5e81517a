// SPDX-License-Identifier: MIT
#include "task_walk.h"

#include "loop_state.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace cuvee::inline v0::detail {

namespace {

promise_base& promise_of(std::coroutine_handle<> frame) noexcept {
  return std::coroutine_handle<promise_base>::from_address(frame.address()).promise();
}

// A running strand's `frame` is the one that suspended last and may be gone.
bool stands_still(const strand& s) noexcept {
  return s.frame && s.state != strand_state::running && s.state != strand_state::done;
}

bool waits(const strand& s) noexcept {
  return s.state == strand_state::suspended || s.state == strand_state::suspending ||
         s.state == strand_state::cancel_queued;
}

task_state public_state(strand_state s) noexcept {
  switch (s) {
    case strand_state::created: return task_state::created;
    case strand_state::ready: return task_state::ready;
    case strand_state::running:
    case strand_state::done: return task_state::running;
    case strand_state::unwinding: return task_state::ending;
    default: return task_state::waiting;
  }
}

std::vector<std::source_location> frames_of(const strand& s) {
  std::vector<std::source_location> places;
  if (!stands_still(s)) return places;
  for (std::coroutine_handle<> f = s.frame; f;) {
    promise_base& p = promise_of(f);
    places.push_back(p.where);
    f = p.awaited_by ? p.awaited_by->parent : std::coroutine_handle<>();
  }
  return places;
}

/// Depth first and without recursion: tasks may be nested ten thousand deep.
class tree_walk final : visitor {
 public:
  explicit tree_walk(loop_state& l) noexcept : loop_(l) {}

  task_tree run() {
    if (loop_.main && loop_.main->state != strand_state::done) found_.push_back({.s = loop_.main});
    loop_.visit_background(*this);
    loop_.remote_tasks.for_each([&](remote_task& r) { found_.push_back({.s = &r}); });
    queue_found();
    while (!todo_.empty()) {
      node next = todo_.back();
      todo_.pop_back();
      add(next);
      queue_found();
    }
    resolve_joins();
    return std::move(tree_);
  }

 private:
  struct node {
    strand* s = nullptr;  // null: an operation
    const awaiter_ops* ops = nullptr;
    void* awaiter = nullptr;
    task_kind kind = task_kind::task;
    std::size_t parent = task_info::none;
  };
  struct wanted {
    std::size_t from;
    const strand* target;
  };

  void task(strand& s) override { found_.push_back({.s = &s, .parent = current_}); }
  void block(strand& s) override {
    found_.push_back({.s = &s, .kind = task_kind::block, .parent = current_});
  }
  void operation(const awaiter_ops& ops, void* awaiter) override {
    found_.push_back(
        {.ops = &ops, .awaiter = awaiter, .kind = task_kind::operation, .parent = current_});
  }
  void same(const awaiter_ops& ops, void* awaiter) override { look_at(ops, awaiter); }
  void join(strand& s) override { joins_.push_back({current_, &s}); }
  void about(std::string object) override { object_ = std::move(object); }

  void queue_found() {
    todo_.insert(todo_.end(), found_.rbegin(), found_.rend());
    found_.clear();
  }
  void add(const node& n) {
    current_ = tree_.nodes.size();
    task_info& info = tree_.nodes.emplace_back();
    info.kind = n.kind;
    info.parent = n.parent;
    if (n.parent != task_info::none) info.depth = tree_.nodes[n.parent].depth + 1;
    if (!n.s) {
      info.id = reinterpret_cast<std::uintptr_t>(n.awaiter);
      return look_at(*n.ops, n.awaiter);
    }
    info.id = reinterpret_cast<std::uintptr_t>(n.s);
    info.name = name_of(*n.s);
    info.state = public_state(n.s->state);
    info.cancel_requested = n.s->cancel_requested;
    info.frames = frames_of(*n.s);
    if (loop_.debug) loop_.looking->complete(info, *n.s);
    positions_.emplace(n.s, current_);
    if (waits(*n.s)) look_at(*n.s->ops, n.s->awaiter);
  }
  void look_at(const awaiter_ops& ops, void* awaiter) {
    object_.clear();
    tree_.nodes[current_].waits_for = reason_of(ops);
    if (!ops.visit) return;
    ops.visit(awaiter, *this);
    if (!object_.empty()) tree_.nodes[current_].waits_for += ' ' + object_;
    object_.clear();
  }
  void resolve_joins() {
    for (const wanted& w : joins_)
      if (auto it = positions_.find(w.target); it != positions_.end())
        tree_.nodes[w.from].joins.push_back(it->second);
    if (!joins_.empty()) find_cycles();
  }
  void find_cycles();
  void note_cycle(std::vector<std::size_t> cycle);

  loop_state& loop_;
  task_tree tree_;
  std::vector<node> todo_;
  std::vector<node> found_;  // by the visit in progress, in order
  std::vector<wanted> joins_;
  std::unordered_map<const strand*, std::size_t> positions_;
  std::size_t current_ = task_info::none;
  std::string object_;
};

// A node waits for its children and for what it joins; an edge back to the path is a cycle.
void tree_walk::find_cycles() {
  std::size_t count = tree_.nodes.size();
  std::vector<std::vector<std::size_t>> edges(count);
  for (std::size_t i = 0; i < count; i++) {
    const task_info& n = tree_.nodes[i];
    edges[i].insert(edges[i].end(), n.joins.begin(), n.joins.end());
    if (n.parent != task_info::none) edges[n.parent].push_back(i);
  }
  std::vector<std::size_t> next(count, 0), path;
  std::vector<char> seen(count, 0), on_path(count, 0);
  for (std::size_t start = 0; start < count; start++) {
    if (!seen[start]) path.push_back(start);
    while (!path.empty()) {
      std::size_t at = path.back();
      seen[at] = on_path[at] = 1;
      if (next[at] == edges[at].size()) {
        on_path[at] = 0;
        path.pop_back();
        continue;
      }
      std::size_t to = edges[at][next[at]++];
      if (on_path[to]) note_cycle({std::find(path.begin(), path.end(), to), path.end()});
      else if (!seen[to]) path.push_back(to);
    }
  }
}

void tree_walk::note_cycle(std::vector<std::size_t> cycle) {
  std::erase_if(cycle, [&](std::size_t i) { return tree_.nodes[i].kind != task_kind::task; });
  if (!cycle.empty()) tree_.cycles.push_back(std::move(cycle));
}

}  // namespace

std::string name_of(const strand& s) {
  if (s.kind && s.kind->name)
    if (const std::string* given = s.kind->name(s)) return *given;
  if (s.home && loop_state::of(*s.home).main == &s) return "main";
  if (!stands_still(s)) return {};
  std::coroutine_handle<> f = s.frame;
  while (promise_of(f).awaited_by) f = promise_of(f).awaited_by->parent;
  return short_name(promise_of(f).where);
}

std::source_location place_of(const strand& s) {
  return stands_still(s) ? promise_of(s.frame).where : std::source_location();
}

// From `… [A = cuvee::v0::mutex::lock_awaiter]` or gcc's `… [with A = …]`.
std::string reason_of(const awaiter_ops& ops) {
  std::string_view all = ops.signature;
  std::size_t begin = all.find("A = ");
  if (begin == all.npos) return "an operation";
  all.remove_prefix(begin + 4);
  std::string name;
  int nesting = 0;
  for (char c : all) {
    if (c == '<') nesting++;
    if (nesting == 0 && (c == ']' || c == ';')) break;
    if (nesting == 0) name += c;
    if (c == '>') nesting--;
  }
  for (std::string_view part :
       {"const ", "cuvee::", "v0::", "detail::", "{anonymous}::", "(anonymous namespace)::"})
    for (std::size_t at; (at = name.find(part)) != name.npos;) name.erase(at, part.size());
  constexpr std::string_view suffix = "_awaiter";
  if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  return name;
}

task_tree walk_tasks(loop_state& l) { return tree_walk(l).run(); }

}  // namespace cuvee::inline v0::detail
