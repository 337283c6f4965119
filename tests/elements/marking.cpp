// SPDX-License-Identifier: LGPL-2.1-or-later
// aimlmark: what it adds to what passes, and where.
#include <aimlvideo/mark.h>

#include <algorithm>
#include <vector>

#include <gst/check/gstharness.h>

#include "support/check.h"
#include "support/pipeline.h"
#include "unit/unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

const std::string packet = markFrom({.sourceType = generatedMedia, .system = "a/model"});
const std::string start = std::string("\0\0\0\x0C", 4) + "ftypisom";
const std::string media = std::string("\0\0\0\x0C", 4) + "mdatdata";
const std::string fragmentIndex = std::string("\0\0\0\x0C", 4) + "mframore";

/// aimlmark alone, and a file that gets what comes out of it, as a filesink would write it.
class Bench {
public:
  explicit Bench(const char *caps, const std::string &xmp = packet) : harness_(gst_harness_new("aimlmark")) {
    if (!xmp.empty())
      g_object_set(harness_->element, "xmp", xmp.c_str(), nullptr);
    gst_harness_set_src_caps_str(harness_, caps);
  }
  Bench(const Bench &) = delete;
  Bench &operator=(const Bench &) = delete;
  ~Bench() { gst_harness_teardown(harness_); }

  void seek(uint64_t offset) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_BYTES);
    segment.start = offset;
    push(gst_event_new_segment(&segment));
  }
  void push(GstEvent *event) { fail_unless(gst_harness_push_event(harness_, event)); }
  void push(const std::string &bytes) {
    fail_unless_equals_int(gst_harness_push(harness_, gst_buffer_new_memdup(bytes.data(), bytes.size())), GST_FLOW_OK);
    take();
  }
  void end() {
    push(gst_event_new_eos());
    take();
  }

  const std::string &file() const { return file_; }
  std::string comment() const { return comments_.empty() ? "" : comments_.back(); }
  const std::vector<std::string> &comments() const { return comments_; }

private:
  /// Buffers and events in the order in which they came.
  void take() {
    while (GstEvent *event = gst_harness_try_pull_event(harness_)) {
      if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
        const GstSegment *segment = nullptr;
        gst_event_parse_segment(event, &segment);
        position_ = segment->format == GST_FORMAT_BYTES ? segment->start : position_;
      } else if (GST_EVENT_TYPE(event) == GST_EVENT_TAG) {
        GstTagList *tags = nullptr;
        char *comment = nullptr;
        gst_event_parse_tag(event, &tags);
        if (gst_tag_list_get_string(tags, GST_TAG_COMMENT, &comment))
          comments_.emplace_back(comment);
        g_free(comment);
      }
      gst_event_unref(event);
    }
    while (GstBuffer *buffer = gst_harness_try_pull(harness_)) {
      const size_t size = gst_buffer_get_size(buffer);
      file_.resize(std::max<size_t>(file_.size(), position_ + size));
      gst_buffer_extract(buffer, 0, file_.data() + position_, size);
      position_ += size;
      gst_buffer_unref(buffer);
    }
  }

  GstHarness *const harness_;
  std::string file_;
  std::vector<std::string> comments_;
  uint64_t position_ = 0;
};

} // namespace

GST_START_TEST(a_movie_gets_its_box_at_the_end) {
  Bench bench("video/quicktime");
  bench.push(start);
  bench.push(media);
  fail_unless(bench.file() == start + media);
  bench.end();
  fail_unless(bench.file() == start + media + markBox(packet));
}
GST_END_TEST

GST_START_TEST(a_muxer_that_goes_back_has_it_at_the_end_all_the_same) {
  Bench bench("video/quicktime");
  bench.seek(0);
  bench.push(start);
  bench.push(media);
  bench.seek(start.size() + 8);
  bench.push("DATA");
  bench.end();
  fail_unless(bench.file() == start + media.substr(0, 8) + "DATA" + markBox(packet));
}
GST_END_TEST

GST_START_TEST(an_index_of_fragments_stays_the_last) {
  Bench bench("video/quicktime");
  bench.push(start);
  bench.push(media);
  bench.push(fragmentIndex);
  bench.end();
  fail_unless(bench.file() == start + media + markBox(packet) + fragmentIndex);
}
GST_END_TEST

GST_START_TEST(what_is_no_movie_and_what_is_empty_stay_as_they_are) {
  Bench other("video/quicktime");
  other.push("no boxes at all");
  other.end();
  fail_unless(other.file() == "no boxes at all");
  Bench empty("video/quicktime");
  empty.end();
  fail_unless(empty.file().empty());
}
GST_END_TEST

GST_START_TEST(every_picture_gets_a_segment) {
  const std::string head("\xFF\xD8\xFF\xE0\0\x07JFIF\0", 11);
  const std::string rest("\xFF\xDA\0\x02 scan");
  Bench bench("image/jpeg");
  bench.push(head + rest);
  bench.push(head + rest);
  const std::string marked = head + markSegment(packet) + rest;
  fail_unless(bench.file() == marked + marked);
  bench.end();
  fail_unless(bench.file() == marked + marked);
}
GST_END_TEST

GST_START_TEST(anything_else_gets_tags_and_keeps_its_bytes) {
  for (const char *caps : {"video/x-h264", "video/x-raw", "audio/mpeg"}) {
    Bench bench(caps);
    bench.push("frame");
    bench.push("frame");
    bench.end();
    fail_unless(bench.file() == "frameframe");
    fail_unless(bench.comment() == markLine(*factsIn(packet)), "%s", bench.comment().c_str());
  }
}
GST_END_TEST

