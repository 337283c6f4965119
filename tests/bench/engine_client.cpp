// SPDX-License-Identifier: LGPL-2.1-or-later
// Many generations at once in one process without GStreamer, for many.py, with the service and the key in the
// environment.
//
//   engine-client COUNT [CERTIFICATE]
//
// With BENCH_TLS_TRUST in the environment certificates are parsed once, as in the command line (http/tls_trust.h).
//
// Brings one generation to its end, so that what a process pays once is paid, and prints the seconds of CPU so far.
// Then it waits for a line, starts all the others and prints how many of them failed when they are over.
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <aimlvideo/job.h>

#include "usage.h"
#if __has_include("http/tls_trust.h") // not in older versions
#include "http/tls_trust.h"
#endif

using namespace aimlvideo;

namespace {

constexpr auto warmUpModel = "kling-video/v1.6/standard/text-to-video"; // whose time is not that of the others

/// Counts the jobs that are over.
class Tally : public JobObserver {
public:
  void stateChanged(const Status &) override {}
  void progressed(const Status &, const std::string &) override {}
  void arriving(const Status &, const std::shared_ptr<Spool> &) override {}
  void completed(const Status &) override { end(true); }
  void failed(const Status &, const Error &error) override {
    if (failures == 0)
      std::fprintf(stderr, "%s\n", error.text().c_str());
    end(false);
  }
  void logged(LogLevel, const std::string &) override {}

  void wait(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return over_ == count; });
  }

  std::atomic<size_t> failures = 0;

private:
  void end(bool well) {
    failures += !well;
    const std::lock_guard lock(mutex_);
    ++over_;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  size_t over_ = 0;
};

/// Runs generations of the prompts until all are over, and returns how many failed.
size_t runAll(const std::vector<std::string> &prompts, const std::string &model, GTlsDatabase *trusted) {
  Tally tally;
  std::vector<std::shared_ptr<Job>> jobs;
  for (const std::string &prompt : prompts) {
    Settings settings;
    settings.prompt = prompt;
    settings.model = model;
    settings.baseUrl = g_getenv("AIMLAPI_BASE_URL");
    settings.apiKey = Secret(g_getenv("AIMLAPI_KEY"));
    settings.pollInterval = pollInterval();
    settings.tlsDatabase = share(trusted);
    jobs.push_back(Job::start(std::move(settings), 0, tally));
  }
  tally.wait(jobs.size());
  for (const auto &job : jobs)
    job->stop();
  return tally.failures;
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 2)
    g_error("usage: engine-client COUNT [CERTIFICATE]");
#if __has_include("http/tls_trust.h")
  if (g_getenv("BENCH_TLS_TRUST"))
    TlsTrust::enable();
#endif
  GRefPtr<GTlsDatabase> trusted;
  if (argc > 2)
    trusted = adopt(g_tls_file_database_new(argv[2], nullptr));
  size_t failures = runAll({"warm"}, warmUpModel, trusted.get());
  std::vector<std::string> prompts(std::strtoul(argv[1], nullptr, 10));
  for (size_t i = 0; i < prompts.size(); ++i)
    prompts[i] = "number " + std::to_string(i);
  std::printf("%f\n", cpuSeconds());
  std::fflush(stdout);
  if (std::getchar() == EOF)
    return 1;
  failures += runAll(prompts, {}, trusted.get());
  std::printf("%zu\n", failures);
  return 0;
}
