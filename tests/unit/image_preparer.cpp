// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/image_preparer.h"

#include "images.h"
#include "media/image_codec.h"
#include "media/image_reference.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

std::string picture(int width, int height, ImageFormat format = ImageFormat::Jpeg) {
  const auto bytes = ImageCodec::render(fromBase64(tinyJpeg), width, height, format);
  fail_unless(bytes.has_value(), "%s", bytes.has_value() ? "" : bytes.error().c_str());
  return *bytes;
}

/// The same JPEG with an EXIF tag that says how it is turned.
std::string turned(const std::string &jpeg, char orientation) {
  std::string exif("\xff\xe1\x00\x22"
                   "Exif\0\0"
                   "MM\0\x2a\0\0\0\x08"
                   "\0\x01"
                   "\x01\x12\0\x03\0\0\0\x01\0?\0\0"
                   "\0\0\0\0",
                   36);
  exif[exif.find('?')] = orientation;
  return jpeg.substr(0, 2) + exif + jpeg.substr(2);
}

PreparedImage prepared(const std::string &bytes, const ImageLimits &limits) {
  const auto image = prepareImage(bytes, imageTypeOf(bytes).value(), limits, "image");
  fail_unless(image.has_value(), "%s", image.has_value() ? "" : image.error().text().c_str());
  return *image;
}

std::string refused(const std::string &bytes, const ImageLimits &limits) {
  const auto image = prepareImage(bytes, imageTypeOf(bytes).value(), limits, "image");
  fail_if(image.has_value(), "it was taken");
  fail_unless(image.error().kind == ErrorKind::BadRequest);
  return image.error().text();
}

void hasShape(const std::string &bytes, int width, int height) {
  const auto facts = ImageCodec::inspect(bytes);
  fail_unless(facts.has_value());
  fail_unless_equals_int(facts->width, width);
  fail_unless_equals_int(facts->height, height);
}

} // namespace

GST_START_TEST(an_image_within_the_limits_is_sent_byte_for_byte) {
  ImageLimits limits;
  limits.types = {"image/jpeg", "image/png"};
  limits.maximumBytes = 1'000'000;
  limits.minimumShortSide = 300;
  limits.maximumLongSide = 400;
  limits.minimumAspect = 0.4;
  limits.maximumAspect = 2.5;
  for (const auto &bytes : {picture(400, 300), picture(300, 400, ImageFormat::Png)}) {
    const auto image = prepared(bytes, limits);
    fail_unless(image.bytes == bytes);
    fail_unless_equals_text(image.note, "");
  }
  fail_unless(prepared(fromBase64(tinyPng), {}).bytes == fromBase64(tinyPng));
}
GST_END_TEST

GST_START_TEST(too_many_pixels_are_shrunk_in_proportion_and_this_is_said) {
  ImageLimits limits;
  limits.maximumLongSide = 500;
  const auto image = prepared(picture(1000, 600), limits);
  fail_unless_equals_text(image.type, "image/jpeg");
  hasShape(image.bytes, 500, 300);
  for (const char *part : {"image is sent as a 500x300 JPEG", "instead of a 1000x600 JPEG", "at most 500 pixels"})
    fail_unless_contains(image.note, part);
}
GST_END_TEST

GST_START_TEST(too_many_bytes_are_shrunk_until_they_fit) {
  ImageLimits limits;
  const std::string large = picture(800, 800);
  limits.maximumBytes = large.size() / 2;
  const auto image = prepared(large, limits);
  fail_unless(image.bytes.size() <= *limits.maximumBytes);
  const auto facts = ImageCodec::inspect(image.bytes);
  fail_unless(facts && facts->width == facts->height && facts->width <= 800);
  limits.minimumShortSide = 790;
  fail_unless_contains(refused(large, limits), "790");
}
GST_END_TEST

GST_START_TEST(a_png_stays_one_where_the_model_takes_it) {
  ImageLimits limits;
  limits.maximumLongSide = 100;
  fail_unless_equals_text(prepared(picture(200, 200, ImageFormat::Png), limits).type, "image/png");
  limits.types = {"image/jpeg"};
  fail_unless_equals_text(prepared(picture(200, 200, ImageFormat::Png), limits).type, "image/jpeg");
}
GST_END_TEST

GST_START_TEST(transparency_becomes_white_in_a_jpeg) {
  ImageLimits limits;
  limits.types = {"image/jpeg"};
  const auto image = prepared(fromBase64(tinyClearPng), limits);
  fail_unless_equals_text(image.type, "image/jpeg");
  const auto png = ImageCodec::render(image.bytes, 1, 1, ImageFormat::Png);
  const auto isThat = [&](std::string_view other) {
    return png && *png == ImageCodec::render(fromBase64(other), 1, 1, ImageFormat::Png);
  };
  fail_unless(isThat(tinyWhitePng) || isThat(tinyNearlyWhitePng));
}
GST_END_TEST

GST_START_TEST(an_image_that_is_stored_turned_is_turned_upright) {
  const std::string lying = turned(picture(400, 200), 6);
  hasShape(lying, 200, 400);
  const auto image = prepared(lying, {});
  hasShape(image.bytes, 200, 400);
  fail_unless(ImageCodec::inspect(image.bytes)->turned == false);
  fail_unless_contains(image.note, "it is stored rotated");
  const std::string upright = turned(picture(400, 200), 1);
  fail_unless(prepared(upright, {}).bytes == upright);
}
GST_END_TEST

