// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/request.h"

#include "base/json/node.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

constexpr auto textModel = "kling-video/v1.6/pro/text-to-video";
constexpr auto imageModel = "kling-video/v1.6/pro/image-to-video";

Inputs inputsFor(const char *model, const char *parameters = nullptr) {
  Inputs inputs;
  inputs.model = model;
  inputs.set("prompt", std::string("a cat"));
  if (std::string(model).find("image-to-video") != std::string::npos)
    inputs.set("image", Media{"https://h/i.png", ""});
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
  inputs.set("prompt", std::string("a cat"));
  fail_unless_equals_text(bodyOf(inputs), R"({"prompt":"a cat","model":"klingai/video-v2-6-pro-text-to-video"})");
  inputs.set("image", Media{"https://h/i.png", ""});
  fail_unless_equals_text(
      bodyOf(inputs),
      R"({"prompt":"a cat","image_url":"https://h/i.png","model":"klingai/video-v2-6-pro-image-to-video"})");
}
GST_END_TEST

GST_START_TEST(every_typed_input_gets_the_models_own_name) {
  Inputs inputs = inputsFor("klingai/video-v3-pro-image-to-video");
  inputs.set("negative-prompt", std::string("dogs"));
  inputs.set("tail-image", Media{"https://h/t.png", ""});
  inputs.set("duration", int64_t{7});
  inputs.set("cfg-scale", double{0.5});
  inputs.set("generate-audio", false);
  fail_unless_equals_text(bodyOf(inputs),
                          R"({"prompt":"a cat","image_url":"https://h/i.png","negative_prompt":"dogs",)"
                          R"("tail_image_url":"https://h/t.png","duration":7,"cfg_scale":0.5,"generate_audio":false,)"
                          R"("model":"klingai/video-v3-pro-image-to-video"})");
}
GST_END_TEST

GST_START_TEST(a_text_with_quotes_and_any_script_arrives_unharmed) {
  Inputs inputs = inputsFor(textModel);
  const std::string prompt = "\"Mona\"\nзима \\ 🐈 </script> \x01";
  inputs.set("prompt", prompt);
  const auto body = json::parse(bodyOf(inputs));
  fail_unless(body.has_value());
  fail_unless_equals_text(json::scalarText(json::member(json::objectIn(body->get()), "prompt")).value(), prompt);
}
GST_END_TEST

GST_START_TEST(a_duration_is_sent_as_an_integer) {
  Inputs inputs = inputsFor(textModel);
  inputs.set("duration", int64_t{10});
  fail_unless_contains(bodyOf(inputs), "\"duration\":10,");
}
GST_END_TEST

GST_START_TEST(a_duration_is_sent_as_a_string_where_the_model_wants_one) {
  Inputs inputs = inputsFor("runway-gen3/turbo/image-to-video");
  inputs.set("tail-image", Media{"https://h/t.png", ""});
  inputs.set("duration", int64_t{10});
  fail_unless_contains(bodyOf(inputs), "\"duration\":\"10\",");
}
GST_END_TEST

GST_START_TEST(an_integer_in_the_parameters_may_be_spelt_as_a_string) {
  fail_unless_contains(bodyOf(inputsFor(textModel, R"({"duration":"5"})")), "\"duration\":\"5\"");
  fail_unless_contains(faultOf(inputsFor(textModel, R"({"duration":"5 s"})")), "duration");
  fail_unless_contains(faultOf(inputsFor(textModel, R"({"duration":5.5})")), "duration");
  fail_unless_contains(faultOf(inputsFor(textModel, R"({"duration":true})")), "duration");
}
GST_END_TEST

GST_START_TEST(the_last_frame_has_the_name_that_the_model_knows) {
  Inputs inputs = inputsFor(imageModel);
  inputs.set("tail-image", Media{"https://h/t.png", ""});
  fail_unless_contains(bodyOf(inputs), "\"tail_image_url\":\"https://h/t.png\"");
  inputs = inputsFor("minimax/hailuo-02");
  inputs.set("tail-image", Media{"https://h/t.png", ""});
  fail_unless_contains(bodyOf(inputs), "\"last_image_url\":\"https://h/t.png\"");
  inputs = inputsFor("klingai/video-v2-6-pro-image-to-video");
  inputs.set("tail-image", Media{"https://h/t.png", ""});
  fail_unless_contains(faultOf(inputs), "tail-image");
}
GST_END_TEST

GST_START_TEST(both_spellings_of_intelligent_shots_pass_where_documented) {
  fail_unless_contains(
      bodyOf(inputsFor("klingai/video-v3-omni-720p-image-to-video", R"({"shot_type":"intelligence"})")),
      "\"shot_type\":\"intelligence\"");
  fail_unless_contains(bodyOf(inputsFor("klingai/video-v3-pro-image-to-video", R"({"shot_type":"intelligent"})")),
                       "\"shot_type\":\"intelligent\"");
}
GST_END_TEST

GST_START_TEST(a_prompt_is_insisted_on_only_where_it_is_required) {
  Inputs inputs = inputsFor(imageModel);
  inputs.unset("prompt");
  fail_unless_equals_text(bodyOf(inputs),
                          R"({"image_url":"https://h/i.png","model":"kling-video/v1.6/pro/image-to-video"})");
  Inputs text;
  text.model = textModel;
  fail_unless_contains(faultOf(text), "prompt is missing");
}
GST_END_TEST

GST_START_TEST(an_unknown_model_is_passed_through) {
  Inputs inputs = inputsFor("newvendor/model-of-tomorrow", R"({"style":{"a":[1]},"duration":"9"})");
  fail_unless_equals_text(bodyOf(inputs), R"({"style":{"a":[1]},"duration":"9","prompt":"a cat",)"
                                          R"("model":"newvendor/model-of-tomorrow"})");
  Inputs nothing;
  nothing.model = "newvendor/model-of-tomorrow";
  fail_unless_contains(faultOf(nothing), "nothing to make");
}
GST_END_TEST

GST_START_TEST(a_model_id_is_sent_as_it_was_given) {
  for (const char *id : {"kling-video/v1.6/pro/text-to-video", "klingai/video-v2-6-pro-text-to-video",
                         "kling-video/v3/turbo/pro/text-to-video", "sora-2-t2v", "Weird/ID:1"})
    fail_unless_contains(bodyOf(inputsFor(id)), "\"model\":\"" + std::string(id) + "\"");
}
GST_END_TEST

GST_START_TEST(sound_is_the_services_choice_until_the_user_makes_it) {
  Inputs inputs = inputsFor("klingai/video-v2-6-pro-image-to-video");
  fail_if(contains(bodyOf(inputs), "audio"));
  inputs.set("generate-audio", true);
  fail_unless_contains(bodyOf(inputs), "\"generate_audio\":true");
  inputs.set("generate-audio", false);
  fail_unless_contains(bodyOf(inputs), "\"generate_audio\":false");
  inputs = inputsFor(textModel);
  inputs.set("generate-audio", false);
  fail_unless_contains(faultOf(inputs), "generate-audio");
}
GST_END_TEST

GST_START_TEST(masks_pass_as_url_or_data_uri) {
  const char *parameters = R"({"static_mask":"data:image/png;base64,AAAA","dynamic_masks":[{"mask":"https://h/m.png",)"
                           R"("trajectories":[{"x":1,"y":2},{"x":3,"y":4}]}]})";
  fail_unless_contains(bodyOf(inputsFor(imageModel, parameters)), "\"mask\":\"https://h/m.png\"");
}
GST_END_TEST

GST_START_TEST(cfg_scale_is_sent_only_when_set) {
  Inputs inputs = inputsFor(textModel);
  fail_if(contains(bodyOf(inputs), "cfg_scale"));
  inputs.set("cfg-scale", double{0});
  fail_unless_contains(bodyOf(inputs), "\"cfg_scale\":0");
  inputs.set("cfg-scale", double{1.5});
  fail_unless_contains(faultOf(inputs), "cfg_scale");
}
GST_END_TEST

GST_START_TEST(all_faults_are_named_at_once) {
  Inputs inputs = inputsFor(textModel, R"({"negativ_promt":"red","aspect_ratio":"7:3"})");
  inputs.unset("prompt");
  inputs.set("image", Media{"https://h/i.png", ""});
  inputs.set("duration", int64_t{6});
  const std::string fault = faultOf(inputs);
  for (const char *part : {"takes no image", "prompt is missing", "no parameter negativ_promt", "aspect_ratio", "16:9",
                           "duration is \"6\", allowed are 5, 10"})
    fail_unless_contains(fault, part);
}
GST_END_TEST

GST_START_TEST(what_is_given_twice_is_refused) {
  Inputs inputs = inputsFor(textModel, R"({"duration":5})");
  inputs.set("duration", int64_t{5});
  fail_unless_contains(faultOf(inputs), "parameters contains duration");
  fail_unless_contains(faultOf(inputsFor(textModel, R"({"prompt":"a dog"})")), "parameters contains prompt");
  fail_unless_contains(faultOf(inputsFor(imageModel, R"({"image_url":"https://h/x"})")),
                       "parameters contains image_url");
  fail_unless_contains(faultOf(inputsFor(textModel, R"({"model":"x"})")), "parameters contains model");
  fail_unless_contains(faultOf(inputsFor("unknown/model", R"({"model":"x"})")), "parameters contains model");
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
  std::string prompt;
  for (unsigned i = 0; i < 2500; ++i)
    prompt += "é";
  inputs.set("prompt", prompt);
  bodyOf(inputs);
  inputs.set("prompt", prompt + "é");
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

GST_START_TEST(a_misspelt_name_or_value_is_answered_with_the_nearest_right_one) {
  fail_unless_contains(faultOf(inputsFor(textModel, R"({"aspectRatio":"9:16"})")),
                       "no parameter aspectRatio; did you mean aspect_ratio?");
  fail_unless_contains(faultOf(inputsFor(textModel, R"({"camera_control":"forwardup"})")), "did you mean forward_up?");
  fail_unless_contains(faultOf(inputsFor(imageModel, R"({"camera_control":{"tpye":"simple"}})")),
                       "no parameter camera_control.tpye; did you mean type?");
}
GST_END_TEST

GST_START_TEST(a_parameter_that_the_documentation_lacks_is_sent_with_a_warning) {
  Inputs inputs = inputsFor(textModel, R"({"lighting":"soft"})");
  const auto request = composeRequest(inputs);
  fail_unless(request.has_value(), "%s", request.has_value() ? "" : request.error().text().c_str());
  fail_unless_equals_int(request->warnings.size(), 1);
  fail_unless_contains(request->warnings[0], "has no parameter lighting: it is sent anyway");
  fail_unless_contains(request->body, R"("lighting":"soft")");
  // it is part of what is bought
  fail_unless_contains(request->canonical, R"("lighting":"soft")");
  const auto other = composeRequest(inputsFor(textModel, R"({"lighting":"hard"})"));
  fail_unless(other.has_value() && other->canonical != request->canonical);
  inputs.strict = true;
  fail_unless_contains(faultOf(inputs), "no parameter lighting");
}
GST_END_TEST

GST_START_TEST(a_nested_parameter_that_the_documentation_lacks_is_named_with_its_place) {
  Inputs inputs = inputsFor(imageModel, R"({"camera_control":{"type":"simple","speed":2}})");
  const auto request = composeRequest(inputs);
  fail_unless(request.has_value(), "%s", request.has_value() ? "" : request.error().text().c_str());
  fail_unless_equals_int(request->warnings.size(), 1);
  fail_unless_contains(request->warnings[0], "no parameter camera_control.speed");
}
GST_END_TEST

GST_START_TEST(two_wrong_letters_are_a_misspelling_and_three_another_word) {
  for (const char *misspelt : {"durations", "Duration", "duratoin", "durat_on", "durati"})
    fail_unless_contains(faultOf(inputsFor(textModel, ("{\"" + std::string(misspelt) + "\":5}").c_str())),
                         "did you mean duration?");
  const auto other = composeRequest(inputsFor(textModel, R"({"durat":5})"));
  fail_unless(other.has_value() && other->warnings.size() == 1);
  fail_unless_contains(other->warnings[0], "no parameter durat");
}
GST_END_TEST

GST_START_TEST(a_misspelt_model_goes_through_with_a_warning_that_names_the_nearest) {
  const auto request = composeRequest(inputsFor("klingai/video-v2.6-pro-text-to-vide"));
  fail_unless(request.has_value());
  fail_unless_equals_int(request->warnings.size(), 1);
  fail_unless_contains(request->warnings[0], "did you mean klingai/video-v2-6-pro-text-to-video?");
  fail_unless_contains(composeRequest(inputsFor("acme/dream-9"))->warnings[0], "acme/dream-9 is not in the catalogue");
  fail_unless(composeRequest(inputsFor(textModel))->warnings.empty());
}
GST_END_TEST

GST_START_TEST(prompt_and_multi_prompt_exclude_each_other) {
  constexpr auto model = "klingai/video-v3-pro-text-to-video";
  bodyOf(inputsFor(model));
  fail_unless_contains(faultOf(inputsFor(model, R"({"multi_prompt":["a","b"]})")),
                       "prompt and multi_prompt are both given");
  Inputs inputs = inputsFor(model, R"({"multi_prompt":["a","b"]})");
  inputs.unset("prompt");
  bodyOf(inputs);
  inputs.parameters = nullptr;
  fail_unless_contains(faultOf(inputs), "prompt or multi_prompt is missing");
}
GST_END_TEST

GST_START_TEST(a_last_frame_is_refused_with_sound_where_the_model_refuses_it) {
  Inputs inputs = inputsFor("klingai/video-v3-omni-720p-image-to-video");
  inputs.set("tail-image", Media{"https://h/t.png", ""});
  fail_unless_contains(faultOf(inputs), "tail_image_url is given and generate_audio is not");
  inputs.set("generate-audio", true);
  fail_unless_contains(faultOf(inputs), "only with generate_audio false");
  inputs.set("generate-audio", false);
  bodyOf(inputs);
}
GST_END_TEST

GST_START_TEST(an_effect_for_two_takes_two_images_and_any_other_takes_one) {
  constexpr auto model = "klingai/kling-video-v1.6-pro-effects";
  Inputs inputs;
  inputs.model = model;
  inputs.set("image", Media{"https://h/i.png", ""});
  inputs.parameters = parseParameters(R"({"effect_scene":"squish"})").value();
  bodyOf(inputs);
  inputs.parameters = parseParameters(R"({"effect_scene":"hug"})").value();
  fail_unless_contains(faultOf(inputs), "takes a list of two");
  inputs.unset("image");
  inputs.parameters =
      parseParameters(R"({"effect_scene":"hug","image_url":["https://h/a.png","https://h/b.png"]})").value();
  bodyOf(inputs);
  inputs.parameters = parseParameters(R"({"effect_scene":"hug","image_url":["https://h/a.png"]})").value();
  fail_unless_contains(faultOf(inputs), "at least 2");
}
GST_END_TEST

GST_START_TEST(first_and_last_frame_find_their_place_in_every_vendors_form) {
  Inputs inputs = inputsFor("luma/ray-2");
  inputs.set("image", Media{"https://h/i.png", "one"});
  inputs.set("tail-image", Media{"https://h/t.png", "two"});
  const auto request = composeRequest(inputs);
  fail_unless(request.has_value(), "%s", request.has_value() ? "" : request.error().text().c_str());
  fail_unless_contains(request->body, R"("keyframes":{"frame0":{"type":"image","url":"https://h/i.png"},)"
                                      R"("frame1":{"type":"image","url":"https://h/t.png"}})");
  fail_unless_contains(request->canonical, R"("frame0":{"type":"image","url":"one"})");
  inputs = inputsFor("google/veo-3.1-reference-to-video");
  inputs.set("image", Media{"https://h/i.png", ""});
  fail_unless_contains(bodyOf(inputs), R"("image_urls":["https://h/i.png"])");
  inputs = inputsFor("minimax/h3");
  inputs.set("aspect-ratio", std::string("16:9"));
  fail_unless_contains(bodyOf(inputs), R"("ratio":"16:9")");
  inputs = inputsFor("pixverse/v5.5/text-to-video");
  inputs.set("generate-audio", true);
  fail_unless_contains(bodyOf(inputs), R"("generate_audio_switch":true)");
}
GST_END_TEST

GST_START_TEST(large_media_arrive_whole_wherever_they_stand) {
  const std::string first = "data:image/png;base64," + std::string(100'000, 'A');
  const std::string last = "data:image/jpeg;base64," + std::string(50'000, 'B') + "==";
  const std::string element = "data:image/webp;base64," + std::string(70'001, 'C');
  Inputs inputs = inputsFor("klingai/video-v3-pro-image-to-video");
  inputs.set("image", Media{first, "sha256:one"});
  inputs.set("tail-image", Media{last, "sha256:two"});
  inputs.parameters =
      parseParameters(R"({"elements":[{"frontal_image_url":"a.webp","reference_image_urls":["https://h/i.png"]}]})")
          .value();
  inputs.media["elements[0].frontal_image_url"] = {element, "sha256:three"};
  inputs.set("prompt", std::string("data:,medium-0-sha256:three")); // looks like what stands for one of them on the way
  const auto request = composeRequest(inputs);
  fail_unless(request.has_value(), "%s", request.has_value() ? "" : request.error().text().c_str());
  const auto body = json::parse(request->body);
  fail_unless(body.has_value());
  const auto text = [&](const char *name) {
    return json::scalarText(json::member(json::objectIn(body->get()), name)).value_or("");
  };
  fail_unless(text("image_url") == first);
  fail_unless(text("tail_image_url") == last);
  fail_unless_contains(request->body, "[{\"frontal_image_url\":\"" + element + "\",");
  fail_unless(request->canonical.size() < 1000);
  for (const char *identity : {"\"sha256:one\"", "\"sha256:two\"", "\"sha256:three\""})
    fail_unless_contains(request->canonical, identity);
}
GST_END_TEST

GST_START_TEST(large_media_whose_text_json_has_to_change_arrive_too) {
  const std::string odd = "data:image/png;name=\"a\";base64," + std::string(100'000, 'A');
  Inputs inputs = inputsFor(imageModel);
  inputs.set("image", Media{odd, "sha256:one"});
  const auto body = json::parse(bodyOf(inputs));
  fail_unless(json::scalarText(json::member(json::objectIn(body->get()), "image_url")).value_or("") == odd);
}
GST_END_TEST

GST_START_TEST(an_image_that_a_text_model_does_not_take_leads_to_its_sibling) {
  Inputs inputs = inputsFor("klingai/video-v2-6-pro-text-to-video");
  inputs.set("image", Media{"https://h/i.png", ""});
  const auto request = composeRequest(inputs);
  fail_if(request.has_value());
  fail_unless_contains(request.error().remedy, "klingai/video-v2-6-pro-image-to-video takes an image");
  inputs = inputsFor("klingai/video-v2-6-pro-image-to-video");
  inputs.unset("image");
  fail_unless_contains(composeRequest(inputs).error().remedy, "klingai/video-v2-6-pro-text-to-video needs no image");
  fail_unless_contains(composeRequest(inputs).error().why, "the property image sets it");
}
GST_END_TEST

GST_START_TEST(only_a_duration_may_be_spelt_as_a_string) {
  fail_unless_contains(faultOf(inputsFor(textModel, R"({"cfg_scale":"0.5"})")), "of type number");
  fail_unless_contains(bodyOf(inputsFor(textModel, R"({"cfg_scale":1})")), "\"cfg_scale\":1");
  bodyOf(inputsFor(textModel, R"({"duration":5.0})"));
}
GST_END_TEST

GST_START_TEST(a_medium_must_be_an_address_or_a_data_uri) {
  const std::string fault = faultOf(inputsFor(imageModel, R"({"static_mask":"mask.png"})"));
  fail_unless_contains(fault, "static_mask is \"mask.png\", it must be a file that exists");
  for (const char *uri : {"https://", "ftp://h/x", "data:image/png;base64,", "data:image/png;base64,a b"})
    fail_unless_contains(faultOf(inputsFor(imageModel, ("{\"static_mask\":\"" + std::string(uri) + "\"}").c_str())),
                         "static_mask");
}
GST_END_TEST

GST_START_TEST(the_legacy_path_is_checked_by_its_own_parameters) {
  Inputs inputs = inputsFor(textModel, R"({"camera_control":{"type":"forward_up"}})");
  inputs.strict = true;
  fail_unless_contains(faultOf(inputs), "camera_control");
  inputs.family = EndpointFamily::Legacy;
  bodyOf(inputs);
}
GST_END_TEST

GST_START_TEST(media_in_the_parameters_are_found_at_any_depth) {
  const Model *model = Catalogue::instance().find("klingai/video-v3-pro-image-to-video");
  const auto parameters = parseParameters(R"({"elements":[{"reference_image_urls":["a.png","https://h/b.png"],)"
                                          R"("video_url":"file:///c.mp4"}],"prompt":"file:/x","image_url":"data:,x"})");
  const auto places = mediaPlacesIn(parameters->get(), &model->parameters);
  fail_unless_equals_int(places.size(), 2);
  fail_unless_equals_text(places[0].place, "elements[0].reference_image_urls[0]");
  fail_unless(places[0].kind == MediaKind::Image && places[0].documented);
  fail_unless_equals_text(places[1].place, "elements[0].video_url");
  fail_unless(places[1].kind == MediaKind::Video);
  const auto unknown = mediaPlacesIn(parameters->get(), nullptr);
  fail_unless_equals_int(unknown.size(), 2); // file: URIs only, wherever they are
}
GST_END_TEST

static Suite *request_suite() {
  Suite *suite = suite_create("request");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, without_a_model_the_flagship_for_the_inputs_is_chosen);
  tcase_add_test(tests, every_typed_input_gets_the_models_own_name);
  tcase_add_test(tests, a_text_with_quotes_and_any_script_arrives_unharmed);
  tcase_add_test(tests, a_duration_is_sent_as_an_integer);
  tcase_add_test(tests, a_duration_is_sent_as_a_string_where_the_model_wants_one);
  tcase_add_test(tests, an_integer_in_the_parameters_may_be_spelt_as_a_string);
  tcase_add_test(tests, the_last_frame_has_the_name_that_the_model_knows);
  tcase_add_test(tests, both_spellings_of_intelligent_shots_pass_where_documented);
  tcase_add_test(tests, a_prompt_is_insisted_on_only_where_it_is_required);
  tcase_add_test(tests, an_unknown_model_is_passed_through);
  tcase_add_test(tests, a_model_id_is_sent_as_it_was_given);
  tcase_add_test(tests, sound_is_the_services_choice_until_the_user_makes_it);
  tcase_add_test(tests, masks_pass_as_url_or_data_uri);
  tcase_add_test(tests, cfg_scale_is_sent_only_when_set);
  tcase_add_test(tests, all_faults_are_named_at_once);
  tcase_add_test(tests, what_is_given_twice_is_refused);
  tcase_add_test(tests, nested_faults_name_their_place);
  tcase_add_test(tests, a_prompt_is_measured_in_characters_and_not_in_bytes);
  tcase_add_test(tests, a_fault_does_not_repeat_megabytes);
  tcase_add_test(tests, parameters_must_be_one_json_object);
  tcase_add_test(tests, composing_leaves_the_given_parameters_alone);
  tcase_add_test(tests, a_misspelt_name_or_value_is_answered_with_the_nearest_right_one);
  tcase_add_test(tests, a_parameter_that_the_documentation_lacks_is_sent_with_a_warning);
  tcase_add_test(tests, a_nested_parameter_that_the_documentation_lacks_is_named_with_its_place);
  tcase_add_test(tests, two_wrong_letters_are_a_misspelling_and_three_another_word);
  tcase_add_test(tests, a_misspelt_model_goes_through_with_a_warning_that_names_the_nearest);
  tcase_add_test(tests, prompt_and_multi_prompt_exclude_each_other);
  tcase_add_test(tests, a_last_frame_is_refused_with_sound_where_the_model_refuses_it);
  tcase_add_test(tests, an_effect_for_two_takes_two_images_and_any_other_takes_one);
  tcase_add_test(tests, first_and_last_frame_find_their_place_in_every_vendors_form);
  tcase_add_test(tests, an_image_that_a_text_model_does_not_take_leads_to_its_sibling);
  tcase_add_test(tests, only_a_duration_may_be_spelt_as_a_string);
  tcase_add_test(tests, large_media_arrive_whole_wherever_they_stand);
  tcase_add_test(tests, large_media_whose_text_json_has_to_change_arrive_too);
  tcase_add_test(tests, a_medium_must_be_an_address_or_a_data_uri);
  tcase_add_test(tests, the_legacy_path_is_checked_by_its_own_parameters);
  tcase_add_test(tests, media_in_the_parameters_are_found_at_any_depth);
  return suite;
}

GST_CHECK_MAIN(request)
