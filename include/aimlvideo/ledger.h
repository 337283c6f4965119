// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <aimlvideo/catalogue.h>
#include <aimlvideo/error.h>
#include <aimlvideo/export.h>
#include <aimlvideo/status.h>

namespace aimlvideo {

/// What is known of one purchase, or of an intended one.
struct LedgerRow {
  /// The order of the life of a purchase. Every state is on disk before the step that follows from it.
  enum class State {
    Intent,    ///< nothing has left yet
    Sent,      ///< sending has begun: its outcome is unknown
    Running,   ///< bought, under `generationId`
    Completed, ///< the service has made the clip
    Failed,    ///< the service made nothing and billed nothing
    Moderated, ///< likewise, for the contents of the request
    NotBought, ///< the user says that the submission bought nothing
  };

  int64_t id = 0; ///< 0: not in the ledger yet
  State state = State::Intent;
  std::string identity; ///< of the request, see RequestPreview
  std::string owner;    ///< name of the lock held while working on it, see workerOn()
  /// ETag or Last-Modified of the images that are given by URL; empty if a host named none
  std::string validators;
  bool replayable = true; ///< false: an image given by URL has no validator
  std::string baseUrl;
  std::string model;
  EndpointFamily family = EndpointFamily::Universal;
  std::string clientRequestId;
  std::string keyFingerprint; ///< tells two keys apart and reveals nothing about a key
  std::string generationId;
  int64_t created = 0; ///< milliseconds since 1970 by this machine's clock, for display only; no decision depends on it
  int64_t changed = 0;
  Usage usage;
  std::string clipUrl;
  std::string clip; ///< name in the clip store; empty: never stored
  int64_t clipSize = 0;
  std::string clipChecksum; ///< SHA-256 in hex; empty: not computed yet
  std::string clipProof;    ///< what the stored file looked like when it was last known to be intact; empty: not known
  std::string prompt;       ///< empty: not stored, see StorePrompt
  std::string output;       ///< likewise, absolute path of what was last made of its clip, or is to be made
  std::string cause;        ///< why it failed, in the service's words
  std::string requestId;    ///< by which the service's support finds the submission; empty: the service gave none
  int64_t submitted = 0;    ///< when the service had accepted, as `created`; 0: not known
  std::string duration;     ///< of the clip in seconds, as sent or as the model's default; empty: not known
  std::string resolution;   ///< likewise
};

AIMLVIDEO_API const char *nameOf(LedgerRow::State state);

/// What the purchases of this ledger were billed for it, as far as the service says: 0 if the service made nothing, or
/// if the user only named a generation that was bought elsewhere.
AIMLVIDEO_API Usage billed(const LedgerRow &row);

// The ledger of this user, which all of the user's processes share, see stateFolder(). These read a database on a local
// disk: milliseconds, and some seconds at most while another process opens it for the first time.

/// Newest first. Sums of money: totalUsd() over billed() of each.
AIMLVIDEO_API Result<std::vector<LedgerRow>> ledgerRows();
/// Empty: there is none with this number.
AIMLVIDEO_API Result<std::optional<LedgerRow>> ledgerRow(int64_t id);
/// The newest row of a request, whether its purchase is finished or not; empty: it was never asked for. `identity`:
/// see RequestPreview.
AIMLVIDEO_API Result<std::optional<LedgerRow>> findPurchase(const std::string &identity);
/// Who is working on it now, for display; empty: nobody.
AIMLVIDEO_API std::string workerOn(const LedgerRow &row);

} // namespace aimlvideo
