// SPDX-License-Identifier: LGPL-2.1-or-later
#include "output_options.h"

#include <unistd.h>

#include "envelope.h"
#include "output.h"

namespace aimlvideo::cli {

void OutputOptions::addTo(Options &options) {
  profiles_ = choicesOfProfiles();
  const GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, output_.slot(),
       "file to make, a folder for hls, or - for standard output", "FILE"},
      {"profile", 0, 0, G_OPTION_ARG_STRING, profile_.slot(),
       "what to make of the clip; without it the extension of the output says so", profiles_.c_str()},
      {"size", 0, 0, G_OPTION_ARG_STRING, size_.slot(), "size of the frames, with bars where needed", "WxH"},
      {"rate", 0, 0, G_OPTION_ARG_STRING, rate_.slot(), "frames per second", "NUMBER"},
      {"sign-with", 0, 0, G_OPTION_ARG_STRING, signWith_.slot(),
       "command that signs what was made: it gets the file and a claim in JSON", "COMMAND"},
      {"force", 0, 0, G_OPTION_ARG_NONE, &force_, "overwrite the output", nullptr},
      {},
  };
  options.add(entries, outputGroup);
}

std::optional<Order> OutputOptions::order() const {
  Order order;
  order.overwrite = force_ ? Overwrite::Yes : Overwrite::No;
  order.reserved = true;
  order.signWith = signWith_.text();
  Result<void> right;
  if (profile_.given())
    if (const auto found = findProfile(profile_.text()); !found)
      right = tl::unexpected(found.error());
  if (right && size_.given())
    right = parseSize(size_.text(), order.shape);
  if (right && rate_.given())
    right = parseRate(rate_.text(), order.shape);
  std::string mistake = right ? "" : right.error().text();
  if (right && signWith_.given() && signWith_.text().empty())
    mistake = "--sign-with needs a command";
  else if (right && given() && output_.text().empty())
    mistake = "--output needs a name";
  else if (right && toStandardOutput() && isForProgram())
    mistake = "standard output can't carry both the clip and --json";
  else if (right && toStandardOutput() && isatty(STDOUT_FILENO) != 0)
    mistake = "-o - would write the clip to the terminal: send it to a file or into a pipe";
  if (mistake.empty())
    return order;
  printUsageError(mistake);
  return {};
}

Result<const Profile *> OutputOptions::profile() const {
  if (profile_.given())
    return findProfile(profile_.text());
  return name().empty() ? &profiles().front() : profileFor(name());
}

} // namespace aimlvideo::cli
