// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include <aimlvideo/settings.h>

namespace aimlvideo::cli {

/// What was found where one thing was looked at.
struct Finding {
  enum class State {
    Fine,
    Remark,  ///< should be seen, and keeps nothing from working
    Wrong,   ///< something that is needed does not work
    Skipped, ///< can't be looked at, or need not be
  };
  std::string check; ///< its name, see docs/doctor.md
  State state = State::Fine;
  std::string text; ///< one phrase
  std::string hint; ///< what to do; empty where there is nothing to do
};
using Findings = std::vector<Finding>;

/// Whether the network is asked.
enum class Network { Ask, Leave };

// Each adds what it finds. They change nothing, buy nothing, and block for disk and network.

/// doctor_service.cpp: key, address, name, connection, clock, balance.
void examineService(const Settings &settings, Network network, Findings &findings);
/// doctor_files.cpp: ledger, clips, disk.
void examineFiles(Findings &findings);
/// doctor_gstreamer.cpp: plugin, decoders, profiles. `profile`: look only at what this one needs; empty: at all.
/// BadRequest: there is none of that name.
Result<void> examineGStreamer(const std::string &profile, Findings &findings);
/// doctor_gstreamer.cpp: what it is called with its version; empty: built without it.
std::string gstreamerVersion();

} // namespace aimlvideo::cli
