// SPDX-License-Identifier: MIT
// Producers and workers with a bounded queue between them: a producer waits while the queue is full, a worker while
// it is empty, and `join` waits until every item has been dealt with. Ctrl-C still prints the totals.
//   ./queue_workers --workers 3 --items 20
#include <cuvee/core.h>

#include "args.h"

#include <cstdio>
#include <vector>

using namespace std::chrono_literals;

struct settings {
  int producers = 2, workers = 3, items = 12, room = 4;
};

// Told whatever ends the program: the destructor also runs when a cancel takes the frames down.
class totals {
 public:
  explicit totals(int workers) : done_(static_cast<std::size_t>(workers)) {}
  totals(const totals&) = delete;
  totals& operator=(const totals&) = delete;
  ~totals() {
    int all = 0;
    for (std::size_t i = 0; i < done_.size(); i++) {
      std::printf("worker %zu: %d items\n", i + 1, done_[i]);
      all += done_[i];
    }
    std::printf("%d items in all\n", all);
  }
  void count(int worker) { done_[static_cast<std::size_t>(worker) - 1]++; }

 private:
  std::vector<int> done_;
};

cuvee::task<> produce(cuvee::queue<int>& jobs, int producer, int last, int step) {
  for (int item = producer; item <= last; item += step) {
    co_await jobs.put(item);
    std::printf("producer %d put %d\n", producer, item);
  }
}

cuvee::task<> work(cuvee::queue<int>& jobs, int worker, totals& sums) {
  for (;;) {
    int item = co_await jobs.get();
    co_await cuvee::sleep(20ms * (1 + item % 3));
    std::printf("worker %d did %d\n", worker, item);
    std::fflush(stdout);
    sums.count(worker);
    jobs.task_done();
  }
}

cuvee::task<> amain(settings s) {
  cuvee::queue<int> jobs(s.room);
  totals sums(s.workers);
  co_await cuvee::task_group([&](cuvee::group& workers) -> cuvee::task<> {
    for (int i = 1; i <= s.workers; i++) workers.spawn(work, std::ref(jobs), i, std::ref(sums));
    co_await cuvee::task_group([&](cuvee::group& producers) -> cuvee::task<> {
      for (int i = 1; i <= s.producers; i++)
        producers.spawn(produce, std::ref(jobs), i, s.items, s.producers);
      co_return;
    });
    co_await jobs.join();  // all were put, now all are done
    workers.cancel();      // they wait for more; the group ends without an error
  });
}

int main(int argc, char** argv) {
  settings s;
  samples::args args("queue_workers", "Producers put numbers into a queue, workers take them out.");
  args.number("--producers N", s.producers, 1, 1000, "tasks that put items (2)");
  args.number("--workers N", s.workers, 1, 1000, "tasks that get items (3)");
  args.number("--items N", s.items, 0, 1'000'000'000, "items in all (12)");
  args.number("--room N", s.room, 0, 1'000'000, "items that the queue holds (4)");
  if (auto status = args.parse(argc, argv)) return *status;
  return cuvee::run(amain, s);
}
