// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exposition.h"

#include <charconv>

#include "config.h"
#include "envelope.h"

namespace aimlvideo::cli {

namespace {

using RowState = LedgerRow::State;
using Type = Metric::Type;

constexpr RowState unfinishedStates[] = {RowState::Intent, RowState::Sent, RowState::Running};

/// A metric with one sample for each model.
template <typename Value>
Metric byModel(const LedgerTally &tally, const char *name, const char *help, Value value) {
  Metric metric{name, Type::Counter, help, {}};
  for (const auto &[model, ever] : tally.ever)
    metric.samples.push_back({{{"model", model}}, static_cast<double>(ever.*value)});
  return metric;
}

Metric jobsByState(const LedgerTally &tally) {
  Metric metric{"aimlvideo_jobs",
                Type::Gauge,
                "Jobs in the ledger: intent is not sent yet, sent is of unknown outcome, running is in flight.",
                {}};
  for (const auto &[model, states] : tally.jobs)
    for (int state = 0; state <= static_cast<int>(RowState::NotBought); ++state) {
      const auto found = states.find(static_cast<RowState>(state));
      metric.samples.push_back({{{"model", model}, {"state", nameOf(static_cast<RowState>(state))}},
                                static_cast<double>(found == states.end() ? 0 : found->second.present)});
    }
  return metric;
}

Metric oldest(const LedgerTally &tally) {
  Metric metric{"aimlvideo_oldest_job_timestamp_seconds",
                Type::Gauge,
                "When the oldest job in a state that is not final was begun; none where there is no such job.",
                {}};
  for (const auto &[state, jobs] : tally.unfinished)
    metric.samples.push_back({{{"state", nameOf(state)}}, static_cast<double>(jobs.oldest / 1000)});
  return metric;
}

Metric unattended(const LedgerTally &tally) {
  Metric metric{"aimlvideo_jobs_unattended",
                Type::Gauge,
                "Jobs in a state that is not final that no process of this machine is at work on.",
                {}};
  for (const RowState state : unfinishedStates) {
    const auto found = tally.unfinished.find(state);
    metric.samples.push_back({{{"state", nameOf(state)}},
                              static_cast<double>(found == tally.unfinished.end() ? 0 : found->second.unattended)});
  }
  return metric;
}

Metric inFlightUsd(const LedgerTally &tally) {
  Metric metric{"aimlvideo_in_flight_usd",
                Type::Gauge,
                "What the service has named as the price of running jobs; a job that fails is not billed.",
                {}};
  for (const auto &[model, states] : tally.jobs) {
    const auto found = states.find(RowState::Running);
    metric.samples.push_back({{{"model", model}}, found == states.end() ? 0 : found->second.usd});
  }
  return metric;
}

Metric failedJobs(const LedgerTally &tally) {
  Metric metric{"aimlvideo_jobs_failed_total",
                Type::Counter,
                "Jobs that the service billed nothing for: failed, or moderated for their contents.",
                {}};
  for (const auto &[model, ever] : tally.ever) {
    metric.samples.push_back({{{"model", model}, {"cause", "failed"}}, static_cast<double>(ever.failed)});
    metric.samples.push_back({{{"model", model}, {"cause", "moderated"}}, static_cast<double>(ever.moderated)});
  }
  return metric;
}

const char *nameOf(Type type) {
  return type == Type::Counter ? "counter" : "gauge";
}

/// The format has three characters that are not written as they are; help has two of them.
std::string escaped(const std::string &text) {
  std::string written;
  for (const char c : text)
    if (c == '\n')
      written += "\\n";
    else if (c == '\\' || c == '"')
      written += {'\\', c};
    else
      written += c;
  return written;
}

std::string numberText(double number) {
  char digits[32];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), rounded(number)).ptr;
  return {std::begin(digits), end};
}

std::string lineOf(const Metric &metric, const Metric::Sample &sample) {
  std::string labels;
  for (const auto &[name, value] : sample.labels)
    labels += (labels.empty() ? "" : ",") + name + "=\"" + escaped(value) + "\"";
  return metric.name + (labels.empty() ? "" : "{" + labels + "}") + " " + numberText(sample.value) + "\n";
}

} // namespace

std::vector<Metric> metricsOf(const LedgerTally &tally) {
  using Ever = LedgerTally::Ever;
  return {
      {"aimlvideo_build_info", Type::Gauge, "The version of this program.", {{{{"version", PACKAGE_VERSION}}, 1}}},
      jobsByState(tally),
      unattended(tally),
      oldest(tally),
      byModel(tally, "aimlvideo_jobs_accepted_total", "Jobs that the service took, whatever became of them.",
              &Ever::accepted),
      byModel(tally, "aimlvideo_jobs_completed_total", "Jobs that the service made.", &Ever::completed),
      failedJobs(tally),
      byModel(tally, "aimlvideo_spent_usd_total", "What the service has billed for completed jobs, as far as it says.",
              &Ever::usd),
      inFlightUsd(tally),
  };
}

std::string expositionOf(const std::vector<Metric> &metrics) {
  std::string text;
  for (const Metric &metric : metrics) {
    if (metric.samples.empty())
      continue;
    text += "# HELP " + metric.name + " " + metric.help + "\n# TYPE " + metric.name + " " + nameOf(metric.type) + "\n";
    for (const Metric::Sample &sample : metric.samples)
      text += lineOf(metric, sample);
  }
  return text;
}

json::Value jsonOf(const std::vector<Metric> &metrics) {
  json::Value list = json::Value::array();
  for (const Metric &metric : metrics) {
    json::Value samples = json::Value::array();
    for (const Metric::Sample &sample : metric.samples) {
      json::Value labels = json::Value::object({});
      for (const auto &[name, value] : sample.labels)
        labels.set(name, value);
      samples.add(json::Value::object({{"labels", labels}, {"value", rounded(sample.value)}}));
    }
    list.add(json::Value::object(
        {{"name", metric.name}, {"type", nameOf(metric.type)}, {"help", metric.help}, {"samples", samples}}));
  }
  return json::Value::object({{"metrics", list}});
}

} // namespace aimlvideo::cli
