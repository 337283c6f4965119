// SPDX-License-Identifier: LGPL-2.1-or-later
// What the element says on the bus is what docs/messages.md and docs/errors.md say that it says. The names and types of
// all fields, the states and what may follow them are read from the tables of those pages.
#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "support/check.h"
#include "support/clip_server.h"
#include "support/pages.h"
#include "support/pipeline.h"

using namespace aimlvideo::test;

namespace {

const std::set<std::string> waitingStates{"submitting", "queued", "generating"};
const std::set<std::string> boughtStates{"queued", "generating", "downloading", "completed"};

struct Contract {
  Table fields = tableIn("messages.md", "## aimlvideo-generation");
  Table progress = tableIn("messages.md", "## Progress");
  Table statuses = tableIn("messages.md", "### status");
  Table origins = tableIn("messages.md", "### origin");
  Table tags = tableIn("messages.md", "## Tags");
  Table statistics = tableIn("messages.md", "## Statistics");
  Table details = tableIn("errors.md", "# Errors of aimlvideosrc", "field");
  Table kinds = tableIn("errors.md", "# Errors of aimlvideosrc", "kind");
};

const Contract &contract() {
  static const Contract pages;
  return pages;
}

/// Fields that were seen, by the table that documents them.
std::map<const Table *, std::set<std::string>> seen;

/// Each field is in the table and of its type, and what is always there is there.
void check_fields(const GstStructure *structure, const Table &table) {
  for (int i = 0; i < gst_structure_n_fields(structure); ++i) {
    const std::string name = gst_structure_nth_field_name(structure, static_cast<guint>(i));
    const auto row = table.find(name);
    fail_unless(row != table.end(), "%s is in no table", name.c_str());
    const std::string type = g_type_name(gst_structure_get_field_type(structure, name.c_str()));
    fail_unless_equals_text(name + ": " + type, name + ": " + row->second.type());
    seen[&table].insert(name);
  }
  for (const auto &[name, row] : table)
    if (row.when() == "always")
      fail_unless(gst_structure_has_field(structure, name.c_str()), "no %s", name.c_str());
}

std::string textIn(const GstStructure *structure, const char *name) {
  const char *text = gst_structure_get_string(structure, name);
  return text ? text : "";
}

template <typename T>
std::optional<T> numberIn(const GstStructure *structure, const char *name) {
  const GValue *value = gst_structure_get_value(structure, name);
  if (!value)
    return {};
  if constexpr (std::is_same_v<T, guint64>)
    return g_value_get_uint64(value);
  else if constexpr (std::is_same_v<T, gint>)
    return g_value_get_int(value);
  else
    return g_value_get_double(value);
}

/// A number that is told again and again, and goes in one direction only.
template <typename T>
void check_never_falls(const GstStructure *structure, const char *name, std::optional<T> &before) {
  const auto now = numberIn<T>(structure, name);
  if (now && before)
    fail_unless(*now >= *before, "%s falls", name);
  before = now ? now : before;
}

template <typename T>
void check_range(const GstStructure *structure, const char *name, T least, T most) {
  if (const auto number = numberIn<T>(structure, name))
    fail_unless(*number >= least && *number <= most, "%s is out of range", name);
}

void check_amounts(const GstStructure *structure) {
  check_range<gint>(structure, "percent", 0, 100);
  check_range<gdouble>(structure, "usd-estimated", 0, 1000);
  check_range<gdouble>(structure, "usd-spent", 0, 1000);
  check_range<gdouble>(structure, "credits-used", 0, 2e9);
  const auto bytes = numberIn<guint64>(structure, "bytes");
  const auto total = numberIn<guint64>(structure, "bytes-total");
  const auto percent = numberIn<gint>(structure, "percent");
  fail_unless_equals_int(percent.has_value(), total.has_value());
  if (total)
    fail_unless_equals_int(*percent, static_cast<gint>(*bytes * 100 / *total));
  check_range<guint64>(structure, "rate", 1, G_MAXUINT64);
  const std::string origin = textIn(structure, "origin");
  fail_unless(contract().origins.contains(origin), "origin %s", origin.c_str());
  gboolean reused = FALSE;
  gst_structure_get_boolean(structure, "reused", &reused);
  fail_unless_equals_int(reused, origin == "resumed" || origin == "joined" || origin == "replayed");
}

/// One message of a generation in a state, by itself.
void check_presence(const GstStructure *message, const std::string &status) {
  const auto has = [message](const char *name) {
    return gst_structure_has_field(message, name) != FALSE;
  };
  fail_if(has("eta") && !waitingStates.contains(status), "eta while %s", status.c_str());
  fail_if(status == "submitting" && textIn(message, "origin") != "none", "bought while %s", status.c_str());
  fail_if(status == "submitting" && (has("generation-id") || has("usd-spent") || has("bytes")));
  fail_if(has("bytes") && (waitingStates.contains(status) || status == "looking-up" || status == "queued-locally"));
  fail_if(has("rate") && !has("bytes"));
  fail_if(has("unmarked") && status != "completed", "without a mark while %s", status.c_str());
  check_range<guint64>(message, "bytes", 1, G_MAXUINT64);
}

struct Run {
  std::vector<std::string> statuses;        ///< in order, repetitions left out
  std::shared_ptr<const GstStructure> last; ///< message
};

/// All `aimlvideo-generation` messages of one run.
Run check_generation(const std::vector<Event> &events) {
  Run run;
  std::string before = "idle";
  std::optional<guint64> elapsed;
  std::optional<guint64> bytes;
  std::optional<gint> percent;
  guint64 eta = G_MAXUINT64;
  for (const Event &event : events) {
    if (event.what != "element" || !gst_structure_has_name(event.structure, "aimlvideo-generation"))
      continue;
    check_fields(event.structure, contract().fields);
    check_amounts(event.structure);
    const std::string status = textIn(event.structure, "status");
    check_presence(event.structure, status);
    const Row &row = contract().statuses.at(before);
    fail_unless(namesIn(row.cells.at(2)).contains(status), "%s after %s", status.c_str(), before.c_str());
    check_never_falls(event.structure, "elapsed", elapsed);
    check_never_falls(event.structure, "bytes", bytes);
    check_never_falls(event.structure, "percent", percent);
    const guint64 left = numberIn<guint64>(event.structure, "eta").value_or(eta);
    fail_unless(left <= eta, "the time left grows");
    eta = left;
    if (status != before)
      run.statuses.push_back(status);
    before = status;
    run.last = {gst_structure_copy(event.structure), [](const GstStructure *copy) {
                  gst_structure_free(const_cast<GstStructure *>(copy));
                }};
  }
  return run;
}

void check_progress(const std::vector<Event> &events) {
  std::optional<gint> percent;
  size_t ends = 0;
  size_t starts = 0;
  for (const Event &event : events) {
    if (!event.what.starts_with("progress-"))
      continue;
    const bool bad = event.what == "progress-error" || event.what == "progress-canceled";
    starts += event.what == "progress-start";
    fail_unless_equals_int(starts, 1);
    fail_unless_equals_int(ends, 0);
    ends += bad || event.what == "progress-complete";
    check_fields(event.structure, contract().progress);
    check_range<gint>(event.structure, "percent", 0, event.what == "progress-complete" ? 100 : 99);
    check_never_falls(event.structure, "percent", percent);
    fail_unless_equals_int(gst_structure_has_field(event.structure, "percent"), !bad);
    fail_unless_equals_text(textIn(event.structure, "code"), "generate");
    fail_if(textIn(event.structure, "text").empty());
    if (event.what == "progress-complete")
      fail_unless_equals_int(*percent, 100);
  }
  fail_unless_equals_int(ends, 1);
}

void check_tags(const std::vector<Event> &events) {
  for (const Event &event : events) {
    if (event.what != "tag" || event.source != "src")
      continue;
    GstTagList *tags = nullptr;
    gst_structure_get(event.structure, "taglist", GST_TYPE_TAG_LIST, &tags, nullptr);
    for (int i = 0; i < gst_tag_list_n_tags(tags); ++i) {
      const char *name = gst_tag_list_nth_tag_name(tags, static_cast<guint>(i));
      const auto row = contract().tags.find(name);
      fail_unless(row != contract().tags.end(), "%s is in no table", name);
      fail_unless_equals_text(g_type_name(gst_tag_get_type(name)), row->second.type());
      seen[&contract().tags].insert(name);
    }
    gst_tag_list_unref(tags);
  }
}

void check_statistics(const Pipeline &pipeline) {
  GstStructure *statistics = nullptr;
  g_object_get(pipeline.source(), "statistics", &statistics, nullptr);
  check_fields(statistics, contract().statistics);
  check_amounts(statistics);
  gst_structure_free(statistics);
}

/// The first error is the element's own; the base class has another one for what it ends the stream with.
void check_error(const std::vector<Event> &events) {
  const auto error =
      std::find_if(events.begin(), events.end(), [](const Event &event) { return event.what == "error"; });
  if (error == events.end())
    return;
  fail_unless_equals_text(error->source, "src");
  fail_unless(error->structure != nullptr);
  check_fields(error->structure, contract().details);
  const std::string kind = textIn(error->structure, "kind");
  fail_unless(contract().kinds.contains(kind), "%s is no documented kind", kind.c_str());
  guint code = 200;
  gst_structure_get_uint(error->structure, "http-status-code", &code);
  fail_unless(code >= 200 && code <= 599);
}

/// Everything that a pipeline has said in one run.
Run check_run(const Pipeline &pipeline) {
  const auto events = pipeline.events();
  check_progress(events);
  check_tags(events);
  check_statistics(pipeline);
  check_error(events);
  return check_generation(events);
}

void expect_statuses(const Run &run, const std::vector<std::string> &expected) {
  std::string text;
  for (const std::string &status : run.statuses)
    text += status + " ";
  fail_unless(run.statuses == expected, "the states were %s", text.c_str());
}

Run play(const FakeService &service, const std::string &properties, const char *end) {
  Pipeline pipeline(service, "SRC " + properties + " ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor(end);
  return check_run(pipeline);
}

/// A service with a price list, and a clip that takes half a second to arrive.
struct Slow {
  std::string clip = clipNamed("faststart");
  ClipServer host{clip, {}, ClipLine{std::chrono::milliseconds(0), static_cast<double>(clip.size()) * 2}};
  FakeService service;

  Slow() {
    service.clip = clip;
    service.clipAddress = host.url() + "/clip.mp4";
    service.onOther = [](const Seen &, Answer &answer) {
      answer.json(200, R"({"data":[{"id":"kling-video/v1.6/pro/text-to-video","pricing":{"kind":"fixed",)"
                       R"("units":[{"measure":"video","price":0.9,"per":1}]}}]})");
    };
  }
};

void refuse(FakeService &service) {
  service.onCreate = [](const Seen &, Answer &answer) {
    answer.json(403, R"({"message":"You've run out of credits","requestId":"req-1"})");
  };
}

void fail_generation(FakeService &service) {
  service.onPoll = [](const Seen &, Answer &answer) {
    answer.json(200, R"({"id":"gen/1:model","status":"error","error":{"name":"Moderation","message":"no"}})");
  };
}

} // namespace

GST_START_TEST(the_states_of_the_property_are_those_of_the_page) {
  fail_unless_equals_text(contract().fields.at("elapsed").type(), "guint64");
  fail_unless_equals_text(contract().fields.at("elapsed").when(), "always");
  GstElement *element = gst_element_factory_make("aimlvideosrc", nullptr);
  GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), "status");
  const GEnumClass *states = G_PARAM_SPEC_ENUM(spec)->enum_class;
  fail_unless_equals_int(states->n_values, contract().statuses.size());
  for (guint i = 0; i < states->n_values; ++i)
    fail_unless(contract().statuses.contains(states->values[i].value_nick), "%s", states->values[i].value_nick);
  gst_object_unref(element);
}
GST_END_TEST