GST_START_TEST(a_comment_of_the_clip_s_own_comes_behind) {
  Bench bench("video/x-h264");
  bench.push(gst_event_new_tag(gst_tag_list_new(GST_TAG_COMMENT, "mine", nullptr)));
  bench.push("frame");
  const std::string line = markLine(*factsIn(packet));
  const std::vector<std::string> both{line + "; mine", line};
  fail_unless(bench.comments() == both, "%s", bench.comment().c_str());
  const auto facts = factsInLine(bench.comments().front());
  fail_unless(facts && isGenerated(facts->sourceType));
}
GST_END_TEST

GST_START_TEST(pictures_have_the_tags_as_well) {
  Bench bench("image/jpeg");
  bench.push("\xFF\xD8\xFF\xDA..");
  fail_unless(bench.comment() == markLine(*factsIn(packet)));
}
GST_END_TEST

GST_START_TEST(what_is_marked_already_is_not_marked_again) {
  Bench movie("video/quicktime");
  movie.push(start);
  movie.push(media);
  movie.push(markBox(packet));
  movie.end();
  fail_unless(movie.file() == start + media + markBox(packet));
  const std::string marked = "\xFF\xD8" + markSegment(packet) + "\xFF\xDA..";
  Bench picture("image/jpeg");
  picture.push(marked);
  fail_unless(picture.file() == marked);
}
GST_END_TEST

GST_START_TEST(behind_a_muxer_without_a_place_everything_passes_and_a_warning_says_so) {
  for (const char *xmp : {packet.c_str(), "no packet"}) {
    Pipeline pipeline("videotestsrc num-buffers=2 ! video/x-raw,width=32,height=32 ! jpegenc ! matroskamux ! aimlmark "
                      "name=mark ! fakesink");
    GstElement *mark = gst_bin_get_by_name(GST_BIN(pipeline.pipeline()), "mark");
    g_object_set(mark, "xmp", xmp, nullptr);
    gst_object_unref(mark);
    const bool isPacket = xmp == packet;
    if (!isPacket)
      fail_unless_contains(pipeline.waitFor("warning").text, "no XMP packet");
    pipeline.forgetEvents();
    pipeline.setState(GST_STATE_PLAYING);
    fail_unless_contains(pipeline.waitFor("warning").debug, "put aimlmark before its muxer");
    pipeline.waitFor("eos");
  }
}
GST_END_TEST

GST_START_TEST(a_stream_that_begins_anew_is_marked_where_it_ends_then) {
  Bench bench("video/quicktime");
  bench.push(start + media);
  bench.push(gst_event_new_flush_start());
  bench.push(gst_event_new_flush_stop(TRUE));
  bench.seek(0);
  bench.push(start + media + media);
  bench.end();
  fail_unless(bench.file() == start + media + media + markBox(packet));
}
GST_END_TEST

GST_START_TEST(without_a_mark_everything_passes_and_a_warning_says_so) {
  Pipeline pipeline("fakesrc num-buffers=2 sizetype=fixed sizemax=8 ! aimlmark name=mark ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  const Event warning = pipeline.waitFor("warning");
  fail_unless(warning.source == "mark");
  fail_unless_contains(warning.text, "not marked");
}
GST_END_TEST

GST_START_TEST(the_clips_of_the_pipeline_say_what_is_written) {
  FakeService service;
  service.clip = clipNamed("faststart");
  Pipeline pipeline(service,
                    "SRC prompt=\"a boat\" ! decodebin ! videoconvert ! jpegenc ! aimlmark ! fakesink name=sink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline.pipeline()), "sink");
  GstSample *sample = nullptr;
  g_object_get(sink, "last-sample", &sample, nullptr);
  fail_unless(sample != nullptr);
  GstMapInfo map;
  fail_unless(gst_buffer_map(gst_sample_get_buffer(sample), &map, GST_MAP_READ));
  const std::string picture(reinterpret_cast<const char *>(map.data), map.size);
  gst_buffer_unmap(gst_sample_get_buffer(sample), &map);
  gst_sample_unref(sample);
  gst_object_unref(sink);
  fail_unless_contains(picture, generatedMedia);
  fail_unless_contains(picture, "kling-video/v1.6/pro/text-to-video");
  fail_if(pipeline.happened("warning"));
}
GST_END_TEST

static Suite *marking_suite() {
  Suite *suite = suite_create("marking");
  TCase *tests = tcase_create("marking");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_movie_gets_its_box_at_the_end);
  tcase_add_test(tests, a_muxer_that_goes_back_has_it_at_the_end_all_the_same);
  tcase_add_test(tests, an_index_of_fragments_stays_the_last);
  tcase_add_test(tests, what_is_no_movie_and_what_is_empty_stay_as_they_are);
  tcase_add_test(tests, every_picture_gets_a_segment);
  tcase_add_test(tests, anything_else_gets_tags_and_keeps_its_bytes);
  tcase_add_test(tests, a_comment_of_the_clip_s_own_comes_behind);
  tcase_add_test(tests, pictures_have_the_tags_as_well);
  tcase_add_test(tests, what_is_marked_already_is_not_marked_again);
  tcase_add_test(tests, behind_a_muxer_without_a_place_everything_passes_and_a_warning_says_so);
  tcase_add_test(tests, a_stream_that_begins_anew_is_marked_where_it_ends_then);
  tcase_add_test(tests, the_clips_of_the_pipeline_say_what_is_written);
  tcase_add_test(tests, without_a_mark_everything_passes_and_a_warning_says_so);
  return suite;
}

GST_CHECK_MAIN(marking)
