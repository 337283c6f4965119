// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/uri.h>

#include <algorithm>
#include <random>

#include <aimlvideo/field.h>

#include "api/catalogue.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

Settings parsed(const std::string &uri) {
  Settings wanted;
  const auto taken = takeUri(uri, wanted);
  fail_unless(taken.has_value(), "%s: %s", uri.c_str(), taken ? "" : taken.error().text().c_str());
  return wanted;
}

/// Why a URI is refused.
std::string refusal(const std::string &uri) {
  Settings wanted;
  const auto taken = takeUri(uri, wanted);
  fail_if(taken.has_value(), "%s was taken", uri.c_str());
  fail_unless(taken.error().kind == ErrorKind::BadRequest);
  return taken.error().text();
}

bool equal(const Settings &one, const Settings &other) {
  return std::ranges::all_of(fields(), [&](const Field &field) { return textOf(one, field) == textOf(other, field); });
}

class RandomUri {
public:
  explicit RandomUri(unsigned seed) : random_(seed) {}

  Settings next() {
    Settings wanted;
    wanted.model = model();
    wanted.prompt = text();
    wanted.negativePrompt = text();
    wanted.image = text();
    wanted.tailImage = text();
    wanted.duration = below(4) ? 0 : below(1U << 31);
    wanted.aspectRatio = text();
    if (below(2))
      wanted.cfgScale = std::uniform_real_distribution<>(0, below(2) ? 1e-6 : 100)(random_);
    if (below(2))
      wanted.generateAudio = below(2) == 1 ? GenerateAudio::Yes : GenerateAudio::No;
    if (below(2))
      wanted.seed = static_cast<unsigned>(random_());
    wanted.parameters = text();
    wanted.take = below(2) ? 0 : static_cast<unsigned>(random_());
    return wanted;
  }

private:
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  std::string text() {
    static constexpr const char *letters[] = {"a", "Z",  "9", " ",  "+",  "%", "&",  "=",  "?",  "#",   "/", ":",
                                              "'", "\"", "@", "\n", "\t", "é", "日", "🚲", "\\", "%41", ";", "~"};
    std::string text;
    for (unsigned i = below(3) == 0 ? 0 : below(12); i > 0; --i)
      text += letters[below(std::size(letters))];
    return text;
  }

  std::string model() {
    static constexpr std::string_view letters = "abcXYZ019-._~:+";
    std::string model;
    for (unsigned parts = below(4); parts > 0; --parts) {
      for (unsigned i = 1 + below(6); i > 0; --i)
        model += letters[below(static_cast<unsigned>(letters.size()))];
      if (parts > 1)
        model += '/';
    }
    return model;
  }

  std::mt19937 random_;
};

} // namespace

GST_START_TEST(a_uri_says_what_is_to_be_made) {
  const Settings wanted = parsed("aimlvideo://kling-video/v1.6/pro/image-to-video?prompt=A%20cat&negative-prompt=dogs"
                                 "&image=https://h/a.png&tail-image=/b.png&duration=10&aspect-ratio=9:16"
                                 "&cfg-scale=0.7&generate-audio=true&seed=7&parameters={%22fps%22:7}&take=3");
  Settings expected;
  expected.model = "kling-video/v1.6/pro/image-to-video";
  expected.prompt = "A cat";
  expected.negativePrompt = "dogs";
  expected.image = "https://h/a.png";
  expected.tailImage = "/b.png";
  expected.duration = 10;
  expected.aspectRatio = "9:16";
  expected.cfgScale = 0.7;
  expected.generateAudio = GenerateAudio::Yes;
  expected.seed = 7;
  expected.parameters = R"({"fps":7})";
  expected.take = 3;
  fail_unless(equal(wanted, expected));
}
GST_END_TEST

