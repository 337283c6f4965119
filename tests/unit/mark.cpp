// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/mark.h>

#include <thread>

#include "bench.h"
#include "boxes.h"
#include "clip/spool.h"
#include "provenance/marked_clip.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

std::string largeBox(const std::string &type, const std::string &contents) {
  return number(1, 4) + type + number(16 + contents.size(), 8) + contents;
}

std::string user(std::string_view type) {
  return box("uuid", std::string(type) + "more");
}

const std::string start = box("ftyp", "isom") + box("moov", std::string(100, 'm'));
const std::string media = box("mdat", std::string(1000, 'd'));
const std::string packet =
    markFrom({.sourceType = generatedMedia, .system = "a/model", .created = "2026-11-27T20:00:00Z"});

std::shared_ptr<SpoolFile> spoolOf(const std::string &clip) {
  auto spool = *SpoolFile::create("");
  fail_unless(spool->setSize(clip.size()).has_value());
  fail_unless(spool->write(0, clip.data(), clip.size()).has_value());
  return spool;
}

std::string delivered(const std::string &clip, Mark wish) {
  return contentsOf(MarkedClip(spoolOf(clip), packet, wish));
}

/// Waits until a reader is in await(), and returns what it asks for.
Spool::Demand waitForDemand(const SpoolFile &spool) {
  std::optional<Spool::Demand> demand;
  while (!(demand = spool.facts().demand))
    std::this_thread::yield();
  return *demand;
}

constexpr auto never = [] {
  return false;
};

} // namespace

GST_START_TEST(a_mark_follows_the_last_box_of_every_layout) {
  for (const std::string &clip : {start + media, box("ftyp", "isom") + media + box("moov", "tables"),
                                  start + largeBox("mdat", "dd"), start + box("moof") + media + box("moof") + media,
                                  start + media + user("0123456789abcdef"), start + media + box("free")}) {
    expectMarked(delivered(clip, Mark::Auto), clip);
    fail_unless(delivered(clip, Mark::None) == clip);
  }
}
GST_END_TEST

GST_START_TEST(a_clip_that_a_mark_would_harm_is_left_alone_and_says_why) {
  struct Case {
    std::string clip;
    const char *why;
    bool forced;
  };
  const Case cases[] = {
      {start + user(c2paUserType) + media, "C2PA", true},
      {start + media + user(c2paUserType), "C2PA", true},
      {start + media + user(xmpUserType), "XMP of its own", true},
      {start + box("moof") + media + box("mfra", "index" + box("mfro", "1234size")), "index of its fragments", true},
      {start + number(0, 4) + "mdat" + "to the end", "reaches to the end", false},
      {start + media + "crumbs", "do not end where it does", false},
      {start + media.substr(0, 500), "do not end where it does", false},
      {box("moov") + media, "no MP4", false},
      {std::string("\x1A\x45\xDF\xA3") + std::string(100, 'w'), "no MP4", false},
      {"short", "no MP4", false},
  };
  for (const Case &one : cases) {
    const MarkedClip clip(spoolOf(one.clip), packet, Mark::Auto);
    fail_unless(contentsOf(clip) == one.clip, "%s", one.why);
    fail_unless_contains(clip.unmarked(), one.why);
    if (one.forced)
      expectMarked(delivered(one.clip, Mark::Force), one.clip);
    else
      fail_unless(delivered(one.clip, Mark::Force) == one.clip, "%s", one.why);
  }
}
GST_END_TEST

GST_START_TEST(a_clip_is_read_across_its_end_in_pieces_of_any_size) {
  const std::string clip = start + media;
  const std::string whole = clip + markBox(packet);
  const MarkedClip marked(spoolOf(clip), packet, Mark::Auto);
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{1000}, whole.size()}) {
    std::string all;
    for (std::string bytes(piece, '\0'); all.size() < whole.size();) {
      const auto count = marked.read(all.size(), bytes.data(), piece);
      fail_unless(count.has_value() && *count > 0);
      all += bytes.substr(0, *count);
    }
    fail_unless(all == whole, "in pieces of %zu", piece);
  }
  char beyond = 0;
  fail_unless_equals_int(*marked.read(whole.size(), &beyond, 1), 0);
  fail_unless_equals_int(marked.presentUntil(0), whole.size());
  fail_unless_equals_int(marked.presentUntil(whole.size() - 1), whole.size());
}
GST_END_TEST

