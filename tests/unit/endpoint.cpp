// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/endpoint.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

GST_START_TEST(each_family_has_one_path_for_create_and_poll) {
  const Model *kling = Catalogue::instance().find("kling-video/v1.6/pro/image-to-video");
  fail_unless_equals_text(endpointPath(EndpointFamily::Universal, kling), "/v2/video/generations");
  fail_unless_equals_text(endpointPath(EndpointFamily::Legacy, kling), "/v2/generate/video/kling/generation");
  fail_unless_equals_text(pollPath(EndpointFamily::Universal, kling, "i"), "/v2/video/generations?generation_id=i");
  fail_unless_equals_text(pollPath(EndpointFamily::Legacy, kling, "i"),
                          "/v2/generate/video/kling/generation?generation_id=i");
}
GST_END_TEST

GST_START_TEST(the_legacy_path_names_the_models_vendor) {
  const Model *runway = Catalogue::instance().find("gen3a_turbo");
  fail_unless(runway != nullptr);
  fail_unless_contains(endpointPath(EndpointFamily::Legacy, runway), "runway");
  fail_unless_equals_text(endpointPath(EndpointFamily::Universal, nullptr), "/v2/video/generations");
  fail_unless_equals_text(endpointPath(EndpointFamily::Legacy, nullptr), "/v2/generate/video/kling/generation");
}
GST_END_TEST

GST_START_TEST(an_id_is_percent_encoded_whatever_it_holds) {
  const auto queryOf = [](std::string_view id) {
    const std::string path = pollPath(EndpointFamily::Universal, nullptr, id);
    return path.substr(path.find('=') + 1);
  };
  fail_unless_equals_text(queryOf("60ac:kling-video/v1.6/pro"), "60ac%3Akling-video%2Fv1.6%2Fpro");
  fail_unless_equals_text(queryOf("-G3b3vVKdoC42fMNeK1T5"), "-G3b3vVKdoC42fMNeK1T5");
  fail_unless_equals_text(queryOf("_x~."), "_x~.");
  fail_unless_equals_text(queryOf("a b&c=d#e?f%20+é"), "a%20b%26c%3Dd%23e%3Ff%2520%2B%C3%A9");
  fail_unless_equals_text(queryOf("\r\nHost: x"), "%0D%0AHost%3A%20x");
}
GST_END_TEST

GST_START_TEST(a_404_for_the_path_is_told_from_one_for_the_model) {
  for (const char *body : {"", "Not Found", "<html>404</html>", R"({"message":"Cannot POST /v2/video/generations"})",
                           R"({"statusCode":404,"message":"Cannot POST /v2/video/generations","error":"Not Found"})",
                           R"({"error":{"message":"Cannot POST /v2/video/generations"}})"})
    fail_unless(saysPathIsUnknown(body), "%s", body);
  for (const char *body : {R"({"message":"Model not found"})", R"({"error":"no such model"})", "{}",
                           R"({"statusCode":404,"message":"Model x not found","error":"Not Found"})"})
    fail_if(saysPathIsUnknown(body), "%s", body);
}
GST_END_TEST

GST_START_TEST(a_base_url_must_keep_the_key_secret) {
  for (const char *url : {"https://api.aimlapi.com", "https://proxy.example:8443/aiml", "http://127.0.0.1:8080",
                          "http://localhost:80", "http://[::1]:9", "http://127.9.8.7", "https://[2001:db8::1]"})
    fail_unless(checkedBaseUrl(url).has_value(), "%s", url);
  for (const char *url : {"http://api.aimlapi.com",
                          "http://localhost.example.com",
                          "http://127.0.0.1.example.com",
                          "http://10.0.0.1",
                          "ftp://h",
                          "file:///etc/passwd",
                          "api.aimlapi.com",
                          "",
                          "https://",
                          "https:///path",
                          "https://user@h",
                          "https://user:pass@h",
                          "https://h?q",
                          "https://h/?q=1",
                          "https://h/#f",
                          "https://h x",
                          "https://h:99999",
                          "javascript:1",
                          "https://h\n",
                          " https://h",
                          "http://localhost@evil.example"}) {
    const auto checked = checkedBaseUrl(url);
    fail_if(checked.has_value(), "\"%s\" was taken", url);
    fail_unless(checked.error().kind == ErrorKind::BadRequest);
    fail_unless_contains(checked.error().text(), "base-url");
  }
}
GST_END_TEST

