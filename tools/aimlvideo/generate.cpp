// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command.h"
#include "make_file.h"
#include "named_files.h"
#include "output.h"
#include "output_options.h"

namespace aimlvideo::cli {

namespace {

std::string explanation() {
  std::string text = "Generates a clip into a file. The same command again never buys twice: it resumes what is\n"
                     "bought, or replays it. The output appears under its name when it is whole.\n\n"
                     "Profiles:";
  for (const Profile &profile : profiles())
    text += "\n  " + std::string(profile.name) + std::string(8 - std::string(profile.name).size(), ' ') + profile.about;
  return text;
}

} // namespace

ExitCode runGenerate(const Arguments &arguments) {
  OutputOptions outputOptions;
  const std::string about = explanation();
  Options options("generate", "-o FILE", about.c_str());
  outputOptions.addTo(options);
  FieldOptions fieldOptions([](const Field &) { return true; });
  fieldOptions.addTo(options);
  if (!options.parse(arguments, 0))
    return ExitCode::Usage;
  auto ordered = outputOptions.order("generate");
  if (!ordered)
    return ExitCode::Usage;
  Order &order = *ordered;
  order.reserved = true;
  const FieldTexts properties = fieldOptions.texts();
  auto settings = settingsFrom(properties);
  if (!settings) {
    printUsageError(settings.error().text());
    return ExitCode::Usage;
  }
  order.settings = std::move(*settings);
  Originals originals;
  originals.add(filesNamedBy(properties));
  if (const auto allowed = originals.check(order.output); !allowed)
    return refuseFile(allowed.error());
  if (const auto checked = checkOrder(order); !checked)
    return refuseFile(checked.error());
  return makeFile(std::move(order));
}

} // namespace aimlvideo::cli
