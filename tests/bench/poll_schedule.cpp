// SPDX-License-Identifier: LGPL-2.1-or-later
/// When to ask: the schedule of this project and those of others on the same simulated generations, as Markdown tables.
/// Nothing is waited for; the network takes no time.
///
///   poll-schedule [JOBS-PER-MODEL [ours]]
///
/// With `ours` the schedule of this project alone, on documented times.
#include "timing/poll_schedule.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>

#include "api/catalogue.h"
#include "poll_optimum.h"

using namespace aimlvideo;
using namespace aimlvideo::bench;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

namespace {

constexpr double spread = 0.25; ///< of single generations about the time of their model

/// Seconds to the next poll, by what was waited, the time that is expected and a random number of 0 to 1.
using Schedule = std::function<double(double waited, double expected, double random)>;

struct Peer {
  const char *name;
  const char *source;
  Schedule pause;
};

Schedule every(double seconds) {
  return [=](double, double, double) {
    return seconds;
  };
}

Schedule doublingEvery30(double base) {
  return [=](double waited, double, double) {
    return std::min(30.0, base * std::exp2(std::floor(waited / 30)));
  };
}

double etaAware(double waited, double expected, double) {
  const double share = waited / expected;
  if (share < 0.55)
    return std::min(10.0, std::max(0.55 * expected - waited, 1.0));
  if (share < 0.75)
    return 2;
  return share < 1.3 ? 1 : share < 2 ? 2 : 5;
}

const Peer peers[] = {
    {"every 0.1 s", "fal-ai/fal, Python: client.py DEFAULT_QUEUE_POLL_INTERVAL", every(0.1)},
    {"every 0.5 s", "fal-ai/fal-js: queue.ts; replicate-python and -js: REPLICATE_POLL_INTERVAL", every(0.5)},
    {"every 1 s", "openai-python: resources/videos.py; KwaiVGI ComfyUI client: py/api/client.py", every(1)},
    {"every 2 s", "n8n node of AI/ML API: utils/generation.ts (which gives up after 120 s)", every(2)},
    {"10, 2, 1, 2, 5 s about the expected time", "an ETA-aware schedule, of no product", etaAware},
    {"every 5 s", "ComfyUI: util/client.py poll_op; Vercel AI SDK 7: generate-video.ts; n8n node of fal", every(5)},
    {"6 s +- 1.5 s", "runwayml SDK: lib/polling.py",
     [](double, double, double random) {
       return 4.5 + 3 * random;
     }},
    {"every 10 s", "SDK of AI/ML API; ArcReel: video_backends/kling.py", every(10)},
    {"every 15 s", "samples in AI/ML API's documentation", every(15)},
    {"every 20 s", "googleapis/python-genai: README (Veo)", every(20)},
    {"1 s, doubled every 30 s, to 30 s", "genblaze: providers/base.py", doublingEvery30(1)},
    {"5 s, doubled every 30 s, to 30 s", "likewise", doublingEvery30(5)},
    {"2 % of the time waited, 1 to 10 s", "this project before it learned",
     [](double waited, double, double random) {
       return std::min(std::max(0.3, waited), std::clamp(waited / 50, 1.0, 10.0)) * (0.9 + 0.2 * random);
     }},
};

/// Mean and 95th percentile of the delay until completion is noticed, and polls, over many generations.
class Tally {
public:
  void add(double delay, unsigned polls) {
    delays_.push_back(delay);
    polls_ += polls;
  }
  double mean() const { return sum() / count(); }
  double polls() const { return polls_ / count(); }
  void print(const std::string &name, const std::string &source) {
    std::sort(delays_.begin(), delays_.end());
    std::printf("| %s | %.2f | %.2f | %.0f | %s |\n", name.c_str(), mean(), delays_[delays_.size() * 95 / 100], polls(),
                source.c_str());
  }

private:
  double count() const { return static_cast<double>(delays_.size()); }
  double sum() const {
    double total = 0;
    for (const double delay : delays_)
      total += delay;
    return total;
  }

