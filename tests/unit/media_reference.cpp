// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/media_reference.h"

#include "base/json/node.h"
#include "bench.h"
#include "images.h"
#include "media/media_file.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::string_literals;

namespace {

const std::string mp4 = "\0\0\0\x14"s
                        "ftypisom\0\0\0\0isom"s;
const std::string mp3 = "ID3\4\0\0\0\0\0\0 and more"s;

constexpr auto editingModel = "klingai/video-o1-video-to-video-edit";

Result<Media> resolved(const std::string &text, MediaKind kind) {
  return resolveMedia({"elements[0].some_url", text, kind, true}, ImageLimits());
}

Error faultOf(const std::string &text, MediaKind kind) {
  const auto media = resolved(text, kind);
  fail_if(media.has_value(), "%s was taken", text.c_str());
  return media.error();
}

} // namespace

GST_START_TEST(a_mediums_type_is_seen_in_its_bytes) {
  const std::pair<std::string, const char *> known[] = {
      {mp4, "video/mp4"},
      {"\0\0\0\x14"s
       "ftypqt  ",
       "video/quicktime"},
      {"\0\0\0\x14"s
       "ftypM4A ",
       "audio/mp4"},
      {"\x1a\x45\xdf\xa3 and more", "video/webm"},
      {"RIFF1234WAVEfmt ", "audio/wav"},
      {mp3, "audio/mpeg"},
      {"\xff\xfb\x90", "audio/mpeg"},
      {"\xff\xf1\x50", "audio/aac"},
      {"OggS and more", "audio/ogg"},
      {"fLaC and more", "audio/flac"},
      {fromBase64(tinyPng), "image/png"},
  };
  for (const auto &[bytes, type] : known)
    fail_unless_equals_text(mediaTypeOf(bytes).value_or("nothing"), type);
  for (const std::string &other : {""s, "ftyp"s, "RIFF1234WAV"s, "hello"s, "\xff"s, mp4.substr(0, 7)})
    fail_if(mediaTypeOf(other).has_value());
}
GST_END_TEST

GST_START_TEST(a_file_is_carried_with_the_type_of_its_content) {
  TemporaryFolder folder;
  const std::string path = folder.file("a sound called.mp4", mp3);
  const auto media = resolved(path, MediaKind::Audio);
  fail_unless(media.has_value());
  fail_unless_equals_text(media->carried, dataUriOf(mp3, "audio/mpeg"));
  const auto copy = resolved(folder.file("copy.mp3", mp3), MediaKind::Any);
  fail_unless(copy.has_value());
  fail_unless_equals_text(copy->identity, media->identity); // the name does not make another request
  const auto other = resolved(folder.file("other.mp3", mp3 + "."), MediaKind::Any);
  fail_unless(other.has_value());
  fail_if(other->identity == media->identity);
}
GST_END_TEST

GST_START_TEST(what_does_not_fit_its_place_is_refused_by_the_place) {
  TemporaryFolder folder;
  const std::string sound = folder.file("a.mp3", mp3);
  const Error error = faultOf(sound, MediaKind::Video);
  fail_unless(error.kind == ErrorKind::BadRequest);
  fail_unless_contains(error.text(), "elements[0].some_url");
  fail_unless_contains(error.text(), sound);
  fail_unless_contains(error.text(), "it is audio/mpeg");
  fail_unless_contains(error.text(), "Give an MP4");
  fail_unless(faultOf(folder.file("a.mp4", mp4), MediaKind::Image).kind == ErrorKind::BadRequest);
  fail_unless_contains(faultOf(folder.file("text.mp4", "hello"), MediaKind::Video).text(), "no known type");
  fail_unless_contains(faultOf(folder.path(), MediaKind::Audio).text(), "folder");
  fail_unless(faultOf(folder.path() + "/none.wav", MediaKind::Audio).kind == ErrorKind::NotFound);
  // a sound may be in an MP4, which looks as one with pictures
  fail_unless(resolved(folder.file("sound.mp4", mp4), MediaKind::Audio).has_value());
}
GST_END_TEST

GST_START_TEST(files_in_the_parameters_are_sent_at_any_depth) {
  TemporaryFolder folder;
  const std::string video = folder.file("a.mp4", mp4);
  const std::string image = folder.file("a.png", fromBase64(tinyPng));
  Bench bench;
  bench.settings.model = editingModel;
  bench.settings.prompt = video; // a prompt may look like anything
  bench.settings.parameters = R"({"video_url": ")" + video + R"(", "elements": [{"frontal_image_url": "file://)" +
                              image + R"(", "reference_image_urls": ["http://127.0.0.1:9/b.png", ")" + image +
                              R"("]}]})";
  const auto clip = bench.run();
  fail_unless(clip.has_value(), "%s", clip ? "" : clip.error().text().c_str());
  const auto root = json::parse(bench.first("POST").body);
  fail_unless(root.has_value());
  JsonObject *body = json::objectIn(root->get());
  fail_unless_equals_text(json_object_get_string_member(body, "prompt"), video);
  fail_unless_equals_text(json_object_get_string_member(body, "video_url"), dataUriOf(mp4, "video/mp4"));
  JsonObject *element = json_array_get_object_element(json_object_get_array_member(body, "elements"), 0);
  const std::string carried = dataUri("image/png", tinyPng);
  fail_unless_equals_text(json_object_get_string_member(element, "frontal_image_url"), carried);
  JsonArray *views = json_object_get_array_member(element, "reference_image_urls");
  fail_unless_equals_text(json_array_get_string_element(views, 0), "http://127.0.0.1:9/b.png");
  fail_unless_equals_text(json_array_get_string_element(views, 1), carried);
}
GST_END_TEST

GST_START_TEST(a_file_that_is_missing_in_the_parameters_buys_nothing) {
  Bench bench;
  bench.settings.model = editingModel;
  bench.settings.parameters = R"({"video_url": "/no/such.mp4"})";
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::NotFound);
  fail_unless_contains(error.text(), "video_url");
  fail_unless_contains(error.text(), "/no/such.mp4");
  fail_unless(bench.asked().empty());
}
GST_END_TEST

static Suite *media_reference_suite() {
  Suite *suite = suite_create("media_reference");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_mediums_type_is_seen_in_its_bytes);
  tcase_add_test(tests, a_file_is_carried_with_the_type_of_its_content);
  tcase_add_test(tests, what_does_not_fit_its_place_is_refused_by_the_place);
  tcase_add_test(tests, files_in_the_parameters_are_sent_at_any_depth);
  tcase_add_test(tests, a_file_that_is_missing_in_the_parameters_buys_nothing);
  return suite;
}

GST_CHECK_MAIN(media_reference);
