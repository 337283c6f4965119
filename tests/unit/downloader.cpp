// SPDX-License-Identifier: LGPL-2.1-or-later
// Hosts as they are: each of their oddities ends with the very clip, or with an error that says why not.
#include "clip/downloader.h"

#include <condition_variable>
#include <mutex>

#include <sys/syscall.h>
#include <unistd.h>

#include "download.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

constexpr size_t mebi = 1024 * 1024;

std::string shortClip() {
  return boxedNoise(700'000, MoovPlace::First);
}

/// Cuts each connection after so many bytes of the body.
ClipServer::Manners cutting(uint64_t bytes) {
  return [=](const ClipRequest &, ClipAnswer &answer) {
    answer.cutAfter = bytes;
  };
}

void without(ClipAnswer &answer, const std::string &name) {
  std::erase_if(answer.headers, [&](const auto &header) { return header.first == name; });
}

} // namespace

GST_START_TEST(a_good_host_is_asked_once) {
  Download download(shortClip());
  download.succeed();
  const auto requests = download.host.requests();
  fail_unless_equals_int(requests.size(), 1);
  fail_unless_equals_text(requests[0].target, "/clip.mp4?sig=a%2Fb");
  fail_unless_equals_text(requests[0].header("Range"), "bytes=0-");
  fail_unless_equals_text(requests[0].header("Accept-Encoding"), "identity");
  fail_unless_equals_text(requests[0].header("If-Range"), "");
  fail_unless_equals_text(requests[0].header("Authorization"), "");
  fail_unless_equals_uint64(download.lastReceived, download.clip.size());
  fail_unless(download.receivedAtArrival < download.clip.size() || download.clip.size() < 600'000);
}
GST_END_TEST

GST_START_TEST(a_host_without_parts_sends_all) {
  Download download(shortClip());
  download.host.setManners([&](const ClipRequest &, ClipAnswer &answer) {
    answer.status = 200;
    answer.headers.clear();
    answer.contentRange.clear();
    answer.first = 0;
    answer.end = download.clip.size();
  });
  download.succeed();
  fail_unless_equals_int(download.host.requests().size(), 1);
}
GST_END_TEST

GST_START_TEST(a_transfer_that_is_cut_again_and_again_goes_on_where_it_was) {
  Download download(boxedNoise(3'000'000, MoovPlace::First), cutting(300'000));
  download.succeed();
  const auto requests = download.host.requests();
  fail_unless_equals_int(requests.size(), 11);
  for (size_t i = 1; i < requests.size(); ++i) {
    fail_unless_equals_uint64(requests[i].first, i * 300'000);
    fail_unless_equals_text(requests[i].header("If-Range"), "\"the-clip\"");
  }
  fail_unless_equals_uint64(download.host.bytesSent(), download.clip.size()); // none twice
}
GST_END_TEST

GST_START_TEST(without_a_validator_the_end_of_what_is_there_is_compared) {
  Download download(boxedNoise(1'000'000, MoovPlace::First), [](const ClipRequest &, ClipAnswer &answer) {
    without(answer, "ETag");
    answer.cutAfter = 300'000;
  });
  download.succeed();
  const auto requests = download.host.requests();
  fail_unless_equals_uint64(requests[1].first, 300'000 - 65'536);
  fail_unless_equals_text(requests[1].header("If-Range"), "");
}
GST_END_TEST

GST_START_TEST(a_weak_validator_vouches_for_nothing) {
  Download download(boxedNoise(600'000, MoovPlace::First), [](const ClipRequest &, ClipAnswer &answer) {
    without(answer, "ETag");
    answer.headers.emplace_back("ETag", "W/\"about\"");
    answer.cutAfter = 300'000;
  });
  download.succeed();
  fail_unless_equals_text(download.host.requests()[1].header("If-Range"), "");
}
GST_END_TEST

GST_START_TEST(a_host_that_sends_all_again_is_compared_with_what_is_there) {
  // a part at first, then never again
  Download download(boxedNoise(1'000'000, MoovPlace::First));
  download.host.setManners([&](const ClipRequest &request, ClipAnswer &answer) {
    if (request.number == 1) {
      answer.cutAfter = 300'000;
      return;
    }
    answer.status = 200;
    answer.contentRange.clear();
    answer.first = 0;
    answer.end = download.clip.size();
  });
  download.succeed();
  fail_unless_equals_int(download.host.requests().size(), 2);
}
GST_END_TEST

GST_START_TEST(a_changing_tag_on_the_same_file_does_no_harm) {
  Download download(boxedNoise(1'000'000, MoovPlace::First));
  download.host.setManners([&](const ClipRequest &request, ClipAnswer &answer) {
    without(answer, "ETag");
    answer.headers.emplace_back("ETag", "\"version-" + std::to_string(request.number) + "\"");
    if (request.number == 1)
      answer.cutAfter = 300'000;
    if (request.number == 2)
      return; // a part of another version, against If-Range
    answer.status = 200;
    answer.contentRange.clear();
    answer.first = 0;
    answer.end = download.clip.size();
  });
  download.succeed();
}
GST_END_TEST

namespace {

/// The first part comes from one file, all else from another of the same length.
struct ChangedFile {
  std::string other = boxedNoise(1'000'000, MoovPlace::First, 2);
  Download download{boxedNoise(1'000'000, MoovPlace::First, 2)};
  std::string before = boxedNoise(1'000'000, MoovPlace::First, 1);

  explicit ChangedFile(bool tellsVersion) {
    download.host.setManners([this, tellsVersion](const ClipRequest &request, ClipAnswer &answer) {
      without(answer, "ETag");
      if (tellsVersion)
        answer.headers.emplace_back("ETag", request.number == 1 ? "\"old\"" : "\"new\"");
      if (request.number == 1) {
        answer.text = before;
        answer.cutAfter = 300'000;
      } else if (tellsVersion) {
        answer.status = 200;
        answer.contentRange.clear();
        answer.first = 0;
        answer.end = download.clip.size();
      }
    });
  }
};

} // namespace

GST_START_TEST(a_changed_file_is_fetched_anew_as_long_as_nobody_has_read) {
  ChangedFile changed(__i__ == 0);
  changed.download.succeed();
  fail_unless(changed.download.host.requests().size() >= 2);
}
GST_END_TEST

GST_START_TEST(a_changed_file_is_an_error_once_somebody_has_read) {
  ChangedFile changed(__i__ == 0);
  Download &download = changed.download;
  download.onProgress = [&] {
    (void)download.read(0, 100);
  };
  const Error error = download.fault();
  fail_unless(error.kind == ErrorKind::BadAnswer);
  fail_unless_contains(error.text(), "has changed since the download began");
  // what was read is still what was read
  fail_unless(download.read(0, 1000) == changed.before.substr(0, 1000));
}
GST_END_TEST

GST_START_TEST(a_wrong_part_makes_it_ask_for_all) {
  Download download(shortClip());
  download.host.setManners([&](const ClipRequest &request, ClipAnswer &answer) {
    if (!request.ranged)
      return;
    if (__i__ == 0)
      answer.contentRange = "bytes 7-99/" + std::to_string(download.clip.size());
    else if (__i__ == 1)
      answer.contentRange = "nonsense";
    else if (request.number == 1)
      answer.cutAfter = 200'000;
    else
      answer.contentRange =
          "bytes 100-" + std::to_string(download.clip.size() - 1) + "/" + std::to_string(download.clip.size());
  });
  download.succeed();
  const auto requests = download.host.requests();
  fail_unless_equals_text(requests.back().header("Range"), "");
}
GST_END_TEST

GST_START_TEST(a_part_that_does_not_exist_makes_it_ask_for_all) {
  Download download(shortClip(), [](const ClipRequest &request, ClipAnswer &answer) {
    if (request.number == 1)
      answer.cutAfter = 200'000;
    if (request.number == 2) {
      answer.status = 416;
      answer.text = "no such part";
      answer.contentRange = "bytes */100";
    }
  });
  download.succeed();
  fail_unless_equals_int(download.host.requests().size(), 3);
}
GST_END_TEST

GST_START_TEST(a_host_that_sends_smaller_parts_than_asked_for_is_asked_on) {
  Download download(shortClip());
  download.host.setManners([&](const ClipRequest &, ClipAnswer &answer) {
    answer.end = std::min<uint64_t>(answer.end, answer.first + 100'000);
    answer.contentRange = "bytes " + std::to_string(answer.first) + "-" + std::to_string(answer.end - 1) + "/" +
                          std::to_string(download.clip.size());
  });
  download.succeed();
  fail_unless(download.causes.empty());
}
GST_END_TEST

namespace {

struct Lengthless {
  const char *version;
  MoovPlace place;
};
constexpr Lengthless lengthless[] = {{"HTTP/1.1", MoovPlace::First},
                                     {"HTTP/1.1", MoovPlace::Last},
                                     {"HTTP/1.0", MoovPlace::First},
                                     {"HTTP/1.0", MoovPlace::Last}};

} // namespace

GST_START_TEST(without_a_length_it_plays_at_once_if_the_moov_is_first_and_whole_otherwise) {
  const Lengthless &one = lengthless[__i__];
  Download download(boxedNoise(2 * mebi, one.place));
  download.host.setManners([&](const ClipRequest &, ClipAnswer &answer) {
    answer.status = 200;
    answer.version = one.version;
    answer.contentRange.clear();
    answer.tellsLength = false;
  });
  download.succeed();
  fail_unless_equals_int(download.receivedAtArrival == download.clip.size(), one.place == MoovPlace::Last);
  fail_unless_equals_int(download.host.requests().size(), 1);
}
GST_END_TEST

GST_START_TEST(a_cut_is_noticed_though_no_length_was_told) {
  Download download(shortClip());
  download.host.setManners([&](const ClipRequest &request, ClipAnswer &answer) {
    answer.status = 200;
    answer.version = "HTTP/1.0";
    answer.contentRange.clear();
    answer.tellsLength = false;
    answer.first = 0;
    answer.end = download.clip.size();
    if (request.number == 1)
      answer.cutAfter = 300'000;
  });
  download.succeed();
  fail_unless_equals_int(download.host.requests().size(), 2);
}
GST_END_TEST

GST_START_TEST(a_reset_behind_the_last_byte_of_a_clip_without_a_length_does_no_harm) {
  const Lengthless &one = lengthless[__i__ % 4];
  const bool parts = __i__ < 4;
  Download download(boxedNoise(1'000'000, one.place));
  download.host.setManners([&](const ClipRequest &request, ClipAnswer &answer) {
    if (parts && request.number > 1)
      return;
    answer.status = 200;
    answer.version = one.version;
    answer.contentRange.clear();
    answer.first = 0;
    answer.end = download.clip.size();
    answer.tellsLength = false;
    answer.reset = true;
  });
  download.succeed();
  fail_unless_equals_int(download.host.requests().size(), 2);
}
GST_END_TEST

GST_START_TEST(a_reset_is_no_end_where_nothing_shows_that_the_clip_is_whole) {
  const char *const versions[] = {"HTTP/1.1", "HTTP/1.0"};
  Download download("\x1a\x45\xdf\xa3 a WebM" + boxedNoise(100'000, MoovPlace::First),
                    [version = versions[__i__]](const ClipRequest &, ClipAnswer &answer) {
                      answer.status = 200;
                      answer.version = version;
                      answer.contentRange.clear();
                      answer.first = 0;
                      answer.tellsLength = false;
                      answer.reset = true;
                    });
  download.limits.deadline = Clock::now() + 200ms;
  download.onProgress = [&] { // all that is left is there, and the reset behind it
    while (download.host.connections() > 0)
      std::this_thread::yield();
  };
  fail_unless(download.fault().kind == ErrorKind::TimedOut);
}
GST_END_TEST

namespace {

const char *const pages[] = {
    "<!DOCTYPE html><html><head><title>Please log in</title></head></html>",
    R"({"error":{"message":"Please log in"}})",
    "\xef\xbb\xbfPlease log in",
};

} // namespace

/// The page's length is not the clip's.
GST_START_TEST(a_page_in_place_of_the_rest_does_not_end_a_clip_without_a_length) {
  Download download(shortClip());
  download.host.setManners([&](const ClipRequest &request, ClipAnswer &answer) {
    if (request.number == 1) {
      answer.status = 200;
      answer.contentRange.clear();
      answer.tellsLength = false;
      answer.cutAfter = 200'000;
    } else if (request.number == 2) {
      answer.status = 200;
      answer.text = pages[0];
      answer.contentRange.clear();
    }
  });
  download.succeed();
}
GST_END_TEST

GST_START_TEST(a_part_of_a_file_of_unknown_length_ends_with_its_body) {
  Download download(boxedNoise(1'000'000, __i__ == 0 ? MoovPlace::First : MoovPlace::Last));
  download.host.setManners([&](const ClipRequest &, ClipAnswer &answer) {
    answer.contentRange = "bytes 0-" + std::to_string(answer.end - 1) + "/*";
  });
  download.succeed();
  fail_unless_equals_int(download.host.requests().size(), 1);
}
GST_END_TEST

namespace {

struct Cut {
  const char *what;
  std::function<void(ClipAnswer &)> make; ///< out of an answer that has all, of which `end` is to be the last
};

void whole(ClipAnswer &answer) {
  answer.status = 200;
  answer.contentRange.clear();
  answer.first = 0;
}

const Cut cuts[] = {
    {"the connection closes, there is no length",
     [](ClipAnswer &answer) {
       whole(answer);
       answer.version = "HTTP/1.0";
       answer.tellsLength = false;
     }},
    {"the connection is reset, there is no length",
     [](ClipAnswer &answer) {
       whole(answer);
       answer.tellsLength = false;
       answer.reset = true;
     }},
    {"the chunks end early",
     [](ClipAnswer &answer) {
       whole(answer);
       answer.tellsLength = false;
     }},
    {"Content-Length is too small",
     [](ClipAnswer &answer) {
       whole(answer);
     }},
    {"there are two of them",
     [](ClipAnswer &answer) {
       whole(answer);
       answer.headers.emplace_back("Content-Length", std::to_string(answer.end));
     }},
    {"Content-Range is too small",
     [](ClipAnswer &answer) {
       answer.first = std::min(answer.first, answer.end - 1);
       answer.contentRange = "bytes " + std::to_string(answer.first) + "-" + std::to_string(answer.end - 1) + "/" +
                             std::to_string(answer.end);
     }},
};

/// Hosts that end a clip after so many bytes. Each is asked for it `times`, and then is a good one.
struct CutDownload : Download {
  size_t until; ///< request

  CutDownload(std::string bytes, const Cut &cut, uint64_t end, size_t times = SIZE_MAX)
      : Download(std::move(bytes)), until(times) {
    host.setManners([this, &cut, end](const ClipRequest &request, ClipAnswer &answer) {
      if (request.number > until)
        return;
      answer.end = std::min(answer.end, end);
      cut.make(answer);
    });
  }
};

std::string fragmentedClip() {
  const std::string bytes = boxedNoise(100'000, MoovPlace::Last);
  std::string clip = box("ftyp", "iso5") + box("moov", "mvex");
  for (int i = 0; i < 4; ++i)
    clip += box("moof", "trun") + box("mdat", bytes);
  return clip;
}

} // namespace

GST_START_TEST(a_clip_that_is_cut_is_fetched_again_a_few_times_and_is_then_an_error) {
  for (const MoovPlace place : {MoovPlace::First, MoovPlace::Last}) {
    const std::string clip = boxedNoise(300'000, place);
    const std::string::size_type moov = clip.find("moov") - 4;
    for (const uint64_t end : {place == MoovPlace::First ? uint64_t{200'000} : moov, clip.size() - 1}) {
      CutDownload download(clip, cuts[__i__], end);
      const Error error = download.fault();
      fail_unless(error.kind == ErrorKind::BadAnswer, "%s: %s", cuts[__i__].what, error.text().c_str());
      fail_unless_contains(error.text(), "not whole");
      fail_unless_contains(error.text(), "It is paid for");
      fail_unless(download.host.requests().size() <= 6, "%s: %zu requests", cuts[__i__].what,
                  download.host.requests().size());
      fail_unless(download.hostHadPartOnly);
    }
  }
}
GST_END_TEST

GST_START_TEST(a_clip_that_was_cut_once_is_whole_in_the_end) {
  for (const MoovPlace place : {MoovPlace::First, MoovPlace::Last}) {
    CutDownload download(boxedNoise(300'000, place), cuts[__i__], 290'000, 1);
    download.succeed();
    fail_unless(download.host.requests().size() <= 3);
  }
}
GST_END_TEST

GST_START_TEST(a_clip_in_fragments_that_is_cut_is_an_error_as_well) {
  const std::string clip = fragmentedClip();
  const uint64_t fragment = clip.rfind("moof") - 4;
  for (const uint64_t end : {fragment + 50'000, fragment + 12, clip.size() - 1}) { // in mdat, behind moof, at the end
    CutDownload download(clip, cuts[__i__], end);
    fail_unless_contains(download.fault().text(), "not whole");
  }
  Download(clip).succeed();
}
GST_END_TEST

/// Nothing in the file shows it.
GST_START_TEST(a_clip_in_fragments_without_a_length_is_not_taken_for_whole_at_its_first_end) {
  const std::string clip = fragmentedClip();
  CutDownload(clip, cuts[__i__], clip.rfind("moof") - 4, 1).succeed();
}
GST_END_TEST

/// What is known at the beginning is not played first and an error afterwards.
GST_START_TEST(a_clip_that_is_cut_by_its_first_bytes_is_not_announced) {
  CutDownload download(boxedNoise(300'000, MoovPlace::First), cuts[3], 250'000);
  (void)download.fault();
  fail_unless_equals_int(download.arrivals, 0);
}
GST_END_TEST

GST_START_TEST(what_there_is_of_a_cut_clip_can_be_had_all_the_same) {
  for (const Cut &cut : cuts) {
    const std::string clip = boxedNoise(300'000, MoovPlace::First);
    CutDownload download(clip, cut, 250'000);
    download.limits.incomplete = true;
    const auto fetched = download.fetch();
    fail_unless(fetched.has_value(), "%s: %s", cut.what, fetched ? "" : fetched.error().text().c_str());
    fail_unless_equals_uint64(download.spool->size().value_or(0), 250'000);
    fail_unless(download.read(0, 250'000) == clip.substr(0, 250'000));
    fail_unless_contains(download.incomplete, "missing");
    fail_unless_equals_int(download.arrivals, 1);
  }
}
GST_END_TEST

GST_START_TEST(what_came_by_the_deadline_can_be_had_all_the_same) {
  Download download(shortClip(), [](const ClipRequest &, ClipAnswer &answer) { answer.stallAfter = 200'000; });
  download.limits.incomplete = true;
  download.limits.deadline = Clock::now() + 300ms;
  fail_unless(download.fetch().has_value());
  fail_unless(download.read(0, 300'000) == download.clip.substr(0, 200'000));
  fail_if(download.incomplete.empty());
  fail_unless_equals_int(download.arrivals, 1);
}
GST_END_TEST

GST_START_TEST(a_host_that_brings_nothing_new_is_given_pauses) {
  Download download(boxedNoise(200'000, MoovPlace::First));
  download.host.setManners([&](const ClipRequest &, ClipAnswer &answer) {
    without(answer, "ETag");
    answer.end = std::min<uint64_t>(answer.end, answer.first + 4096);
    answer.contentRange = "bytes " + std::to_string(answer.first) + "-" + std::to_string(answer.end - 1) + "/" +
                          std::to_string(download.clip.size());
  });
  download.succeed();
  fail_unless_equals_int(download.causes.size(), 1); // then less is compared
  fail_unless(download.host.requests().size() < 2 + download.clip.size() / 2048);
}
GST_END_TEST

GST_START_TEST(a_host_that_never_brings_anything_new_is_asked_ever_more_slowly) {
  Download download(boxedNoise(200'000, MoovPlace::First));
  download.host.setManners([&](const ClipRequest &request, ClipAnswer &answer) {
    without(answer, "ETag");
    answer.end = 4096;
    answer.contentRange = "bytes " + std::to_string(answer.first) + "-4095/" + std::to_string(download.clip.size());
    if (request.first >= answer.end)
      answer.status = 503;
  });
  download.limits.retries = {20ms, 20ms, 0};
  download.limits.deadline = Clock::now() + 1s;
  fail_unless(download.fault().kind == ErrorKind::TimedOut);
  fail_unless(download.host.requests().size() < 150);
}
GST_END_TEST

GST_START_TEST(a_spool_whose_disk_is_full_goes_on_elsewhere) {
  // the kernel's own limit can't stand for one full disk of two, so the reason to move is an error of its own
  Download download(boxedNoise(1'000'000, MoovPlace::First));
  TemporaryFolder elsewhere;
  download.onProgress = [&] {
    if (download.spool->present().bytes() < 300'000)
      return;
    (void)download.read(0, 1000); // a reader is at work
    fail_unless(download.spool->moveTo(elsewhere.path()).has_value());
    download.onProgress = {};
  };
  download.succeed();
  fail_unless_equals_int(elsewhere.entries(), 0);
}
GST_END_TEST

GST_START_TEST(a_host_that_closes_every_connection_is_connected_to_again) {
  Download download(boxedNoise(3 * mebi, MoovPlace::Last), [](const ClipRequest &, ClipAnswer &answer) {
    answer.keepAlive = false;
    answer.version = "HTTP/1.0";
  });
  download.succeed();
}
GST_END_TEST

GST_START_TEST(a_link_that_expires_is_renewed_once_and_the_transfer_goes_on) {
  Download download(boxedNoise(1'000'000, MoovPlace::First), [__i__](const ClipRequest &request, ClipAnswer &answer) {
    if (request.number == 1) {
      answer.cutAfter = 300'000;
    } else if (!request.target.starts_with("/fresh")) {
      answer.status = __i__ == 0 ? 403 : 410;
      answer.text = "<Error>expired</Error>";
      answer.contentRange.clear();
    }
  });
  download.succeed();
  fail_unless_equals_int(download.renewals, 1);
  const auto requests = download.host.requests();
  fail_unless_equals_int(requests.size(), 3);
  fail_unless_equals_uint64(requests[2].first, 300'000);
  fail_unless_equals_text(requests[2].target, "/fresh?sig=b%2Fc");
}
GST_END_TEST

GST_START_TEST(a_deadline_while_another_link_is_asked_for_tells_what_was_wrong_with_the_first) {
  Download download(shortClip(), [](const ClipRequest &, ClipAnswer &answer) {
    answer.status = 403;
    answer.text = "expired";
    answer.contentRange.clear();
  });
  download.linkFault = failure(ErrorKind::TimedOut, "the generation had not completed").value();
  const Error error = download.fault();
  fail_unless(error.kind == ErrorKind::TimedOut);
  fail_unless_equals_int(error.httpStatus, 403);
  fail_unless_contains(error.text(), "the clip's host answered 403");
}
GST_END_TEST

GST_START_TEST(what_went_wrong_with_the_next_link_does_not_hide_what_was_wrong_with_the_first) {
  Download download(shortClip(), [](const ClipRequest &, ClipAnswer &answer) {
    answer.status = 403;
    answer.text = "expired";
    answer.contentRange.clear();
  });
  download.linkFault =
      failure(ErrorKind::TimedOut, "the generation had not completed", "no complete answer in time").value();
  const Error error = download.fault();
  fail_unless(error.kind == ErrorKind::TimedOut);
  fail_unless_contains(error.text(), "the clip's host answered 403");
  fail_unless_contains(error.text(), "another link was not had: no complete answer in time");
}
GST_END_TEST

GST_START_TEST(a_host_in_trouble_is_asked_again) {
  Download download(shortClip(), [](const ClipRequest &request, ClipAnswer &answer) {
    const unsigned statuses[] = {503, 500, 429, 504};
    if (request.number <= 4) {
      answer.status = statuses[request.number - 1];
      answer.text = "busy";
      answer.contentRange.clear();
    }
  });
  download.succeed();
  fail_unless_equals_int(download.causes.size(), 4);
  fail_unless_equals_int(download.renewals, 0);
}
GST_END_TEST

GST_START_TEST(a_page_with_status_200_is_an_error_with_its_first_words) {
  Download download(shortClip(), [__i__](const ClipRequest &, ClipAnswer &answer) {
    answer.status = 200;
    answer.text = pages[__i__];
    answer.contentRange.clear();
  });
  const Error error = download.fault();
  fail_unless(error.kind == ErrorKind::BadAnswer);
  fail_unless_contains(error.text(), "Please log in");
  fail_unless_equals_int(download.renewals, 1); // another link might have helped
  fail_unless_equals_int(download.arrivals, 0);
}
GST_END_TEST

GST_START_TEST(a_page_in_place_of_the_rest_is_no_other_file) {
  Download download(shortClip(), [](const ClipRequest &request, ClipAnswer &answer) {
    if (request.number == 1)
      answer.cutAfter = 200'000;
    if (request.number == 2) {
      answer.status = 200;
      answer.text = pages[0];
      answer.contentRange.clear();
    }
  });
  download.onProgress = [&] {
    (void)download.read(0, 100);
  };
  download.succeed();
  fail_unless_equals_int(download.renewals, 1);
}
GST_END_TEST

GST_START_TEST(what_is_no_video_is_an_error_and_no_clip) {
  const std::string bodies[] = {std::string("{\"id\": \"a\0b\"}", 14), std::string("{\"status\": \"\0\"}", 15),
                                std::string(5000, '\0'), std::string("\x1f\x8b\x08\0\0\0\0\0packed", 14)};
  for (const std::string &body : bodies) {
    Download download(body);
    const Error error = download.fault();
    fail_unless(error.kind == ErrorKind::BadAnswer);
    fail_unless_contains(error.text(), "not a video");
    fail_unless_equals_int(download.renewals, 1);
    fail_unless_equals_int(download.arrivals, 0);
  }
}
GST_END_TEST

GST_START_TEST(an_empty_file_is_no_clip) {
  Download download(shortClip(), [](const ClipRequest &request, ClipAnswer &answer) {
    if (request.number > 2)
      return;
    answer.status = 200;
    answer.text = "";
    answer.contentRange.clear();
    answer.tellsLength = request.number == 1;
  });
  download.succeed();
  fail_unless_equals_int(download.host.requests().size(), 3);
  fail_unless_contains(download.causes[0], "empty");
}
GST_END_TEST

GST_START_TEST(a_host_that_falls_silent_is_asked_again_for_the_rest) {
  Download download(shortClip(), [](const ClipRequest &request, ClipAnswer &answer) {
    if (request.number == 1)
      answer.stallAfter = 200'000;
  });
  download.limits.idle = 50ms;
  download.succeed();
  const auto requests = download.host.requests();
  fail_unless_equals_int(requests.size(), 2);
  fail_unless_equals_uint64(requests[1].first, 200'000);
  fail_unless_contains(download.causes[0], "silent");
}
GST_END_TEST

GST_START_TEST(any_iso_media_file_passes_the_early_check) {
  const std::string starts[] = {box("ftyp", "qt  \x20\x05\x03\0"),
                                box("moov", "text"),
                                box("wide", ""),
                                std::string("\0\0\0\1mdat\0\0\0\0\0\0\3\xf8", 16),
                                box("styp", "msdh"),
                                box("free", std::string(300, ' '))};
  for (const std::string &start : starts) {
    Download download(start + std::string(1000, 'x') + box("moov", "text"));
    download.succeed();
  }
}
GST_END_TEST

GST_START_TEST(a_packed_clip_is_refused) {
  Download download(shortClip(), [](const ClipRequest &, ClipAnswer &answer) {
    answer.headers.emplace_back("Content-Encoding", "gzip");
  });
  download.limits.deadline = Clock::now() + 300ms;
  const Error error = download.fault();
  fail_unless(error.kind == ErrorKind::TimedOut);
  fail_unless_contains(error.text(), "gzip");
  fail_unless_equals_int(download.arrivals, 0);
}
GST_END_TEST

GST_START_TEST(a_clip_above_the_limit_is_an_error_whether_its_length_is_told_or_not) {
  Download download(shortClip(), [__i__](const ClipRequest &, ClipAnswer &answer) {
    answer.tellsLength = __i__ == 0;
    if (__i__ == 1) {
      answer.status = 200;
      answer.contentRange.clear();
    }
  });
  download.limits.maximumSize = 500'000;
  const Error error = download.fault();
  fail_unless(error.kind == ErrorKind::TooLarge);
  fail_unless_contains(error.text(), "max-clip-size");
  fail_unless(download.spool->present().bytes() <= 500'000);
}
GST_END_TEST

namespace {

std::string base64Of(GChecksumType type, const std::string &bytes) {
  GChecksum *checksum = g_checksum_new(type);
  g_checksum_update(checksum, reinterpret_cast<const guchar *>(bytes.data()), static_cast<gssize>(bytes.size()));
  guint8 digest[64];
  gsize size = sizeof digest;
  g_checksum_get_digest(checksum, digest, &size);
  g_checksum_free(checksum);
  const GCharPtr text(g_base64_encode(digest, size));
  return text.get();
}

struct Sum {
  const char *header;
  const char *before;
  GChecksumType type;
  const char *after;
};
constexpr Sum sums[] = {{"Content-MD5", "", G_CHECKSUM_MD5, ""},
                        {"x-goog-hash", "crc32c=AAAAAA==,md5=", G_CHECKSUM_MD5, ""},
                        {"x-amz-checksum-sha256", "", G_CHECKSUM_SHA256, ""},
                        {"Digest", "SHA-256=", G_CHECKSUM_SHA256, ""},
                        {"Repr-Digest", "sha-256=:", G_CHECKSUM_SHA256, ":"}};

} // namespace

GST_START_TEST(a_checksum_that_the_host_names_is_verified_after_the_clip_is_readable) {
  const Sum &sum = sums[__i__];
  for (const bool right : {true, false}) {
    Download download(shortClip());
    const std::string value = sum.before + base64Of(sum.type, right ? download.clip : "another") + sum.after;
    download.host.setManners(
        [&](const ClipRequest &, ClipAnswer &answer) { answer.headers.emplace_back(sum.header, value); });
    if (right) {
      download.succeed();
      continue;
    }
    const Error error = download.fault();
    fail_unless(error.kind == ErrorKind::BadAnswer);
    fail_unless_contains(error.text(), "checksum");
    fail_unless(download.spool->complete());
  }
}
GST_END_TEST

GST_START_TEST(the_checksum_of_a_multipart_object_is_none_of_the_file) {
  Download download(shortClip(), [](const ClipRequest &, ClipAnswer &answer) {
    answer.headers.emplace_back("x-amz-checksum-sha256", "c2hvcnQ=-2");
  });
  download.succeed();
}
GST_END_TEST

GST_START_TEST(only_https_and_the_own_loopback_are_followed) {
  Download download(shortClip(), [](const ClipRequest &, ClipAnswer &answer) {
    answer.status = 302;
    answer.text = "";
    answer.contentRange.clear();
    answer.headers = {{"Location", "http://clips.example/x.mp4"}};
  });
  download.limits.deadline = Clock::now() + 300ms;
  const Error error = download.fault();
  fail_unless_contains(error.text(), "only https is followed");
}
GST_END_TEST

GST_START_TEST(a_redirect_keeps_the_part_that_was_asked_for) {
  Download download(shortClip(), [](const ClipRequest &request, ClipAnswer &answer) {
    if (request.target.starts_with("/clip.mp4")) {
      answer.status = 307;
      answer.text = "";
      answer.contentRange.clear();
      answer.headers = {{"Location", "/other%2Fplace?sig=c%2Bd"}};
    } else if (request.number == 2) {
      answer.cutAfter = 200'000;
    }
  });
  download.succeed();
  const auto requests = download.host.requests();
  fail_unless_equals_text(requests.back().target, "/other%2Fplace?sig=c%2Bd");
  fail_unless_equals_text(requests.back().header("If-Range"), "\"the-clip\"");
  fail_unless_equals_uint64(requests.back().first, 200'000);
}
GST_END_TEST

namespace {

/// Holds all writes to the disk that are not of the first 64 KiB.
struct Disk {
  std::mutex mutex;
  std::condition_variable changed;
  bool held = false;
  size_t waiting = 0;
  bool wasOnNetworkThread = false; ///< one of these

  void hold(bool now) {
    {
      const std::lock_guard lock(mutex);
      held = now;
    }
    changed.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex);
    if (Loop::instance().isCurrent()) {
      wasOnNetworkThread = true;
      return;
    }
    ++waiting;
    changed.notify_all();
    changed.wait(lock, [this] { return !held; });
    --waiting;
  }
  void waitUntilOneWaits() {
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, 20s, [this] { return waiting > 0 || wasOnNetworkThread; }))
      g_error("nothing was written");
  }
} disk;

Task<void> letOthersGo(int turns) {
  for (int i = 0; i < turns; ++i)
    co_await LetOthersGo();
}

} // namespace

/// In place of the system's.
ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset) {
  if (offset >= 64 * 1024)
    disk.pass();
  return syscall(SYS_pwrite64, descriptor, data, size, offset);
}

GST_START_TEST(a_slow_disk_keeps_nothing_but_its_own_clip_waiting) {
  Download download(boxedNoise(3 * mebi, MoovPlace::First));
  disk.hold(true);
  auto result = std::async(std::launch::async, [&] { return download.fetch(); });
  disk.waitUntilOneWaits();
  fail_if(disk.wasOnNetworkThread);
  await(letOthersGo(1)); // that thread is free
  fail_unless_equals_int(download.arrivals, 1);
  fail_unless(download.read(0, 64 * 1024) == download.clip.substr(0, 64 * 1024));
  disk.hold(false);
  fail_unless(result.get().has_value());
  fail_unless(download.read(0, download.clip.size()) == download.clip);
}
GST_END_TEST

GST_START_TEST(a_download_that_is_stopped_ends_after_what_it_has_begun_to_write) {
  Download download(boxedNoise(3 * mebi, MoovPlace::First));
  disk.hold(true);
  auto result = std::async(std::launch::async, [&] { return download.fetch(); });
  disk.waitUntilOneWaits();
  download.cancellation.cancel();
  await(letOthersGo(100));
  fail_unless(result.wait_for(0s) == std::future_status::timeout); // its memory is being written
  disk.hold(false);
  const auto end = result.get();
  fail_if(end.has_value());
  fail_unless(end.error().kind == ErrorKind::Cancelled);
}
GST_END_TEST

GST_START_TEST(of_clips_that_are_ready_at_once_a_host_is_asked_for_some_at_a_time) {
  allowUsualDescriptors();
  Download download(boxedNoise(300'000, MoovPlace::First),
                    [](const ClipRequest &, ClipAnswer &answer) { answer.stallAfter = 200'000; });
  Crowd crowd(download, 100);
  download.host.waitForStall(mostAtOnce);
  // those of another host come meanwhile, by the same session
  Download other(shortClip());
  Crowd others(other, 2 * mostAtOnce);
  others.waitFor(2 * mostAtOnce);
  fail_unless_equals_int(download.host.requests().size(), mostAtOnce);
  download.host.setManners({});
  download.host.release(); // which cuts them, and they go on
  crowd.waitFor(100);
  fail_unless_equals_int(download.host.requests().size(), 100 + mostAtOnce);
}
GST_END_TEST

GST_START_TEST(a_download_that_pauses_lets_another_one_in) {
  allowUsualDescriptors();
  Download download(shortClip(), [](const ClipRequest &request, ClipAnswer &answer) {
    if (request.number > mostAtOnce)
      return;
    answer.status = 503;
    answer.text = "later";
    answer.contentRange.clear();
    answer.headers = {{"Retry-After", "300"}};
  });
  download.limits.deadline = Clock::now() + 600s;
  Crowd crowd(download, mostAtOnce + 1);
  crowd.waitFor(1);
  crowd.stop();
}
GST_END_TEST

static Suite *downloader_suite() {
  Suite *suite = suite_create("downloader");
  TCase *tests = tcase_create("hosts");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_good_host_is_asked_once);
  tcase_add_test(tests, a_host_without_parts_sends_all);
  tcase_add_test(tests, a_transfer_that_is_cut_again_and_again_goes_on_where_it_was);
  tcase_add_test(tests, without_a_validator_the_end_of_what_is_there_is_compared);
  tcase_add_test(tests, a_weak_validator_vouches_for_nothing);
  tcase_add_test(tests, a_host_that_sends_all_again_is_compared_with_what_is_there);
  tcase_add_test(tests, a_changing_tag_on_the_same_file_does_no_harm);
  tcase_add_loop_test(tests, a_changed_file_is_fetched_anew_as_long_as_nobody_has_read, 0, 2);
  tcase_add_loop_test(tests, a_changed_file_is_an_error_once_somebody_has_read, 0, 2);
  tcase_add_loop_test(tests, a_wrong_part_makes_it_ask_for_all, 0, 3);
  tcase_add_test(tests, a_part_that_does_not_exist_makes_it_ask_for_all);
  tcase_add_test(tests, a_host_that_sends_smaller_parts_than_asked_for_is_asked_on);
  tcase_add_loop_test(tests, without_a_length_it_plays_at_once_if_the_moov_is_first_and_whole_otherwise, 0,
                      G_N_ELEMENTS(lengthless));
  tcase_add_test(tests, a_cut_is_noticed_though_no_length_was_told);
  tcase_add_loop_test(tests, a_reset_behind_the_last_byte_of_a_clip_without_a_length_does_no_harm, 0, 8);
  tcase_add_loop_test(tests, a_reset_is_no_end_where_nothing_shows_that_the_clip_is_whole, 0, 2);
  tcase_add_test(tests, a_page_in_place_of_the_rest_does_not_end_a_clip_without_a_length);
  tcase_add_loop_test(tests, a_part_of_a_file_of_unknown_length_ends_with_its_body, 0, 2);
  tcase_add_loop_test(tests, a_clip_that_is_cut_is_fetched_again_a_few_times_and_is_then_an_error, 0,
                      G_N_ELEMENTS(cuts));
  tcase_add_loop_test(tests, a_clip_that_was_cut_once_is_whole_in_the_end, 0, G_N_ELEMENTS(cuts));
  tcase_add_loop_test(tests, a_clip_in_fragments_that_is_cut_is_an_error_as_well, 0, G_N_ELEMENTS(cuts));
  tcase_add_loop_test(tests, a_clip_in_fragments_without_a_length_is_not_taken_for_whole_at_its_first_end, 0, 3);
  tcase_add_test(tests, a_clip_that_is_cut_by_its_first_bytes_is_not_announced);
  tcase_add_test(tests, what_there_is_of_a_cut_clip_can_be_had_all_the_same);
  tcase_add_test(tests, what_came_by_the_deadline_can_be_had_all_the_same);
  tcase_add_test(tests, a_host_that_brings_nothing_new_is_given_pauses);
  tcase_add_test(tests, a_host_that_never_brings_anything_new_is_asked_ever_more_slowly);
  tcase_add_test(tests, a_spool_whose_disk_is_full_goes_on_elsewhere);
  tcase_add_test(tests, a_host_that_closes_every_connection_is_connected_to_again);
  tcase_add_loop_test(tests, a_link_that_expires_is_renewed_once_and_the_transfer_goes_on, 0, 2);
  tcase_add_test(tests, a_deadline_while_another_link_is_asked_for_tells_what_was_wrong_with_the_first);
  tcase_add_test(tests, what_went_wrong_with_the_next_link_does_not_hide_what_was_wrong_with_the_first);
  tcase_add_test(tests, a_host_in_trouble_is_asked_again);
  tcase_add_loop_test(tests, a_page_with_status_200_is_an_error_with_its_first_words, 0, G_N_ELEMENTS(pages));
  tcase_add_test(tests, a_page_in_place_of_the_rest_is_no_other_file);
  tcase_add_test(tests, what_is_no_video_is_an_error_and_no_clip);
  tcase_add_test(tests, an_empty_file_is_no_clip);
  tcase_add_test(tests, a_host_that_falls_silent_is_asked_again_for_the_rest);
  tcase_add_test(tests, any_iso_media_file_passes_the_early_check);
  tcase_add_test(tests, a_packed_clip_is_refused);
  tcase_add_loop_test(tests, a_clip_above_the_limit_is_an_error_whether_its_length_is_told_or_not, 0, 2);
  tcase_add_loop_test(tests, a_checksum_that_the_host_names_is_verified_after_the_clip_is_readable, 0,
                      G_N_ELEMENTS(sums));
  tcase_add_test(tests, the_checksum_of_a_multipart_object_is_none_of_the_file);
  tcase_add_test(tests, only_https_and_the_own_loopback_are_followed);
  tcase_add_test(tests, a_redirect_keeps_the_part_that_was_asked_for);
  tcase_add_test(tests, a_slow_disk_keeps_nothing_but_its_own_clip_waiting);
  tcase_add_test(tests, a_download_that_is_stopped_ends_after_what_it_has_begun_to_write);
  tcase_add_test(tests, of_clips_that_are_ready_at_once_a_host_is_asked_for_some_at_a_time);
  tcase_add_test(tests, a_download_that_pauses_lets_another_one_in);
  return suite;
}

GST_CHECK_MAIN(downloader)
