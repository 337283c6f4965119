// SPDX-License-Identifier: LGPL-2.1-or-later
// Every model and every parameter of the catalogue against the engine's checks.
#include <chrono>

#include "api/faults.h"
#include "api/request.h"
#include "base/json/node.h"
#include "models/samples.h"
#include "unit/unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

std::string joinedFaults(const Model &model, const Body &body) {
  return joined(faultsOf(json_node_get_object(body.get()), model.parameters, model.rules), "; ");
}

void isTaken(const Model &model, const Body &body) {
  const std::string faults = joinedFaults(model, body);
  fail_unless(faults.empty(), "%s: %s of %s", model.id.c_str(), faults.c_str(), json::write(body.get()).c_str());
}

/// A body in which one value is replaced, and where.
struct Spoilt {
  Body body;
  std::string place;
  std::string expected;
};

/// Puts every wrong value of every parameter of an object, at any depth, into a copy of the whole body.
class Spoiler {
public:
  explicit Spoiler(Body body) : body_(std::move(body)) {}

  std::vector<Spoilt> spoilt;

  void spoil(JsonObject *object, const std::vector<Parameter> &parameters, const std::string &path) {
    for (const Parameter &parameter : parameters) {
      JsonNode *right = json::member(object, parameter.name.c_str());
      if (!right)
        continue;
      const auto kept = adopt(json_node_copy(right));
      for (const WrongValue &wrong : wrongValuesFor(parameter)) {
        json_object_set_member(object, parameter.name.c_str(), json_node_copy(wrong.value.get()));
        add(path + parameter.name, wrong.expected);
      }
      if (parameter.required) {
        json_object_remove_member(object, parameter.name.c_str());
        add(path + parameter.name, "is missing");
      }
      json_object_set_member(object, parameter.name.c_str(), json_node_copy(kept.get()));
      descend(json::member(object, parameter.name.c_str()), parameter, path + parameter.name);
    }
    json_object_set_int_member(object, "no_such_parameter", 1);
    add(path + "no_such_parameter", "the model has no parameter ");
    json_object_remove_member(object, "no_such_parameter");
  }

private:
  void descend(JsonNode *node, const Parameter &parameter, const std::string &place) {
    if (parameter.members.empty())
      return;
    if (JSON_NODE_HOLDS_OBJECT(node))
      spoil(json_node_get_object(node), parameter.members, place + ".");
    else if (JSON_NODE_HOLDS_ARRAY(node))
      spoil(json_array_get_object_element(json_node_get_array(node), 0), parameter.members, place + "[0].");
  }

  void add(const std::string &place, const std::string &expected) {
    const std::string text = json::write(body_.get());
    spoilt.push_back({adopt(json_node_copy(json::parse(text).value().get())), place, expected});
  }

  Body body_;
};

} // namespace

GST_START_TEST(the_smallest_and_the_fullest_request_of_every_model_are_taken) {
  std::minstd_rand random(1);
  for (const Model &model : Catalogue::instance().models()) {
    Samples samples(model, random);
    isTaken(model, samples.smallest());
    isTaken(model, samples.fullest());
  }
}
GST_END_TEST

GST_START_TEST(every_wrong_value_of_every_parameter_is_refused_with_its_place_and_what_is_allowed) {
  std::minstd_rand random(1);
  unsigned tried = 0;
  for (const Model &model : Catalogue::instance().models()) {
    const Body body = Samples(model, random).fullest();
    Spoiler spoiler(body);
    spoiler.spoil(json_node_get_object(body.get()), model.parameters, "");
    for (const Spoilt &spoilt : spoiler.spoilt) {
      ++tried;
      const std::string faults = joinedFaults(model, spoilt.body);
      fail_unless(contains(faults, spoilt.place) && contains(faults, spoilt.expected),
                  "%s: %s should be refused with \"%s\", but: %s", model.id.c_str(), spoilt.place.c_str(),
                  spoilt.expected.c_str(), faults.c_str());
    }
  }
  g_print("%u wrong requests tried, all of them refused before they are sent\n", tried);
}
GST_END_TEST

GST_START_TEST(a_check_takes_no_time_that_anybody_would_notice) {
  std::minstd_rand random(1);
  const Model *model = Catalogue::instance().find("klingai/video-v3-pro-image-to-video");
  Inputs inputs;
  inputs.model = model->id;
  inputs.parameters = share(json_node_get_object(Samples(*model, random).fullest().get()));
  constexpr int rounds = 1000;
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i)
    fail_unless(composeRequest(inputs).has_value());
  const auto each =
      std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun).count() / rounds;
  g_print("%.0f us to compose and check the fullest request of %s\n", each, model->id.c_str());
  fail_unless(each < 100'000); // a tenth of a second would be a mistake, whatever the machine
}
GST_END_TEST

static Suite *checks_suite() {
  Suite *suite = suite_create("models");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, the_smallest_and_the_fullest_request_of_every_model_are_taken);
  tcase_add_test(tests, every_wrong_value_of_every_parameter_is_refused_with_its_place_and_what_is_allowed);
  tcase_add_test(tests, a_check_takes_no_time_that_anybody_would_notice);
  return suite;
}

GST_CHECK_MAIN(checks)
