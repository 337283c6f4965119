// SPDX-License-Identifier: LGPL-2.1-or-later
// What the boxes of a file tell of the file: where it would have to end.
#include "clip/iso_media.h"

#include "boxes.h"
#include "download.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

std::string numbers(std::initializer_list<uint64_t> values, size_t bytes = 4) {
  std::string text;
  for (const uint64_t value : values)
    text += number(value, bytes);
  return text;
}

const std::string noFlags = number(0);

/// A track whose samples lie where its tables say.
struct Track {
  std::string chunks; ///< the box stco or co64
  std::string runs;   ///< stsc
  std::string sizes;  ///< stsz

  std::string box() const {
    using aimlvideo::test::box;
    const std::string table = box("stsd", noFlags) + chunks + runs + sizes;
    return box("trak", box("tkhd", noFlags) + box("mdia", box("minf", box("stbl", table))));
  }
};

constexpr size_t mediaSize = 1000;

/// Five samples in two chunks: 100, 200 and 300 bytes from `at` on, 150 and 250 behind them.
Track fiveSamples(uint64_t at) {
  return {box("stco", noFlags + numbers({2, at, at + 600})),
          box("stsc", noFlags + numbers({2, /*from chunk*/ 1, /*samples*/ 3, 1, /*from chunk*/ 2, 2, 1})),
          box("stsz", noFlags + numbers({0, 5, 100, 200, 300, 150, 250}))};
}

std::string clipOf(const Track &track, const std::string &behind = "") {
  return box("ftyp", "isom") + box("mdat", std::string(mediaSize, 'm')) +
         box("moov", box("mvhd", noFlags) + track.box() + behind);
}

constexpr uint64_t mediaStart = 12 + 8;

std::shared_ptr<Spool> spoolOf(const std::string &bytes) {
  const auto spool = *SpoolFile::create("");
  fail_unless(spool->write(0, bytes.data(), bytes.size()).value_or(false));
  return spool;
}

/// Counts how often it is read.
class CountedSpool final : public Spool {
public:
  explicit CountedSpool(const std::string &bytes) : spool_(spoolOf(bytes)) {}

  int descriptor() const override { return spool_->descriptor(); }
  std::optional<uint64_t> size() const override { return spool_->size(); }
  bool complete() const override { return spool_->complete(); }
  uint64_t presentUntil(uint64_t offset) const override { return spool_->presentUntil(offset); }
  Arrival await(const Demand &demand, const std::function<bool()> &stop) override {
    return spool_->await(demand, stop);
  }
  void wake() override { spool_->wake(); }
  Result<size_t> read(uint64_t offset, void *buffer, size_t bytes) const override {
    ++reads;
    return spool_->read(offset, buffer, bytes);
  }

  mutable unsigned reads = 0;

private:
  const std::shared_ptr<Spool> spool_;
};

Wholeness wholeness(const std::string &bytes) {
  return wholenessOf(*spoolOf(bytes), bytes.size()).wholeness;
}

} // namespace

GST_START_TEST(a_file_is_whole_when_its_boxes_and_its_samples_end_within_it) {
  fail_unless(wholeness(clipOf(fiveSamples(mediaStart))) == Wholeness::Whole);
  fail_unless(wholeness(clipOf(fiveSamples(mediaStart)) + box("free", "")) == Wholeness::Whole);
}
GST_END_TEST

GST_START_TEST(no_beginning_of_a_file_is_whole) {
  const std::string clips[] = {clipOf(fiveSamples(mediaStart)),
                               box("ftyp", "isom") + box("moov", fiveSamples(500).box()) +
                                   std::string("\0\0\0\0mdat", 8) + // to the end
                                   std::string(2000, 'm'),
                               box("ftyp", "iso5") + box("moov", "") + box("moof", "trun") + box("mdat", "12345")};
  for (const std::string &clip : clips) {
    fail_unless(wholeness(clip) == Wholeness::Whole);
    const bool toTheEnd = &clip == &clips[1];
    // samples end before the last byte of the file, where mdat has more than them
    const size_t least = toTheEnd ? 500 + 1000 : clip.size();
    for (size_t size = 1; size < least; ++size)
      fail_if(wholeness(clip.substr(0, size)) == Wholeness::Whole, "%zu of %zu bytes", size, clip.size());
  }
}
GST_END_TEST

GST_START_TEST(samples_behind_the_end_show_that_a_file_is_cut) {
  const size_t size = clipOf(fiveSamples(0)).size();
  const uint64_t fits = size - 1000; // the last sample ends with the file
  fail_unless(wholeness(clipOf(fiveSamples(fits))) == Wholeness::Whole);
  fail_unless(wholeness(clipOf(fiveSamples(fits + 1))) == Wholeness::Cut);

  Track large = fiveSamples(0);
  large.chunks = box("co64", noFlags + numbers({2}) + numbers({0, uint64_t{1} << 40}, 8));
  fail_unless(wholeness(clipOf(large)) == Wholeness::Cut);

  Track equal = fiveSamples(0);
  equal.sizes = box("stsz", noFlags + numbers({/*of all*/ 100, 5}));
  const size_t shorter = clipOf(equal).size();
  equal.chunks = box("stco", noFlags + numbers({2, 0, shorter - 200}));
  fail_unless(wholeness(clipOf(equal)) == Wholeness::Whole);
  equal.chunks = box("stco", noFlags + numbers({2, 0, shorter - 199}));
  fail_unless(wholeness(clipOf(equal)) == Wholeness::Cut);
}
GST_END_TEST

