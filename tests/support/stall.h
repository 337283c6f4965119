// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "support/test_server.h"

namespace aimlvideo::test {

/// The phases in which the service can leave an application waiting.
enum class Phase { Submission, Poll, Pause, ClipHead, ClipBody };
constexpr Phase allPhases[] = {Phase::Submission, Phase::Poll, Phase::Pause, Phase::ClipHead, Phase::ClipBody};

const char *nameOf(Phase phase);

/// Makes the service stall in a phase.
void stallIn(FakeService &service, Phase phase);

/// Blocks until the service stalls in that phase.
void waitForStall(const FakeService &service, Phase phase);

} // namespace aimlvideo::test
