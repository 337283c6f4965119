// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/stall.h"

namespace aimlvideo::test {

const char *nameOf(Phase phase) {
  switch (phase) {
  case Phase::Submission:
    return "submission held";
  case Phase::Poll:
    return "poll held";
  case Phase::Pause:
    return "between polls";
  case Phase::ClipHead:
    return "clip's head held";
  case Phase::ClipBody:
    return "clip's body stalled";
  }
  return "";
}

void stallIn(FakeService &service, Phase phase) {
  switch (phase) {
  case Phase::Submission:
    service.onCreate = [](const Seen &, Answer &answer) {
      answer.hold();
    };
    break;
  case Phase::Poll:
    service.onPoll = [](const Seen &, Answer &answer) {
      answer.hold();
    };
    break;
  case Phase::Pause:
    service.onPoll = [](const Seen &, Answer &answer) {
      answer.json(200, R"({"id":"x","status":"queued"})");
    };
    break;
  case Phase::ClipHead:
    service.onClip = [](const Seen &, Answer &answer) {
      answer.hold();
    };
    break;
  case Phase::ClipBody:
    service.onClip = [&service](const Seen &, Answer &answer) {
      answer.stall("video/mp4", service.clip.substr(0, 1000), service.clip.size());
    };
    break;
  }
}

void waitForStall(const FakeService &service, Phase phase) {
  switch (phase) {
  case Phase::Submission:
    service.server.waitFor("POST", "/v2/");
    break;
  case Phase::Poll:
  case Phase::Pause:
    service.server.waitFor("GET", "/v2/");
    break;
  case Phase::ClipHead:
  case Phase::ClipBody:
    service.server.waitFor("GET", "/clips/");
    break;
  }
}

} // namespace aimlvideo::test
