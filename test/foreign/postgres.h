// SPDX-License-Identifier: MIT
// A PostgreSQL server of the test's own, and libpq's connections as coroutines.
#pragma once
#include "peer.h"

#include <cuvee/io.h>
#include <libpq-fe.h>

#include <pwd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace postgres {

using namespace cuvee;
using namespace std::chrono_literals;

struct failure : std::runtime_error {
  using runtime_error::runtime_error;
};

// ---- the server

/// Where Debian has the newest one's programs; empty: there is none, or nobody to run it as.
inline std::string programs() {
  std::string newest;
  std::error_code none;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", none))
    if (std::string bin = version.path() / "bin"; std::filesystem::exists(bin + "/initdb", none))
      newest = std::max(newest, bin);
  if (geteuid() == 0 && !getpwnam("postgres")) return "";
  return newest;
}

inline bool missing() {
  static const bool none = programs().empty();
  if (none) std::printf("skipped: cases that need PostgreSQL, which is not installed\n");
  return none;
}

/// A command as the user `postgres` if this is root, whom PostgreSQL refuses.
inline command as_user(command c) {
  if (geteuid() != 0) return c;
  passwd* user = getpwnam("postgres");
  c.uid(user->pw_uid).gid(user->pw_gid);
  return c;
}

class server {
 public:
  /// In a folder of its own, with a unix socket there and no port. Ends with this process at the latest.
  static task<server> start() {
    server s;
    if (geteuid() == 0 && chown(s.where().c_str(), getpwnam("postgres")->pw_uid, 0) != 0)
      throw failure("cannot give the folder away");
    command make(programs() + "/initdb", "-D", s.data(), "-U", "tester", "-A", "trust", "-E",
                 "UTF8", "--no-locale", "--no-sync");
    process_result made =
        co_await run_process(as_user(std::move(make.cwd(s.where()))), capture::all);
    made.check();
    command run("setpriv", "--pdeathsig", "QUIT", programs() + "/postgres", "-D", s.data());
    run.arg("-k").arg(s.where()).arg("-c").arg("listen_addresses=").arg("-F");
    run.cwd(s.where()).out_to(s.where() + "/log").err(to_stdout);
    s.child_.emplace(spawn(as_user(std::move(run))));
    co_return s;
  }

  std::string address() const { return "host=" + where() + " user=tester dbname=postgres"; }
  bool runs() { return !child_->status(); }
  std::string log() const {
    std::ifstream file(where() + "/log");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  task<> close() {
    child_->kill(SIGQUIT);
    co_await child_->wait();
  }

 private:
  const std::string& where() const { return folder_.path(); }
  std::string data() const { return where() + "/data"; }

  peers::temporary_folder folder_;
  std::optional<process> child_;
};

// ---- libpq

struct finisher {
  void operator()(PGconn* c) const noexcept { PQfinish(c); }
  void operator()(PGresult* r) const noexcept { PQclear(r); }
  void operator()(PGcancel* c) const noexcept { PQfreeCancel(c); }
};
using answer = std::unique_ptr<PGresult, finisher>;

/// A connection whose calls wait in the loop.
class connection {
 public:
  /// Errors: failure.
  static task<connection> open(std::string address) {
    connection c(PQconnectStart(address.c_str()));
    for (PostgresPollingStatusType step = PGRES_POLLING_WRITING; step != PGRES_POLLING_OK;) {
      // The socket may be another one after each step.
      if (PQstatus(c.native()) == CONNECTION_BAD || step == PGRES_POLLING_FAILED) c.fail();
      if (step == PGRES_POLLING_READING) co_await readable(PQsocket(c.native()));
      else co_await writable(PQsocket(c.native()));
      step = PQconnectPoll(c.native());
    }
    PQsetnonblocking(c.native(), 1);
    PQsetNoticeProcessor(c.native(), [](void*, const char*) {}, nullptr);  // else on stderr
    c.socket_.emplace(watch(PQsocket(c.native())));
    co_return c;
  }

  /// The last result of a query. Errors: failure, with the server's words.
  /// Cancel: the query is cancelled at the server, its result awaited; the connection is as before.
  task<answer> query(std::string text, std::optional<std::string> parameter = {}) {
    auto end = [this]() -> task<> {
      if (PQtransactionStatus(native()) != PQTRANS_ACTIVE) co_return;
      std::unique_ptr<PGcancel, finisher> request(PQgetCancel(native()));
      auto ask = [&] {
        char why[256];
        return PQcancel(request.get(), why, sizeof why);
      };
      co_await offload(ask);  // it makes a connection and waits
      co_await results();
    };
    answer last = co_await try_finally(ask(std::move(text), std::move(parameter)), end);
    ExecStatusType status = PQresultStatus(last.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
      throw failure(PQresultErrorMessage(last.get()));
    co_return last;
  }

  /// The first column of the first row.
  task<std::string> value(std::string text, std::optional<std::string> parameter = {}) {
    answer a = co_await query(std::move(text), std::move(parameter));
    co_return PQgetvalue(a.get(), 0, 0);
  }

  /// What somebody has told a channel that this connection listens to.
  task<std::string> notification() {
    for (;;) {
      if (PGnotify* n = PQnotifies(native())) {
        std::string text = std::string(n->relname) + ' ' + n->extra;
        PQfreemem(n);
        co_return text;
      }
      co_await receive();
    }
  }

  PGconn* native() const noexcept { return native_.get(); }

 private:
  explicit connection(PGconn* c) : native_(c) {}
  [[noreturn]] void fail() const { throw failure(PQerrorMessage(native())); }

  task<> receive() {
    co_await socket_->readable();
    if (!PQconsumeInput(native())) fail();
  }
  task<answer> ask(std::string text, std::optional<std::string> parameter) {
    const char* values[] = {parameter ? parameter->c_str() : nullptr};
    int count = parameter ? 1 : 0;
    if (!PQsendQueryParams(native(), text.c_str(), count, nullptr, values, nullptr, nullptr, 0))
      fail();
    co_await send();
    co_return co_await results();
  }
  // The server may answer, or complain, before it has read all.
  task<> send() {
    for (int left = PQflush(native()); left != 0; left = PQflush(native())) {
      if (left < 0) fail();
      auto [input, room] = co_await any_of(socket_->readable(), socket_->writable());
      if (input && !PQconsumeInput(native())) fail();
    }
  }
  task<answer> results() {
    answer last;
    for (;;) {
      while (PQisBusy(native())) co_await receive();
      answer next(PQgetResult(native()));
      if (!next) co_return last;
      last = std::move(next);
    }
  }

  std::unique_ptr<PGconn, finisher> native_;
  std::optional<fd_watch> socket_;  // gone before its descriptor is closed
};

/// As soon as the server takes connections.
inline task<connection> first_connection(server& s) {
  for (;;) {
    try {
      co_return co_await connection::open(s.address());
    } catch (const failure&) {
      if (!s.runs()) throw failure("the server has ended: " + s.log());
    }
    co_await sleep(20ms);
  }
}

}  // namespace postgres