GST_START_TEST(limits_hold_for_the_image_as_it_is_seen) {
  ImageLimits limits;
  limits.maximumAspect = 1;
  prepared(turned(picture(400, 200), 6), limits);
  fail_unless_contains(refused(picture(400, 200), limits), "400x200");
}
GST_END_TEST

GST_START_TEST(nothing_is_enlarged_or_cropped) {
  ImageLimits limits;
  limits.minimumShortSide = 300;
  fail_unless_contains(refused(picture(400, 299), limits), "400x299 pixels, the model wants at least 300");
  limits = {};
  limits.minimumAspect = 0.4;
  limits.maximumAspect = 2.5;
  fail_unless_contains(refused(picture(251, 100), limits), "0.4 to 2.5");
  fail_unless_contains(refused(picture(100, 251), limits), "0.4 to 2.5");
}
GST_END_TEST

GST_START_TEST(a_wish_of_the_documentation_is_passed_on_and_refuses_nothing) {
  ImageLimits limits;
  limits.advisedShortSide = 720;
  const std::string small = picture(640, 480);
  const auto image = prepared(small, limits);
  fail_unless(image.bytes == small);
  fail_unless_contains(image.note, "640x480");
  fail_unless_equals_text(prepared(picture(1280, 720), limits).note, "");
}
GST_END_TEST

GST_START_TEST(what_cannot_be_decoded_is_refused_only_when_it_has_to_be_changed) {
  const std::string broken = std::string("\x89PNG\r\n\x1a\n") + "nothing that is one";
  fail_unless(prepared(broken, {}).bytes == broken);
  ImageLimits limits;
  limits.maximumBytes = 10;
  fail_unless_contains(refused(broken, limits), "must be changed");
}
GST_END_TEST

GST_START_TEST(an_image_that_would_fill_the_memory_is_not_decoded) {
  std::string bomb = fromBase64(tinyPng);
  bomb.replace(16, 8, std::string("\0\1\0\0\0\1\0\0", 8)); // 65536 x 65536
  fail_if(ImageCodec::inspect(bomb).has_value());
}
GST_END_TEST

/// The same JPEG, whose head says that it has another size.
std::string resized(std::string jpeg, unsigned width, unsigned height) {
  const size_t frame = jpeg.find("\xff\xc0");
  for (const auto &[at, length] : {std::pair(frame + 5, height), {frame + 7, width}}) {
    jpeg[at] = static_cast<char>(length >> 8);
    jpeg[at + 1] = static_cast<char>(length);
  }
  return jpeg;
}

/// It has 80 bytes, and would take 201 MB.
constexpr std::string_view png8193x8192 =
    "iVBORw0KGgoAAAANSUhEUgAAIAEAACAACAIAAAASCjYwAAAAC0lEQVR4nGNggAEAAAoAAX+AdF4AAAAASUVORK5CYII=";

GST_START_TEST(more_pixels_than_can_be_decoded_in_a_moment_are_refused_by_the_images_head) {
  const std::string jpeg = fromBase64(tinyJpeg);
  fail_unless_contains(refused(resized(jpeg, 14000, 14000), {}),
                       "it has 14000x14000 pixels, more than the 67 megapixels (8192x8192) that an image may have");
  for (const std::string &bytes : {resized(turned(jpeg, 6), 65500, 1025), fromBase64(png8193x8192)}) {
    fail_unless_contains(refused(bytes, {}), "Shrink it with another program");
    fail_unless(ImageCodec::inspect(bytes)->tooLarge);
    fail_if(ImageCodec::render(bytes, 10, 10, ImageFormat::Png).has_value());
  }
  hasShape(resized(jpeg, 8192, 8192), 8192, 8192);
  fail_if(ImageCodec::inspect(resized(jpeg, 8192, 8192))->tooLarge);
}
GST_END_TEST

GST_START_TEST(without_gdk_pixbuf_an_image_is_sent_as_it_is_or_refused) {
  if (ImageCodec::available())
    return;
  fail_unless(prepared(fromBase64(tinyPng), {}).bytes == fromBase64(tinyPng));
  ImageLimits limits;
  limits.types = {"image/jpeg"};
  fail_unless_contains(refused(fromBase64(tinyPng), limits), "built without gdk-pixbuf");
}
GST_END_TEST

static Suite *image_preparer_suite() {
  Suite *suite = suite_create("image_preparer");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, without_gdk_pixbuf_an_image_is_sent_as_it_is_or_refused);
  if (!ImageCodec::available())
    return suite;
  tcase_add_test(tests, an_image_within_the_limits_is_sent_byte_for_byte);
  tcase_add_test(tests, too_many_pixels_are_shrunk_in_proportion_and_this_is_said);
  tcase_add_test(tests, too_many_bytes_are_shrunk_until_they_fit);
  tcase_add_test(tests, a_png_stays_one_where_the_model_takes_it);
  tcase_add_test(tests, transparency_becomes_white_in_a_jpeg);
  tcase_add_test(tests, an_image_that_is_stored_turned_is_turned_upright);
  tcase_add_test(tests, limits_hold_for_the_image_as_it_is_seen);
  tcase_add_test(tests, nothing_is_enlarged_or_cropped);
  tcase_add_test(tests, a_wish_of_the_documentation_is_passed_on_and_refuses_nothing);
  tcase_add_test(tests, what_cannot_be_decoded_is_refused_only_when_it_has_to_be_changed);
  tcase_add_test(tests, an_image_that_would_fill_the_memory_is_not_decoded);
  tcase_add_test(tests, more_pixels_than_can_be_decoded_in_a_moment_are_refused_by_the_images_head);
  return suite;
}

GST_CHECK_MAIN(image_preparer)
