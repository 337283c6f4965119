// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/settings.h>

#include <sys/stat.h>

#include "api/endpoint.h"
#include "images.h"
#include "settings/plan.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

constexpr auto textModel = "kling-video/v1.6/pro/text-to-video";
constexpr auto imageModel = "kling-video/v1.6/pro/image-to-video";

/// Settings that a generation can start with.
Settings goodSettings() {
  Settings settings;
  settings.apiKey = Secret("a-key");
  settings.model = textModel;
  settings.prompt = "a cat";
  return settings;
}

/// No key but those that a test names.
struct NoKeys {
  ScopedVariable first{"AIMLAPI_KEY", nullptr};
  ScopedVariable second{"AIMLAPI_API_KEY", nullptr};
  ScopedVariable third{"AIML_API_KEY", nullptr};
  ScopedVariable folder{"CREDENTIALS_DIRECTORY", nullptr};
};

Settings keyless() {
  Settings settings = goodSettings();
  settings.apiKey = Secret();
  return settings;
}

std::string keyOf(const Settings &settings) {
  const auto plan = prepare(settings);
  return plan ? std::string(plan->key.reveal()) : "error: " + plan.error().text();
}

void expectRefusal(const Result<void> &checked, ErrorKind kind, std::string_view part) {
  fail_if(checked.has_value(), "accepted, expected \"%s\"", std::string(part).c_str());
  fail_unless_contains(checked.error().text(), part);
  fail_unless(checked.error().kind == kind, "kind of \"%s\"", checked.error().text().c_str());
}

void expectRefusal(const Result<Plan> &plan, ErrorKind kind, std::string_view part) {
  expectRefusal(plan ? Result<void>() : Result<void>(tl::unexpected(plan.error())), kind, part);
}

/// What needs no file is refused before a thread is started, and on the worker as well.
void expectRefusedEarly(const Settings &settings, ErrorKind kind, std::string_view part) {
  expectRefusal(checkSettings(settings), kind, part);
  expectRefusal(prepare(settings), kind, part);
}

/// What only a file's contents can tell is refused on the worker.
void expectRefusedLate(const Settings &settings, ErrorKind kind, std::string_view part) {
  fail_unless(checkSettings(settings).has_value());
  expectRefusal(prepare(settings), kind, part);
}

} // namespace

GST_START_TEST(good_settings_make_a_plan) {
  const Settings settings = goodSettings();
  fail_unless(checkSettings(settings).has_value());
  const auto plan = prepare(settings);
  fail_unless(plan.has_value());
  fail_unless_equals_text(plan->request.model, textModel);
  fail_unless_equals_text(plan->request.prompt, "a cat");
  fail_unless(plan->request.known != nullptr);
  fail_unless_equals_text(plan->key.reveal(), "a-key");
  fail_unless_equals_text(plan->baseUrl, defaultBaseUrl);
  fail_if(plan->loopback);
}
GST_END_TEST

GST_START_TEST(without_a_key_the_error_says_where_to_put_one) {
  const NoKeys none;
  expectRefusedEarly(keyless(), ErrorKind::NotAuthorized, "AIMLAPI_KEY");
  expectRefusedEarly(keyless(), ErrorKind::NotAuthorized, "https://aimlapi.com/app/keys");
}
GST_END_TEST

GST_START_TEST(an_empty_variable_is_no_key) {
  const NoKeys none;
  const ScopedVariable empty("AIMLAPI_KEY", "");
  const ScopedVariable folder("CREDENTIALS_DIRECTORY", "");
  expectRefusedEarly(keyless(), ErrorKind::NotAuthorized, "there is no API key");
}
GST_END_TEST