GST_START_TEST(a_generation_that_is_bought_keeps_the_contract_and_so_does_its_replay) {
  Slow slow;
  const Run bought = play(slow.service, "", "eos");
  expect_statuses(bought, {"submitting", "queued", "generating", "downloading", "completed"});
  fail_unless_equals_text(textIn(bought.last.get(), "origin"), "bought");
  fail_unless_equals_uint64(*numberIn<guint64>(bought.last.get(), "bytes"), slow.clip.size());
  fail_if(gst_structure_has_field(bought.last.get(), "usd-estimated"));
  const Run replayed = play(slow.service, "", "eos");
  expect_statuses(replayed, {"completed"});
  fail_unless_equals_text(textIn(replayed.last.get(), "origin"), "replayed");
  fail_unless_equals_float(*numberIn<gdouble>(bought.last.get(), "usd-spent"), 0.91);
  fail_unless_equals_float(*numberIn<gdouble>(replayed.last.get(), "usd-spent"), 0);
  fail_if(gst_structure_has_field(replayed.last.get(), "bytes"));
}
GST_END_TEST

GST_START_TEST(an_estimate_is_in_every_message_from_before_the_submission) {
  Slow slow;
  const Run run = play(slow.service, "max-cost=1", "eos");
  expect_statuses(run, {"submitting", "queued", "generating", "downloading", "completed"});
  fail_unless_equals_float(*numberIn<gdouble>(run.last.get(), "usd-estimated"), 0.9);
  expect_statuses(play(slow.service, "max-cost=0.5 take=1", "progress-error"), {"failed"});
  expect_statuses(play(slow.service, "dry-run=true take=1", "eos"), {"completed"});
}
GST_END_TEST

