// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provenance/found_marks.h"

#include <algorithm>

#include <aimlvideo/mark.h>

#include "boxes.h"
#include "clip/spool.h"
#include "provenance/xmp_box.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

MarkFacts someFacts() {
  return {.sourceType = generatedMedia,
          .description = "Made",
          .system = "A vendor a/model",
          .generationId = "id-1",
          .created = "2026-11-27T20:00:00Z",
          .tool = "a tool",
          .prompt = "a <b> & \"c\""};
}

const std::string packet = markFrom(someFacts());
const std::string start = box("ftyp", "isom");
const std::string media = box("mdat", "frames");

FoundMarks found(const std::string &file) {
  const auto spool = *SpoolFile::create("");
  fail_unless(spool->setSize(file.size()).has_value());
  fail_unless(file.empty() || spool->write(0, file.data(), file.size()).has_value());
  return marksIn(*spool);
}

/// A box `meta` with one key, as FFmpeg and QuickTime write them.
std::string keyed(const std::string &key, const std::string &value, bool isQuickTime) {
  const std::string keys = box("keys", number(0, 4) + number(2, 4) + box("mdta", "other") + box("mdta", key));
  const std::string item = box(number(1, 4), box("data", number(1, 4) + number(0, 4) + "no")) +
                           box(number(2, 4), box("data", number(1, 4) + number(0, 4) + value));
  return box("meta", (isQuickTime ? "" : number(0, 4)) + box("hdlr", std::string(25, '\0')) + keys + box("ilst", item));
}

std::string segment(unsigned char marker, const std::string &contents) {
  return std::string("\xFF") + static_cast<char>(marker) + number(2 + contents.size(), 2) + contents;
}

const std::string picture = std::string("\xFF\xD8") + segment(0xE0, std::string("JFIF\0\1\1", 7));
const std::string pictureRest = segment(0xDB, "tables") + segment(0xDA, "") + "scan \xFF\xE1 \xFF\xD9";

} // namespace

GST_START_TEST(what_was_written_is_read_again) {
  const auto facts = factsIn(packet);
  fail_unless(facts.has_value());
  const MarkFacts was = someFacts();
  for (const std::string MarkFacts::*fact :
       {&MarkFacts::sourceType, &MarkFacts::description, &MarkFacts::system, &MarkFacts::generationId,
        &MarkFacts::created, &MarkFacts::tool, &MarkFacts::prompt})
    fail_unless((*facts).*fact == was.*fact);
  for (const char *none : {"", "no XMP", "<?xpacket begin=\"\"?><x:xmpmeta"})
    fail_if(factsIn(none).has_value(), "%s", none);
}
GST_END_TEST

GST_START_TEST(a_line_says_what_a_packet_does_and_can_be_read) {
  const std::string line = markLine(someFacts());
  fail_unless(line == "AI generated; digitalSourceType=" + std::string(generatedMedia) +
                          "; system=A vendor a/model; generation=id-1");
  const auto facts = factsInLine(line);
  fail_unless(facts.has_value());
  fail_unless(isGenerated(facts->sourceType));
  fail_unless(facts->system == "A vendor a/model");
  fail_unless(facts->generationId == "id-1");
  fail_unless(markLine({}) == "AI generated");
  fail_if(factsInLine("a comment").has_value());
  fail_if(contains(markLine({.system = "two\nlines"}), "\n"));
}
GST_END_TEST

GST_START_TEST(several_clips_are_told_of_together) {
  const MarkFacts one{.sourceType = generatedMedia,
                      .description = "Made",
                      .system = "m",
                      .generationId = "1",
                      .created = "2026-01-01T00:00:00Z"};
  const MarkFacts two{.sourceType = generatedFromMedia,
                      .description = "Made",
                      .system = "m",
                      .generationId = "2",
                      .created = "2026-02-01T00:00:00Z"};
  const MarkFacts both = together({two, one, two});
  fail_unless(both.sourceType == generatedFromMedia);
  fail_unless(both.description == "Made");
  fail_unless(both.system == "m");
  fail_unless(both.generationId == "2, 1");
  fail_unless(both.created == "2026-02-01T00:00:00Z");
  fail_unless(together({one}).sourceType == generatedMedia);
}
GST_END_TEST

