// SPDX-License-Identifier: MIT
#include <cuvee/io/foreign_sockets.h>

#include "core/loop_state.h"

#include <exception>
#include <unordered_map>

namespace cuvee::inline v0 {

namespace detail {

/// Something that can become ready. In the table's queue while it is.
struct ready_item : list_node {
  socket_activity activity;
};

class watched_socket : waiter, public ready_item {
 public:
  watched_socket(socket_table& table, int fd)
      : waiter(&on_event), table_(&table), watch_(watch(fd)) {
    activity.descriptor = fd;
  }
  watched_socket(const watched_socket&) = delete;
  ~watched_socket();

  fd_event wanted() const noexcept { return wanted_; }
  void want(fd_event events) noexcept;
  /// Errors: those of the wait.
  void arm();

 private:
  static void on_event(waiter* w);
  void stop_waiting() noexcept;

  socket_table* table_;
  fd_watch watch_;
  std::optional<fd_awaiter> wait_;
  fd_event wanted_ = fd_event::none;
};

class socket_table : timer_node {
 public:
  explicit socket_table(loop_state& l) noexcept : timer_node(&on_timer), home_(&l) {}
  socket_table(const socket_table&) = delete;
  ~socket_table() { clear_timer(); }

  void set(int fd, fd_event wanted) noexcept;
  void remove(int fd) noexcept { sockets_.erase(fd); }
  void set_timer(duration from_now) noexcept;
  void clear_timer() noexcept;
  std::size_t size() const noexcept { return sockets_.size(); }

  // For those who are in the table.
  /// In whatever line it stands now.
  void rest(watched_socket& s) noexcept { move_to(resting_, s); }
  void ready(ready_item& i) noexcept;
  void fail(std::exception_ptr e) noexcept;

  // For who waits.
  bool has_asker() const noexcept { return asker_ != nullptr; }
  void ask(socket_activity_awaiter& a) noexcept { asker_ = &a; }
  void forget(socket_activity_awaiter& a) noexcept {
    if (asker_ == &a) asker_ = nullptr;
  }
  void arm_all() noexcept;
  bool has_news() noexcept { return failure_ || !ready_.empty(); }
  result<socket_activity> take();

 private:
  template <class List>
  static void move_to(List& to, list_node& item) noexcept {
    if (item.linked()) item.unlink();
    to.push_back(item);
  }
  void change(int fd, fd_event wanted);
  void wake() noexcept;
  static void on_timer(timer_node* n);

  loop_state* home_;
  list<watched_socket> resting_;  // not waiting for events
  list<ready_item> ready_;
  std::unordered_map<int, watched_socket> sockets_;
  ready_item timer_item_;
  socket_activity_awaiter* asker_ = nullptr;
  std::exception_ptr failure_;
};

// ---- a socket

watched_socket::~watched_socket() {
  stop_waiting();
  if (linked()) unlink();
}

void watched_socket::stop_waiting() noexcept {
  if (wait_) wait_->await_cancel(*this);
  wait_.reset();
}

void watched_socket::want(fd_event events) noexcept {
  if (events == wanted_) return;
  wanted_ = events;
  activity.events = activity.events & events;
  if (!wait_ && activity.events != fd_event::none) return;  // still news
  stop_waiting();
  table_->rest(*this);
}

void watched_socket::arm() {
  unlink();
  wait_.emplace(watch_.wait(wanted_));
  if (wait_->await_suspend(*this)) return;
  result<fd_event> failed = wait_->await_result();
  wait_.reset();
  std::move(failed).value();
}

void watched_socket::on_event(waiter* w) {
  auto& s = *static_cast<watched_socket*>(w);
  try {
    fd_event events = s.wait_->await_resume();
    s.wait_.reset();
    s.activity.events = events;
    s.table_->ready(s);
  } catch (...) {
    s.wait_.reset();
    s.table_->fail(std::current_exception());
  }
}

// ---- the table

void socket_table::set(int fd, fd_event wanted) noexcept {
  if (wanted == fd_event::none) return remove(fd);
  try {
    change(fd, wanted);
  } catch (...) {
    fail(std::current_exception());
  }
}

void socket_table::change(int fd, fd_event wanted) {
  watched_socket& s = sockets_.try_emplace(fd, *this, fd).first->second;
  s.want(wanted);
  if (asker_) arm_all();
}

// Those that were handed out, or are new: the library has had its turn since.
void socket_table::arm_all() noexcept {
  while (watched_socket* s = resting_.front()) {
    try {
      s->arm();
    } catch (...) {
      fail(std::current_exception());
    }
  }
}

void socket_table::ready(ready_item& i) noexcept {
  move_to(ready_, i);
  wake();
}

// The first one is told, like that of other callers.
void socket_table::fail(std::exception_ptr e) noexcept {
  if (!failure_) failure_ = std::move(e);
  wake();
}

void socket_table::wake() noexcept {
  if (!asker_) return;
  // It stays until it has taken its news, or somebody else might.
  if (waiter* w = std::exchange(asker_->waiter_, nullptr)) w->complete();
}

result<socket_activity> socket_table::take() {
  if (failure_) return result<socket_activity>::caught(std::exchange(failure_, nullptr));
  ready_item* item = ready_.pop_front();
  if (!item) return socket_activity();
  socket_activity news = item->activity;
  item->activity.events = fd_event::none;
  if (news.descriptor) resting_.push_back(*item);
  return news;
}

void socket_table::set_timer(duration from_now) noexcept {
  clear_timer();
  try {
    start_timer(*home_, *this, from_now);
  } catch (...) {
    fail(std::current_exception());
  }
}

void socket_table::clear_timer() noexcept {
  if (armed()) stop_timer(*home_, *this);
  if (timer_item_.linked()) timer_item_.unlink();
}

void socket_table::on_timer(timer_node* n) {
  auto& t = *static_cast<socket_table*>(n);
  t.ready(t.timer_item_);
}

}  // namespace detail

// ---- waiting

socket_activity_awaiter::~socket_activity_awaiter() { table_->forget(*this); }

bool socket_activity_awaiter::await_ready() noexcept {
  busy_ = table_->has_asker();
  if (busy_) return true;
  table_->arm_all();
  return table_->has_news();
}

void socket_activity_awaiter::await_suspend(waiter& w) noexcept {
  waiter_ = &w;
  table_->ask(*this);
}

bool socket_activity_awaiter::await_cancel(waiter&) noexcept {
  table_->forget(*this);
  return true;
}

result<socket_activity> socket_activity_awaiter::await_result() {
  if (busy_) return error(errc::busy, "wait for foreign sockets");
  table_->forget(*this);
  return table_->take();
}

void socket_activity_awaiter::visit(detail::visitor& v) {
  v.about(std::to_string(table_->size()) + " sockets");
}

foreign_sockets::foreign_sockets()
    : table_(std::make_unique<detail::socket_table>(detail::loop_state::current())) {}
foreign_sockets::~foreign_sockets() = default;

void foreign_sockets::set(int socket, fd_event wanted) noexcept { table_->set(socket, wanted); }
void foreign_sockets::remove(int socket) noexcept { table_->remove(socket); }
void foreign_sockets::set_timer(duration from_now) noexcept { table_->set_timer(from_now); }
void foreign_sockets::clear_timer() noexcept { table_->clear_timer(); }
std::size_t foreign_sockets::size() const noexcept { return table_->size(); }

}  // namespace cuvee::inline v0
