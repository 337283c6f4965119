// SPDX-License-Identifier: LGPL-2.1-or-later
#include "output_options.h"

#include "output.h"

namespace aimlvideo::cli {

void OutputOptions::addTo(Options &options) {
  const GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, output_.slot(), "file to make, or a folder for hls", "FILE"},
      {"profile", 0, 0, G_OPTION_ARG_STRING, profile_.slot(), "what to make of the clip", "PROFILE"},
      {"size", 0, 0, G_OPTION_ARG_STRING, size_.slot(), "size of the frames, with bars where needed", "WxH"},
      {"rate", 0, 0, G_OPTION_ARG_STRING, rate_.slot(), "frames per second", "NUMBER"},
      {"force", 0, 0, G_OPTION_ARG_NONE, &force_, "overwrite the output", nullptr},
      {},
  };
  options.add(entries);
}

std::optional<Order> OutputOptions::order(const char *command) const {
  if (!output_.given()) {
    printUsageError(std::string(command) + " needs an output: -o FILE");
    return {};
  }
  Order order;
  order.output = output_.text();
  order.overwrite = force_ ? Overwrite::Yes : Overwrite::No;
  const auto chosen = findProfile(profile_.given() ? profile_.text() : profiles().front().name);
  auto right = chosen ? Result<void>() : Result<void>(tl::unexpected(chosen.error()));
  if (chosen)
    order.profile = *chosen;
  if (right && size_.given())
    right = parseSize(size_.text(), order.shape);
  if (right && rate_.given())
    right = parseRate(rate_.text(), order.shape);
  if (right)
    return order;
  printUsageError(right.error().text());
  return {};
}

} // namespace aimlvideo::cli
