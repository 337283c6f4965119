// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/pricing.h"

#include "api/billing.h"
#include "base/json/node.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

constexpr auto kling = "klingai/video-v2-6-pro-text-to-video"; // 5 s unless asked for 10
constexpr auto minimax = "minimax/hailuo-02";                  // 768P unless told otherwise; 6 or 10 s, no default

tl::expected<Estimate, std::string> estimate(const char *pricing, const char *body, const char *model = kling) {
  const auto list = json::parse(pricing).value();
  const auto request = json::parse(body).value();
  return estimateFor(list.get(), json::objectIn(request.get()), Catalogue::instance().find(model));
}

double usd(const char *pricing, const char *body, const char *model = kling) {
  const auto price = estimate(pricing, body, model);
  fail_unless(price.has_value(), "%s", price.has_value() ? "" : price.error().c_str());
  return price->usd;
}

std::string unknown(const char *pricing, const char *body = "{}", const char *model = kling) {
  const auto price = estimate(pricing, body, model);
  fail_if(price.has_value());
  return price.error();
}

constexpr auto perSecond = R"({"kind":"fixed","units":[{"name":"v","measure":"second","price":0.091,"per":1}]})";
constexpr auto byResolution = R"({"kind":"variants","dimensions":["resolution"],"variants":[
  {"when":{"resolution":"768P"},"price":0.05,"unit":"second","per":1},
  {"when":{"resolution":"1080P"},"price":0.08,"unit":"second","per":1}]})";

} // namespace

GST_START_TEST(a_price_by_the_second_goes_with_the_length_of_the_clip) {
  fail_unless_equals_float(usd(perSecond, R"({"duration":10})"), 0.91);
  fail_unless_equals_float(usd(perSecond, R"({"duration":"10"})"), 0.91);
  fail_unless_equals_float(usd(perSecond, "{}"), 0.455);
  fail_unless_equals_float(usd(R"({"kind":"fixed","units":[{"measure":"seconds","price":9.1,"per":100}]})", "{}"),
                           0.455);
}
GST_END_TEST

GST_START_TEST(where_the_length_is_open_the_longest_counts) {
  fail_unless_equals_float(usd(perSecond, "{}", minimax), 0.91);
  fail_unless_contains(unknown(perSecond, "{}", "bytedance/omnihuman"), "length of the clip is not known");
  fail_unless_contains(unknown(perSecond, "{}", "no/such"), "length of the clip is not known");
}
GST_END_TEST

GST_START_TEST(a_price_by_the_piece_is_what_it_is) {
  fail_unless_equals_float(usd(R"({"kind":"fixed","units":[{"measure":"video","price":0.3}]})", "{}"), 0.3);
  fail_unless_equals_float(usd(R"({"kind":"fixed","units":[{"measure":"video","price":0.3},)"
                               R"({"measure":"request","price":1,"per":10}]})",
                               "{}"),
                           0.4);
}
GST_END_TEST

GST_START_TEST(a_fixed_price_names_its_unit_in_name_and_its_direction_in_measure) {
  const auto line = [](const char *name, const char *measure) {
    return std::string(R"({"kind":"fixed","currency":"USD","units":[{"name":")") + name + R"(","measure":")" + measure +
           R"(","price":0.3,"per":1}]})";
  };
  fail_unless_equals_float(usd(line("second", "output").c_str(), R"({"duration":10})"), 3.0);
  for (const char *piece : {"video", "generation", "request", "image"})
    fail_unless_equals_float(usd(line(piece, "output").c_str(), R"({"duration":10})"), 0.3);
  constexpr auto withImages = R"({"image_url":"https://h/a.png","last_image_url":"https://h/b.png"})";
  fail_unless_equals_float(usd(line("image", "input").c_str(), withImages, minimax), 0.6);
  // the vendor's only example
  fail_unless_contains(
      unknown(R"({"kind":"fixed","units":[{"name":"token","measure":"output","price":3.25,"per":1000000}]})"),
      "paid by \"token\"");
  fail_unless_contains(unknown(line("second", "input").c_str(), R"({"duration":10})"), "second of what is sent");
  fail_unless_contains(unknown(line("image", "input").c_str(), withImages, "no/such"), "image that is sent");
}
GST_END_TEST

GST_START_TEST(a_line_that_can_be_read_in_two_ways_counts_as_the_dearer) {
  constexpr auto both = R"({"kind":"fixed","units":[{"name":"video","measure":"second","price":0.1,"per":1}]})";
  fail_unless_equals_float(usd(both, R"({"duration":10})"), 1.0);
  constexpr auto reverse = R"({"kind":"fixed","units":[{"name":"second","measure":"video","price":0.1,"per":1}]})";
  fail_unless_equals_float(usd(reverse, R"({"duration":10})"), 1.0);
  fail_unless_contains(unknown(reverse, "{}", "no/such"), "length of the clip is not known");
}
GST_END_TEST

GST_START_TEST(a_variant_that_may_apply_and_cannot_be_counted_leaves_the_price_unknown) {
  constexpr auto mixed = R"({"kind":"variants","variants":[
    {"when":{"resolution":"768P"},"price":0.05,"unit":"second","per":1},
    {"when":{"resolution":"1080P"},"price":9,"unit":"token","per":1000}]})";
  fail_unless_contains(unknown(mixed, R"({"duration":5})", kling), "paid by \"token\"");
  fail_unless_contains(unknown(mixed, R"({"duration":6,"resolution":"1080P"})", minimax), "paid by \"token\"");
  fail_unless_equals_float(usd(mixed, R"({"duration":6,"resolution":"768P"})", minimax), 0.3);
  // what a list says of a parameter that is no plain value rules nothing out
  fail_unless_contains(unknown(mixed, R"({"duration":6,"resolution":["768P"]})", minimax), "paid by \"token\"");
}
GST_END_TEST

