// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/image_reference.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "images.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

Error faultOf(const std::string &reference) {
  const auto image = resolveImage(reference, "image");
  fail_if(image.has_value(), "%s was taken", reference.c_str());
  return image.error();
}

void isTaken(const std::string &reference, const std::string &expected) {
  const auto image = resolveImage(reference, "image");
  fail_unless(image.has_value(), "%s", image.has_value() ? "" : image.error().text().c_str());
  fail_unless_equals_text(image->carried, expected);
}

} // namespace

GST_START_TEST(an_images_type_is_seen_in_its_bytes) {
  fail_unless(imageTypeOf(fromBase64(tinyPng)) == "image/png");
  fail_unless(imageTypeOf(fromBase64(tinyJpeg)) == "image/jpeg");
  fail_unless(imageTypeOf(fromBase64(tinyWebP)) == "image/webp");
  for (const std::string_view other :
       {std::string_view(""), std::string_view("\x89PNG"), std::string_view("GIF89a and more"),
        std::string_view("RIFF\0\0\0\0WAVEfmt ", 16), std::string_view("RIFF1234WEB"), std::string_view("<svg>"),
        std::string_view("\xff\xd8"),
        std::string_view("\0\0\0\x1c"
                         "ftypavif",
                         12)})
    fail_if(imageTypeOf(other).has_value());
}
GST_END_TEST

GST_START_TEST(a_file_becomes_a_data_uri_with_the_type_of_its_content) {
  TemporaryFolder folder;
  isTaken(folder.file("a.png", fromBase64(tinyPng)), dataUri("image/png", tinyPng));
  isTaken(folder.file("b.jpg", fromBase64(tinyJpeg)), dataUri("image/jpeg", tinyJpeg));
  isTaken(folder.file("c.webp", fromBase64(tinyWebP)), dataUri("image/webp", tinyWebP));
  isTaken(folder.file("a JPEG called.png", fromBase64(tinyJpeg)), dataUri("image/jpeg", tinyJpeg));
  isTaken(folder.file("without a name for it", fromBase64(tinyWebP)), dataUri("image/webp", tinyWebP));
}
GST_END_TEST

GST_START_TEST(a_file_uri_is_read_like_a_path) {
  TemporaryFolder folder;
  const std::string path = folder.file("Möna Lisa 100%.png", fromBase64(tinyPng));
  char *uri = g_filename_to_uri(path.c_str(), nullptr, nullptr);
  isTaken(uri, dataUri("image/png", tinyPng));
  isTaken("FILE" + std::string(uri).substr(4), dataUri("image/png", tinyPng));
  g_free(uri);
}
GST_END_TEST

GST_START_TEST(a_web_url_is_passed_on_byte_for_byte) {
  for (const char *url : {"https://h/i.png", "http://h/i.png", "HTTPS://H/%7euser/a%2Fb.png?x=1&y=%20+z#f",
                          "https://user:pass@h:8443/", "https://[::1]/i"})
    isTaken(url, url);
  for (const char *url : {"http:", "https://", "https:///i.png", "http:i.png", "https://h/a b%"}) {
    const Error error = faultOf(url);
    fail_unless(error.kind == ErrorKind::BadRequest, "%s", url);
    fail_unless_contains(error.text(), "image");
  }
}
GST_END_TEST

GST_START_TEST(a_data_uri_is_checked_and_passed_on) {
  for (const std::string &uri : {dataUri("image/png", tinyPng), dataUri("image/jpeg", tinyJpeg),
                                 dataUri("image/webp", tinyWebP), dataUri("image/png;charset=x", tinyPng)})
    isTaken(uri, uri);
}
GST_END_TEST

GST_START_TEST(a_data_uri_that_holds_no_image_is_refused) {
  for (const std::string &uri :
       {std::string("data:"), std::string("data:image/png;base64"), std::string("data:image/png;base64,"),
        std::string("data:image/png,%89PNG"), dataUri("image/png", "aGVsbG8gd29ybGQ="), dataUri("image/png", "!!!!"),
        dataUri("image/png", std::string(tinyPng) + "\n"), dataUri("image/png", std::string(tinyPng).insert(20, " ")),
        dataUri("image/png", std::string(tinyPng).insert(20, "===="))}) {
    const Error error = faultOf(uri);
    fail_unless(error.kind == ErrorKind::BadRequest);
    fail_unless_contains(error.text(), "data URI");
  }
}
GST_END_TEST

GST_START_TEST(a_missing_file_is_not_found) {
  TemporaryFolder folder;
  const Error error = faultOf(folder.file("none.png"));
  fail_unless(error.kind == ErrorKind::NotFound);
  fail_unless_contains(error.text(), "none.png");
  fail_unless_contains(error.text(), "No such file");
  fail_unless(faultOf(folder.file("file", "x") + "/below.png").kind == ErrorKind::NotFound);
  fail_unless(faultOf("file:///no/such/file.png").kind == ErrorKind::NotFound);
}
GST_END_TEST