GST_START_TEST(who_asks_across_the_end_gets_the_mark_as_well) {
  const std::string clip = start + media;
  const size_t all = clip.size() + markBox(packet).size();
  MarkedClip marked(spoolOf(clip), packet, Mark::Auto);
  const auto arrival = marked.await({clip.size() - 10, 100'000, Spool::Amount::Whole}, never);
  fail_unless(arrival.kind == Spool::Arrival::Kind::There);
  fail_unless_equals_int(arrival.size, 10 + all - clip.size());
  fail_unless_equals_int(marked.await({clip.size() - 10, 100'000, Spool::Amount::Any}, never).size, 10);
  fail_unless_equals_int(marked.await({clip.size() + 5, 20, Spool::Amount::Whole}, never).size, 20);
  fail_unless(marked.await({all, 1, Spool::Amount::Any}, never).kind == Spool::Arrival::Kind::End);
}
GST_END_TEST

GST_START_TEST(no_size_is_told_before_it_is_decided_and_a_reader_waits_for_that) {
  const std::string head = box("ftyp", "isom") + number(8 + 1000, 4) + "mdat" + std::string(50, 'd');
  const std::string tail = box("moov", std::string(100, 'm'));
  const auto spool = *SpoolFile::create("");
  const size_t size = head.size() + 950 + tail.size();
  fail_unless(spool->setSize(size).has_value());
  MarkedClip marked(spool, packet, Mark::Auto);
  fail_unless(spool->write(0, head.data(), head.size()).has_value());
  fail_if(marked.size().has_value());
  std::jthread reader([&] { fail_unless_equals_int(marked.await({0, 8, Spool::Amount::Any}, never).size, 8); });
  const auto demand = waitForDemand(*spool);
  fail_unless_equals_int(demand.offset, head.size() + 950); // the next box, which tells what may follow
  fail_unless(spool->write(demand.offset, tail.data(), tail.size()).has_value());
  reader.join();
  fail_unless_equals_int(marked.size().value_or(0), size + markBox(packet).size());
}
GST_END_TEST

GST_START_TEST(fragments_are_not_looked_for_before_they_come_but_for_an_index_at_the_end) {
  for (const bool hasIndex : {true, false}) {
    const std::string head = start + number(8 + 100, 4) + "moof" + std::string(24, 'f');
    const std::string tail = hasIndex ? box("mfro", "1234size") : std::string(16, 'd');
    const auto spool = *SpoolFile::create("");
    fail_unless(spool->setSize(5000).has_value());
    fail_unless(spool->write(0, head.data(), head.size()).has_value());
    fail_unless(spool->write(5000 - tail.size(), tail.data(), tail.size()).has_value());
    MarkedClip marked(spool, packet, Mark::Auto);
    fail_unless(marked.await({0, 8, Spool::Amount::Any}, never).kind == Spool::Arrival::Kind::There);
    fail_unless_equals_int(marked.size().value_or(0), hasIndex ? 5000 : 0);
  }
}
GST_END_TEST

GST_START_TEST(a_stop_ends_the_wait_for_the_decision) {
  const auto spool = *SpoolFile::create("");
  fail_unless(spool->setSize(5000).has_value());
  MarkedClip marked(spool, packet, Mark::Auto);
  const auto stopped = marked.await({0, 8, Spool::Amount::Any}, [] { return true; });
  fail_unless(stopped.kind == Spool::Arrival::Kind::Stopped);
}
GST_END_TEST

GST_START_TEST(a_clip_that_ends_elsewhere_than_was_said_is_marked_there) {
  const std::string clip = start + media;
  const auto spool = *SpoolFile::create("");
  fail_unless(spool->setSize(clip.size() + 50).has_value());
  fail_unless(spool->write(0, clip.data(), clip.size()).has_value());
  const MarkedClip marked(spool, packet, Mark::Auto);
  fail_if(marked.size().has_value());
  fail_unless(spool->forgetSize());
  fail_unless(spool->setSize(clip.size()).has_value());
  expectMarked(contentsOf(marked), clip);
}
GST_END_TEST

GST_START_TEST(a_reader_that_comes_to_an_end_nobody_had_told_gets_the_mark) {
  for (const auto amount : {Spool::Amount::Any, Spool::Amount::Whole}) {
    const std::string clip = start + media;
    const auto spool = *SpoolFile::create("");
    fail_unless(spool->write(0, clip.data(), clip.size()).has_value());
    MarkedClip marked(spool, packet, Mark::Auto);
    Spool::Arrival arrival;
    const uint64_t offset = amount == Spool::Amount::Any ? clip.size() : clip.size() - 10;
    std::jthread reader([&] { arrival = marked.await({offset, 100'000, amount}, never); });
    waitForDemand(*spool);
    fail_unless(spool->setSize(clip.size()).has_value());
    reader.join();
    fail_unless(arrival.kind == Spool::Arrival::Kind::There);
    fail_unless_equals_int(arrival.size, clip.size() - offset + markBox(packet).size());
  }
}
GST_END_TEST

GST_START_TEST(a_prompt_of_any_kind_makes_a_packet_that_can_be_read) {
  const std::string all(2500, 'x');
  for (const std::string &prompt :
       {std::string("<script>&\"']]></rdf:RDF><?xpacket end=\"w\"?>"), std::string("\x01\x02 bell \x07 \x1F \x7F"),
        std::string("\xFF\xFE no UTF-8"), std::string("\u05E9\u05DC\u05D5\u05DD \u202E \U0001F6A2"), all,
        std::string("\xEF\xBF\xBE\xEF\xBF\xBF\f\v"), std::string("line\nbreak\ttab")}) {
    const std::string made = markFrom({.sourceType = generatedFromMedia, .system = "m<>", .prompt = prompt});
    fail_unless_contains(made, "compositeWithTrainedAlgorithmicMedia");
    fail_unless(g_utf8_validate(made.data(), static_cast<gssize>(made.size()), nullptr));
    const GMarkupParser parser{};
    GMarkupParseContext *context = g_markup_parse_context_new(&parser, GMarkupParseFlags{}, nullptr, nullptr);
    GError *error = nullptr;
    const bool parsed = g_markup_parse_context_parse(context, made.data(), static_cast<gssize>(made.size()), &error) &&
                        g_markup_parse_context_end_parse(context, &error);
    fail_unless(parsed, "%s: %s", error ? error->message : "", made.c_str());
    g_markup_parse_context_free(context);
  }
  fail_if(contains(markFrom({.system = "m"}), "AIPromptInformation"));
}
GST_END_TEST

GST_START_TEST(a_mark_once_made_stays_whatever_a_later_run_would_write) {
  Bench bench;
  bench.service.clip = start + media;
  bench.patience.downloads.attempts = 1;
  bench.settings.mark = Mark::Auto;
  const auto first = bench.run();
  fail_unless(first.has_value(), "%s", first ? "" : first.error().text().c_str());
  const std::string was = contentsOf(**first);
  expectMarked(was, bench.service.clip);
  fail_unless(was.ends_with(*bench.ledger()->mark(bench.newestRow().id)));
  fail_if(contains(was, bench.settings.prompt));
  for (const bool stored : {true, false}) {
    if (!stored)
      g_remove((bench.service.home.cache() + "/aimlvideo/clips/" + bench.newestRow().clip).c_str());
    bench.row = 0;
    bench.settings.promptTag = true; // too late for this one
    const auto again = bench.run();
    fail_unless(again.has_value());
    fail_unless(contentsOf(**again) == was);
  }
}
GST_END_TEST

GST_START_TEST(a_clip_that_was_bought_before_there_were_marks_gets_one) {
  Bench bench;
  bench.service.clip = start + media;
  fail_unless(bench.run().has_value());
  const std::string file = bench.service.home.state() + "/aimlvideo/ledger.sqlite3";
  fail_unless(sqlite::Database::open(file)->execute("DELETE FROM mark").has_value());
  bench.row = 0;
  const auto clip = bench.run();
  fail_unless(clip.has_value());
  expectMarked(contentsOf(**clip), bench.service.clip);
  fail_if(bench.ledger()->mark(bench.newestRow().id)->empty());
}
GST_END_TEST

GST_START_TEST(a_clip_that_is_delivered_without_a_mark_is_told_of) {
  Bench bench;
  bench.service.clip = start + user(c2paUserType) + media;
  fail_unless(bench.run().has_value());
  fail_unless_contains(bench.notes.back(), "without a mark: the clip is signed with C2PA");
  fail_unless_contains(bench.status.unmarked, "C2PA");
}
GST_END_TEST

static Suite *mark_suite() {
  Suite *suite = suite_create("mark");
  TCase *tests = tcase_create("mark");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_mark_follows_the_last_box_of_every_layout);
  tcase_add_test(tests, a_clip_that_a_mark_would_harm_is_left_alone_and_says_why);
  tcase_add_test(tests, a_clip_is_read_across_its_end_in_pieces_of_any_size);
  tcase_add_test(tests, who_asks_across_the_end_gets_the_mark_as_well);
  tcase_add_test(tests, no_size_is_told_before_it_is_decided_and_a_reader_waits_for_that);
  tcase_add_test(tests, fragments_are_not_looked_for_before_they_come_but_for_an_index_at_the_end);
  tcase_add_test(tests, a_stop_ends_the_wait_for_the_decision);
  tcase_add_test(tests, a_clip_that_ends_elsewhere_than_was_said_is_marked_there);
  tcase_add_test(tests, a_reader_that_comes_to_an_end_nobody_had_told_gets_the_mark);
  tcase_add_test(tests, a_prompt_of_any_kind_makes_a_packet_that_can_be_read);
  tcase_add_test(tests, a_mark_once_made_stays_whatever_a_later_run_would_write);
  tcase_add_test(tests, a_clip_that_was_bought_before_there_were_marks_gets_one);
  tcase_add_test(tests, a_clip_that_is_delivered_without_a_mark_is_told_of);
  return suite;
}

GST_CHECK_MAIN(mark)
