// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstdio>

#include <unistd.h>

#include <aimlvideo/printable.h>

#include "command.h"
#include "envelope.h"
#include "options.h"
#include "output.h"
#include "provenance.h"
#include "save.h"

namespace aimlvideo::cli {

namespace {

json::Value jsonOf(const std::string &file, const Provenance &provenance) {
  json::Value value = json::Value::object({{"file", file}, {"marked", provenance.isMarked()}});
  const auto text = [&value](const char *name, const std::string &fact) {
    if (!fact.empty())
      value.set(name, fact);
  };
  const MarkFacts facts = provenance.facts.value_or(MarkFacts());
  text("place", provenance.place);
  text("digital_source_type", facts.sourceType);
  text("description", facts.description);
  text("system", facts.system);
  text("generation_id", facts.generationId);
  text("created", facts.created);
  text("tool", facts.tool);
  text("prompt", facts.prompt);
  value.set("c2pa", provenance.isSigned);
  text("aigc", provenance.aigc);
  return value;
}

void tell(const std::string &file, const Provenance &provenance) {
  const MarkFacts facts = provenance.facts.value_or(MarkFacts());
  const bool marked = provenance.isMarked();
  print(file + ": " + (marked ? "marked as made by a model" : "not marked"), marked ? Colour::Green : Colour::Yellow);
  const auto line = [](const char *name, const std::string &text) {
    constexpr size_t columns = 22;
    if (!text.empty())
      print("  " + (name + std::string(columns, ' ')).substr(0, columns) + printable(text));
  };
  line("digital source type", facts.sourceType);
  line("description", facts.description);
  line("system", facts.system);
  line("generation", facts.generationId);
  line("created", facts.created);
  line("tool", facts.tool);
  line("prompt", facts.prompt);
  line("says so in", marked ? provenance.place : "");
  line("AIGC label", provenance.aigc);
  line("C2PA manifest", provenance.isSigned ? "present; whether it is valid was not checked" : "none");
}

/// To be put into another file: as it is.
ExitCode printPacket(const std::string &file) {
  const auto provenance = provenanceOf(pathNamed(file));
  if (!provenance)
    return printError(provenance.error());
  const std::string &packet = provenance->packet;
  printJson(json::Value::object({{"xmp", packet}}));
  if (packet.empty())
    return Answer::instance().fail("unmarked", file + " has no XMP packet");
  const std::string text = isatty(STDOUT_FILENO) != 0 ? printableLines(packet) : packet;
  if (!isForProgram())
    std::fwrite(text.data(), 1, text.size(), stdout);
  return ExitCode::Success;
}

} // namespace

ExitCode runInspect(const Arguments &arguments) {
  Options options("inspect", "FILE...",
                  "What files say of the model that made them: their XMP, their tags, the label AIGC, and\n"
                  "whether they carry a C2PA manifest. FILE is a video, a picture, an .xmp file or the folder\n"
                  "of a stream. Nothing is fetched. Exits with 0 if all of them are marked, with 1 if one is\n"
                  "not, with 5 if one can't be read.");
  gboolean xmp = FALSE;
  const GOptionEntry entries[] = {
      {"xmp", 0, 0, G_OPTION_ARG_NONE, &xmp, "print the XMP packet of a FILE and nothing else", nullptr},
      {},
  };
  options.add(entries);
  constexpr size_t most = 100'000;
  const auto words = options.parse(arguments, most);
  if (!words)
    return ExitCode::Usage;
  if (words->empty()) {
    printUsageError("inspect needs a FILE");
    return ExitCode::Usage;
  }
  if (xmp && words->size() > 1) {
    printUsageError("--xmp takes one FILE");
    return ExitCode::Usage;
  }
  if (xmp)
    return printPacket(words->front());
  json::Value files = json::Value::array();
  std::string unmarked;
  std::optional<Error> unread;
  for (const std::string &word : *words) {
    const auto provenance = provenanceOf(pathNamed(word));
    if (!provenance) {
      printFailure(provenance.error().text());
      unread = provenance.error();
      continue;
    }
    files.add(jsonOf(word, *provenance));
    tell(word, *provenance);
    if (!provenance->isMarked())
      unmarked += (unmarked.empty() ? "" : ", ") + word;
  }
  printJson(json::Value::object({{"files", files}}));
  if (unread) {
    Answer::instance().fail(*unread);
    return exitCodeFor(unread->kind);
  }
  return unmarked.empty() ? ExitCode::Success
                          : Answer::instance().fail("unmarked", "not marked as made by a model: " + unmarked);
}

} // namespace aimlvideo::cli