GST_START_TEST(keys_are_looked_for_in_the_documented_order) {
  const NoKeys none;
  TemporaryFolder folder;
  folder.file("aimlapi-key", "of-systemd\n");
  Settings settings = keyless();

  const ScopedVariable credentials("CREDENTIALS_DIRECTORY", folder.path().c_str());
  fail_unless_equals_text(keyOf(settings), "of-systemd");
  const ScopedVariable third("AIML_API_KEY", "third");
  fail_unless_equals_text(keyOf(settings), "third");
  const ScopedVariable second("AIMLAPI_API_KEY", "second");
  fail_unless_equals_text(keyOf(settings), "second");
  const ScopedVariable first("AIMLAPI_KEY", "first");
  fail_unless_equals_text(keyOf(settings), "first");
  settings.apiKeyFile = folder.file("key", "of-the-file\n");
  fail_unless_equals_text(keyOf(settings), "of-the-file");
  settings.apiKey = Secret("of-the-property");
  fail_unless_equals_text(keyOf(settings), "of-the-property");
}
GST_END_TEST

GST_START_TEST(a_credentials_folder_without_a_key_is_no_key) {
  const NoKeys none;
  TemporaryFolder folder;
  const ScopedVariable credentials("CREDENTIALS_DIRECTORY", folder.path().c_str());
  expectRefusedLate(keyless(), ErrorKind::NotAuthorized, "there is no API key");
}
GST_END_TEST

GST_START_TEST(the_first_line_of_a_key_file_is_the_key) {
  TemporaryFolder folder;
  Settings settings = keyless();
  for (const char *contents : {"k-1", "k-1\n", "k-1\r\n", "k-1 \t\n", "k-1\na comment\n"}) {
    settings.apiKeyFile = folder.file("key", contents);
    fail_unless_equals_text(keyOf(settings), "k-1");
  }
}
GST_END_TEST

GST_START_TEST(a_key_file_that_others_can_read_is_told_of) {
  TemporaryFolder folder;
  Settings settings = goodSettings();
  settings.apiKey = Secret();
  settings.apiKeyFile = folder.file("key", "k-1");
  fail_unless(g_chmod(settings.apiKeyFile.c_str(), 0600) == 0);
  auto plan = prepare(settings);
  fail_unless(plan.has_value() && plan->request.warnings.empty());
  fail_unless(g_chmod(settings.apiKeyFile.c_str(), 0644) == 0);
  plan = prepare(settings);
  fail_unless(plan.has_value());
  fail_unless_equals_int(plan->request.warnings.size(), 1);
  fail_unless_contains(plan->request.warnings[0], "every user of this machine can read the API key");
  fail_if(contains(plan->request.warnings[0], "k-1"));
}
GST_END_TEST

GST_START_TEST(a_key_file_that_holds_no_key_is_refused) {
  const ScopedVariable other("AIMLAPI_KEY", "not-asked-for"); // a file that is named and wrong is no reason to look on
  TemporaryFolder folder;
  Settings settings = keyless();
  settings.apiKeyFile = folder.path() + "/missing";
  expectRefusedLate(settings, ErrorKind::NotFound, "api-key-file");
  settings.apiKeyFile = folder.file("empty", "");
  expectRefusedLate(settings, ErrorKind::NotAuthorized, "its first line is empty");
  settings.apiKeyFile = folder.file("blank", " \nk-1\n");
  expectRefusedLate(settings, ErrorKind::NotAuthorized, "its first line is empty");
  settings.apiKeyFile = folder.path();
  expectRefusedLate(settings, ErrorKind::BadRequest, "not a regular file");
  settings.apiKeyFile = folder.file("binary", "\xff\xfe\x01");
  expectRefusedLate(settings, ErrorKind::BadRequest, "not UTF-8");
}
GST_END_TEST

GST_START_TEST(a_key_that_can_not_stand_in_a_header_is_refused_and_not_shown) {
  for (const char *key : {"secret one", "secret\nX: y", "secret\x7f",
                          "s\xc3\xa9"
                          "cret",
                          "secret\t"}) {
    Settings settings = goodSettings();
    settings.apiKey = Secret(key);
    const auto plan = prepare(settings);
    expectRefusal(plan, ErrorKind::NotAuthorized, "the API key can't be used");
    fail_if(contains(plan.error().text(), "cret"), "%s", plan.error().text().c_str());
  }
}
GST_END_TEST