GST_START_TEST(the_model_is_host_and_path_byte_for_byte_in_both_forms) {
  for (const char *model : {"video-01", "klingai/video-v2-6-pro-text-to-video", "MiniMax/Hailuo-02", "a/b/c:d"}) {
    fail_unless_equals_text(parsed(std::string("aimlvideo://") + model).model, model);
    fail_unless_equals_text(parsed(std::string("aimlvideo:///") + model + "?take=1").model, model);
  }
  for (const char *none : {"aimlvideo://?prompt=a", "aimlvideo:///?prompt=a", "AimlVideo://?prompt=a"})
    fail_unless_equals_text(parsed(none).model, "");
  for (const Model &model : Catalogue::instance().models())
    fail_unless_equals_text(parsed("aimlvideo://" + model.id + "?prompt=a").model, model.id);
}
GST_END_TEST

GST_START_TEST(values_are_percent_decoded_and_a_plus_stays_a_plus) {
  fail_unless_equals_text(parsed("aimlvideo://m?prompt=1+1%20%C3%A9%25%26%3d%0A%2b").prompt, "1+1 é%&=\n+");
  fail_unless_equals_text(parsed("aimlvideo://m?prompt=as it is, é?=/").prompt, "as it is, é?=/");
}
GST_END_TEST

GST_START_TEST(defaults_may_be_named) {
  fail_unless(equal(parsed("aimlvideo://m?generate-audio=default&duration=0&take=0&seed=-1"), parsed("aimlvideo://m")));
  fail_unless(parsed("aimlvideo://m?generate-audio=false").generateAudio == GenerateAudio::No);
}
GST_END_TEST

GST_START_TEST(whatever_is_written_reads_as_it_was) {
  const unsigned seed = std::random_device()();
  RandomUri uris(seed);
  for (int i = 0; i < 3000; ++i) {
    const Settings wanted = uris.next();
    const std::string uri = uriFor(wanted);
    const Settings read = parsed(uri);
    fail_unless(equal(read, wanted), "seed %u: %s", seed, uri.c_str());
    // it can be put between single quotes, and joined to a playlist's address
    fail_unless(uri.find_first_of("' \"\\\n`$#") == std::string::npos, "seed %u: %s", seed, uri.c_str());
    fail_unless_equals_text(uriFor(read), uri);
  }
}
GST_END_TEST

GST_START_TEST(any_bytes_are_read_or_refused) {
  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  static constexpr std::string_view pieces[] = {
      "aimlvideo:", "//",   "/",         "?", "&", "=", "%",    "%4",   "%41", "%00", "%C3", "prompt",
      "duration",   "take", "cfg-scale", "5", "-", "é", "\xff", "\x01", "a",   "#",   "@",   ""};
  for (int i = 0; i < 20000; ++i) {
    std::string uri = "aimlvideo://";
    for (auto parts = random() % 12; parts > 0; --parts)
      uri += pieces[random() % std::size(pieces)];
    Settings wanted;
    if (const auto taken = takeUri(uri, wanted))
      fail_unless(equal(parsed(uriFor(wanted)), wanted), "seed %u: %s", seed, uri.c_str());
    else
      fail_unless(g_utf8_validate(taken.error().text().c_str(), -1, nullptr), "seed %u: %s", seed, uri.c_str());
  }
}
GST_END_TEST

GST_START_TEST(what_is_no_key_is_refused_with_what_is_allowed) {
  for (const char *key : {"api-key", "api-key-file", "base-url", "extra-headers", "proxy", "prompt-file",
                          "generation-id", "reuse", "max-cost", "model", "temp-dir"}) {
    const std::string text = refusal(std::string("aimlvideo://m?prompt=a&") + key + "=s3cret-4711");
    fail_unless_contains(text, std::string("it sets ") + key);
    fail_unless_contains(text, "negative-prompt, image, tail-image");
    fail_if(contains(text, "4711"), "%s", text.c_str());
  }
  fail_unless_contains(refusal("aimlvideo://m?prmpt=a"), "did you mean prompt?");
  fail_unless_contains(refusal("aimlvideo://m?Prompt=a"), "not a key");
}
GST_END_TEST

