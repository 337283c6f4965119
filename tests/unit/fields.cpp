// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/field.h>

#include <algorithm>
#include <iterator>

#include "settings/request_from_settings.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

/// A line for each field: a text that it takes, one that it does not ("": it takes all), and what is sent of the former
/// to a model that has such a parameter ("": nothing).
struct Line {
  const char *name;
  const char *good;
  const char *bad;
  const char *model;
  const char *sent;
};

constexpr auto kling = "klingai/video-v3-pro-image-to-video";

constexpr Line lines[] = {
    {"prompt", "a cat", "", kling, R"("prompt":"a cat")"},
    {"negative-prompt", "dogs", "", kling, R"("negative_prompt":"dogs")"},
    {"prompt-file", "/p.txt", "", nullptr, ""},
    {"image", "https://h/i.png", "", kling, R"("image_url":"https://h/i.png")"},
    {"tail-image", "https://h/t.png", "", kling, R"("tail_image_url":"https://h/t.png")"},
    {"model", "m", "", nullptr, ""},
    {"duration", "5", "-5", kling, R"("duration":5)"},
    {"aspect-ratio", "16:9", "", "kling-video/v1.6/pro/text-to-video", R"("aspect_ratio":"16:9")"},
    {"cfg-scale", "0.5", "101", kling, R"("cfg_scale":0.5)"},
    {"generate-audio", "false", "perhaps", kling, R"("generate_audio":false)"},
    {"seed", "7", "-7", "alibaba/wan-2-6-i2v", R"("seed":7)"},
    {"parameters", "{}", "", nullptr, ""},
    {"strict", "true", "perhaps", nullptr, ""},
    {"api-key", "k", "", nullptr, ""},
    {"api-key-file", "/k", "", nullptr, ""},
    {"base-url", "https://h", "", nullptr, ""},
    {"endpoint", "legacy", "v3", nullptr, ""},
    {"timeout", "60", "0", nullptr, ""},
    {"poll-interval", "1000", "1s", nullptr, ""},
    {"max-in-flight", "4", "four", nullptr, ""},
    {"generation-id", "id", "", nullptr, ""},
    {"reuse", "none", "some", nullptr, ""},
    {"take", "3", "3.5", nullptr, ""},
    {"on-unknown", "resubmit", "buy", nullptr, ""},
    {"on-lost", "buy", "resubmit", nullptr, ""},
    {"store-prompt", "true", "maybe", nullptr, ""},
    {"max-cost", "0.5", "nan", nullptr, ""},
    {"dry-run", "true", "2", nullptr, ""},
    {"mark", "none", "maybe", nullptr, ""},
    {"prompt-tag", "true", "perhaps", nullptr, ""},
    {"max-clip-size", "1000", "0", nullptr, ""},
    {"temp-dir", "/tmp", "", nullptr, ""},
    {"proxy", "http://p:1", "", nullptr, ""},
    {"user-agent", "me", "", nullptr, ""},
};

const Line &lineOf(const Field &field) {
  const auto found = std::ranges::find(lines, std::string_view(field.name), &Line::name);
  fail_if(found == std::end(lines), "no line in this test: %s", field.name);
  return *found;
}

Settings settingsFor(const char *model) {
  Settings settings;
  settings.model = model;
  settings.prompt = "a cat";
  if (std::string_view(model).find("text-to-video") == std::string_view::npos)
    settings.image = "https://h/i.png";
  return settings;
}

} // namespace

GST_START_TEST(every_field_takes_what_it_may_be_and_gives_it_back) {
  fail_unless(std::size(lines) == fields().size());
  for (const Field &field : fields()) {
    const Line &line = lineOf(field);
    Settings settings;
    fail_if(isSet(settings, field), "%s", field.name);
    fail_unless(setFromText(settings, field, line.good).has_value(), "%s", field.name);
    fail_unless(isSet(settings, field), "%s", field.name);
    if (field.name != std::string_view("api-key"))
      fail_unless_equals_text(textOf(settings, field), line.good);
    Settings copy;
    copyField(field, settings, copy);
    for (const Field &other : fields())
      fail_unless(isSet(copy, other) == (&other == &field), "%s also sets %s", field.name, other.name);
  }
}
GST_END_TEST

GST_START_TEST(what_a_field_does_not_take_is_named_with_what_it_does) {
  for (const Field &field : fields()) {
    const Line &line = lineOf(field);
    if (!*line.bad)
      continue;
    Settings settings;
    const auto set = setFromText(settings, field, line.bad);
    fail_if(set.has_value(), "%s takes %s", field.name, line.bad);
    fail_unless_contains(set.error().text(), std::string(field.name) + " can't be \"" + line.bad + "\"");
    fail_unless_contains(set.error().text(), allowedFor(field));
    fail_if(isSet(settings, field), "%s", field.name);
  }
  Settings settings;
  for (const char *number : {"", " 5", "+5", "0x5", "5 ", "5.0", "1e3", "99999999999999999999"})
    fail_if(setFromText(settings, *findField("duration"), number).has_value(), "duration takes %s", number);
  for (const auto &[written, bytes] :
       {std::pair("500MB", "500000000"), std::pair("1.5 k", "1500"), std::pair("8GiB", "8589934592"),
        std::pair("2Ki", "2048"), std::pair("7b", "7"), std::pair("9007199254740993", "9007199254740993")}) {
    fail_unless(setFromText(settings, *findField("max-clip-size"), written).has_value(), "%s", written);
    fail_unless_equals_text(textOf(settings, *findField("max-clip-size")), bytes);
  }
  for (const char *size : {"", "MB", "5X", "5Mi B", "-5", "5MM", "1e3", "5  MB", " 5MB", "5MB ", "1.2.3MB", "0x5",
                           "0kB", "9223372036854775808", "10000000000TB"})
    fail_if(setFromText(settings, *findField("max-clip-size"), size).has_value(), "max-clip-size takes %s", size);
  for (const char *number : {"", "inf", "0x1p3", "0,5", "1e400", "--1", "-0.5"})
    fail_if(setFromText(settings, *findField("cfg-scale"), number).has_value(), "cfg-scale takes %s", number);
}
GST_END_TEST

GST_START_TEST(a_default_can_be_written_and_says_nothing) {
  for (const Field &field : fields()) {
    Settings settings;
    fail_unless(setFromText(settings, field, lineOf(field).good).has_value());
    const std::string text = textOf(Settings(), field);
    if (text.empty() && !std::holds_alternative<std::string Settings::*>(field.member))
      continue; // the key
    fail_unless(setFromText(settings, field, text).has_value(), "%s: %s", field.name, text.c_str());
    fail_if(isSet(settings, field), "%s", field.name);
  }
}
GST_END_TEST

GST_START_TEST(a_model_gets_a_field_by_its_own_name) {
  for (const Field &field : fields()) {
    const Line &line = lineOf(field);
    fail_unless(field.is(Field::SentToModel) == (*line.sent != '\0'), "%s", field.name);
    if (!field.is(Field::SentToModel))
      continue;
    Settings settings = settingsFor(line.model);
    fail_unless(setFromText(settings, field, line.good).has_value());
    const auto request = requestFrom(settings, Files::Read, true);
    fail_unless(request.has_value(), "%s", request ? "" : request.error().text().c_str());
    fail_unless_contains(request->body, line.sent);
    if (field.is(Field::IsMedium) || field.name == std::string_view("prompt"))
      continue;
    // and nothing where nothing is said
    copyField(field, Settings(), settings);
    const std::string name = std::string(line.sent).substr(0, std::string_view(line.sent).find(':'));
    fail_if(contains(requestFrom(settings, Files::Read, true)->body, name), "%s", name.c_str());
  }
}
GST_END_TEST

GST_START_TEST(a_field_and_a_parameter_that_say_the_same_are_one_purchase) {
  Settings field = settingsFor("alibaba/wan-2-6-i2v");
  Settings parameter = field;
  field.seed = 7;
  parameter.parameters = R"({"seed":7})";
  fail_unless_equals_text(requestFrom(field, Files::Read, true)->canonical,
                          requestFrom(parameter, Files::Read, true)->canonical);
  field.parameters = parameter.parameters;
  fail_unless_contains(requestFrom(field, Files::Read, true).error().text(), "parameters contains seed");
  field = settingsFor(kling);
  field.seed = 7;
  fail_unless_contains(requestFrom(field, Files::Read, true).error().text(), "the model takes no seed");
}
GST_END_TEST

static Suite *fields_suite() {
  Suite *suite = suite_create("fields");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, every_field_takes_what_it_may_be_and_gives_it_back);
  tcase_add_test(tests, what_a_field_does_not_take_is_named_with_what_it_does);
  tcase_add_test(tests, a_default_can_be_written_and_says_nothing);
  tcase_add_test(tests, a_model_gets_a_field_by_its_own_name);
  tcase_add_test(tests, a_field_and_a_parameter_that_say_the_same_are_one_purchase);
  return suite;
}

GST_CHECK_MAIN(fields)
