// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/printable.h>

#include <aimlvideo/error.h>

#include "base/json/node.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

GST_START_TEST(what_acts_on_a_terminal_is_shown_and_does_nothing) {
  struct Row {
    std::string_view text;
    const char *shown;
  };
  for (const Row &row : {Row{"plain", "plain"},
                         {"", ""},
                         {std::string_view(), ""},
                         {"two\nlines\r\n", "two lines  "},
                         {"\x1b[2J\x1b]0;title\x07", " [2J ]0;title "},
                         {std::string_view("a\0b", 3), "a\xef\xbf\xbd"
                                                       "b"},
                         {"\x7f", " "},
                         {"\xc2\x9b"
                          "2J",
                          " 2J"}, // CSI as one C1 character
                         {"\x9b"
                          "2J",
                          "\xef\xbf\xbd"
                          "2J"}, // and as no UTF-8 at all
                         {"\xc2\x85\xe2\x80\xa8\xe2\x80\xa9", "   "},
                         {"gen\xe2\x80\xae"
                          "exe.4pm",
                          "gen\xef\xbf\xbd"
                          "exe.4pm"},
                         {"\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f\xe2\x81\xa6\xe2\x81\xa9",
                          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
                         {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}})
    fail_unless_equals_text(printable(row.text), row.shown);
}
GST_END_TEST

GST_START_TEST(letters_of_all_scripts_and_emoji_stay) {
  for (const char *text :
       {"Zażółć gęślą jaźń", "Бумажный кораблик", "שלום עולם", "سفينة ورقية", "می‌خواهم", "紙の船", "नमस्ते",
        "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️", "e\xcc\x81"})
    fail_unless_equals_text(printable(text), text);
}
GST_END_TEST

GST_START_TEST(a_text_of_several_lines_keeps_them_and_json_means_what_it_meant) {
  fail_unless_equals_text(printableLines("a\n\x1b"
                                         "b\n"),
                          "a\n b\n");
  fail_unless_equals_text(printableLines(""), "");
  const std::string foreign = "\x7f\xc2\x9b\xe2\x80\xae\xe2\x80\xa8 é👩‍👧";
  const std::string shown = printableJson("{\n\"a\": \"" + foreign + "\"}");
  fail_unless_contains(shown, R"(\u007f\u009b\u202e\u2028 é👩‍👧)");
  const auto read = json::parse(shown);
  fail_unless(read.has_value());
  fail_unless_equals_text(*json::scalarText(json::member(json::objectIn(read->get()), "a")), foreign.c_str());
}
GST_END_TEST

GST_START_TEST(an_error_is_one_printable_line) {
  const Error error = failure(ErrorKind::Busy, "a\nb", "\x1b[31mred\xc2\x9b", "\xe2\x80\xaeremedy\n").value();
  fail_unless_equals_text(error.text(), "a b:  [31mred . \xef\xbf\xbdremedy .");
}
GST_END_TEST

static Suite *printable_suite() {
  Suite *suite = suite_create("printable");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, what_acts_on_a_terminal_is_shown_and_does_nothing);
  tcase_add_test(tests, letters_of_all_scripts_and_emoji_stay);
  tcase_add_test(tests, a_text_of_several_lines_keeps_them_and_json_means_what_it_meant);
  tcase_add_test(tests, an_error_is_one_printable_line);
  return suite;
}

GST_CHECK_MAIN(printable)