  std::vector<double> delays_;
  double polls_ = 0;
};

using Random = std::mt19937;

double logNormal(double median, double deviation, Random &random) {
  return median * std::exp(std::normal_distribution(0.0, deviation)(random));
}

double uniform(Random &random) {
  return std::uniform_real_distribution(0.0, 1.0)(random);
}

/// Polls a generation that takes so long.
void follow(double seconds, Tally &tally, const std::function<double(double waited)> &pause) {
  double waited = 0;
  for (unsigned polls = 1;; ++polls) {
    waited += pause(waited);
    if (waited >= seconds)
      return tally.add(waited - seconds, polls);
  }
}

void followByPeer(double seconds, Tally &tally, const Peer &peer, double expected, Random &random) {
  follow(seconds, tally, [&](double waited) { return peer.pause(waited, expected, uniform(random)); });
}

void followByOurs(double seconds, Tally &tally, const GenerationTimes &times, Random &random) {
  const uint32_t seed = random();
  follow(seconds, tally, [&](double waited) {
    return std::chrono::duration<double>(pollPause(times, milliseconds(std::llround(1000 * waited)), seed)).count();
  });
}

/// The documented times of the Kling models that take a prompt or an image.
std::vector<double> documentedTimes() {
  std::vector<double> times;
  for (const Model &model : Catalogue::instance().models())
    if (model.sample.seconds > 0 && model.kind.find("avatar") == std::string::npos)
      times.push_back(model.sample.seconds);
  return times;
}

void heading(const char *text) {
  std::printf("\n%s\n\n| schedule | mean delay, s | 95 %% | polls | from |\n|---|---|---|---|---|\n", text);
}

/// The documented times are right but for the spread, or wrong by a factor; nothing is learned.
void compareOnDocumented(unsigned jobs, double factor, bool onlyOurs = false) {
  const std::vector<double> medians = documentedTimes();
  const auto simulate = [&](const std::function<void(double median, double seconds, Tally &, Random &)> &one) {
    Random random(1);
    Tally tally;
    for (const double median : medians)
      for (unsigned job = 0; job < jobs; ++job)
        one(median, logNormal(median, spread, random), tally, random);
    return tally;
  };
  if (factor == 1 && !onlyOurs)
    for (const Peer &peer : peers)
      simulate([&](double median, double seconds, Tally &tally, Random &random) {
        followByPeer(seconds, tally, peer, median, random);
      }).print(peer.name, peer.source);
  else if (!onlyOurs)
    simulate([&](double median, double seconds, Tally &tally, Random &random) {
      followByPeer(seconds, tally, peers[4], median * factor, random);
    }).print(peers[4].name, peers[4].source);
  simulate([&](double median, double seconds, Tally &tally, Random &random) {
    followByOurs(seconds, tally, GenerationTimes(median * factor), random);
  }).print("**by the chance of completion**", "**aimlvideosrc**, by documented times");
  simulate([&](double median, double seconds, Tally &tally, Random &random) {
    std::vector<GenerationTimes::Observation> learned;
    for (int i = 0; i < 32; ++i)
      learned.push_back({logNormal(median * factor, spread, random), 0, false});
    followByOurs(seconds, tally, GenerationTimes(median * factor, learned), random);
  }).print("**by the chance of completion**", "**aimlvideosrc**, after 32 generations");
  if (factor != 1 || onlyOurs)
    return;
  for (const double worth : {0.019, 0.0175, 0.012}) {
    std::vector<std::vector<double>> optima;
    for (const double median : medians)
      optima.push_back(optimalPolls(median, spread, worth));
    size_t model = 0;
    simulate([&](double, double seconds, Tally &tally, Random &) {
      const auto &polls = optima[model++ / jobs];
      const auto poll = std::lower_bound(polls.begin(), polls.end(), seconds);
      tally.add(*poll - seconds, static_cast<unsigned>(poll - polls.begin()) + 1);
    }).print("optimum (1 to 15 s, without the quick start)", "dynamic programming that knows the distribution");
  }
}

/// A model of which nothing is documented: what it takes is learned generation by generation.
void compareOnLearned(const char *name, unsigned jobs, const std::function<double(unsigned job, Random &)> &take) {
  constexpr unsigned series = 60;
  heading(name);
  const auto simulate = [&](const std::function<void(unsigned run, double seconds, Tally &, Random &)> &one) {
    Random random(1);
    Random choices(2); // apart, so that all schedules see the same times
    Tally tally;
    for (unsigned run = 0; run < series; ++run)
      for (unsigned job = 0; job < jobs; ++job)
        one(job, take(job, random), tally, choices);
    return tally;
  };
  double expected = 0;
  for (const Peer &peer : peers)
    simulate([&](unsigned job, double seconds, Tally &tally, Random &random) {
      followByPeer(seconds, tally, peer, job == 0 ? 194 : expected, random); // it expects what the last one took
      expected = seconds;
    }).print(peer.name, "as above");
  std::vector<GenerationTimes::Observation> learned;
  simulate([&](unsigned job, double seconds, Tally &tally, Random &random) {
    if (job == 0)
      learned.clear();
    followByOurs(seconds, tally, GenerationTimes({}, learned), random);
    learned.insert(learned.begin(), {seconds, 0, false});
    learned.resize(std::min<size_t>(learned.size(), 64));
  }).print("**by the chance of completion**", "**aimlvideosrc**, learning from the first on");
}

} // namespace

int main(int argc, char **argv) {
  const unsigned jobs = argc > 1 ? static_cast<unsigned>(std::strtoul(argv[1], nullptr, 10)) : 400;
  heading("The documented times of 20 Kling models (78 to 431 s), each with a log-normal spread of 0.25:");
  const bool onlyOurs = argc > 2 && std::string(argv[2]) == "ours";
  compareOnDocumented(jobs, 1, onlyOurs);
  if (onlyOurs)
    return 0;
  heading("The same, with documented and learned times that are three times too long:");
  compareOnDocumented(jobs, 3);
  heading("The same, with documented and learned times that are a third of the true ones:");
  compareOnDocumented(jobs, 1.0 / 3);
  compareOnLearned("A model without a documented time, 100 generations in a row, log-normal (137 s, spread 0.3):", 100,
                   [](unsigned, Random &random) { return logNormal(137, 0.3, random); });
  compareOnLearned("The same, bimodal (60 % about 95 s, 40 % about 260 s, each with a spread of 0.12):", 100,
                   [](unsigned, Random &random) { return logNormal(uniform(random) < 0.6 ? 95 : 260, 0.12, random); });
  compareOnLearned("The same, drifting (from 90 s to 360 s over the 100 generations, with a spread of 0.2):", 100,
                   [](unsigned job, Random &random) { return logNormal(90 * std::exp2(job / 50.0), 0.2, random); });
  return 0;
}
