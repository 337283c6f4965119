// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/canonical.h"

#include "api/request.h"
#include "base/json/node.h"
#include "images.h"
#include "media/image_reference.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

std::string canonical(const char *text) {
  return canonicalJson(json::parse(text).value().get());
}

std::string canonicalOf(const Inputs &inputs) {
  const auto request = composeRequest(inputs);
  fail_unless(request.has_value(), "%s", request.has_value() ? "" : request.error().text().c_str());
  return request->canonical;
}

Inputs withImage(Media image) {
  Inputs inputs;
  inputs.set("prompt", std::string("a cat"));
  inputs.set("image", std::move(image));
  return inputs;
}

} // namespace

GST_START_TEST(keys_are_sorted_at_every_depth_and_there_are_no_blanks) {
  fail_unless_equals_text(canonical(R"( { "b" : [ { "d" : 1 , "c" : "x y" } ] , "a" : { } , "A" : [ ] } )"),
                          R"({"A":[],"a":{},"b":[{"c":"x y","d":1}]})");
}
GST_END_TEST

GST_START_TEST(a_number_has_one_spelling) {
  for (const char *five : {R"({"n":5})", R"({"n":5.0})", R"({"n":5e0})", R"({"n":0.5e1})"})
    fail_unless_equals_text(canonical(five), R"({"n":5})");
  fail_unless_equals_text(canonical(R"({"n":0.10})"), R"({"n":0.1})");
  fail_unless_equals_text(canonical(R"({"n":-0.0})"), R"({"n":0})");
  fail_unless_equals_text(canonical(R"({"n":4294967295})"), R"({"n":4294967295})");
  fail_unless(canonical(R"({"n":"5"})") != canonical(R"({"n":5})"));
  fail_unless(canonical(R"({"n":true})") != canonical(R"({"n":null})"));
}
GST_END_TEST

GST_START_TEST(a_text_has_one_spelling) {
  fail_unless_equals_text(canonical(R"({"t":"\u00e9\/"})"), canonical(R"({"t":"é/"})"));
  fail_unless(canonical(R"({"t":"a\"b"})") != canonical(R"({"t":"ab"})"));
}
GST_END_TEST

GST_START_TEST(an_image_counts_by_its_bytes_and_not_by_its_path_or_spelling) {
  TemporaryFolder folder;
  const std::string bytes = fromBase64(tinyPng);
  const std::string expected = canonicalOf(withImage({dataUri("image/png", tinyPng), ""}));
  fail_unless_contains(expected, identityOf(bytes));
  for (const std::string &reference : {folder.file("a.png", bytes), folder.file("b.jpg", bytes),
                                       dataUri("image/png", tinyPng), dataUri("image/x-png", tinyPng)})
    fail_unless_equals_text(canonicalOf(withImage(resolveImage(reference, "image").value())), expected);
  const auto other = resolveImage(folder.file("c.png", fromBase64(tinyJpeg)), "image").value();
  fail_unless(canonicalOf(withImage(other)) != expected);
}
GST_END_TEST

GST_START_TEST(re_encoding_an_image_leaves_the_request_the_same) {
  const Media prepared{dataUri("image/jpeg", tinyJpeg), identityOf(fromBase64(tinyPng))};
  fail_unless_equals_text(canonicalOf(withImage(prepared)),
                          canonicalOf(withImage({dataUri("image/png", tinyPng), ""})));
}
GST_END_TEST

GST_START_TEST(a_web_address_counts_as_it_is) {
  fail_unless_contains(canonicalOf(withImage(resolveImage("https://h/i.png?a=%2F", "image").value())),
                       R"("image_url":"https://h/i.png?a=%2F")");
}
GST_END_TEST

GST_START_TEST(media_inside_the_parameters_are_sent_and_count_by_their_bytes) {
  Inputs inputs;
  inputs.model = "kling-video/v1.6/standard/multi-image-to-video";
  inputs.parameters = parseParameters(R"({"image_list":["a.png","https://h/b.png"]})").value();
  inputs.media["image_list[0]"] = {dataUri("image/jpeg", tinyJpeg), identityOf("original")};
  const auto request = composeRequest(inputs);
  fail_unless(request.has_value(), "%s", request.has_value() ? "" : request.error().text().c_str());
  fail_unless_contains(request->body, R"(["data:image)");
  fail_unless_equals_text(request->canonical, R"({"image_list":[")" + identityOf("original") +
                                                  R"(","https://h/b.png"],"model":")" + inputs.model + R"("})");
}
GST_END_TEST

GST_START_TEST(the_identity_of_bytes_is_their_sha256) {
  fail_unless_equals_text(identityOf(""), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  fail_unless_equals_text(identityOfCarried("data:,plain"), "data:,plain");
  fail_unless_equals_text(identityOfCarried("DATA:image/png;base64,eA=="), identityOf("x"));
  fail_unless_equals_text(identityOfCarried("DATA:image/png;base64,"), identityOf(""));
}
GST_END_TEST

static Suite *canonical_suite() {
  Suite *suite = suite_create("canonical");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, keys_are_sorted_at_every_depth_and_there_are_no_blanks);
  tcase_add_test(tests, a_number_has_one_spelling);
  tcase_add_test(tests, a_text_has_one_spelling);
  tcase_add_test(tests, an_image_counts_by_its_bytes_and_not_by_its_path_or_spelling);
  tcase_add_test(tests, re_encoding_an_image_leaves_the_request_the_same);
  tcase_add_test(tests, a_web_address_counts_as_it_is);
  tcase_add_test(tests, media_inside_the_parameters_are_sent_and_count_by_their_bytes);
  tcase_add_test(tests, the_identity_of_bytes_is_their_sha256);
  return suite;
}

GST_CHECK_MAIN(canonical)