GST_START_TEST(the_base_url_is_the_propertys_then_the_environments_then_the_services) {
  Settings settings = goodSettings();
  const ScopedVariable unset("AIMLAPI_BASE_URL", nullptr);
  fail_unless_equals_text(effectiveBaseUrl(settings), defaultBaseUrl);
  const ScopedVariable empty("AIMLAPI_BASE_URL", "");
  fail_unless_equals_text(effectiveBaseUrl(settings), defaultBaseUrl);
  const ScopedVariable variable("AIMLAPI_BASE_URL", "http://127.0.0.1:1234/");
  fail_unless_equals_text(prepare(settings).value().baseUrl, "http://127.0.0.1:1234");
  fail_unless(prepare(settings).value().loopback);
  settings.baseUrl = "https://elsewhere.example";
  fail_unless_equals_text(prepare(settings).value().baseUrl, "https://elsewhere.example");
  fail_if(prepare(settings).value().loopback);
}
GST_END_TEST

GST_START_TEST(a_key_from_the_environment_goes_to_the_base_url_of_the_environment_only) {
  const NoKeys none;
  TemporaryFolder folder;
  folder.file("aimlapi-key", "of-systemd\n");
  Settings settings = keyless();
  const auto expectKept = [&](const char *belongsTo) {
    expectRefusedEarly(settings, ErrorKind::NotAuthorized, "there is no API key for base-url \"" + settings.baseUrl);
    expectRefusedEarly(settings, ErrorKind::NotAuthorized, std::string("goes to ") + belongsTo + " only");
    expectRefusal(prepareAccount(settings), ErrorKind::NotAuthorized, "Set api-key or api-key-file beside base-url");
  };
  for (const char *variable : {"AIMLAPI_KEY", "AIMLAPI_API_KEY", "AIML_API_KEY", "CREDENTIALS_DIRECTORY"}) {
    const ScopedVariable key(variable, folder.path().c_str());
    const ScopedVariable unset("AIMLAPI_BASE_URL", nullptr);
    for (const char *url : {"https://evil.example", "http://127.0.0.1:1234", "https://api.aimlapi.com.evil.example",
                            "https://api.aimlapi.com:8443", "https://api.aimlapi.com/v1"}) {
      settings.baseUrl = url;
      expectKept(defaultBaseUrl);
    }
    for (const char *url : {"", defaultBaseUrl, "HTTPS://API.aimlapi.com:443/"}) {
      settings.baseUrl = url;
      fail_if(contains(keyOf(settings), "error"), "%s", keyOf(settings).c_str());
    }
    const ScopedVariable gateway("AIMLAPI_BASE_URL", "https://gateway.example/v1/");
    settings.baseUrl = defaultBaseUrl; // the key may well be the gateway's
    expectKept("https://gateway.example/v1/");
    for (const char *url : {"", "https://gateway.example/v1", "https://Gateway.example:0443/./v1/"}) {
      settings.baseUrl = url;
      fail_if(contains(keyOf(settings), "error"), "%s", keyOf(settings).c_str());
    }
    // one on this machine is not the other: somebody else may listen there
    const ScopedVariable local("AIMLAPI_BASE_URL", "http://127.0.0.1:1234");
    settings.baseUrl = "http://localhost:1234";
    expectKept("http://127.0.0.1:1234");
  }
}
GST_END_TEST

GST_START_TEST(a_key_that_is_named_beside_a_base_url_goes_there) {
  const NoKeys none;
  const ScopedVariable other("AIMLAPI_KEY", "of-the-environment");
  TemporaryFolder folder;
  Settings settings = keyless();
  settings.baseUrl = "https://gateway.example";
  settings.apiKeyFile = folder.file("key", "of-the-file\n");
  fail_unless_equals_text(keyOf(settings), "of-the-file");
  settings.apiKey = Secret("of-the-property");
  fail_unless_equals_text(keyOf(settings), "of-the-property");
}
GST_END_TEST

GST_START_TEST(the_key_does_not_leave_the_machine_over_http) {
  Settings settings = goodSettings();
  for (const char *url : {"http://api.aimlapi.com", "http://192.168.1.2:8080", "http://127.0.0.1.example.com"}) {
    settings.baseUrl = url;
    expectRefusedEarly(settings, ErrorKind::BadRequest, "unencrypted");
  }
  settings.baseUrl.clear();
  const ScopedVariable variable("AIMLAPI_BASE_URL", "http://api.aimlapi.com");
  expectRefusedEarly(settings, ErrorKind::BadRequest, "unencrypted");
}
GST_END_TEST

