// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/reply.h"

#include <algorithm>

#include "api/masking.h"
#include "base/glib_ptr.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

Reply read(const std::string &body) {
  const auto reply = parseReply(body);
  fail_unless(reply.has_value(), "%s: %s", body.c_str(), reply.has_value() ? "" : reply.error().c_str());
  return *reply;
}

Reply withVideo(const std::string &video) {
  return read(R"({"id":"x","status":"completed","video":)" + video + "}");
}

Reply withError(const std::string &error, const std::string &status = "error") {
  return read(R"({"id":"x","status":")" + status + R"(","error":)" + error + "}");
}

} // namespace

GST_START_TEST(a_key_is_covered_in_every_spelling) {
  const std::string key = "sk-4f/9c+1d7e8a2b";
  const auto base64 = [](const std::string &text) {
    const GCharPtr encoded(g_base64_encode(reinterpret_cast<const guchar *>(text.data()), text.size()));
    return std::string(encoded.get());
  };
  std::string urlSafe = base64("a" + key);
  std::replace(urlSafe.begin(), urlSafe.end(), '+', '-');
  std::replace(urlSafe.begin(), urlSafe.end(), '/', '_');
  std::string escaped = base64("Bearer " + key);
  for (size_t at = escaped.find('/'); at != std::string::npos; at = escaped.find('/', at + 2))
    escaped.insert(at, 1, '\\');
  std::string all;
  for (const char c : key)
    all += "%" + std::string(1, "0123456789ABCDEF"[c >> 4]) + "0123456789abcdef"[c & 15];
  const std::string spellings[] = {
      key,
      "\\u0073k-4f\\/9c+1d7e8a2b",
      R"(sk-\u0034f\/9c\u002b1d7e8a2\u0062)",
      "sk-4f%2F9c%2b1d7e8a2b",
      "sk%2D4f/9c%2B1d7e8a2b",
      "sk-4f%252f9c%252B1d7e8a2b",
      R"(sk-4f\u00252F9c+1d7e8a2b)",
      all,
      base64(key),
      base64("Bearer " + key),
      base64("1" + key + "23"),
      base64("12" + key + "3"),
      urlSafe,
      escaped,
  };
  for (const std::string &spelling : spellings) {
    std::string text = "before, " + spelling + ", after";
    mask(text, key, "(key)");
    fail_unless_equals_text(text, "before, (key), after");
  }
  for (const std::string &harmless :
       {std::string("sk-4f/9c+1d7e8a2"), std::string("100 %, %2, \\u00, \\"), base64("some other text")}) {
    std::string text = harmless;
    mask(text, key, "(key)");
    fail_unless_equals_text(text, harmless);
  }
  std::string hostile(1 << 20, '%'); // read once, however deep it pretends to be encoded
  mask(hostile, key, "(key)");
  fail_unless_equals_int(hostile.size(), 1 << 20);
}
GST_END_TEST

GST_START_TEST(a_problem_document_is_read) {
  fail_unless_equals_text(serviceMessage(R"({"type":"about:blank","title":"Bad Request","status":400,
                                             "detail":"the duration must be 5 or 10","instance":"/v2/video"})"),
                          "Bad Request: the duration must be 5 or 10");
  fail_unless_equals_text(serviceMessage(R"({"title":"Gone","status":410})"), "Gone");
  constexpr auto live = R"({"title":"Not Found","status":404,"message":"Model not found","instance":"/v2/video",
      "requestId":"0b5f-1","timestamp":"2026-08-30","error":{"name":"NotFoundException","message":"Model not found"}})";
  fail_unless_equals_text(serviceMessage(live), "NotFoundException: Model not found");
  fail_unless_equals_text(requestIdIn(live), "0b5f-1");
  fail_unless_equals_text(requestIdIn("<html>"), "");
}
GST_END_TEST

GST_START_TEST(every_documented_word_has_its_state) {
  struct Row {
    const char *word;
    JobState state;
  };
  for (const Row &row : {Row{"queued", JobState::Queued},
                         {"waiting", JobState::Queued},
                         {"generating", JobState::Generating},
                         {"active", JobState::Generating},
                         {"processing", JobState::Generating},
                         {"dreaming", JobState::Generating},
                         {"streaming", JobState::Generating},
                         {"completed", JobState::Completed},
                         {"complete", JobState::Completed},
                         {"succeeded", JobState::Completed},
                         {"success", JobState::Completed},
                         {"done", JobState::Completed},
                         {"ready", JobState::Completed},
                         {"finished", JobState::Completed},
                         {"error", JobState::Failed},
                         {"failed", JobState::Failed},
                         {"cancelled", JobState::Failed},
                         {"canceled", JobState::Failed},
                         {"timeout", JobState::Failed},
                         {"timed_out", JobState::Failed},
                         {"expired", JobState::Failed},
                         {"", JobState::Generating},
                         {"no such word", JobState::Generating},
                         {" Completed\n", JobState::Completed},
                         {"QUEUED", JobState::Queued},
                         {"\tERROR ", JobState::Failed}})
    fail_unless(jobStateFromWord(row.word) == row.state, "\"%s\"", row.word);
}
GST_END_TEST

