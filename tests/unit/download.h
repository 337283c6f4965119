// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <future>
#include <random>
#include <thread>

#include <sys/resource.h>

#include "await.h"
#include "boxes.h"
#include "clip/downloader.h"
#include "support/clip_server.h"
#include "unit.h"

namespace aimlvideo::test {

enum class MoovPlace { First, Last };

/// Boxes of a clip with noise in them.
inline std::string boxedNoise(size_t size, MoovPlace place, unsigned seed = 1) {
  std::minstd_rand random(seed);
  std::string bytes(size, '\0');
  for (char &byte : bytes)
    byte = static_cast<char>(random() >> 8);
  const std::string start = box("ftyp", std::string("mp42\0\0\0\0mp42isom", 16));
  const std::string moov = box("moov", bytes.substr(0, 2000));
  const std::string media = box("mdat", bytes);
  return start + (place == MoovPlace::First ? moov + media : media + moov);
}

/// A download of a clip from a host with some manners, and what it told.
struct Download {
  std::string clip;
  ClipServer host;
  HttpSession session{SessionOptions{}};
  Cancellation cancellation;
  Downloader::Limits limits;
  std::shared_ptr<SpoolFile> spool;
  std::string link;               ///< what the service gives for a link that was refused
  std::optional<Error> linkFault; ///< or why it gives none

  std::atomic<unsigned> arrivals = 0;
  std::atomic<uint64_t> receivedAtArrival = 0;
  unsigned renewals = 0;
  std::vector<std::string> causes; ///< of repetitions
  uint64_t lastReceived = 0;
  bool hostHadPartOnly = false;
  std::string incomplete;
  std::function<void()> onProgress;

  explicit Download(std::string bytes, ClipServer::Manners manners = {}, ClipLine line = {})
      : clip(std::move(bytes)), host(clip, std::move(manners), line), link(host.url() + "/fresh?sig=b%2Fc") {
    using namespace std::chrono_literals;
    auto made = SpoolFile::create("");
    fail_unless(made.has_value());
    spool = *made;
    limits.reach = ClipReach::ThisMachine;
    limits.deadline = Clock::now() + 30s;
    limits.retries = {1ms, 5ms, 0};
  }

  Result<void> fetch() {
    Downloader::Callbacks callbacks;
    callbacks.freshUrl = [this]() -> Task<Result<std::string>> {
      ++renewals;
      if (linkFault)
        co_return tl::unexpected(*linkFault);
      co_return link;
    };
    callbacks.arriving = [this] {
      receivedAtArrival = spool->present().bytes();
      ++arrivals;
    };
    callbacks.progressed = [this](uint64_t received, std::optional<uint64_t>) {
      lastReceived = received;
      if (onProgress)
        onProgress();
    };
    callbacks.retrying = [this](const std::string &why) {
      causes.push_back(why);
    };
    Downloader downloader(session, cancellation, limits, std::move(callbacks));
    auto fetched = await(downloader.fetch(host.url() + "/clip.mp4?sig=a%2Fb", *spool));
    hostHadPartOnly = downloader.hostHasPartOnly();
    incomplete = downloader.incomplete();
    return fetched;
  }

  /// Fetches what has to arrive, byte for byte.
  void succeed() {
    const auto fetched = fetch();
    fail_unless(fetched.has_value(), "%s", fetched ? "" : fetched.error().text().c_str());
    fail_unless(spool->complete());
    fail_unless_equals_uint64(spool->size().value_or(0), clip.size());
    std::string got(clip.size(), '\0');
    fail_unless(spool->read(0, got.data(), got.size()) == got.size());
    fail_unless(got == clip);
    fail_unless_equals_int(arrivals, 1);
  }

  Error fault() {
    const auto fetched = fetch();
    fail_if(fetched.has_value());
    return fetched.error();
  }

  /// A reader's read on this thread.
  std::string read(uint64_t offset, uint64_t length) {
    const auto arrival = spool->await({offset, length, Spool::Amount::Whole}, [] { return false; });
    std::string bytes(arrival.size, '\0');
    (void)spool->read(offset, bytes.data(), bytes.size());
    return bytes;
  }
};

/// More downloads of the same clip by the same session, each with a spool of its own.
class Crowd {
public:
  Crowd(Download &first, size_t number) : first_(first) {
    for (size_t i = 0; i < number; ++i)
      results_.push_back(std::async(std::launch::async, [this] { return fetch(); }));
  }
  Crowd(const Crowd &) = delete;
  Crowd &operator=(const Crowd &) = delete;
  ~Crowd() { stop(); }

  void stop() {
    cancellation_.cancel();
    for (auto &result : results_)
      if (result.valid())
        result.wait();
  }
  /// Blocks until so many have the clip, byte for byte; aborts the test after 60 s.
  void waitFor(size_t number) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(60), [&] { return right_ >= number; }))
      g_error("%zu of %zu downloads have ended", right_, results_.size());
  }

private:
  bool fetch() {
    auto spool = SpoolFile::create("");
    if (!spool)
      return false;
    Downloader::Callbacks callbacks;
    callbacks.freshUrl = [this]() -> Task<Result<std::string>> {
      co_return first_.link;
    };
    callbacks.arriving = [] {
    };
    callbacks.progressed = [](uint64_t, std::optional<uint64_t>) {
    };
    callbacks.retrying = [](const std::string &) {
    };
    Downloader downloader(first_.session, cancellation_, first_.limits, std::move(callbacks));
    const auto done = await(downloader.fetch(first_.host.url() + "/clip.mp4", **spool));
    std::string got(first_.clip.size(), '\0');
    if (!done || (*spool)->read(0, got.data(), got.size()) != got.size() || got != first_.clip)
      return false;
    const std::lock_guard lock(mutex_);
    ++right_;
    changed_.notify_all();
    return true;
  }

  Download &first_;
  Cancellation cancellation_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t right_ = 0;
  std::vector<std::future<bool>> results_;
};

/// So many downloads are under way from one host at a time with the usual number of descriptors.
constexpr size_t mostAtOnce = 32;
inline void allowUsualDescriptors() {
  rlimit limits{};
  g_assert(getrlimit(RLIMIT_NOFILE, &limits) == 0 && limits.rlim_max >= 1024);
  limits.rlim_cur = 1024;
  g_assert(setrlimit(RLIMIT_NOFILE, &limits) == 0);
}

} // namespace aimlvideo::test
