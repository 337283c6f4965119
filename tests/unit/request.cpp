// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/request.h"

#include "api/json.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

constexpr auto textModel = "kling-video/v1.6/pro/text-to-video";
constexpr auto imageModel = "kling-video/v1.6/pro/image-to-video";

Inputs inputsFor(const char *model, const char *parameters = nullptr) {
  Inputs inputs;
  inputs.model = model;
  inputs.prompt = "a cat";
  if (std::string(model).find("image-to-video") != std::string::npos)
    inputs.image.carried = "https://h/i.png";
  if (parameters)
    inputs.parameters = parseParameters(parameters).value();
  return inputs;
}

std::string bodyOf(const Inputs &inputs) {
  const auto request = composeRequest(inputs);
  fail_unless(request.has_value(), "%s", request.has_value() ? "" : request.error().text().c_str());
  return request->body;
}

std::string faultOf(const Inputs &inputs) {
  const auto request = composeRequest(inputs);
  fail_if(request.has_value(), "%s was taken", request.has_value() ? request->body.c_str() : "");
  fail_unless(request.error().kind == ErrorKind::BadRequest);
  fail_unless_contains(request.error().text(), "nothing was bought");
  return request.error().why;
}

} // namespace

GST_START_TEST(without_a_model_the_flagship_for_the_inputs_is_chosen) {
  Inputs inputs;
  inputs.prompt = "a cat";
  fail_unless_equals_text(bodyOf(inputs), R"({"prompt":"a cat","model":"klingai/video-v2-6-pro-text-to-video"})");
  inputs.image.carried = "https://h/i.png";
  fail_unless_equals_text(
      bodyOf(inputs),
      R"({"prompt":"a cat","image_url":"https://h/i.png","model":"klingai/video-v2-6-pro-image-to-video"})");
}
GST_END_TEST

GST_START_TEST(every_typed_input_gets_the_models_own_name) {
  Inputs inputs = inputsFor("klingai/video-v3-pro-image-to-video");
  inputs.negativePrompt = "dogs";
  inputs.tailImage.carried = "https://h/t.png";
  inputs.duration = 7;
  inputs.cfgScale = 0.5;
  inputs.generateAudio = false;
  fail_unless_equals_text(bodyOf(inputs),
                          R"({"prompt":"a cat","negative_prompt":"dogs","image_url":"https://h/i.png",)"
                          R"("tail_image_url":"https://h/t.png","duration":7,"cfg_scale":0.5,"generate_audio":false,)"
                          R"("model":"klingai/video-v3-pro-image-to-video"})");
}
GST_END_TEST

GST_START_TEST(a_text_with_quotes_and_any_script_arrives_unharmed) {
  Inputs inputs = inputsFor(textModel);
  inputs.prompt = "\"Mona\"\nзима \\ 🐈 </script> \x01";
  const auto body = json::parse(bodyOf(inputs));
  fail_unless(body.has_value());
  fail_unless_equals_text(json::scalarText(json::member(json::objectIn(body->get()), "prompt")).value(), inputs.prompt);
}
GST_END_TEST

GST_START_TEST(a1_a_duration_is_sent_as_an_integer) {
  Inputs inputs = inputsFor(textModel);
  inputs.duration = 10;
  fail_unless_contains(bodyOf(inputs), "\"duration\":10,");
}
GST_END_TEST

GST_START_TEST(a1_a_duration_is_sent_as_a_string_where_the_model_wants_one) {
  Inputs inputs = inputsFor("runway-gen3/turbo/image-to-video");
  inputs.tailImage.carried = "https://h/t.png";
  inputs.duration = 10;
  fail_unless_contains(bodyOf(inputs), "\"duration\":\"10\",");
}
GST_END_TEST

GST_START_TEST(a1_an_integer_in_the_parameters_may_be_spelt_as_a_string) {
  fail_unless_contains(bodyOf(inputsFor(textModel, R"({"duration":"5"})")), "\"duration\":\"5\"");
  fail_unless_contains(faultOf(inputsFor(textModel, R"({"duration":"5 s"})")), "duration");
  fail_unless_contains(faultOf(inputsFor(textModel, R"({"duration":5.5})")), "duration");
  fail_unless_contains(faultOf(inputsFor(textModel, R"({"duration":true})")), "duration");
}
GST_END_TEST

GST_START_TEST(a19_the_last_frame_has_the_name_that_the_model_knows) {
  Inputs inputs = inputsFor(imageModel);
  inputs.tailImage.carried = "https://h/t.png";
  fail_unless_contains(bodyOf(inputs), "\"tail_image_url\":\"https://h/t.png\"");
  inputs = inputsFor("minimax/hailuo-02");
  inputs.tailImage.carried = "https://h/t.png";
  fail_unless_contains(bodyOf(inputs), "\"last_image_url\":\"https://h/t.png\"");
  inputs = inputsFor("klingai/video-v2-6-pro-image-to-video");
  inputs.tailImage.carried = "https://h/t.png";
  fail_unless_contains(faultOf(inputs), "tail-image");
}
GST_END_TEST

GST_START_TEST(a20_both_spellings_of_intelligent_shots_pass_where_documented) {
  fail_unless_contains(
      bodyOf(inputsFor("klingai/video-v3-omni-720p-image-to-video", R"({"shot_type":"intelligence"})")),
      "\"shot_type\":\"intelligence\"");
  fail_unless_contains(bodyOf(inputsFor("klingai/video-v3-pro-image-to-video", R"({"shot_type":"intelligent"})")),
                       "\"shot_type\":\"intelligent\"");
}
GST_END_TEST

GST_START_TEST(a21_a_prompt_is_insisted_on_only_where_it_is_required) {
  Inputs inputs = inputsFor(imageModel);
  inputs.prompt.clear();
  fail_unless_equals_text(bodyOf(inputs),
                          R"({"image_url":"https://h/i.png","model":"kling-video/v1.6/pro/image-to-video"})");
  Inputs text;
  text.model = textModel;
  fail_unless_contains(faultOf(text), "prompt is missing");
}
GST_END_TEST

GST_START_TEST(a22_an_unknown_model_is_passed_through) {
  Inputs inputs = inputsFor("newvendor/model-of-tomorrow", R"({"style":{"a":[1]},"duration":"9"})");
  fail_unless_equals_text(bodyOf(inputs), R"({"style":{"a":[1]},"duration":"9","prompt":"a cat",)"
                                          R"("model":"newvendor/model-of-tomorrow"})");
  Inputs nothing;
  nothing.model = "newvendor/model-of-tomorrow";
  fail_unless_contains(faultOf(nothing), "nothing to make");
}
GST_END_TEST

GST_START_TEST(a23_a_model_id_is_sent_as_it_was_given) {
  for (const char *id : {"kling-video/v1.6/pro/text-to-video", "klingai/video-v2-6-pro-text-to-video",
                         "kling-video/v3/turbo/pro/text-to-video", "sora-2-t2v", "Weird/ID:1"})
    fail_unless_contains(bodyOf(inputsFor(id)), "\"model\":\"" + std::string(id) + "\"");
}
GST_END_TEST

GST_START_TEST(a24_sound_is_the_services_choice_until_the_user_makes_it) {
  Inputs inputs = inputsFor("klingai/video-v2-6-pro-image-to-video");
  fail_if(contains(bodyOf(inputs), "audio"));
  inputs.generateAudio = true;
  fail_unless_contains(bodyOf(inputs), "\"generate_audio\":true");
  inputs.generateAudio = false;
  fail_unless_contains(bodyOf(inputs), "\"generate_audio\":false");
  inputs = inputsFor(textModel);
  inputs.generateAudio = false;
  fail_unless_contains(faultOf(inputs), "generate-audio");
}
GST_END_TEST

GST_START_TEST(a25_masks_pass_as_url_or_data_uri) {
  const char *parameters = R"({"static_mask":"data:image/png;base64,AAAA","dynamic_masks":[{"mask":"https://h/m.png",)"
                           R"("trajectories":[{"x":1,"y":2},{"x":3,"y":4}]}]})";
  fail_unless_contains(bodyOf(inputsFor(imageModel, parameters)), "\"mask\":\"https://h/m.png\"");
}
GST_END_TEST

GST_START_TEST(a27_cfg_scale_is_sent_only_when_set) {
  Inputs inputs = inputsFor(textModel);
  fail_if(contains(bodyOf(inputs), "cfg_scale"));
  inputs.cfgScale = 0;
  fail_unless_contains(bodyOf(inputs), "\"cfg_scale\":0");
  inputs.cfgScale = 1.5;
  fail_unless_contains(faultOf(inputs), "cfg_scale");
}
GST_END_TEST

GST_START_TEST(all_faults_are_named_at_once) {
  Inputs inputs = inputsFor(textModel, R"({"colour":"red","aspect_ratio":"7:3"})");
  inputs.prompt.clear();
  inputs.image.carried = "https://h/i.png";
  inputs.duration = 6;
  const std::string fault = faultOf(inputs);
  for (const char *part : {"takes no image", "prompt is missing", "no parameter colour", "aspect_ratio", "16:9",
                           "duration is \"6\", allowed are 5, 10"})
    fail_unless_contains(fault, part);
}
GST_END_TEST

GST_START_TEST(what_is_given_twice_is_refused) {
  Inputs inputs = inputsFor(textModel, R"({"duration":5})");
  inputs.duration = 5;
  fail_unless_contains(faultOf(inputs), "parameters holds duration");
  fail_unless_contains(faultOf(inputsFor(textModel, R"({"prompt":"a dog"})")), "parameters holds prompt");
  fail_unless_contains(faultOf(inputsFor(imageModel, R"({"image_url":"https://h/x"})")), "parameters holds image_url");
  fail_unless_contains(faultOf(inputsFor(textModel, R"({"model":"x"})")), "parameters holds model");
  fail_unless_contains(faultOf(inputsFor("unknown/model", R"({"model":"x"})")), "parameters holds model");
}
GST_END_TEST

GST_START_TEST(nested_faults_name_their_place) {
  fail_unless_contains(faultOf(inputsFor(imageModel, R"({"camera_control":{"type":"simple","config":{"zoom":11}}})")),
                       "camera_control.config.zoom is 11, allowed is -10 to 10");
  fail_unless_contains(faultOf(inputsFor(imageModel, R"({"dynamic_masks":[{"mask":"m","trajectories":[{"x":1}]}]})")),
                       "dynamic_masks[0].trajectories");
  fail_unless_contains(faultOf(inputsFor(imageModel, R"({"dynamic_masks":["m"]})")), "dynamic_masks[0]");
  fail_unless_contains(faultOf(inputsFor(imageModel, R"({"dynamic_masks":{}})")), "of type array");
  fail_unless_contains(faultOf(inputsFor(textModel, R"({"negative_prompt":null})")), "must not be null");
}
GST_END_TEST

GST_START_TEST(a_prompt_is_measured_in_characters_and_not_in_bytes) {
  Inputs inputs = inputsFor("klingai/video-v2-6-pro-text-to-video");
  inputs.prompt.clear();
  for (unsigned i = 0; i < 2500; ++i)
    inputs.prompt += "é";
  bodyOf(inputs);
  inputs.prompt += "é";
  fail_unless_contains(faultOf(inputs), "2501 characters, at most 2500");
}
GST_END_TEST

GST_START_TEST(a_fault_does_not_repeat_megabytes) {
  const std::string parameters = R"({"aspect_ratio":")" + std::string(100'000, 'x') + "\"}";
  fail_unless(faultOf(inputsFor(textModel, parameters.c_str())).size() < 500);
}
GST_END_TEST

GST_START_TEST(parameters_must_be_one_json_object) {
  fail_unless(parseParameters(R"({"seed":7})").has_value());
  fail_unless(parseParameters("{}").has_value());
  for (const char *text : {"", "seed=7", "[1]", "\"x\"", "{\"seed\":}", "null"}) {
    const auto parameters = parseParameters(text);
    fail_if(parameters.has_value(), "%s", text);
    fail_unless(parameters.error().kind == ErrorKind::BadRequest);
    fail_unless_contains(parameters.error().text(), "parameters");
  }
}
GST_END_TEST

GST_START_TEST(composing_leaves_the_given_parameters_alone) {
  const Inputs inputs = inputsFor("unknown/model", R"({"seed":7})");
  const std::string once = bodyOf(inputs);
  fail_unless_equals_text(bodyOf(inputs), once);
  fail_unless_equals_int(json_object_get_size(inputs.parameters.get()), 1);
}
GST_END_TEST

static Suite *request_suite() {
  Suite *suite = suite_create("request");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, without_a_model_the_flagship_for_the_inputs_is_chosen);
  tcase_add_test(tests, every_typed_input_gets_the_models_own_name);
  tcase_add_test(tests, a_text_with_quotes_and_any_script_arrives_unharmed);
  tcase_add_test(tests, a1_a_duration_is_sent_as_an_integer);
  tcase_add_test(tests, a1_a_duration_is_sent_as_a_string_where_the_model_wants_one);
  tcase_add_test(tests, a1_an_integer_in_the_parameters_may_be_spelt_as_a_string);
  tcase_add_test(tests, a19_the_last_frame_has_the_name_that_the_model_knows);
  tcase_add_test(tests, a20_both_spellings_of_intelligent_shots_pass_where_documented);
  tcase_add_test(tests, a21_a_prompt_is_insisted_on_only_where_it_is_required);
  tcase_add_test(tests, a22_an_unknown_model_is_passed_through);
  tcase_add_test(tests, a23_a_model_id_is_sent_as_it_was_given);
  tcase_add_test(tests, a24_sound_is_the_services_choice_until_the_user_makes_it);
  tcase_add_test(tests, a25_masks_pass_as_url_or_data_uri);
  tcase_add_test(tests, a27_cfg_scale_is_sent_only_when_set);
  tcase_add_test(tests, all_faults_are_named_at_once);
  tcase_add_test(tests, what_is_given_twice_is_refused);
  tcase_add_test(tests, nested_faults_name_their_place);
  tcase_add_test(tests, a_prompt_is_measured_in_characters_and_not_in_bytes);
  tcase_add_test(tests, a_fault_does_not_repeat_megabytes);
  tcase_add_test(tests, parameters_must_be_one_json_object);
  tcase_add_test(tests, composing_leaves_the_given_parameters_alone);
  return suite;
}

GST_CHECK_MAIN(request)
