// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command.h"

namespace aimlvideo::cli {

namespace {

constexpr Command all[] = {
    {"models", "list the video models, or explain one", runModels},
};

} // namespace

std::span<const Command> commands() {
  return all;
}

} // namespace aimlvideo::cli