GST_START_TEST(variants_are_chosen_by_the_request_and_by_the_models_defaults) {
  fail_unless_equals_float(usd(byResolution, R"({"resolution":"1080P","duration":6})", minimax), 0.48);
  fail_unless_equals_float(usd(byResolution, R"({"resolution":"1080p","duration":6})", minimax), 0.48);
  fail_unless_equals_float(usd(byResolution, R"({"duration":6})", minimax), 0.3);
}
GST_END_TEST

GST_START_TEST(where_nobody_knows_which_variant_applies_the_dearest_counts) {
  fail_unless_equals_float(usd(byResolution, R"({"duration":5})", kling), 0.4);
  fail_unless_contains(unknown(byResolution, R"({"duration":6,"resolution":"4K"})", minimax), "no line");
}
GST_END_TEST

GST_START_TEST(what_cannot_be_worked_out_is_said_and_not_guessed) {
  fail_unless_contains(unknown(R"({"kind":"auction"})"), "unknown kind \"auction\"");
  fail_unless_contains(unknown(R"({"kind":"variable"})"), "names none beforehand");
  fail_unless_contains(
      unknown(R"({"kind":"fixed","currency":"EUR","units":[{"name":"video","measure":"output","price":1}]})"),
      "in \"EUR\"");
  fail_unless_contains(unknown(R"({"kind":"fixed","units":[{"measure":"video","price":1,"per":"?"}]})"),
                       "no usable price");
  fail_unless_contains(unknown(R"({"kind":"fixed","units":[]})"), "empty");
  fail_unless_contains(unknown(R"({"kind":"fixed","units":[{"measure":"token","price":1}]})"), "paid by \"token\"");
  fail_unless_contains(unknown(R"({"kind":"fixed","units":[{"measure":"video","price":"?"}]})"), "no usable price");
  fail_unless_contains(unknown(R"({"kind":"fixed","units":[{"measure":"video","price":-1}]})"), "no usable price");
  fail_unless_contains(unknown(R"({"kind":"fixed","units":[{"measure":"video","price":1,"per":0}]})"),
                       "no usable price");
}
GST_END_TEST

GST_START_TEST(the_model_is_found_in_the_list_by_id_and_by_alias) {
  constexpr auto list =
      R"({"data":[{"id":"a","pricing":{"kind":"x"}},{"id":"b","aliases":["c"],"pricing":{"kind":"y"}},)"
      R"({"id":"d","pricing":null},{"id":"e"}]})";
  fail_unless_equals_text(json::write(pricingIn(list, "c").value().get()), R"({"kind":"y"})");
  fail_unless_contains(pricingIn(list, "z").error(), "does not list it");
  fail_unless_contains(pricingIn(list, "d").error(), "without a price");
  fail_unless_contains(pricingIn(list, "e").error(), "without a price");
  fail_unless_contains(pricingIn("<html>", "a").error(), "can't be read");
  const auto all = pricingsIn(list).value(); // the same, once for all
  for (const char *name : {"a", "b", "c"})
    if (const auto one = pricingIn(list, name))
      fail_unless_equals_text(json::write(all.at(name).get()), json::write(one->get()));
  for (const char *name : {"z", "d", "e", ""})
    fail_if(all.contains(name), "%s", name);
  fail_unless_contains(pricingsIn("<html>").error(), "can't be read");
  fail_unless(pricingsIn("[]").value().empty() && pricingsIn(R"({"data":[7,{}]})").value().empty());
  fail_unless_equals_text(pricePath("a/b c"), "/v1/models?id=a%2Fb%20c&include=pricing");
}
GST_END_TEST

GST_START_TEST(a_sum_reads_in_cents_and_what_is_left_of_them) {
  for (const auto &[sum, text] : {std::pair(0.0, "0.00 USD"),
                                  {0.5, "0.50 USD"},
                                  {0.455, "0.455 USD"},
                                  {12.0, "12.00 USD"},
                                  {0.0029, "0.0029 USD"}})
    fail_unless_equals_text(usdText(sum), text);
}
GST_END_TEST

GST_START_TEST(a_balance_is_read) {
  const auto balance = parseBalance(R"({"current_balance":123.45,"currency":"USD"})");
  fail_unless(balance && balance->amount == 123.45 && balance->currency == "USD");
  for (const char *body : {"", "[]", "{}", R"({"current_balance":null})"})
    fail_if(parseBalance(body).has_value(), "%s", body);
}
GST_END_TEST

static Suite *pricing_suite() {
  Suite *suite = suite_create("pricing");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_price_by_the_second_goes_with_the_length_of_the_clip);
  tcase_add_test(tests, where_the_length_is_open_the_longest_counts);
  tcase_add_test(tests, a_price_by_the_piece_is_what_it_is);
  tcase_add_test(tests, a_fixed_price_names_its_unit_in_name_and_its_direction_in_measure);
  tcase_add_test(tests, a_line_that_can_be_read_in_two_ways_counts_as_the_dearer);
  tcase_add_test(tests, a_variant_that_may_apply_and_cannot_be_counted_leaves_the_price_unknown);
  tcase_add_test(tests, variants_are_chosen_by_the_request_and_by_the_models_defaults);
  tcase_add_test(tests, where_nobody_knows_which_variant_applies_the_dearest_counts);
  tcase_add_test(tests, what_cannot_be_worked_out_is_said_and_not_guessed);
  tcase_add_test(tests, the_model_is_found_in_the_list_by_id_and_by_alias);
  tcase_add_test(tests, a_sum_reads_in_cents_and_what_is_left_of_them);
  tcase_add_test(tests, a_balance_is_read);
  return suite;
}

GST_CHECK_MAIN(pricing)