GST_START_TEST(extra_headers_can_not_say_what_the_element_says_itself) {
  Settings settings = goodSettings();
  for (const char *name : {"Authorization", "authorization", "X-Client-Request-Id", "Host", "Content-Length",
                           "Content-Type", "Transfer-Encoding"}) {
    settings.extraHeaders = {{name, "x"}};
    expectRefusedEarly(settings, ErrorKind::BadRequest, "set by the element itself");
  }
  settings.extraHeaders = {{"X-Team", "films"}};
  fail_unless(checkSettings(settings).has_value());
}
GST_END_TEST

GST_START_TEST(extra_headers_can_not_smuggle_another_header) {
  Settings settings = goodSettings();
  for (const char *name : {"", "X Y", "X:", "X\r\nY", "Ä"}) {
    settings.extraHeaders = {{name, "x"}};
    expectRefusedEarly(settings, ErrorKind::BadRequest, "not a valid header name");
  }
  for (const std::string &value : {std::string("a\r\nb"), std::string("a\nb"), std::string("a\0b", 3)}) {
    settings.extraHeaders = {{"X-Team", value}};
    expectRefusedEarly(settings, ErrorKind::BadRequest, "line break");
  }
}
GST_END_TEST

GST_START_TEST(a_prompt_may_stand_in_a_file) {
  TemporaryFolder folder;
  Settings settings = goodSettings();
  settings.prompt.clear();
  settings.promptFile = folder.file("prompt.txt", "eine Katze, ein Möwenschwarm\nauf dem Dach\r\n\n");
  fail_unless(checkSettings(settings).has_value());
  fail_unless_equals_text(prepare(settings).value().request.prompt, "eine Katze, ein Möwenschwarm\nauf dem Dach");
}
GST_END_TEST

GST_START_TEST(a_prompt_file_that_can_not_be_used_is_refused) {
  TemporaryFolder folder;
  Settings settings = goodSettings();
  settings.promptFile = folder.file("prompt.txt", "a dog");
  expectRefusal(prepare(settings), ErrorKind::BadRequest, "prompt and prompt-file are both set");
  settings.prompt.clear();
  settings.promptFile = folder.path() + "/missing.txt";
  expectRefusedLate(settings, ErrorKind::NotFound, "prompt-file");
  settings.promptFile = folder.path();
  expectRefusedLate(settings, ErrorKind::BadRequest, "not a regular file");
  settings.promptFile = folder.file("latin1.txt", "M\xf6we");
  expectRefusedLate(settings, ErrorKind::BadRequest, "not UTF-8");
  settings.promptFile = folder.file("large.txt", std::string((1 << 20) + 1, 'x'));
  expectRefusedLate(settings, ErrorKind::BadRequest, "larger than");
  settings.promptFile = folder.file("empty.txt", "");
  expectRefusedLate(settings, ErrorKind::BadRequest, "prompt");
}
GST_END_TEST

GST_START_TEST(a_pipe_in_place_of_a_text_file_does_not_hang) {
  TemporaryFolder folder;
  Settings settings = goodSettings();
  settings.prompt.clear();
  settings.promptFile = folder.file("pipe");
  fail_unless_equals_int(mkfifo(settings.promptFile.c_str(), 0600), 0);
  expectRefusedLate(settings, ErrorKind::BadRequest, "not a regular file");
}
GST_END_TEST

GST_START_TEST(parameters_are_an_object_in_place_or_in_a_file) {
  TemporaryFolder folder;
  Settings settings = goodSettings();
  settings.parameters = R"({"cfg_scale":0.25})";
  fail_unless_contains(prepare(settings).value().request.body, R"("cfg_scale":0.25)");
  settings.parameters = "@" + folder.file("more.json", R"({"cfg_scale":0.75})");
  fail_unless(checkSettings(settings).has_value());
  fail_unless_contains(prepare(settings).value().request.body, R"("cfg_scale":0.75)");
}
GST_END_TEST

