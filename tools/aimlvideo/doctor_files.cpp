// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cerrno>
#include <filesystem>

#include <aimlvideo/clip_store.h>
#include <aimlvideo/folders.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "base/glib_ptr.h"
#include "doctor.h"
#include "ledger/file_system.h"
#include "ledger/inspection.h"

namespace aimlvideo::cli {

namespace {

using State = Finding::State;

/// The folder, or the nearest above it that is there: where it will be made.
std::string nearestExisting(const std::string &folder) {
  std::filesystem::path path = folder;
  while (!g_file_test(path.c_str(), G_FILE_TEST_EXISTS) && path.has_relative_path())
    path = path.parent_path();
  return path;
}

/// Why this user can't make files in a folder, which need not be there yet. Empty: nothing speaks against it.
std::string whyNotWritable(const std::string &folder) {
  const std::string place = nearestExisting(folder);
  GStatBuf facts{};
  if (g_stat(place.c_str(), &facts) != 0)
    return place + ": " + g_strerror(errno);
  if (!S_ISDIR(facts.st_mode))
    return place + " is not a folder";
  if (place == folder && facts.st_uid != geteuid())
    return place + " belongs to another user";
  if (g_access(place.c_str(), W_OK | X_OK) != 0)
    return place + " can't be written: " + g_strerror(errno);
  return "";
}

std::string sizeOf(uint64_t bytes) {
  const GCharPtr text(g_format_size(bytes));
  return text.get();
}

Finding examineLedger() {
  const std::string folder = stateFolder();
  if (const std::string problem = whyNotWritable(folder); !problem.empty())
    return {
        "ledger", State::Wrong, problem,
        "Make it writable, on a local disk, or name another folder in $XDG_STATE_HOME: without it nothing is bought"};
  for (const std::string &place : {nearestExisting(folder), nearestExisting(folder + "/ledger.sqlite3")})
    if (const std::string problem = whyNotLocal(place); !problem.empty())
      return {"ledger", State::Wrong, problem, remedyForShared};
  const LedgerInspection found = inspectLedger(folder);
  if (!found.exists)
    return {"ledger", State::Fine, "none yet in " + folder + "; the first purchase begins it", ""};
  if (found.damaged)
    return {
        "ledger", State::Wrong, "damaged (" + found.problem + "): " + folder,
        "The next run keeps it under another name and begins a new one; what it had bought is in the account's logs"};
  if (!found.problem.empty())
    return {"ledger", State::Wrong, "can't be read (" + found.problem + "): " + folder,
            "Make the folder and its files readable and writable for this user"};
  if (found.schema > found.known)
    return {"ledger", State::Wrong,
            "written by a newer version of aimlvideo (schema " + std::to_string(found.schema) + "): " + folder,
            "Use that version; this one buys nothing with it"};
  if (found.schema < found.known)
    return {"ledger", State::Fine, "of an older version, brought up to date when it is used next: " + folder, ""};
  return {"ledger", State::Fine,
          "whole, " + std::to_string(found.jobs) + (found.jobs == 1 ? " job, " : " jobs, ") + sizeOf(found.bytes) +
              ": " + folder,
          ""};
}

Finding examineClips() {
  const std::string folder = clipFolder();
  if (const std::string problem = whyNotWritable(folder); !problem.empty())
    return {"clips", State::Wrong, problem,
            "Make it writable, or name another folder in $XDG_CACHE_HOME: without it every clip is fetched each time"};
  if (!g_file_test(folder.c_str(), G_FILE_TEST_IS_DIR))
    return {"clips", State::Fine, "none kept yet in " + folder, ""};
  const auto store = ClipStore::open(folder);
  if (!store)
    return {"clips", State::Wrong, store.error().what + ": " + store.error().why, store.error().remedy};
  uint64_t bytes = 0;
  const auto entries = store->entries();
  for (const ClipStore::Entry &entry : entries)
    bytes += entry.size;
  return {"clips", State::Fine,
          std::to_string(entries.size()) + (entries.size() == 1 ? " clip, " : " clips, ") + sizeOf(bytes) + " of " +
              sizeOf(ClipStore::Limits::fromEnvironment().size) + ": " + folder,
          ""};
}

/// Bytes that this user can still write there. Empty: the system does not say.
std::optional<uint64_t> freeAt(const std::string &folder) {
  const auto place = adopt(g_file_new_for_path(nearestExisting(folder).c_str()));
  const auto facts =
      adopt(g_file_query_filesystem_info(place.get(), G_FILE_ATTRIBUTE_FILESYSTEM_FREE, nullptr, nullptr));
  if (!facts || !g_file_info_has_attribute(facts.get(), G_FILE_ATTRIBUTE_FILESYSTEM_FREE))
    return std::nullopt;
  return g_file_info_get_attribute_uint64(facts.get(), G_FILE_ATTRIBUTE_FILESYSTEM_FREE);
}

/// A clip takes some tens of megabytes.
Finding examineDisk() {
  constexpr uint64_t needed = 100'000'000;
  constexpr uint64_t comfortable = 1'000'000'000;
  Finding worst{"disk", State::Fine, "", ""};
  for (const std::string &folder : {stateFolder(), clipFolder()}) {
    const auto left = freeAt(folder);
    if (!left)
      continue;
    const State state = *left < needed ? State::Wrong : *left < comfortable ? State::Remark : State::Fine;
    worst.text += (worst.text.empty() ? "" : "; ") + sizeOf(*left) + " free for " + folder;
    worst.state = std::max(worst.state, state);
  }
  if (worst.state != State::Fine)
    worst.hint = "Make room; `aimlvideo cache prune --max-size 0` removes kept clips, which are fetched again unbought";
  if (worst.text.empty())
    return {"disk", State::Skipped, "the system does not say what is free", ""};
  return worst;
}

} // namespace

void examineFiles(Findings &findings) {
  findings.push_back(examineLedger());
  findings.push_back(examineClips());
  findings.push_back(examineDisk());
}

} // namespace aimlvideo::cli