GST_START_TEST(an_unreadable_file_is_told_from_a_missing_one) {
  TemporaryFolder folder;
  if (geteuid() == 0) {
    // root may read everything; a name that is too long can't be opened by anybody
    fail_unless(faultOf(folder.path() + "/" + std::string(300, 'x')).kind == ErrorKind::Unreadable);
    return;
  }
  const std::string path = folder.file("secret.png", fromBase64(tinyPng));
  chmod(path.c_str(), 0);
  fail_unless(faultOf(path).kind == ErrorKind::Unreadable);
}
GST_END_TEST

GST_START_TEST(what_is_no_image_file_is_refused) {
  TemporaryFolder folder;
  for (const std::string &path :
       {folder.file("empty.png", ""), folder.file("text.png", "hello"), folder.file("cut.png", "\x89PN"), folder.path(),
        std::string("/dev/null"), std::string("/dev/zero")}) {
    const Error error = faultOf(path);
    fail_unless(error.kind == ErrorKind::BadRequest, "%s", path.c_str());
    fail_unless_contains(error.text(), path);
  }
  fail_unless_contains(faultOf(folder.path()).text(), "folder");
  fail_unless_contains(faultOf(folder.file("none.png", "")).text(), "empty");
}
GST_END_TEST

GST_START_TEST(a_pipe_does_not_hang) {
  TemporaryFolder folder;
  const std::string path = folder.file("pipe.png");
  fail_unless(mkfifo(path.c_str(), 0600) == 0);
  fail_unless(faultOf(path).kind == ErrorKind::BadRequest);
}
GST_END_TEST

GST_START_TEST(more_than_50_mb_are_refused_before_they_are_read) {
  TemporaryFolder folder;
  const std::string path = folder.file("large.png", fromBase64(tinyPng));
  fail_unless(truncate(path.c_str(), static_cast<off_t>(maximumMediaSize)) == 0);
  fail_unless(resolveImage(path, "image").has_value());
  fail_unless(truncate(path.c_str(), static_cast<off_t>(maximumMediaSize) + 1) == 0);
  fail_unless_contains(faultOf(path).text(), "at most 50000000");
  fail_unless(truncate(path.c_str(), off_t{1} << 40) == 0);
  fail_unless(faultOf(path).kind == ErrorKind::BadRequest);
  std::string large = dataUri("image/png", tinyPng);
  while (large.back() == '=')
    large.pop_back();
  large.append(68'000'000, 'A');
  fail_unless_contains(faultOf(large).text(), "50000000");
}
GST_END_TEST

GST_START_TEST(a_file_uri_that_is_none_is_refused) {
  for (const char *uri : {"file:", "file:relative.png", "file:///a%2Fb", "file:///%zz"})
    fail_unless(faultOf(uri).kind != ErrorKind::Cancelled, "%s", uri);
  fail_unless(faultOf("file:///a%2Fb").kind == ErrorKind::BadRequest);
}
GST_END_TEST

GST_START_TEST(only_paths_and_file_uris_read_the_disk) {
  for (const char *local : {"a.png", "/a.png", "file:///a.png", "httpd/a.png", "database.png", "http", "data"})
    fail_unless(isLocalFile(local), "%s", local);
  for (const char *other : {"", "http://h", "HTTPS://h", "data:image/png;base64,AAAA", "Data:x"})
    fail_if(isLocalFile(other), "%s", other);
}
GST_END_TEST

GST_START_TEST(the_setting_is_named_in_the_error) {
  fail_unless_contains(resolveImage("/no/such.png", "tail-image").error().text(), "tail-image");
}
GST_END_TEST

static Suite *image_reference_suite() {
  Suite *suite = suite_create("image_reference");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, an_images_type_is_seen_in_its_bytes);
  tcase_add_test(tests, a_file_becomes_a_data_uri_with_the_type_of_its_content);
  tcase_add_test(tests, a_file_uri_is_read_like_a_path);
  tcase_add_test(tests, a_web_url_is_passed_on_byte_for_byte);
  tcase_add_test(tests, a_data_uri_is_checked_and_passed_on);
  tcase_add_test(tests, a_data_uri_that_holds_no_image_is_refused);
  tcase_add_test(tests, a_missing_file_is_not_found);
  tcase_add_test(tests, an_unreadable_file_is_told_from_a_missing_one);
  tcase_add_test(tests, what_is_no_image_file_is_refused);
  tcase_add_test(tests, a_pipe_does_not_hang);
  tcase_add_test(tests, more_than_50_mb_are_refused_before_they_are_read);
  tcase_add_test(tests, a_file_uri_that_is_none_is_refused);
  tcase_add_test(tests, only_paths_and_file_uris_read_the_disk);
  tcase_add_test(tests, the_setting_is_named_in_the_error);
  return suite;
}

GST_CHECK_MAIN(image_reference)