GST_START_TEST(nothing_that_may_be_a_secret_is_repeated) {
  for (const char *uri :
       {"aimlvideo://m?s3cret-4711", "aimlvideo://m?S3CRET4711=", "aimlvideo://user:s3cret-4711@m?prompt=a",
        "aimlvideo://m?api-key=s3cret-4711", "aimlvideo://m#s3cret-4711", "aimlvideo://m?prompt=a&=s3cret-4711",
        "aimlvideo://m?api_key%3Ds3cret-4711"})
    fail_if(contains(refusal(uri), "4711"), "%s", refusal(uri).c_str());
}
GST_END_TEST

GST_START_TEST(a_wrong_value_is_named_with_what_is_allowed) {
  const std::pair<const char *, const char *> wrong[] = {
      {"duration=five", R"(duration is "five", allowed is a whole number of seconds)"},
      {"duration=-1", "duration is \"-1\""},
      {"duration=5.5", "duration is"},
      {"duration= 5", "duration is"},
      {"duration=%2B5", "duration is"},
      {"duration=", "duration is empty"},
      {"duration=4294967296", "duration is"},
      {"take=x", "take is \"x\", allowed is a whole number"},
      {"cfg-scale=0x1p3", "cfg-scale is \"0x1p3\", allowed is a number"},
      {"cfg-scale=nan", "cfg-scale is"},
      {"cfg-scale=-0.5", "cfg-scale is"},
      {"cfg-scale=1e9", "cfg-scale is"},
      {"cfg-scale=0,5", "cfg-scale is"},
      {"generate-audio=yes", "allowed is false, true or default"},
      {"prompt=", "prompt is empty"},
      {"prompt=a&prompt=b", "it sets prompt twice"},
      {"prompt", "no = after its key"},
      {"prompt=a&&take=1", "no = after its key"},
      {"prompt=100%", "a % is not followed by two hexadecimal digits"},
      {"prompt=%4g", "%25"},
      {"prompt=a%00b", "control character"},
      {"prompt=%1B[2J", "control character"},
      {"prompt=%C2%9B2J", "control character"},
      {"prompt=%FF", "not UTF-8 text"},
      {"prompt=a\x01", "control character"},
      {"prompt=C#", "%23"}};
  for (const auto &[query, part] : wrong)
    fail_unless_contains(refusal(std::string("aimlvideo://m?") + query), part);
}
GST_END_TEST

GST_START_TEST(what_is_no_model_is_refused) {
  for (const char *uri : {"aimlvideo:m?prompt=a", "http://m?prompt=a", "", "aimlvideo", "aimlvideo:/m"})
    fail_unless_contains(refusal(uri), "it does not begin with aimlvideo://");
  for (const char *uri : {"aimlvideo:////m", "aimlvideo://m/", "aimlvideo://m%2Fn", "aimlvideo://a b", "aimlvideo://é",
                          "aimlvideo://m;n", "aimlvideo://a|b"})
    fail_unless_contains(refusal(uri), "not the name of a model");
}
GST_END_TEST

static Suite *generation_uri_suite() {
  Suite *suite = suite_create("generation_uri");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_uri_says_what_is_to_be_made);
  tcase_add_test(tests, the_model_is_host_and_path_byte_for_byte_in_both_forms);
  tcase_add_test(tests, values_are_percent_decoded_and_a_plus_stays_a_plus);
  tcase_add_test(tests, defaults_may_be_named);
  tcase_add_test(tests, whatever_is_written_reads_as_it_was);
  tcase_add_test(tests, any_bytes_are_read_or_refused);
  tcase_add_test(tests, what_is_no_key_is_refused_with_what_is_allowed);
  tcase_add_test(tests, nothing_that_may_be_a_secret_is_repeated);
  tcase_add_test(tests, a_wrong_value_is_named_with_what_is_allowed);
  tcase_add_test(tests, what_is_no_model_is_refused);
  return suite;
}

GST_CHECK_MAIN(generation_uri)
