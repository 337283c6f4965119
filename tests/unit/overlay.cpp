// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/overlay.h"

#include <sys/stat.h>
#include <unistd.h>

#include "api/catalogue.h"
#include "api/deprecations.h"
#include "api/schema.h"
#include "base/json/node.h"
#include "service/refresh.h"
#include "support/home.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

std::string overlayOf(const std::string &models) {
  return R"({"version":1,"models":[)" + models + "]}";
}

std::string only(const Overlay &overlay) {
  fail_unless_equals_int(overlay.models.size(), 1);
  return json::write(overlay.models.begin()->second.get());
}

/// What is left of one parameter; empty: nothing, and it is said.
std::string parameterLeftOf(const std::string &parameter) {
  const Overlay overlay = parseOverlay(overlayOf(R"({"id":"a/b","parameters":[)" + parameter + "]}"));
  if (overlay.models.empty()) {
    fail_unless_contains(overlay.problem, "1 entries");
    return "";
  }
  fail_unless_equals_text(overlay.problem, "");
  JsonObject *model = json::objectIn(overlay.models.begin()->second.get());
  return json::write(json_array_get_element(json_object_get_array_member(model, "parameters"), 0));
}

GRefPtr<JsonNode> parsed(const std::string &text) {
  return json::parse(text).value();
}

} // namespace

GST_START_TEST(an_overlay_keeps_facts_and_nothing_else) {
  const Overlay overlay = parseOverlay(overlayOf(
      R"({"id":"a/b","aliases":["b"],"vendor":"A","kind":"text-to-video","legacy_path":"//evil.example","legacy_only":true,)"
      R"("rules":[{"rule":"needs","parameter":"x"}],"image_limits":{"max_bytes":1},"sample":{"seconds":1},)"
      R"("inputs":{"text":["prompt"],"evil":["x"]},"parameters":[{"name":"prompt","type":"string","required":true}]})"));
  fail_unless_equals_text(overlay.problem, "");
  fail_unless_equals_text(
      only(overlay), R"({"id":"a/b","aliases":["b"],"vendor":"A","kind":"text-to-video","inputs":{"text":["prompt"]},)"
                     R"("parameters":[{"name":"prompt","type":"string","required":true}]})");
  fail_unless_equals_text(overlay.aliases.at("b"), "a/b");
}
GST_END_TEST