GST_START_TEST(numbers_may_be_strings_in_answers) {
  const Reply reply = read(R"({"id":"x","status":"completed","duration":"5","video":{"url":"https://h/v","duration":5},
                               "meta":{"usage":{"credits_used":"3900000","usd_spent":"1.95"}}})");
  fail_unless(reply.usage.credits == 3'900'000.0);
  fail_unless(reply.usage.usd == 1.95);
}
GST_END_TEST

GST_START_TEST(complete_completed_and_succeeded_are_all_done) {
  for (const char *word : {"complete", "completed", "succeeded", "Succeeded"})
    fail_unless(read(std::string(R"({"id":"x","status":")") + word + "\"}").state == JobState::Completed);
}
GST_END_TEST

GST_START_TEST(the_id_may_be_called_generation_id) {
  fail_unless_equals_text(read(R"({"id":"a","status":"queued"})").id, "a");
  fail_unless_equals_text(read(R"({"generation_id":"b","status":"queued"})").id, "b");
  fail_unless_equals_text(read(R"({"id":null,"generation_id":"b"})").id, "b");
  fail_unless_equals_text(read(R"({"id":"","generation_id":"b"})").id, "b");
  fail_unless_equals_text(read(R"({"id":{},"generation_id":"b"})").id, "b");
  fail_unless_equals_text(read(R"({"status":"queued"})").id, "");
}
GST_END_TEST

GST_START_TEST(ids_of_every_kind_stay_as_they_are) {
  for (const char *id :
       {"60ac7c34-3224-4b14-8e7d-0aa0db708325:kling-video/v1.6/pro/image-to-video", "-G3b3vVKdoC42fMNeK1T5",
        "789392067490349060", "cgt-20250721143112-kkm5n", "video_68c2:openai/sora-2-t2v", "_x_"})
    fail_unless_equals_text(read(std::string(R"({"id":")") + id + "\"}").id, id);
  // digits without quotes, above 2^53
  fail_unless_equals_text(read(R"({"id":789392067490349060,"status":"queued"})").id, "789392067490349060");
}
GST_END_TEST

