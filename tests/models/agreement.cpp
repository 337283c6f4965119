// SPDX-License-Identifier: LGPL-2.1-or-later
// The engine and the emulator read the same facts with different code: what the one takes, the other takes.
//
//   test-agreement [REQUESTS [SEED]]    REQUESTS for each Kling model
#include <cstdio>
#include <cstdlib>

#include "api/faults.h"
#include "base/json/node.h"
#include "models/samples.h"

#include "emulator/service/catalogue.h"
#include "emulator/service/rules.h"
#include "emulator/service/validation.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

std::vector<std::string> emulatorsMistakes(const emulator::Model &model, const std::string &text) {
  const auto body = emulator::Json::parse(text).value();
  auto mistakes = emulator::findMistakes(model.parameters, body);
  for (const std::string &mistake : emulator::findBrokenRules(model.rules, body))
    mistakes.push_back(mistake);
  return mistakes;
}

struct Tally {
  unsigned taken = 0;
  unsigned refused = 0;
  unsigned disagreements = 0;
};

void compare(const Model &model, const emulator::Model &emulated, unsigned requests, std::minstd_rand &random,
             Tally &tally) {
  Samples samples(model, random);
  for (unsigned i = 0; i < requests; ++i) {
    const Body body = samples.any();
    std::string spoilt = "nothing spoilt";
    if (random() % 2 == 0)
      spoilt = samples.spoil(body);
    const std::string text = json::write(body.get());
    const auto ours = faultsOf(json_node_get_object(body.get()), model.parameters, model.rules);
    const auto theirs = emulatorsMistakes(emulated, text);
    ++(ours.empty() ? tally.taken : tally.refused);
    if (ours.empty() == theirs.empty())
      continue;
    ++tally.disagreements;
    std::printf("%s, %s: %s\n  engine: %s\n  emulator: %s\n", model.id.c_str(), spoilt.c_str(), text.c_str(),
                joined(ours, "; ").c_str(), joined(theirs, "; ").c_str());
  }
}

} // namespace

int main(int argc, char **argv) {
  const unsigned requests = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 1000;
  const unsigned seed = argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : std::random_device{}();
  std::printf("%u requests a model, seed %u\n", requests, seed);
  std::minstd_rand random(seed);
  const emulator::Catalogue emulated;
  Tally tally;
  unsigned models = 0;
  for (const Model &model : Catalogue::instance().models()) {
    if (model.vendor != "Kling AI")
      continue;
    ++models;
    compare(model, *emulated.find(model.id), requests, random, tally);
  }
  std::printf("%u models, %u requests taken and %u refused by the engine, %u disagreements\n", models, tally.taken,
              tally.refused, tally.disagreements);
  return tally.disagreements == 0 && tally.taken > 0 && tally.refused > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