GST_START_TEST(a_table_longer_than_a_block_is_read_to_its_end) {
  constexpr size_t count = 5000;
  std::string sizes = noFlags + numbers({0, count});
  for (size_t i = 0; i < count; ++i)
    sizes += number(1 + i % 2);
  Track track{box("stco", noFlags + numbers({1, mediaStart})), box("stsc", noFlags + numbers({1, 1, count, 1})),
              box("stsz", sizes)};
  const std::string start = box("ftyp", "isom") + box("moov", track.box());
  const uint64_t media = start.size() + 8;
  track.chunks = box("stco", noFlags + numbers({1, media}));
  const auto clip = [&](size_t bytes) {
    return box("ftyp", "isom") + box("moov", track.box()) + std::string("\0\0\0\0mdat", 8) + std::string(bytes, 'm');
  };
  constexpr size_t samples = count / 2 * 3;
  fail_unless(wholeness(clip(samples)) == Wholeness::Whole);
  fail_unless(wholeness(clip(samples - 1)) == Wholeness::Cut);
}
GST_END_TEST

GST_START_TEST(what_can_not_be_read_proves_nothing) {
  const std::string noise(500, '\x7f');
  const std::string start = box("ftyp", "isom") + box("mdat", "media");
  for (const std::string &contents : {noise, box("trak", noise), box("trak", box("mdia", "")),
                                      Track{box("stco", ""), box("stsc", "1"), box("stsz", "12345")}.box(),
                                      Track{box("stco", noFlags + number(UINT32_MAX)), box("stsc", ""), ""}.box()})
    fail_unless(wholeness(start + box("moov", contents)) == Wholeness::Whole);
  // a box that nobody knows, and what is no box
  fail_unless(wholeness(start + box("moov", "") + "\x7f\x7f\x7f\x7fwhat") == Wholeness::Unclear);
  fail_unless(wholeness(start + box("moov", "") + std::string(4, '\0')) == Wholeness::Unclear);
  fail_unless(wholeness("\x1a\x45\xdf\xa3 a WebM") == Wholeness::Unclear);
  fail_unless(wholeness("RIFF\0\0\0\0AVI ") == Wholeness::Unclear);
  fail_unless(wholeness(box("ftyp", "avif") + box("meta", "") + box("mdat", "")) == Wholeness::Unclear);
}
GST_END_TEST

GST_START_TEST(what_is_missing_altogether_is_noticed) {
  fail_unless(wholeness(box("ftyp", "isom") + box("mdat", "media")) == Wholeness::Cut);
  fail_unless(wholeness(box("ftyp", "isom") + box("moov", "")) == Wholeness::Cut);
  fail_unless(wholeness(box("ftyp", "iso5") + box("moov", "") + box("moof", "") + box("mdat", "") + box("moof", "")) ==
              Wholeness::Cut);
}
GST_END_TEST

GST_START_TEST(it_is_told_as_soon_as_what_is_there_tells_it) {
  const std::string clip = box("ftyp", "isom") + box("mdat", std::string(mediaSize, 'm'));
  const auto spool = *SpoolFile::create("");
  fail_unless(spool->write(0, clip.data(), 40).value_or(false));
  fail_unless(wholenessOf(*spool, 500).wholeness == Wholeness::Cut);
  fail_unless(wholenessOf(*spool, clip.size() + 100).wholeness == Wholeness::Unclear);
  const std::string moov = box("moov", std::string(192, '\0')); // out of order, as a demuxer asks for it
  fail_unless(spool->write(clip.size(), moov.data(), 20).value_or(false));
  fail_unless(wholenessOf(*spool, clip.size() + 100).wholeness == Wholeness::Cut);
  fail_unless(wholenessOf(*spool, clip.size() + 200).wholeness == Wholeness::Unclear);
}
GST_END_TEST

GST_START_TEST(boxes_that_are_close_together_are_read_at_once) {
  const std::string clip = clipOf(fiveSamples(mediaStart));
  const CountedSpool spool(clip);
  fail_unless(wholenessOf(spool, clip.size()).wholeness == Wholeness::Whole);
  // once for all boxes of this small file, and each table by itself
  fail_unless_equals_int(spool.reads, 1 + 3);
}
GST_END_TEST

GST_START_TEST(a_box_that_would_end_at_the_last_of_all_offsets_leads_nowhere) {
  const std::string huge = number(1) + "free" + number(UINT64_MAX - 15, 8);
  fail_if(beginsWithMovie(*spoolOf(box("ftyp", "isom") + huge + std::string(100, 'x'))));
}
GST_END_TEST

static Suite *iso_media_suite() {
  Suite *suite = suite_create("iso_media");
  TCase *tests = tcase_create("iso_media");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, boxes_that_are_close_together_are_read_at_once);
  tcase_add_test(tests, a_box_that_would_end_at_the_last_of_all_offsets_leads_nowhere);
  tcase_add_test(tests, a_file_is_whole_when_its_boxes_and_its_samples_end_within_it);
  tcase_add_test(tests, no_beginning_of_a_file_is_whole);
  tcase_add_test(tests, samples_behind_the_end_show_that_a_file_is_cut);
  tcase_add_test(tests, a_table_longer_than_a_block_is_read_to_its_end);
  tcase_add_test(tests, what_can_not_be_read_proves_nothing);
  tcase_add_test(tests, what_is_missing_altogether_is_noticed);
  tcase_add_test(tests, it_is_told_as_soon_as_what_is_there_tells_it);
  return suite;
}

GST_CHECK_MAIN(iso_media)