GST_START_TEST(a_packet_is_found_wherever_a_movie_may_have_it) {
  const std::string file = start + box("moov", "tables") + media;
  for (const std::string &marked : {file + markBox(packet), start + markBox(packet) + media,
                                    start + media + box("moov", box("udta", box("XMP_", packet))),
                                    start + number(1, 4) + "mdat" + number(16 + 4, 8) + "data" + markBox(packet)}) {
    const auto marks = found(marked);
    fail_unless_equals_int(marks.packets.size(), 1);
    fail_unless(marks.packets.front() == packet);
    fail_if(marks.isSigned);
  }
  fail_unless(found(file).packets.empty());
  fail_unless(found(file + box("uuid", std::string(xmpUserType).substr(0, 10))).packets.empty());
  fail_unless(found(packet).packets.size() == 1);
  for (const char *none : {"", "x", "\x1A\x45\xDF\xA3", "\xFF\xD8\xFF"})
    fail_unless(found(none).packets.empty());
}
GST_END_TEST

GST_START_TEST(a_manifest_and_a_label_are_found) {
  fail_unless(found(start + box("uuid", std::string(c2paUserType) + "manifest") + media).isSigned);
  fail_unless(found(picture + segment(0xEB, "JP..jumb..jumdc2pa") + pictureRest).isSigned);
  constexpr auto label = R"({"Label":"1"})";
  for (const bool isQuickTime : {true, false}) {
    const std::string meta = keyed("AIGC", label, isQuickTime);
    fail_unless(found(start + box("moov", meta)).aigc == label);
    fail_unless(found(start + box("moov", box("udta", meta))).aigc == label);
    fail_unless(found(start + box("moov", keyed("AIGCx", label, isQuickTime))).aigc == "");
  }
  const std::string labelled = markFrom({.aigc = label});
  fail_unless_contains(labelled, "http://www.tc260.org.cn/ns/AIGC/1.0/");
  fail_unless(found(start + media + markBox(labelled)).aigc == label);
}
GST_END_TEST

GST_START_TEST(what_others_write_in_other_ways_is_read) {
  const std::string head = R"(<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf=")"
                           R"(http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:i=")"
                           R"(http://iptc.org/std/Iptc4xmpExt/2008-02-29/"><i:DigitalSourceType>)";
  const std::string tail = "</i:DigitalSourceType></rdf:Description></rdf:RDF></x:xmpmeta>";
  const std::string type(generatedMedia);
  for (const std::string &value :
       {type, "\n  " + type + "\n", type + "/", std::string("trainedAlgorithmicMedia"),
        std::string("digsrctype:trainedAlgorithmicMedia"), "<rdf:Bag><rdf:li>" + type + "</rdf:li></rdf:Bag>",
        "<rdf:Seq><rdf:li>" + type + "</rdf:li></rdf:Seq>", type + "\xFF"}) {
    const auto facts = factsIn(head + value + tail);
    fail_unless(facts.has_value(), "%s", value.c_str());
    fail_unless(isGenerated(facts->sourceType) || value.ends_with("\xFF"), "%s: %s", value.c_str(),
                facts->sourceType.c_str());
  }
  const std::string whole = head + type + tail;
  for (const std::string &file :
       {"\xEF\xBB\xBF" + whole, "\n" + whole, "<?xml version=\"1.0\"?>\n" + whole, whole + std::string(40, '\0')}) {
    const auto marks = found(file);
    fail_unless_equals_int(marks.packets.size(), 1);
    fail_unless(factsIn(marks.packets.front()).has_value());
  }
}
GST_END_TEST

