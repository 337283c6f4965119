// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command.h"
#include "field_options.h"
#include "job_row.h"
#include "make_file.h"
#include "output.h"
#include "output_options.h"

namespace aimlvideo::cli {

namespace {

/// How the clip is waited for and fetched; what is bought is bought.
bool isForFetching(const Field &field) {
  const std::string_view name = field.name;
  return name == "api-key-file" || name == "proxy" || name == "timeout" || name == "poll-interval" ||
         name == "max-clip-size" || name == "temp-dir" || name == "user-agent";
}

} // namespace

ExitCode runFetch(const Arguments &arguments) {
  Options options(
      "fetch", "JOB -o FILE",
      "Fetches the clip of a job, by its number in the ledger, into a file; waits for it if it is not made\n"
      "yet. Buys nothing, and can be run again. Profiles are those of 'aimlvideo generate'.");
  OutputOptions outputOptions;
  outputOptions.addTo(options);
  gboolean incomplete = FALSE;
  const GOptionEntry entries[] = {
      {"incomplete", 0, 0, G_OPTION_ARG_NONE, &incomplete, "if the whole clip can't be fetched, take what there is",
       nullptr},
      {},
  };
  options.add(entries);
  FieldOptions fieldOptions(isForFetching);
  fieldOptions.addTo(options);
  const auto words = options.parse(arguments, 1);
  if (!words)
    return ExitCode::Usage;
  if (words->empty() || !outputOptions.given()) {
    printUsageError(words->empty() ? "fetch needs a JOB" : "fetch needs an output: -o FILE");
    return ExitCode::Usage;
  }
  auto order = outputOptions.order();
  auto settings = order ? fieldOptions.settings() : std::nullopt;
  if (!settings)
    return ExitCode::Usage;
  const auto job = jobNamed(words->front());
  if (!job)
    return refuseFile(job.error());
  settings->ledgerRow = job->id;
  settings->baseUrl = job->baseUrl;
  settings->model = job->model;
  settings->incomplete = incomplete != FALSE;
  order->settings = std::move(*settings);
  order->output = outputOptions.name();
  const auto profile = outputOptions.profile();
  if (!profile)
    return refuseFile(profile.error());
  order->profile = *profile;
  if (const auto checked = checkOrder(*order); !checked)
    return refuseFile(checked.error());
  return makeFile(std::move(*order));
}

} // namespace aimlvideo::cli
