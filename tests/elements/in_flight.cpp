// SPDX-License-Identifier: LGPL-2.1-or-later
// Several elements of a process with a limit on what is in flight.
#include <atomic>
#include <memory>

#include "support/check.h"
#include "support/pipeline.h"

using namespace aimlvideo::test;

namespace {

/// A service whose generations complete when the test says so.
struct Slow {
  FakeService service;
  std::atomic<bool> done = false;

  Slow() {
    service.clip = clipNamed("faststart");
    service.onPoll = [this](const Seen &, Answer &answer) {
      answer.json(200, done ? service.completedReply("gen/1:model") : R"({"id":"gen/1:model","status":"generating"})");
    };
  }
};

std::unique_ptr<Pipeline> start(const Slow &slow, const std::string &properties) {
  auto pipeline = std::make_unique<Pipeline>(slow.service, "SRC " + properties + " ! fakesink");
  pipeline->setState(GST_STATE_PLAYING);
  return pipeline;
}

bool hasStatus(const Event &event, const char *status) {
  return g_strcmp0(gst_structure_get_string(event.structure, "status"), status) == 0;
}

Event waitForStatus(const Pipeline &pipeline, const char *status) {
  return pipeline.waitFor("element", [status](const Event &event) { return hasStatus(event, status); });
}

std::string statusOf(const Pipeline &pipeline) {
  int value = 0;
  g_object_get(pipeline.source(), "status", &value, nullptr);
  GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(pipeline.source()), "status");
  return g_enum_get_value(G_PARAM_SPEC_ENUM(spec)->enum_class, value)->value_nick;
}

} // namespace

GST_START_TEST(elements_above_the_limit_wait_in_line_and_all_play_in_the_end) {
  Slow slow;
  const auto running = start(slow, "max-in-flight=1 take=1");
  waitForStatus(*running, "generating");
  const auto next = start(slow, "max-in-flight=1 take=2");
  waitForStatus(*next, "queued-locally");
  const auto last = start(slow, "max-in-flight=1 take=3");
  const Event queued = waitForStatus(*last, "queued-locally");
  fail_if(gst_structure_has_field(queued.structure, "eta"));
  fail_if(gst_structure_has_field(queued.structure, "generation-id"));
  fail_unless(statusOf(*last) == "queued-locally");
  fail_unless_equals_int(slow.service.purchases(), 1);
  const Event note = last->waitFor("progress-continue", [](const Event &event) {
    return event.text.find("waiting for its turn") != std::string::npos;
  });
  fail_unless(note.text.find("1 in flight and 1 ahead of it") != std::string::npos);

  slow.done = true;
  for (const Pipeline *pipeline : {running.get(), next.get(), last.get()}) {
    pipeline->waitFor("eos");
    fail_if(pipeline->happened("error"));
  }
  fail_unless_equals_int(slow.service.purchases(), 3);
  GstStructure *statistics = nullptr;
  guint64 queueTime = 0;
  g_object_get(last->source(), "statistics", &statistics, nullptr);
  fail_unless(gst_structure_get_uint64(statistics, "queue-time", &queueTime));
  fail_unless(queueTime > 0);
  gst_structure_free(statistics);
}
GST_END_TEST

GST_START_TEST(an_element_in_line_stops_at_once_and_the_next_takes_its_place) {
  Slow slow;
  auto running = start(slow, "max-in-flight=1 take=1");
  waitForStatus(*running, "generating");
  const auto next = start(slow, "max-in-flight=1 take=2");
  waitForStatus(*next, "queued-locally");
  const auto last = start(slow, "max-in-flight=1 take=3");
  waitForStatus(*last, "queued-locally");

  fail_unless_equals_int(next->setState(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int(next->count("progress-canceled"), 1);
  fail_if(next->happened("error"));
  fail_unless_equals_int(slow.service.purchases(), 1);

  // stopped as well, so that it is no longer counted
  fail_unless_equals_int(running->setState(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  waitForStatus(*last, "generating");
  slow.done = true;
  last->waitFor("eos");
  fail_unless_equals_int(slow.service.purchases(), 2);
}
GST_END_TEST

GST_START_TEST(an_element_that_fails_lets_the_next_go) {
  Slow slow;
  slow.service.onPoll = [&](const Seen &, Answer &answer) {
    answer.json(200, slow.done ? R"({"id":"gen/1:model","status":"failed","error":{"message":"no"}})"
                               : R"({"id":"gen/1:model","status":"generating"})");
  };
  const auto running = start(slow, "max-in-flight=1 take=1");
  waitForStatus(*running, "generating");
  const auto next = start(slow, "max-in-flight=1 take=2");
  waitForStatus(*next, "queued-locally");
  slow.done = true;
  running->waitFor("error");
  next->waitFor("error");
  fail_unless_equals_int(slow.service.purchases(), 2);
}
GST_END_TEST

static Suite *in_flight_suite() {
  Suite *suite = suite_create("in_flight");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, elements_above_the_limit_wait_in_line_and_all_play_in_the_end);
  tcase_add_test(tests, an_element_in_line_stops_at_once_and_the_next_takes_its_place);
  tcase_add_test(tests, an_element_that_fails_lets_the_next_go);
  return suite;
}

GST_CHECK_MAIN(in_flight)
