// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/catalogue.h"

#include <set>

#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

GST_START_TEST(the_compiled_in_models_are_read) {
  fail_unless(Catalogue::instance().models().size() >= 140);
  std::set<std::string> names;
  for (const Model &model : Catalogue::instance().models()) {
    fail_unless(!model.id.empty() && !model.vendor.empty() && !model.kind.empty(), "%s", model.id.c_str());
    fail_unless(!model.parameters.empty(), "%s", model.id.c_str());
    fail_unless(names.insert(model.id).second, "%s is there twice", model.id.c_str());
    for (const std::string &alias : model.aliases)
      fail_unless(names.insert(alias).second, "%s is there twice", alias.c_str());
  }
}
GST_END_TEST

GST_START_TEST(every_parameter_has_a_name_and_a_type_that_is_checked) {
  const std::set<std::string> types{"string", "integer", "number", "boolean", "array", "object"};
  for (const Model &model : Catalogue::instance().models()) {
    for (const auto *parameters : {&model.parameters, &model.legacyParameters}) {
      for (const Parameter &parameter : *parameters) {
        fail_unless(!parameter.name.empty(), "%s", model.id.c_str());
        std::string rest = parameter.type;
        while (!rest.empty()) {
          const size_t end = std::min(rest.find('|'), rest.size());
          fail_unless(types.contains(rest.substr(0, end)), "%s %s", model.id.c_str(), parameter.name.c_str());
          rest = end < rest.size() ? rest.substr(end + 1) : "";
        }
        fail_unless(parameter.name != "model", "%s", model.id.c_str());
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(the_names_are_all_ids_and_aliases) {
  std::set<std::string> wanted;
  for (const Model &model : Catalogue::instance().models()) {
    wanted.insert(model.id);
    wanted.insert(model.aliases.begin(), model.aliases.end());
  }
  const auto names = Catalogue::instance().names();
  fail_unless_equals_int(names.size(), wanted.size());
  fail_unless(std::set<std::string>(names.begin(), names.end()) == wanted);
}
GST_END_TEST

GST_START_TEST(a_model_is_found_by_id_and_by_alias) {
  const Model *byId = Catalogue::instance().find("openai/sora-2-t2v");
  fail_unless(byId != nullptr);
  fail_unless(Catalogue::instance().find("sora-2-t2v") == byId);
  fail_unless(Catalogue::instance().find("no/such/model") == nullptr);
  fail_unless(Catalogue::instance().find("") == nullptr);
}
GST_END_TEST

GST_START_TEST(each_model_is_found_as_it_is_listed) {
  for (const Model &model : Catalogue::instance().models()) {
    const Model *found = Catalogue::instance().find(model.id);
    fail_unless(found != nullptr, "%s", model.id.c_str());
    fail_unless_equals_text(found->id, model.id);
    fail_unless_equals_int(found->parameters.size(), model.parameters.size());
    for (const std::string &alias : model.aliases)
      fail_unless(Catalogue::instance().find(alias) == found, "%s", alias.c_str());
  }
  for (const std::string &name : Catalogue::instance().names())
    fail_unless(Catalogue::instance().find(name) != nullptr, "%s", name.c_str());
}
GST_END_TEST

GST_START_TEST(ids_are_compared_byte_for_byte) {
  fail_unless(Catalogue::instance().find("kling-video/v1.6/pro/text-to-video") != nullptr);
  for (const char *other : {"Kling-video/v1.6/pro/text-to-video", "klingai/v1.6/pro/text-to-video",
                            "kling-video/v1.6/pro/text-to-video/", "kling-video/v1-6/pro/text-to-video"})
    fail_unless(Catalogue::instance().find(other) == nullptr, "%s", other);
}
GST_END_TEST

GST_START_TEST(a_models_facts_are_complete) {
  const Model *model = Catalogue::instance().find("kling-video/v1.6/pro/image-to-video");
  fail_unless(model != nullptr);
  fail_unless_equals_text(model->vendor, "Kling AI");
  fail_unless_equals_text(model->kind, "image-to-video");
  fail_unless_equals_text(model->legacyPath, "/v2/generate/video/kling/generation");
  fail_unless_equals_int(model->sample.seconds, 186);
  fail_unless_equals_int(model->sample.width, 1920);
  fail_if(model->legacyOnly);
  const Parameter *image = model->parameter("image_url");
  fail_unless(image && image->required && image->isUri);
  const Parameter *duration = model->parameter("duration");
  fail_unless(duration && duration->allowed == std::vector<std::string>({"5", "10"}));
  const Parameter *masks = model->parameter("dynamic_masks");
  fail_unless(masks && masks->maximumItems == 6U && masks->itemType == "object" && masks->members.size() == 2);
  const Parameter *camera = model->parameter("camera_control");
  fail_unless(camera && camera->members.size() == 2 && camera->members[1].members.size() == 6);
  fail_unless(camera->members[1].members[0].minimum == -10.0 && camera->members[1].members[0].maximum == 10.0);
  fail_unless(model->parameter("no_such") == nullptr);
}
GST_END_TEST

GST_START_TEST(the_models_that_must_always_work_are_known) {
  for (const char *id : {"kling-video/v1.6/pro/image-to-video", "kling-video/v1/pro/image-to-video",
                         "kling-video/v1.6/pro/text-to-video", "klingai/video-v2-6-pro-image-to-video",
                         "klingai/video-v2-6-pro-text-to-video"})
    fail_unless(Catalogue::instance().find(id) != nullptr, "%s", id);
}
GST_END_TEST

GST_START_TEST(the_models_and_parameters_that_came_after_the_first_snapshot_are_known) {
  for (const char *id :
       {"minimax/h3-max", "alibaba/wan-3-0-video", "alibaba/wan3.0-video", "google/gemini-omni-1.1-flash"}) {
    const Model *model = Catalogue::instance().find(id);
    fail_unless(model != nullptr, "%s", id);
    fail_unless(model->parameter("prompt") && model->parameter("prompt")->required, "%s", id);
    fail_unless(model->parameter("image_url") && model->parameter("duration"), "%s", id);
  }
  const Parameter *mode = Catalogue::instance().find("klingai/video-v2-6-pro-motion-control")->parameter("mode");
  fail_unless(mode && mode->allowed == std::vector<std::string>({"std", "pro"}));
  fail_if(Catalogue::instance().find("veed/fabric-1.0-fast")->parameter("resolution")->required);
}
GST_END_TEST

static Suite *catalogue_suite() {
  Suite *suite = suite_create("catalogue");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, the_compiled_in_models_are_read);
  tcase_add_test(tests, every_parameter_has_a_name_and_a_type_that_is_checked);
  tcase_add_test(tests, the_names_are_all_ids_and_aliases);
  tcase_add_test(tests, a_model_is_found_by_id_and_by_alias);
  tcase_add_test(tests, each_model_is_found_as_it_is_listed);
  tcase_add_test(tests, ids_are_compared_byte_for_byte);
  tcase_add_test(tests, a_models_facts_are_complete);
  tcase_add_test(tests, the_models_that_must_always_work_are_known);
  tcase_add_test(tests, the_models_and_parameters_that_came_after_the_first_snapshot_are_known);
  return suite;
}

GST_CHECK_MAIN(catalogue)