GST_START_TEST(video_may_be_an_object) {
  fail_unless_equals_text(withVideo(R"({"url":"https://h/v.mp4","content_type":"video/mp4","file_size":5})").clipUrl,
                          "https://h/v.mp4");
}
GST_END_TEST

GST_START_TEST(video_may_be_an_array_of_objects) {
  fail_unless_equals_text(withVideo(R"([{"url":"https://h/1"},{"url":"https://h/2"}])").clipUrl, "https://h/1");
  fail_unless_equals_text(withVideo(R"([null,{},{"url":null},{"url":"https://h/2"}])").clipUrl, "https://h/2");
}
GST_END_TEST

GST_START_TEST(video_may_be_an_array_of_strings) {
  fail_unless_equals_text(withVideo(R"(["https://h/1","https://h/2"])").clipUrl, "https://h/1");
}
GST_END_TEST

GST_START_TEST(video_may_be_absent_or_of_no_use) {
  for (const char *video :
       {"null", "{}", "[]", "7", "true", R"({"url":null})", R"({"url":""})", R"({"url":7})", "[[]]"})
    fail_unless_equals_text(withVideo(video).clipUrl, "");
  fail_unless_equals_text(read(R"({"id":"x","status":"completed"})").clipUrl, "");
}
GST_END_TEST

GST_START_TEST(video_may_be_a_string) {
  fail_unless_equals_text(withVideo(R"("https://h/1")").clipUrl, "https://h/1");
}
GST_END_TEST

GST_START_TEST(an_error_of_any_shape_is_told) {
  struct Row {
    const char *json;
    const char *told;
  };
  for (const Row &row :
       {Row{"null", ""},
        {R"("no GPU left")", "no GPU left"},
        {R"({"name":"Oops","message":"no GPU left"})", "Oops: no GPU left"},
        {R"({"name":"Oops","message":""})", "Oops"},
        {R"({"message":"no GPU left"})", "no GPU left"},
        {R"({"name":"Oops","message":"no","data":{"kind":"err_x"}})", "Oops: no"},
        {R"({"detail":[{"loc":["body","image_url"],"msg":"Image too small","type":"image_too_small","input":"x"}]})",
         "Image too small"},
        {R"({"detail":"not valid"})", "not valid"},
        {R"([{"msg":"one"},{"msg":"two"}])", "one; two"},
        {R"({"code":7})", R"({"code":7})"},
        {"{}", ""},
        {"42", "42"},
        {R"("two\nlines\tand  blanks")", "two lines and blanks"}})
    fail_unless_equals_text(withError(row.json).error, row.told);
}
GST_END_TEST

GST_START_TEST(status_decides_and_not_the_error_beside_it) {
  const Reply done =
      read(R"({"id":"x","status":"completed","video":{"url":"https://h/v"},"error":{"name":"text","message":"text"}})");
  fail_unless(done.state == JobState::Completed);
  fail_unless_equals_text(done.clipUrl, "https://h/v");
  fail_unless(withError(R"({"name":"text","message":"text"})", "generating").state == JobState::Generating);
}
GST_END_TEST

GST_START_TEST(usage_is_optional_and_has_several_names) {
  const auto usageOf = [](const std::string &meta) {
    return read(R"({"id":"x","status":"queued","meta":)" + meta + "}").usage;
  };
  fail_unless(usageOf(R"({"usage":{"credits_used":3900000,"usd_spent":1.95}})").usd == 1.95);
  fail_unless(usageOf(R"({"usage":{"credits_used":0.5}})").credits == 0.5);
  fail_unless(usageOf(R"({"usage":{"tokens_used":590100}})").credits == 590'100.0);
  for (const char *none :
       {"null", "{}", R"({"usage":null})", R"({"usage":[]})", R"({"usage":{"credits_used":null}})",
        R"({"usage":{"usd_spent":"much"}})", R"({"usage":{"usd_spent":"nan","credits_used":"-inf"}})",
        R"({"usage":{"usd_spent":-1000,"credits_used":-1}})", "7"}) {
    fail_if(usageOf(none).credits.has_value(), "%s", none);
    fail_if(usageOf(none).usd.has_value(), "%s", none);
  }
}
GST_END_TEST

GST_START_TEST(newer_usage_adds_to_what_is_known) {
  Usage usage;
  usage.credits = 1;
  usage.usd = 2;
  usage.update(Usage{});
  fail_unless(usage.credits == 1.0 && usage.usd == 2.0);
  Usage newer;
  newer.usd = 3;
  usage.update(newer);
  fail_unless(usage.credits == 1.0 && usage.usd == 3.0);
}
GST_END_TEST

GST_START_TEST(unknown_members_are_ignored) {
  const Reply reply =
      read(R"({"model":"m","duration":5,"x":{"status":"error"},"status":"queued","id":"x","created_at":1,"urls":[]})");
  fail_unless(reply.state == JobState::Queued);
  fail_unless_equals_text(reply.id, "x");
}
GST_END_TEST

GST_START_TEST(a_missing_or_odd_status_means_still_at_work) {
  for (const char *body : {R"({"id":"x"})", R"({"id":"x","status":null})", R"({"id":"x","status":7})",
                           R"({"id":"x","status":{}})", R"({"id":"x","status":"warming up"})", "{}"})
    fail_unless(read(body).state == JobState::Generating, "%s", body);
}
GST_END_TEST

GST_START_TEST(an_answer_that_is_no_object_says_why) {
  for (const char *body :
       {"", " \n", "<html><body>502</body></html>", "[]", "\"completed\"", "null", "7", "{\"id\":"}) {
    const auto reply = parseReply(body);
    fail_if(reply.has_value(), "%s", body);
    fail_unless(!reply.error().empty());
  }
}
GST_END_TEST

GST_START_TEST(a_signed_url_is_taken_byte_for_byte) {
  const std::string url =
      "https://v15-kling.klingai.com/bs2/a%2Fb/x.mp4?Sig=a%2Bb%3D&Expires=1&k=%7e+~" + std::string(500, 'a');
  fail_unless_equals_text(withVideo("{\"url\":\"" + url + "\"}").clipUrl, url);
  fail_unless_equals_text(withVideo(R"({"url":"https:\/\/h\/a%2fb?x=1\u0026y=2"})").clipUrl, "https://h/a%2fb?x=1&y=2");
}
GST_END_TEST

GST_START_TEST(a_failure_for_the_contents_is_recognised) {
  for (const char *words : {"Content moderation failed", "flagged by the SAFETY system", "contains sensitive words",
                            "Failure to pass the risk control system", "violates our content policy"})
    fail_unless(withError("\"" + std::string(words) + "\"").moderated, "%s", words);
  fail_if(withError(R"("no GPU left")").moderated);
  fail_if(withError(R"("moderation is under way")", "generating").moderated);
}
GST_END_TEST

GST_START_TEST(the_services_words_are_found_in_any_error_body) {
  struct Row {
    const char *body;
    const char *told;
  };
  for (const Row &row :
       {Row{R"({"message":"Too Many Requests","path":"/v2","requestId":"r","statusCode":"429","timestamp":"t"})",
            "Too Many Requests"},
        {R"({"title":"No","status":400,"message":"Body validation error"})", "Body validation error"},
        {R"({"title":"Only a title"})", "Only a title"},
        {R"({"error":{"message":"in the error"},"message":"outside"})", "in the error"},
        {R"({"error":"a string"})", "a string"},
        {R"({"name":"ForbiddenException","message":"You've run out of credits","data":{"kind":"err_x"}})",
         "You've run out of credits"},
        {R"({"message":["duration must be 5 or 10","prompt is missing"]})",
         "duration must be 5 or 10; prompt is missing"},
        // the documented example itself is no valid JSON
        {"{ \"message\": \"Too Many Requests\" \"statusCode\": \"429\" }",
         "{ \"message\": \"Too Many Requests\" \"statusCode\": \"429\" }"},
        {"plain\r\ntext\twith\x1b[31m lines", "plain text with [31m lines"},
        {"<html>\n<h1>502</h1>", "<html> <h1>502</h1>"},
        {"", ""},
        {" \n ", ""},
        {"[]", "[]"},
        {"{}", "{}"}})
    fail_unless_equals_text(serviceMessage(row.body), row.told);
}
GST_END_TEST

GST_START_TEST(the_services_words_are_bounded_whatever_it_sends) {
  const std::string letters(100'000, 'x');
  const std::string rubbish(100'000, '\xff');
  std::string wide;
  while (wide.size() < 100'000)
    wide += "€";
  for (const std::string &text : {letters, rubbish, wide}) {
    for (const std::string &body : {text, "x" + text, "{\"message\":\"" + text + "\"}",
                                    "{\"message\":\"x" + text + "\"}", "{\"message\":\"xx" + text + "\"}"}) {
      const std::string message = serviceMessage(body);
      fail_unless(message.size() <= 500, "%zu bytes", message.size());
      fail_unless(g_utf8_validate(message.c_str(), -1, nullptr));
      fail_unless(!message.empty());
    }
    const auto reply = parseReply("<" + text);
    fail_if(reply.has_value());
    fail_unless(reply.error().size() <= 1000, "%zu bytes", reply.error().size());
    fail_unless(g_utf8_validate(reply.error().c_str(), -1, nullptr));
  }
  // a cut must not leave a broken character behind
  fail_if(contains(serviceMessage("{\"message\":\"" + wide + "\"}"), "\xef\xbf\xbd"));
}
GST_END_TEST

static Suite *reply_suite() {
  Suite *suite = suite_create("reply");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_key_is_covered_in_every_spelling);
  tcase_add_test(tests, a_problem_document_is_read);
  tcase_add_test(tests, every_documented_word_has_its_state);
  tcase_add_test(tests, numbers_may_be_strings_in_answers);
  tcase_add_test(tests, complete_completed_and_succeeded_are_all_done);
  tcase_add_test(tests, the_id_may_be_called_generation_id);
  tcase_add_test(tests, ids_of_every_kind_stay_as_they_are);
  tcase_add_test(tests, video_may_be_an_object);
  tcase_add_test(tests, video_may_be_an_array_of_objects);
  tcase_add_test(tests, video_may_be_an_array_of_strings);
  tcase_add_test(tests, video_may_be_absent_or_of_no_use);
  tcase_add_test(tests, video_may_be_a_string);
  tcase_add_test(tests, an_error_of_any_shape_is_told);
  tcase_add_test(tests, status_decides_and_not_the_error_beside_it);
  tcase_add_test(tests, usage_is_optional_and_has_several_names);
  tcase_add_test(tests, newer_usage_adds_to_what_is_known);
  tcase_add_test(tests, unknown_members_are_ignored);
  tcase_add_test(tests, a_missing_or_odd_status_means_still_at_work);
  tcase_add_test(tests, an_answer_that_is_no_object_says_why);
  tcase_add_test(tests, a_signed_url_is_taken_byte_for_byte);
  tcase_add_test(tests, a_failure_for_the_contents_is_recognised);
  tcase_add_test(tests, the_services_words_are_found_in_any_error_body);
  tcase_add_test(tests, the_services_words_are_bounded_whatever_it_sends);
  return suite;
}

GST_CHECK_MAIN(reply)