GST_START_TEST(a_base_url_loses_its_final_slash_only) {
  fail_unless_equals_text(checkedBaseUrl("https://h/").value(), "https://h");
  fail_unless_equals_text(checkedBaseUrl("https://h//").value(), "https://h");
  fail_unless_equals_text(checkedBaseUrl("https://h/a%2Fb/").value(), "https://h/a%2Fb");
}
GST_END_TEST

GST_START_TEST(all_spellings_of_a_base_url_are_one_address) {
  for (const char *url : {"https://api.example.com/v1/%7Ea/%2F", "HTTPS://API.Example.COM/v1/~a/%2f",
                          "https://api.example.com:443/v1/~a/%2F/", "https://api.example.com:0443/v1//../x/../~a/%2f",
                          "https://api.example.com./v1/./%7ea/%2F", "https://%61pi.example.com/v1/%7ea/%2F"})
    fail_unless_equals_text(normalizedBaseUrl(url), "https://api.example.com/v1/~a/%2F");
  fail_unless_equals_text(normalizedBaseUrl("http://[::0:0001]:080/"), "http://[::1]");
  fail_unless_equals_text(normalizedBaseUrl(defaultBaseUrl), defaultBaseUrl);
}
GST_END_TEST

GST_START_TEST(other_base_urls_stay_other_addresses) {
  const std::string own = normalizedBaseUrl("https://h/a");
  for (const char *url : {"https://h", "https://h/A", "https://h/a/b", "https://h:8443/a", "http://h/a", "https://g/a",
                          "https://h/a%2F", "https://h/%2561"})
    fail_if(normalizedBaseUrl(url) == own, "%s", url);
  fail_if(normalizedBaseUrl("http://localhost") == normalizedBaseUrl("http://127.0.0.1"));
}
GST_END_TEST

GST_START_TEST(this_machine_is_one_service_by_its_three_names_and_no_other) {
  for (const char *url : {"http://localhost:80", "HTTP://LocalHost/", "http://127.0.0.1", "http://[::1]:080"})
    fail_unless_equals_text(serviceAt(url), "http://127.0.0.1");
  for (const char *url : {"http://127.0.0.2", "https://localhost", "http://localhost:81", "http://localhost/v1"})
    fail_if(serviceAt(url) == "http://127.0.0.1", "%s", url);
  fail_unless_equals_text(serviceAt("https://LOCALHOST.example.com"), "https://localhost.example.com");
}
GST_END_TEST

GST_START_TEST(loopback_is_known_by_its_spelling) {
  for (const char *host : {"localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1"})
    fail_unless(isLoopbackHost(host), "%s", host);
  for (const char *host : {"", "localhost.", "example.com", "128.0.0.1", "::2", "0.0.0.0", "127.0.0.1.example.com"})
    fail_if(isLoopbackHost(host), "%s", host);
}
GST_END_TEST

static Suite *endpoint_suite() {
  Suite *suite = suite_create("endpoint");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, each_family_has_one_path_for_create_and_poll);
  tcase_add_test(tests, the_legacy_path_names_the_models_vendor);
  tcase_add_test(tests, an_id_is_percent_encoded_whatever_it_holds);
  tcase_add_test(tests, a_404_for_the_path_is_told_from_one_for_the_model);
  tcase_add_test(tests, a_base_url_must_keep_the_key_secret);
  tcase_add_test(tests, a_base_url_loses_its_final_slash_only);
  tcase_add_test(tests, all_spellings_of_a_base_url_are_one_address);
  tcase_add_test(tests, other_base_urls_stay_other_addresses);
  tcase_add_test(tests, this_machine_is_one_service_by_its_three_names_and_no_other);
  tcase_add_test(tests, loopback_is_known_by_its_spelling);
  return suite;
}

GST_CHECK_MAIN(endpoint)