GST_START_TEST(an_overlay_knows_what_the_service_lists_by_names_that_can_be_names) {
  const Overlay overlay =
      parseOverlay(R"({"version":1,"models":[],"listed":["a/b","b","","no name","x\u001b[2J",7,null,["c"]]})");
  fail_unless_equals_text(overlay.problem, "");
  const std::set<std::string, std::less<>> names{"7", "a/b", "b"};
  fail_unless(overlay.listed == names);
  fail_unless(parseOverlay(overlayOf("")).listed.empty());
}
GST_END_TEST

GST_START_TEST(a_damaged_overlay_is_ignored_and_this_is_said) {
  for (const char *text : {"<html>", "[]", "{}", R"({"version":2,"models":[]})", "\xff", R"({"version":1,"models":)"}) {
    const Overlay overlay = parseOverlay(text);
    fail_unless(overlay.empty(), "%s", text);
    fail_unless_contains(overlay.problem, "is ignored");
    fail_unless_contains(overlay.problem, "models --refresh");
  }
  fail_unless_equals_text(parseOverlay("").problem, "");
}
GST_END_TEST

GST_START_TEST(an_entry_that_makes_no_sense_is_left_out_and_the_others_are_kept) {
  for (const char *bad :
       {R"({"id":"has blank","parameters":[]})", R"({"id":"a\nb"})", R"({"id":""})", "5", "null",
        R"({"id":"a/b","parameters":[{"name":"x","type":"program"}]})",
        R"({"id":"a/b","parameters":[{"name":"a b","type":"string"}]})",
        R"({"id":"a/b","parameters":[{"name":"model","type":"string"}]})",
        R"({"id":"a/b","parameters":[{"name":"x","enum":["\u001b[2J"]}]})", R"({"id":"a/b","parameters":[5]})"}) {
    const Overlay overlay = parseOverlay(overlayOf(std::string(bad) + R"(,{"id":"good/one","parameters":[]})"));
    fail_unless_equals_int(overlay.models.size(), 1);
    fail_unless(overlay.models.contains("good/one"), "%s", bad);
    fail_unless_contains(overlay.problem, "1 entries");
  }
}
GST_END_TEST

GST_START_TEST(words_are_made_printable_and_numbers_that_no_limit_can_be_are_dropped) {
  fail_unless_equals_text(parameterLeftOf(R"({"name":"x","type":"string","about":"a\u001b[31mb","min_length":-1})"),
                          R"({"name":"x","type":"string","about":"a [31mb"})");
  fail_unless_equals_text(parameterLeftOf(R"({"name":"x","max_items":1e300,"min_items":1.5,"default":{"a":1}})"),
                          R"({"name":"x"})");
  std::string deep = R"({"name":"x","type":"object"})";
  for (int i = 0; i < 10; ++i)
    deep = R"({"name":"x","type":"object","properties":[)" + deep + "]}";
  fail_unless_equals_text(parameterLeftOf(deep), "");
}
GST_END_TEST

GST_START_TEST(an_overlay_that_others_may_write_is_ignored) {
  const PrivateHome home;
  const std::string folder = home.cache();
  fail_unless(g_mkdir_with_parents(folder.c_str(), 0700) == 0);
  const std::string path = folder + "/models.json";
  fail_unless_equals_text(loadOverlay(path).problem, "");
  const std::string text = overlayOf(R"({"id":"a/b","parameters":[]})");
  fail_unless(g_file_set_contents(path.c_str(), text.c_str(), -1, nullptr));
  fail_unless(chmod(path.c_str(), 0600) == 0);
  fail_unless_equals_int(loadOverlay(path).models.size(), 1);
  fail_unless(chmod(path.c_str(), 0666) == 0);
  fail_unless_contains(loadOverlay(path).problem, "others can write to it");
  fail_unless(chmod(path.c_str(), 0600) == 0);
  const std::string link = folder + "/link.json";
  fail_unless(symlink(path.c_str(), link.c_str()) == 0);
  fail_unless_contains(loadOverlay(link).problem, "is ignored");
  fail_unless(mkfifo((folder + "/fifo").c_str(), 0600) == 0);
  fail_unless_contains(loadOverlay(folder + "/fifo").problem, "it is not a file");
  fail_unless(truncate(path.c_str(), 20 << 20) == 0);
  fail_unless_contains(loadOverlay(path).problem, "too large");
  fail_unless(truncate(path.c_str(), 0) == 0);
  fail_unless_contains(loadOverlay(path).problem, "empty");
}
GST_END_TEST

GST_START_TEST(what_was_known_stays_as_it_is) {
  const auto known = parsed(R"({"id":"a/b","aliases":["b"],"parameters":[{"name":"image_url","type":"string"},)"
                            R"({"name":"last_image_url"}],"legacy_parameters":[{"name":"old"}]})");
  const auto addition = parsed(
      R"({"id":"a/b","aliases":["c"],"vendor":"evil","parameters":[{"name":"image_url","type":"boolean"},)"
      R"({"name":"tail_image_url","type":"string"},{"name":"must","required":true},{"name":"old"},{"name":"fps"}]})");
  const auto both = withAdditions(json::objectIn(known.get()), json::objectIn(addition.get()));
  // tail_image_url would become what the property tail-image means, so another body would be sent for the same request
  fail_unless_equals_text(json::write(both.get()),
                          R"({"id":"a/b","aliases":["b","c"],"parameters":[{"name":"image_url","type":"string"},)"
                          R"({"name":"last_image_url"},{"name":"fps"}],"legacy_parameters":[{"name":"old"}]})");
}
GST_END_TEST

GST_START_TEST(a_description_becomes_the_facts_of_a_model) {
  const auto facts = factsFromSchema(
      R"({"components":{"schemas":{"Size":{"type":"string","enum":["720p","1080p"]}}},"paths":{"/other":{},
      "/v2/video/generations":{"post":{"requestBody":{"content":{"application/json":{"schema":{"oneOf":[
      {"properties":{"model":{"enum":["other/model"]}}},
      {"type":"object","required":["model","image_url"],"properties":{
        "model":{"type":"string","enum":["acme/dream"]},
        "image_url":{"type":"string","format":"uri","description":"The first frame. More words."},
        "resolution":{"$ref":"#/components/schemas/Size"},
        "duration":{"type":"integer","minimum":2,"maximum":30,"default":5},
        "seed":{"anyOf":[{"type":"integer"},{"nullable":true}]},
        "masks":{"type":"array","maxItems":2,"items":{"type":"object","required":["x"],"properties":{"x":{"type":"number"}}}},
        "style":{"oneOf":[{"type":"string"},{"type":"array","items":{"type":"string"}}]},
        "audio_urls":{"type":["array","null"],"items":{"type":"string","format":"uri"}}}}]}}}}}}}})",
      "acme/dream");
  fail_unless(facts.has_value(), "%s", facts.has_value() ? "" : facts.error().c_str());
  const auto node = adopt(json_node_init_object(json_node_alloc(), facts->get()));
  fail_unless_equals_text(
      json::write(node.get()),
      R"({"id":"acme/dream","kind":"image-to-video","inputs":{"audio":["audio_urls"],"image":["image_url"]},"parameters":[)"
      R"({"type":"string","format":"uri","about":"The first frame","name":"image_url","required":true},)"
      R"({"type":"string","enum":["720p","1080p"],"name":"resolution"},)"
      R"({"type":"integer","min":2,"max":30,"default":5,"name":"duration"},)"
      R"({"type":"integer","nullable":true,"name":"seed"},)"
      R"({"type":"array","max_items":2,"items":"object","item_properties":[{"type":"number","name":"x","required":true}],)"
      R"("name":"masks"},)"
      R"({"type":"string|array","alternatives":[{"type":"string"},{"type":"array","items":"string"}],"name":"style"},)"
      R"({"type":"array","items":"string","items_format":"uri","nullable":true,"name":"audio_urls"}]})");
  for (const char *text : {"<html>", "{}", R"({"paths":{"/v2/video/generations":{"post":{}}}})",
                           R"({"paths":{"/a":{"post":{"requestBody":{"$ref":"#/paths/~1a"}}}}})"})
    fail_if(factsFromSchema(text, "acme/dream").has_value(), "%s", text);
}
GST_END_TEST

GST_START_TEST(a_description_that_refers_to_itself_ends) {
  const auto facts = factsFromSchema(
      R"({"components":{"schemas":{"A":{"type":"object","properties":{"a":{"$ref":"#/components/schemas/A"}}},)"
      R"("B":{"$ref":"#/components/schemas/B"}}},"paths":{"/a":{"post":{"requestBody":{"content":{"application/json":)"
      R"({"schema":{"properties":{"model":{"enum":["m"]},"a":{"$ref":"#/components/schemas/A"},)"
      R"("b":{"$ref":"#/components/schemas/B"}}}}}}}}}})",
      "m");
  fail_unless(facts.has_value());
  // and what it became is nested deeper than an overlay may be
  const auto node = adopt(json_node_init_object(json_node_alloc(), facts->get()));
  fail_unless(parseOverlay(overlayOf(json::write(node.get()))).empty());
}
GST_END_TEST

GST_START_TEST(descriptions_are_fetched_from_the_service_and_its_documentation_only) {
  constexpr auto service = "https://api.aimlapi.com";
  for (const char *good : {"https://api.aimlapi.com/docs-json?model=a", "https://API.aimlapi.com:443/x",
                           "https://docs.aimlapi.com/a.json"})
    fail_unless(isOfTheService(good, service), "%s", good);
  for (const char *bad :
       {"http://api.aimlapi.com/x", "https://api.aimlapi.com.evil.example/x", "https://evil.example/docs-json",
        "https://api.aimlapi.com@evil.example/", "https://user@api.aimlapi.com/x", "https://api.aimlapi.com:444/x",
        "http://docs.aimlapi.com/x", "https://x.docs.aimlapi.com/x", "file:///etc/passwd", "/docs-json", "",
        "http://[::1"})
    fail_if(isOfTheService(bad, service), "%s", bad);
  constexpr auto local = "http://127.0.0.1:8089";
  fail_unless(isOfTheService("http://127.0.0.1:8089/docs-json", local));
  for (const char *bad : {"http://127.0.0.1:22/x", "http://169.254.169.254/x", "https://docs.aimlapi.com/a.json"})
    fail_if(isOfTheService(bad, local), "%s", bad);
}
GST_END_TEST

GST_START_TEST(what_the_service_gives_up_is_found_by_each_of_its_names) {
  constexpr auto list =
      R"({"object":"list","data":[{"id":"a/old","aliases":["old"],"status":"withdrawn","shutdown_at":"2026-07-30",)"
      R"("replaced_by":"a/new"},{"id":"b","aliases":[],"status":"superseded","shutdown_at":null,"replaced_by":"c"},)"
      R"({"id":"d","status":"deprecated","shutdown_at":"soon\u001b","replaced_by":"has blank"},{"id":"e","status":"fine"},5]})";
  fail_unless_equals_text(deprecationIn(list, "old")->sentence("old"),
                          "the service has withdrawn the model old on 2026-07-30; use a/new instead");
  fail_unless(deprecationIn(list, "a/old")->status == Deprecation::Status::Withdrawn);
  fail_unless_contains(deprecationIn(list, "b")->sentence("b"), "merged the model b into another one");
  fail_unless_equals_text(deprecationIn(list, "d")->sentence("d"), "the service will withdraw the model d");
  for (const char *other : {"e", "a/new", "", "nobody"})
    fail_if(deprecationIn(list, other).has_value(), "%s", other);
  for (const char *body : {"", "<html>", "[]", "{}", R"({"data":5})"})
    fail_if(deprecationIn(body, "a").has_value(), "%s", body);
}
GST_END_TEST

static Suite *overlay_suite() {
  Suite *suite = suite_create("overlay");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, an_overlay_keeps_facts_and_nothing_else);
  tcase_add_test(tests, an_overlay_knows_what_the_service_lists_by_names_that_can_be_names);
  tcase_add_test(tests, a_damaged_overlay_is_ignored_and_this_is_said);
  tcase_add_test(tests, an_entry_that_makes_no_sense_is_left_out_and_the_others_are_kept);
  tcase_add_test(tests, words_are_made_printable_and_numbers_that_no_limit_can_be_are_dropped);
  tcase_add_test(tests, an_overlay_that_others_may_write_is_ignored);
  tcase_add_test(tests, what_was_known_stays_as_it_is);
  tcase_add_test(tests, a_description_becomes_the_facts_of_a_model);
  tcase_add_test(tests, a_description_that_refers_to_itself_ends);
  tcase_add_test(tests, descriptions_are_fetched_from_the_service_and_its_documentation_only);
  tcase_add_test(tests, what_the_service_gives_up_is_found_by_each_of_its_names);
  return suite;
}

GST_CHECK_MAIN(overlay)