GST_START_TEST(parameters_that_are_no_object_are_refused) {
  TemporaryFolder folder;
  Settings settings = goodSettings();
  for (const char *text : {"{", "[1]", "7", "seed=7"}) {
    settings.parameters = text;
    expectRefusedEarly(settings, ErrorKind::BadRequest, "parameters");
    settings.parameters = "@" + folder.file("more.json", text);
    expectRefusedLate(settings, ErrorKind::BadRequest, "parameters");
  }
  settings.parameters = "@" + folder.path() + "/missing.json";
  expectRefusedLate(settings, ErrorKind::NotFound, "parameters");
  settings.parameters = "@";
  expectRefusedLate(settings, ErrorKind::NotFound, "parameters");
}
GST_END_TEST

GST_START_TEST(what_a_property_sets_the_parameters_may_not_set) {
  Settings settings = goodSettings();
  settings.duration = 5;
  settings.parameters = R"({"duration":10})";
  expectRefusedEarly(settings, ErrorKind::BadRequest, "duration");
  settings.duration = 0;
  settings.parameters = R"({"model":"another"})";
  expectRefusedEarly(settings, ErrorKind::BadRequest, "model");
  settings.parameters = R"({"prompt":"another"})";
  expectRefusedEarly(settings, ErrorKind::BadRequest, "prompt");
}
GST_END_TEST

GST_START_TEST(what_the_model_does_not_take_is_refused_before_a_file_is_read) {
  Settings settings = goodSettings();
  settings.image = "/no/such/picture.png";
  expectRefusal(checkSettings(settings), ErrorKind::BadRequest, "takes no image");
  settings = goodSettings();
  settings.duration = 7;
  expectRefusedEarly(settings, ErrorKind::BadRequest, "duration");
  settings = goodSettings();
  settings.prompt.clear();
  expectRefusedEarly(settings, ErrorKind::BadRequest, "prompt");
}
GST_END_TEST

GST_START_TEST(an_image_file_is_read_on_the_worker_only) {
  TemporaryFolder folder;
  Settings settings = goodSettings();
  settings.model = imageModel;
  settings.image = folder.path() + "/missing.png";
  expectRefusedLate(settings, ErrorKind::NotFound, "image");
  settings.image = folder.file("picture.jpg", fromBase64(tinyPng)); // the content decides, not the name
  settings.tailImage = folder.path() + "/missing.png";
  expectRefusedLate(settings, ErrorKind::NotFound, "tail-image");
  settings.tailImage.clear();
  fail_unless(checkSettings(settings).has_value());
  fail_unless_contains(prepare(settings).value().request.body, "data:image/png;base64,");
}
GST_END_TEST

GST_START_TEST(a_data_uri_is_checked_at_once) {
  Settings settings = goodSettings();
  settings.model = imageModel;
  settings.image = "data:image/png;base64,AAAA";
  expectRefusedEarly(settings, ErrorKind::BadRequest, "image");
  settings.image = dataUri("image/png", tinyPng);
  fail_unless(checkSettings(settings).has_value());
}
GST_END_TEST

GST_START_TEST(only_what_was_set_is_sent) {
  const std::string bare = prepare(goodSettings()).value().request.body;
  for (const char *name : {"duration", "aspect_ratio", "cfg_scale", "generate_audio", "negative_prompt", "image_url"})
    fail_if(contains(bare, name), "%s", bare.c_str());
  Settings settings = goodSettings();
  settings.cfgScale = 0;
  fail_unless_contains(prepare(settings).value().request.body, "cfg_scale");
  settings = goodSettings();
  settings.model = "klingai/video-v2-6-pro-text-to-video";
  settings.generateAudio = GenerateAudio::No;
  fail_unless_contains(prepare(settings).value().request.body, R"("generate_audio":false)");
}
GST_END_TEST

