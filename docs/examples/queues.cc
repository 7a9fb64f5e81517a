// SPDX-License-Identifier: MIT
#include "run.h"

using namespace cuvee;
using namespace std::chrono_literals;
using examples::say;

task<> work(queue<int>& jobs, int worker) {
  for (;;) {
    int job = co_await jobs.get();
    co_await sleep(job * 10ms);
    say("worker %d did job %d", worker, job);
    jobs.task_done();
  }
}

task<> a_queue() {
  queue<int> jobs(2);  // `put` waits while two are in it
  co_await task_group([&](group& g) -> task<> {
    for (int i = 1; i <= 2; i++) g.spawn(work, std::ref(jobs), i);
    for (int job = 1; job <= 5; job++) co_await jobs.put(job);
    co_await jobs.join();
    g.cancel();
  });
}

task<> send(sender<std::string> to, std::string name, int count) {
  for (int i = 1; i <= count; i++) co_await to.send(name + std::to_string(i));
}  // its sender goes here; the last one to go ends the channel

task<> a_channel() {
  co_await task_group([](group& g) -> task<> {
    auto [tx, rx] = channel<std::string>(8);
    g.spawn(send, tx, "a", 2);
    g.spawn(send, std::move(tx), "b", 1);
    while (auto text = co_await rx.recv()) say("received %s", text->c_str());
  });
}

task<> listen_to(subscription<int> news, std::string name) {
  for (;;) {
    auto item = co_await as_result(news.recv());
    if (!item) {
      say("%s: %s", name.c_str(), item.error().what());
    } else if (*item) {
      say("%s: %d", name.c_str(), **item);
    } else {
      co_return;
    }
  }
}

task<> a_broadcast() {
  broadcast<int> news(2);
  co_await task_group([&](group& g) -> task<> {
    g.spawn(listen_to, news.subscribe(), "quick");
    subscription<int> lazy = news.subscribe();
    co_await checkpoint();
    for (int i = 1; i <= 3; i++) {
      news.send(i);
      co_await sleep(1ms);
    }
    news.close();
    g.spawn(listen_to, std::move(lazy), "lazy");
  });
}

task<> amain() {
  co_await a_queue();
  co_await a_channel();
  co_await a_broadcast();
}

int main() { return examples::run(amain); }
