// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json/node.h"

#include <cmath>

#include "base/json/value.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

std::string nested(unsigned levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

std::optional<std::string> scalarOf(const char *text) {
  const auto node = json::parse(std::string("{\"v\":") + text + "}");
  fail_unless(node.has_value());
  return json::scalarText(json::member(json::objectIn(node->get()), "v"));
}

std::optional<double> numberOf(const char *text) {
  const auto node = json::parse(std::string("{\"v\":") + text + "}");
  fail_unless(node.has_value());
  return json::number(json::member(json::objectIn(node->get()), "v"));
}

} // namespace

GST_START_TEST(an_object_is_read) {
  const auto node = json::parse(R"( {"a":{"b":"c"}} )");
  fail_unless(node.has_value());
  JsonObject *inner = json::objectIn(json::member(json::objectIn(node->get()), "a"));
  fail_unless_equals_text(json::scalarText(json::member(inner, "b")).value(), "c");
}
GST_END_TEST

GST_START_TEST(what_is_no_json_is_refused_with_a_reason) {
  for (const char *text : {"{", "<html>", "{\"a\":}", "{'a':1}", "{\"a\":1}}", "Cannot GET /", "{\"a\":1 \"b\":2}"}) {
    const auto node = json::parse(text);
    fail_if(node.has_value(), "%s was taken for JSON", text);
    fail_unless_contains(node.error(), "JSON");
  }
}
GST_END_TEST

GST_START_TEST(nothing_at_all_is_refused) {
  fail_if(json::parse("").has_value());
  fail_if(json::parse(" \n").has_value());
  fail_if(json::parse(std::string_view()).has_value());
}
GST_END_TEST

GST_START_TEST(text_that_is_not_utf8_is_refused) {
  fail_if(json::parse("{\"a\":\"\xff\xfe\"}").has_value());
  fail_if(json::parse(std::string_view("{\"a\":\"\0\"}", 10)).has_value());
}
GST_END_TEST

GST_START_TEST(deep_nesting_is_refused_and_not_followed) {
  fail_unless(json::parse(nested(64)).has_value());
  fail_if(json::parse(nested(65)).has_value());
  const auto hostile = json::parse(std::string(4'000'000, '['));
  fail_if(hostile.has_value());
  fail_unless_contains(hostile.error(), "nested");
  fail_if(json::parse(std::string(1'000'000, '{')).has_value());
}
GST_END_TEST

GST_START_TEST(brackets_in_strings_are_no_nesting) {
  const std::string brackets(1000, '[');
  const auto node = json::parse("{\"prompt\":\"a \\\" quote and " + brackets + "\"}");
  fail_unless(node.has_value());
}
GST_END_TEST

GST_START_TEST(comments_can_not_hide_deep_nesting) {
  // the parser skips comments, so a quote in one must not count as the start of a string
  for (const char *start : {"/*\"*/", "//\"\n", "#\"\n", "'\"'"}) {
    const auto node = json::parse(start + std::string(2'000'000, '['));
    fail_if(node.has_value(), "after %s", start);
  }
}
GST_END_TEST

GST_START_TEST(a_scalar_reads_as_text_and_nothing_else_does) {
  fail_unless_equals_text(scalarOf("\"\\u00e9\\n\"").value(), "é\n");
  fail_unless_equals_text(scalarOf("5").value(), "5");
  fail_unless_equals_text(scalarOf("true").value(), "true");
  fail_unless_equals_text(scalarOf("789392067490349060").value(), "789392067490349060");
  fail_if(scalarOf("null").has_value());
  fail_if(scalarOf("{}").has_value());
  fail_if(scalarOf("[\"a\"]").has_value());
  fail_if(json::scalarText(nullptr).has_value());
}
GST_END_TEST

GST_START_TEST(a_number_may_be_spelt_as_a_string) {
  fail_unless(numberOf("5") == 5.0);
  fail_unless(numberOf("\"5\"") == 5.0);
  fail_unless(numberOf("0.91") == 0.91);
  fail_unless(numberOf("-2.5e3") == -2500.0);
  for (const char *none :
       {"\"\"", "\"five\"", "\"5 s\"", "null", "[5]", "{\"a\":5}", "true", "1e999", "\"inf\"", "\"nan\""})
    fail_if(numberOf(none).has_value(), "%s", none);
}
GST_END_TEST

GST_START_TEST(text_that_was_cut_within_an_emoji_is_readable) {
  fail_unless_equals_text(scalarOf("\"cut \\ud83d\"").value(), "cut \xef\xbf\xbd");
  fail_unless_equals_text(scalarOf("\"\\ude00 cut\"").value(), "\xef\xbf\xbd cut");
  fail_unless_equals_text(scalarOf("\"\\ud83d\\ude00\"").value(), "\xf0\x9f\x98\x80");
  fail_unless_equals_text(scalarOf("\"a\\u0000b\"").value(), "a\xef\xbf\xbd"
                                                             "b");
}
GST_END_TEST

GST_START_TEST(a_number_beyond_64_bits_is_not_taken_for_another) {
  fail_unless(numberOf("123456789012345678901234567890") == 123456789012345678901234567890.0);
  fail_unless(numberOf("-9223372036854775809") == -9223372036854775808.0);
  fail_unless_equals_text(scalarOf("9223372036854775807").value(), "9223372036854775807");
}
GST_END_TEST

GST_START_TEST(spellings_of_other_languages_are_refused) {
  for (const char *text : {"0x10", "010", "1.", ".5", "+1", "1e", "NaN", "Infinity", "-", "\"\\x\"", "\"\\udc0\""})
    fail_if(json::parse(text).has_value(), "%s was taken for JSON", text);
}
GST_END_TEST