GST_START_TEST(a_given_generation_needs_a_key_and_nothing_else) {
  Settings settings;
  settings.apiKey = Secret("a-key");
  settings.generationId = "an-id";
  fail_unless(checkSettings(settings).has_value());
  const auto plan = prepare(settings);
  fail_unless(plan.has_value());
  fail_unless(plan->request.body.empty());
  const NoKeys none;
  settings.apiKey = Secret();
  expectRefusedEarly(settings, ErrorKind::NotAuthorized, "there is no API key");
}
GST_END_TEST

GST_START_TEST(a_dry_run_needs_no_key) {
  const NoKeys none;
  Settings settings = keyless();
  settings.dryRun = true;
  fail_unless(checkSettings(settings).has_value());
  fail_unless(prepare(settings).has_value());
}
GST_END_TEST

GST_START_TEST(an_image_is_given_once) {
  Settings settings = goodSettings();
  settings.model = imageModel;
  settings.imageSource = [] {
    return GivenImage{fromBase64(tinyPng), "sample"};
  };
  fail_unless(checkSettings(settings).has_value());
  fail_unless_contains(prepare(settings).value().request.body, "data:image/png;base64,");
  settings.image = dataUri("image/png", tinyPng);
  expectRefusedEarly(settings, ErrorKind::BadRequest, "image and image-sample are both set");
}
GST_END_TEST

static TCase *keys() {
  TCase *tests = tcase_create("keys");
  tcase_add_test(tests, without_a_key_the_error_says_where_to_put_one);
  tcase_add_test(tests, an_empty_variable_is_no_key);
  tcase_add_test(tests, a_dry_run_needs_no_key);
  tcase_add_test(tests, keys_are_looked_for_in_the_documented_order);
  tcase_add_test(tests, a_credentials_folder_without_a_key_is_no_key);
  tcase_add_test(tests, the_first_line_of_a_key_file_is_the_key);
  tcase_add_test(tests, a_key_file_that_others_can_read_is_told_of);
  tcase_add_test(tests, a_key_file_that_holds_no_key_is_refused);
  tcase_add_test(tests, a_key_that_can_not_stand_in_a_header_is_refused_and_not_shown);
  return tests;
}

static TCase *addresses() {
  TCase *tests = tcase_create("addresses");
  tcase_add_test(tests, the_base_url_is_the_propertys_then_the_environments_then_the_services);
  tcase_add_test(tests, a_key_from_the_environment_goes_to_the_base_url_of_the_environment_only);
  tcase_add_test(tests, a_key_that_is_named_beside_a_base_url_goes_there);
  tcase_add_test(tests, the_key_does_not_leave_the_machine_over_http);
  tcase_add_test(tests, extra_headers_can_not_say_what_the_element_says_itself);
  tcase_add_test(tests, extra_headers_can_not_smuggle_another_header);
  return tests;
}

static TCase *requests() {
  TCase *tests = tcase_create("requests");
  tcase_add_test(tests, good_settings_make_a_plan);
  tcase_add_test(tests, a_prompt_may_stand_in_a_file);
  tcase_add_test(tests, a_prompt_file_that_can_not_be_used_is_refused);
  tcase_add_test(tests, a_pipe_in_place_of_a_text_file_does_not_hang);
  tcase_add_test(tests, parameters_are_an_object_in_place_or_in_a_file);
  tcase_add_test(tests, parameters_that_are_no_object_are_refused);
  tcase_add_test(tests, what_a_property_sets_the_parameters_may_not_set);
  tcase_add_test(tests, what_the_model_does_not_take_is_refused_before_a_file_is_read);
  tcase_add_test(tests, an_image_file_is_read_on_the_worker_only);
  tcase_add_test(tests, a_data_uri_is_checked_at_once);
  tcase_add_test(tests, an_image_is_given_once);
  tcase_add_test(tests, only_what_was_set_is_sent);
  tcase_add_test(tests, a_given_generation_needs_a_key_and_nothing_else);
  return tests;
}

static Suite *settings_suite() {
  Suite *suite = suite_create("settings");
  suite_add_tcase(suite, keys());
  suite_add_tcase(suite, addresses());
  suite_add_tcase(suite, requests());
  return suite;
}

GST_CHECK_MAIN(settings)