GST_START_TEST(errors_keep_the_contract) {
  FakeService refusing;
  refuse(refusing);
  const Run refused = play(refusing, "", "progress-error");
  expect_statuses(refused, {"submitting", "failed"});
  fail_unless_equals_text(textIn(refused.last.get(), "origin"), "none");
  FakeService failing;
  fail_generation(failing);
  const Run failed = play(failing, "take=1", "progress-error");
  expect_statuses(failed, {"submitting", "queued", "failed"});
  fail_unless_equals_text(textIn(failed.last.get(), "generation-id"), "gen/1:model");
  fail_unless_equals_float(*numberIn<gdouble>(failed.last.get(), "usd-spent"), 0); // it was told with the submission
}
GST_END_TEST

GST_START_TEST(a_lost_answer_is_looked_up_in_a_state_of_its_own) {
  FakeService service;
  service.clip = clipNamed("faststart");
  service.onCreate = [](const Seen &, Answer &answer) {
    answer.drop();
  };
  service.onLogs = [&](const Seen &, Answer &answer) {
    answer.json(200, FakeService::logPage(FakeService::logRow(service.submissionId(), "gen/1:model")));
  };
  const Run run = play(service, "", "eos");
  expect_statuses(run, {"submitting", "looking-up", "queued", "generating", "downloading", "completed"});
  fail_unless_equals_text(textIn(run.last.get(), "origin"), "looked-up");
}
GST_END_TEST