GST_START_TEST(every_number_is_written_as_json) {
  for (const char *text : {"1e22", "5e-324", "0.1", "-0.5", "9007199254740993", "1e15", "1.5e300"})
    fail_unless_equals_text(json::write(json::parse(json::write(json::parse(text)->get()))->get()),
                            json::write(json::parse(text)->get()));
  fail_unless_equals_text(json::write(json::parse("1e22")->get()), "1e+22");
}
GST_END_TEST

GST_START_TEST(every_byte_of_a_text_is_spelled_as_ever) {
  // requests that were bought are known by this spelling
  std::string controls;
  for (char c = 1; c < 0x20; ++c)
    controls += c;
  fail_unless_equals_text(json::Value(controls + "\"\\/\x7f\u00e9\u2028\U0001f600").dump(),
                          R"("\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f\u0010\u0011)"
                          R"(\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e)"
                          "\x1f\\\"\\\\/\\u007f\u00e9\u2028\U0001f600\"");
}
GST_END_TEST

GST_START_TEST(a_number_beyond_a_double_is_none) {
  fail_unless_equals_text(json::write(json::parse("[1e400,-1e400]")->get()), "[null,null]");
  fail_unless_equals_text(json::Value(HUGE_VAL).dump(), "null");
}
GST_END_TEST

GST_START_TEST(what_is_rewritten_leaves_the_rest_as_it_is) {
  const auto node = json::parse(R"({"a":"x\ud83dy\u0000z","b":[18446744073709551616,1e999,7],"c":"\n\u00e9"})");
  fail_unless_equals_text(json::write(node->get()),
                          "{\"a\":\"x\ufffdy\ufffdz\",\"b\":[18446744073709551616,null,7],\"c\":\"\\n\u00e9\"}");
}
GST_END_TEST

GST_START_TEST(indented_text_has_a_line_for_each_member) {
  const auto value = json::Value::parse(R"({"a":0.1,"b":[1,{"c":null},[]],"d":{}})").value();
  fail_unless_equals_text(value.dump(json::Layout::Indented), R"({
  "a" : 0.1,
  "b" : [
    1,
    {
      "c" : null
    },
    []
  ],
  "d" : {}
})");
  fail_unless(json::Value::parse(value.dump(json::Layout::Indented)).value() == value);
}
GST_END_TEST

GST_START_TEST(a_value_is_made_changed_and_compared) {
  json::Value value = json::Value::parse(R"({"a":[1,"x",null,true]})").value();
  fail_unless(value["a"].elements().size() == 4);
  fail_unless(value["a"].elements()[0] == json::Value(1.0));
  fail_unless(json::Value(1.0) == value["a"].elements()[0]);
  fail_if(json::Value(1.5) == json::Value(1));
  fail_if(json::Value(1) == json::Value(1.5));
  fail_if(json::Value(1) == json::Value(true));
  fail_if(json::Value(1) == json::Value("1"));
  fail_if(value["none"].exists());
  value.set("b", json::Value::array({0.5, "t", false})).set("left out", json::Value());
  fail_unless_equals_text(value.dump(), R"({"a":[1,"x",null,true],"b":[0.5,"t",false]})");
  fail_unless(value == json::Value::object({{"b", json::Value::array({0.5, "t", false})}, {"a", value["a"]}}));
  fail_if(value == json::Value::object({{"a", value["a"]}}));
  fail_unless_equals_text(json::Value("\xff").dump(), "\"\ufffd\"");
}
GST_END_TEST

GST_START_TEST(a_missing_member_or_object_is_no_crash) {
  const auto array = json::parse("[1]");
  fail_unless(array.has_value());
  fail_unless(json::objectIn(array->get()) == nullptr);
  fail_unless(json::objectIn(nullptr) == nullptr);
  fail_unless(json::member(nullptr, "a") == nullptr);
  fail_unless_equals_text(json::write(nullptr), "null");
}
GST_END_TEST

GST_START_TEST(what_is_written_reads_back) {
  const std::string text = R"({"a":[1,"b\"c",null,true],"d":{"e":0.5}})";
  const auto node = json::parse(text);
  fail_unless(node.has_value());
  fail_unless_equals_text(json::write(node->get()), text);
}
GST_END_TEST

static Suite *json_suite() {
  Suite *suite = suite_create("json");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, an_object_is_read);
  tcase_add_test(tests, what_is_no_json_is_refused_with_a_reason);
  tcase_add_test(tests, nothing_at_all_is_refused);
  tcase_add_test(tests, text_that_is_not_utf8_is_refused);
  tcase_add_test(tests, deep_nesting_is_refused_and_not_followed);
  tcase_add_test(tests, brackets_in_strings_are_no_nesting);
  tcase_add_test(tests, comments_can_not_hide_deep_nesting);
  tcase_add_test(tests, a_scalar_reads_as_text_and_nothing_else_does);
  tcase_add_test(tests, a_number_may_be_spelt_as_a_string);
  tcase_add_test(tests, text_that_was_cut_within_an_emoji_is_readable);
  tcase_add_test(tests, a_number_beyond_64_bits_is_not_taken_for_another);
  tcase_add_test(tests, spellings_of_other_languages_are_refused);
  tcase_add_test(tests, every_number_is_written_as_json);
  tcase_add_test(tests, a_missing_member_or_object_is_no_crash);
  tcase_add_test(tests, every_byte_of_a_text_is_spelled_as_ever);
  tcase_add_test(tests, a_number_beyond_a_double_is_none);
  tcase_add_test(tests, what_is_rewritten_leaves_the_rest_as_it_is);
  tcase_add_test(tests, indented_text_has_a_line_for_each_member);
  tcase_add_test(tests, a_value_is_made_changed_and_compared);
  tcase_add_test(tests, what_is_written_reads_back);
  return suite;
}

GST_CHECK_MAIN(json)
