// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <map>

#include <aimlvideo/folders.h>

#include "base/byte_count.h"
#include "clip/clip_store.h"
#include "command.h"
#include "envelope.h"
#include "generation/stored_clip.h"
#include "ledger/ledger.h"
#include "options.h"
#include "output.h"
#include "table.h"

namespace aimlvideo::cli {

namespace {

std::string sizeOf(uint64_t bytes) {
  const GCharPtr text(g_format_size(bytes));
  return text.get();
}

ExitCode list(const ClipStore &store) {
  json::Value clips = json::Value::array();
  Table table({"SIZE", "LAST PLAYED", "FILE"});
  for (const ClipStore::Entry &entry : store.entries()) {
    const int64_t used = entry.used / G_USEC_PER_SEC;
    clips.add(json::Value::object({{"file", store.path(entry.name)}, {"size", entry.size}, {"used", used}}));
    const auto time = adopt(g_date_time_new_from_unix_local(used));
    const GCharPtr text(time ? g_date_time_format(time.get(), "%Y-%m-%d %H:%M") : g_strdup("-"));
    table.add({sizeOf(entry.size), text.get(), store.path(entry.name)});
  }
  printJson(json::Value::object({{"files", clips}}));
  table.print();
  return ExitCode::Success;
}

ExitCode size(const ClipStore &store) {
  uint64_t total = 0;
  const auto entries = store.entries();
  for (const ClipStore::Entry &entry : entries)
    total += entry.size;
  printJson(json::Value::object({{"clips", entries.size()}, {"bytes", total}, {"folder", store.folder()}}));
  print(sizeOf(total) + " in " + std::to_string(entries.size()) + " clips, " + store.folder());
  return ExitCode::Success;
}

/// Compares every clip with what the ledger says of it, and removes the ones that are proven to differ: they are
/// fetched again when they are asked for. Any other stays until there is a better one: it is paid for, and the service
/// may have it no more.
ExitCode verify(const ClipStore &store) {
  const auto ledger = Ledger::open(stateFolder());
  if (!ledger)
    return printError(ledger.error());
  auto rows = (*ledger)->rows();
  if (!rows)
    return printError(rows.error());
  std::map<std::string, LedgerRow *> known;
  for (LedgerRow &row : *rows)
    if (!row.clip.empty())
      known.emplace(row.clip, &row);

  size_t right = 0;
  size_t damaged = 0;
  for (const ClipStore::Entry &entry : store.entries()) {
    const auto found = known.find(entry.name);
    if (found == known.end()) {
      printWarning(entry.name + " is not in the ledger, so it can't be verified");
      continue;
    }
    LedgerRow row = *found->second;
    if (const auto present = (*ledger)->row(row.id); present && *present)
      row = **present; // somebody may have played it, or fetched it again, meanwhile
    const auto stored = storedClip(store, **ledger, row, StoredClip::Care::Whole, Cancellation());
    if (stored.clip) {
      ++right;
      continue;
    }
    ++damaged;
    const bool otherLength =
        stored.state == StoredClip::State::Gone && entry.size != static_cast<uint64_t>(row.clipSize);
    const bool stays = !otherLength && stored.state != StoredClip::State::Changed;
    if (!stays)
      store.remove(entry.name);
    printWarning(entry.name + " " + stored.problem() + "; it " + (stays ? "" : "was removed and ") +
                 "will be fetched again, without buying, when job " + std::to_string(row.id) + " is played");
  }
  printJson(json::Value::object({{"right", right}, {"damaged", damaged}}));
  const std::string found = std::to_string(right) + " clips are right, " + std::to_string(damaged) + " were damaged";
  print(found);
  return damaged > 0 ? Answer::instance().fail("damaged-clips", found) : ExitCode::Success;
}

constexpr auto explanation =
    "The clips that are kept on this machine, to be played again without the network. What is\n"
    "removed here is fetched again, without buying, as long as the service has it.\n\n"
    "  list      the clips, least recently played first\n"
    "  size      how much they take\n"
    "  prune     remove the least recently played down to the limits\n"
    "  verify    compare each with its recorded length and checksum\n\n"
    "The limits are 20 GiB and 30 days, or what $AIMLVIDEO_CACHE_SIZE (such as 8GiB)\n"
    "and $AIMLVIDEO_CACHE_DAYS say.";

} // namespace

ExitCode runCache(const Arguments &arguments) {
  TextOption mostBytes;
  gint64 mostDays = -1;
  const GOptionEntry entries[] = {
      {"max-size", 0, 0, G_OPTION_ARG_STRING, mostBytes.slot(), "prune: to this size, such as 500MB or 8GiB", "SIZE"},
      {"max-age", 0, 0, G_OPTION_ARG_INT64, &mostDays, "prune: what was not played for so long", "DAYS"},
      {},
  };
  Options options("cache", "[list | size | prune | verify]", explanation);
  options.add(entries);
  const auto words = options.parse(arguments, 1);
  if (!words)
    return ExitCode::Usage;
  const auto bytes = parseByteCount(mostBytes.text());
  if (mostBytes.given() && !bytes) {
    printUsageError("--max-size can't be \"" + mostBytes.text() + "\": it is a size such as 500MB or 8GiB");
    return ExitCode::Usage;
  }
  const std::string action = words->empty() ? "list" : words->front();
  Answer::instance().rename("cache " + action);
  const auto store = ClipStore::open(clipFolder());
  if (!store)
    return printError(store.error());
  if (action == "list")
    return list(*store);
  if (action == "size")
    return size(*store);
  if (action == "verify")
    return verify(*store);
  if (action != "prune") {
    printUsageError("cache " + action + " can't be understood");
    return ExitCode::Usage;
  }
  auto limits = ClipStore::Limits::fromEnvironment();
  if (mostBytes.given())
    limits.size = *bytes;
  if (mostDays >= 0)
    limits.age = static_cast<uint64_t>(std::min<gint64>(mostDays, 36500)) * 24 * 60 * 60;
  const size_t removed = store->prune(limits);
  printJson(json::Value::object({{"removed", removed}}));
  print(std::to_string(removed) + " clips removed");
  return ExitCode::Success;
}

} // namespace aimlvideo::cli