GST_START_TEST(what_waits_in_line_is_interrupted_and_resumed_keeps_the_contract) {
  FakeService service;
  service.clip = clipNamed("faststart");
  std::atomic<bool> done = false;
  service.onPoll = [&](const Seen &, Answer &answer) {
    answer.json(200, done ? service.completedReply("gen/1:model") : R"({"id":"gen/1:model","status":"generating"})");
  };
  const auto isStatus = [](const char *status) {
    return [status](const Event &event) {
      return textIn(event.structure, "status") == status;
    };
  };
  Pipeline first(service, "SRC max-in-flight=1 take=1 ! fakesink");
  first.setState(GST_STATE_PLAYING);
  first.waitFor("element", isStatus("generating"));
  Pipeline second(service, "SRC max-in-flight=1 take=2 ! fakesink");
  second.setState(GST_STATE_PLAYING);
  second.waitFor("element", isStatus("queued-locally"));
  gst_element_send_event(first.pipeline(), gst_event_new_eos());
  first.waitFor("element", isStatus("cancelled"));
  expect_statuses(check_run(first), {"submitting", "queued", "generating", "cancelled"});
  first.setState(GST_STATE_NULL);

  second.waitFor("element", isStatus("generating"));
  done = true;
  second.waitFor("eos");
  expect_statuses(check_run(second),
                  {"queued-locally", "submitting", "queued", "generating", "downloading", "completed"});
  const Run resumed = play(service, "take=1", "eos");
  fail_unless_equals_text(textIn(resumed.last.get(), "origin"), "resumed");
}
GST_END_TEST

GST_START_TEST(every_field_of_the_pages_comes) {
  Slow slow;
  play(slow.service, "max-cost=1 prompt-tag=true", "eos");
  play(slow.service, "take=3 mark=none", "eos");
  refuse(slow.service);
  play(slow.service, "take=1", "progress-error");
  FakeService failing;
  fail_generation(failing);
  play(failing, "take=2", "progress-error");
  const Contract &all = contract();
  for (const Table *table : {&all.fields, &all.progress, &all.tags, &all.statistics, &all.details})
    for (const auto &[name, row] : *table)
      fail_unless(seen[table].contains(name), "%s never came", name.c_str());
}
GST_END_TEST

static Suite *contract_suite() {
  Suite *suite = suite_create("contract");
  TCase *tests = tcase_create("bus");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, the_states_of_the_property_are_those_of_the_page);
  tcase_add_test(tests, a_generation_that_is_bought_keeps_the_contract_and_so_does_its_replay);
  tcase_add_test(tests, an_estimate_is_in_every_message_from_before_the_submission);
  tcase_add_test(tests, errors_keep_the_contract);
  tcase_add_test(tests, a_lost_answer_is_looked_up_in_a_state_of_its_own);
  tcase_add_test(tests, what_waits_in_line_is_interrupted_and_resumed_keeps_the_contract);
  tcase_add_test(tests, every_field_of_the_pages_comes);
  return suite;
}

GST_CHECK_MAIN(contract)
