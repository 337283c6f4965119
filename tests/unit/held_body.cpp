// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/held_body.h"

#include <array>
#include <optional>
#include <string>

#include "await.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

/// A read of a body, and what has become of it. In the thread's own main context.
class Read {
public:
  Read(const HeldBody &body, size_t size, GCancellable *cancellable = nullptr) {
    g_input_stream_read_async(
        body.stream(), buffer_.data(), std::min(size, buffer_.size()), G_PRIORITY_DEFAULT, cancellable,
        [](GObject *stream, GAsyncResult *result, gpointer data) {
          auto *self = static_cast<Read *>(data);
          const gssize count = g_input_stream_read_finish(G_INPUT_STREAM(stream), result, &self->error_);
          self->outcome_ =
              count < 0 ? std::string("error") : std::string(self->buffer_.data(), static_cast<size_t>(count));
        },
        this);
  }
  Read(const Read &) = delete;
  Read &operator=(const Read &) = delete;

  bool ended() const {
    while (g_main_context_iteration(nullptr, FALSE)) {
    }
    return outcome_.has_value();
  }
  std::string outcome() const { return ended() ? *outcome_ : "it waits"; }
  bool cancelled() const { return g_error_matches(error_.get(), G_IO_ERROR, G_IO_ERROR_CANCELLED); }

private:
  std::array<char, 64> buffer_{};
  std::optional<std::string> outcome_;
  GErrorSlot error_;
};

GRefPtr<GBytes> bytes(const char *text) {
  return adopt(g_bytes_new_static(text, strlen(text)));
}

} // namespace

GST_START_TEST(whoever_reads_a_held_body_waits_until_it_is_released) {
  HeldBody body(bytes("a body").get());
  const Read first(body, 4);
  fail_unless_equals_text(first.outcome(), "it waits");
  body.release();
  fail_unless_equals_text(first.outcome(), "a bo");
  const Read second(body, 64);
  fail_unless_equals_text(second.outcome(), "dy");
  const Read end(body, 64);
  fail_unless_equals_text(end.outcome(), "");
}
GST_END_TEST

GST_START_TEST(a_body_that_was_released_before_is_read_at_once) {
  HeldBody body(bytes("a body").get());
  body.release();
  const Read all(body, 64);
  fail_unless_equals_text(all.outcome(), "a body");
}
GST_END_TEST

GST_START_TEST(a_body_that_is_refused_is_never_read) {
  HeldBody body(bytes("a body").get());
  const Read waiting(body, 64);
  fail_unless_equals_text(waiting.outcome(), "it waits");
  body.refuse();
  fail_unless_equals_text(waiting.outcome(), "error");
  fail_unless(waiting.cancelled());
  const Read later(body, 64);
  fail_unless_equals_text(later.outcome(), "error");
}
GST_END_TEST

GST_START_TEST(a_read_that_is_cancelled_brings_nothing_when_the_body_is_released) {
  HeldBody body(bytes("a body").get());
  const auto cancellable = adopt(g_cancellable_new());
  const Read waiting(body, 64, cancellable.get());
  g_cancellable_cancel(cancellable.get());
  body.release();
  fail_unless_equals_text(waiting.outcome(), "error");
  fail_unless(waiting.cancelled());
}
GST_END_TEST

GST_START_TEST(the_body_lives_as_long_as_somebody_reads_it) {
  std::optional<HeldBody> body(bytes("a body").get());
  const Read waiting(*body, 64);
  fail_unless_equals_text(waiting.outcome(), "it waits");
  body->release();
  body.reset();
  fail_unless_equals_text(waiting.outcome(), "a body");
}
GST_END_TEST

GST_START_TEST(it_can_not_be_read_by_who_would_block) {
  HeldBody body(bytes("a body").get());
  body.release();
  std::array<char, 8> buffer{};
  GErrorSlot error;
  fail_unless(g_input_stream_read(body.stream(), buffer.data(), buffer.size(), nullptr, &error) < 0);
  fail_unless(g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED));
}
GST_END_TEST

static Suite *held_body_suite() {
  Suite *suite = suite_create("held_body");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, whoever_reads_a_held_body_waits_until_it_is_released);
  tcase_add_test(tests, a_body_that_was_released_before_is_read_at_once);
  tcase_add_test(tests, a_body_that_is_refused_is_never_read);
  tcase_add_test(tests, a_read_that_is_cancelled_brings_nothing_when_the_body_is_released);
  tcase_add_test(tests, the_body_lives_as_long_as_somebody_reads_it);
  tcase_add_test(tests, it_can_not_be_read_by_who_would_block);
  return suite;
}

GST_CHECK_MAIN(held_body)