GST_START_TEST(a_packet_that_would_take_too_much_is_none) {
  std::string deep;
  std::string ends;
  for (int i = 0; i < 100'000; ++i) {
    deep += "<a>";
    ends += "</a>";
  }
  fail_if(factsIn(deep + ends).has_value());
  const std::string start_ = packet.substr(0, packet.find("Iptc4xmpExt:DigitalSourceType"));
  std::string wide = start_;
  for (int i = 0; i < 5000; ++i)
    wide += "Iptc4xmpExt:p" + std::to_string(i) + "='v' ";
  fail_if(factsIn(wide + packet.substr(start_.size())).has_value());
  fail_if(factsIn(markFrom({.prompt = std::string(300'000, 'p')})).has_value());
  fail_if(factsIn("<!DOCTYPE x [<!ENTITY a 'b'>]>" + packet.substr(packet.find("?>") + 2)).has_value());
}
GST_END_TEST

GST_START_TEST(pictures_of_other_kinds_are_read) {
  const auto chunk = [](const std::string &type, const std::string &contents) {
    return number(contents.size(), 4) + type + contents + "crc.";
  };
  const std::string text = std::string("XML:com.adobe.xmp\0\0\0\0\0", 22) + packet;
  const std::string png = "\x89PNG\r\n\x1A\n" + chunk("IHDR", "size") + chunk("iTXt", text) + chunk("IEND", "");
  fail_unless(found(png).packets == std::vector{packet});
  fail_unless(found("\x89PNG\r\n\x1A\n" + chunk("IHDR", "size") + chunk("caBX", "manifest")).isSigned);
  const auto part = [](const std::string &type, const std::string &contents) {
    std::string size = number(contents.size(), 4);
    std::ranges::reverse(size);
    return type + size + contents + (contents.size() % 2 == 1 ? std::string(1, '\0') : "");
  };
  fail_unless(found("RIFF....WEBP" + part("VP8X", "odd") + part("XMP ", packet)).packets == std::vector{packet});
  fail_unless(found("RIFF....WEBP" + part("VP8X", "odd") + part("C2PA", "manifest")).isSigned);
  const std::string filled = picture + std::string("\xFF\xFF") + markSegment(packet) + pictureRest;
  fail_unless(found(filled).packets == std::vector{packet});
  fail_if(found(picture + segment(0xEB, "about c2pa") + pictureRest).isSigned);
}
GST_END_TEST

GST_START_TEST(of_many_packets_the_last_are_read_and_boxes_are_counted_once_a_file) {
  std::string many = start;
  for (int i = 0; i < 20; ++i)
    many += markBox(markFrom({.system = std::to_string(i)}));
  fail_unless(found(many + markBox(packet)).packets.back() == packet);
  std::string boxes = start;
  for (int i = 0; i < 300'000; ++i)
    boxes += box("moov");
  fail_unless(found(boxes + markBox(packet)).packets.empty());
}
GST_END_TEST

GST_START_TEST(a_picture_gets_its_packet_behind_the_first_header) {
  for (const std::string &head : {picture, std::string("\xFF\xD8")}) {
    std::string file = head + pictureRest;
    fail_unless_equals_int(markOffset(file.data(), file.size()), head.size());
    file.insert(head.size(), markSegment(packet));
    const auto marks = found(file);
    fail_unless_equals_int(marks.packets.size(), 1);
    fail_unless(marks.packets.front() == packet);
  }
  fail_unless_equals_int(markOffset("no picture", 10), 0);
  fail_unless_equals_int(markOffset("\xFF\xD8\xFF", 3), 0);
  fail_unless_equals_int(markOffset(picture.data(), picture.size() - 1), 2); // a header that is cut
}
GST_END_TEST

GST_START_TEST(a_prompt_that_is_too_long_for_a_picture_is_left_out) {
  const MarkFacts long_{.sourceType = generatedMedia, .prompt = std::string(70'000, 'p')};
  const std::string made = markSegment(markFrom(long_));
  fail_unless_contains(made, generatedMedia);
  fail_if(contains(made, "ppp"));
  fail_unless(markSegment(markFrom({.system = std::string(70'000, 's')})).empty());
}
GST_END_TEST

GST_START_TEST(only_what_a_model_had_a_part_in_counts_as_generated) {
  const std::string codes = "http://cv.iptc.org/newscodes/digitalsourcetype/";
  for (const char *kind : {"trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic"})
    fail_unless(isGenerated(codes + kind), "%s", kind);
  for (const char *kind : {"digitalCapture", "composite", "algorithmicMedia", ""})
    fail_if(isGenerated(codes + kind), "%s", kind);
  fail_if(isGenerated(""));
}
GST_END_TEST

static Suite *found_marks_suite() {
  Suite *suite = suite_create("found_marks");
  TCase *tests = tcase_create("found_marks");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, what_was_written_is_read_again);
  tcase_add_test(tests, a_line_says_what_a_packet_does_and_can_be_read);
  tcase_add_test(tests, several_clips_are_told_of_together);
  tcase_add_test(tests, a_packet_is_found_wherever_a_movie_may_have_it);
  tcase_add_test(tests, a_manifest_and_a_label_are_found);
  tcase_add_test(tests, what_others_write_in_other_ways_is_read);
  tcase_add_test(tests, a_packet_that_would_take_too_much_is_none);
  tcase_add_test(tests, pictures_of_other_kinds_are_read);
  tcase_add_test(tests, of_many_packets_the_last_are_read_and_boxes_are_counted_once_a_file);
  tcase_add_test(tests, a_picture_gets_its_packet_behind_the_first_header);
  tcase_add_test(tests, a_prompt_that_is_too_long_for_a_picture_is_left_out);
  tcase_add_test(tests, only_what_a_model_had_a_part_in_counts_as_generated);
  return suite;
}

GST_CHECK_MAIN(found_marks)
