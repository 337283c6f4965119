// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gio/gio.h>

#include <aimlvideo/error.h>
#include <aimlvideo/export.h>
#include <aimlvideo/glib_ptr.h>
#include <aimlvideo/secret.h>

namespace aimlvideo {

constexpr auto defaultBaseUrl = "https://api.aimlapi.com";

/// Headers of HTTP, name and value, in their order.
using Headers = std::vector<std::pair<std::string, std::string>>;

enum class EndpointChoice {
  Auto, ///< universal, and legacy where the service does not know the universal path
  Universal,
  Legacy,
};

enum class GenerateAudio { No, Yes, Default };

/// Which earlier purchases of the same request are gone on with.
enum class Reuse {
  None,       ///< none: it is bought anew
  Unfinished, ///< the ones whose generation has not ended
  All,        ///< finished ones as well, whose clip is then replayed
};

/// What to do when the outcome of a submission stays unknown after all looking up.
enum class OnUnknown {
  Fail,
  Resubmit, ///< which may buy twice
};

/// What to do when the service no longer knows what an earlier run had bought.
enum class OnLost {
  Fail,
  Buy, ///< another one, once a run
};

/// An image that an application gives instead of a reference.
struct GivenImage {
  std::string bytes;    ///< PNG, JPEG or WebP
  std::string identity; ///< what stands for it in the request's identity, see identityOf()
};

/// What stands for a medium in a request's identity: `sha256:` and the hash of its original bytes in hex, whatever the
/// bytes are re-encoded to on their way.
AIMLVIDEO_API std::string identityOf(std::string_view bytes);

/// What the user said, and nothing that follows from it. Copied when a generation starts.
struct Settings {
  std::string prompt;
  std::string negativePrompt;
  std::string promptFile;
  std::string image;
  /// Gives the first frame instead of `image`. Called on the worker's thread, since it may have to encode.
  std::function<Result<GivenImage>()> imageSource;
  std::string tailImage;
  std::string model;
  unsigned duration = 0; ///< seconds; 0: not sent
  std::string aspectRatio;
  double cfgScale = -1; ///< negative: not sent
  GenerateAudio generateAudio = GenerateAudio::Default;
  int64_t seed = -1;      ///< negative: not sent
  std::string parameters; ///< a JSON object, or `@FILE`
  bool strict = false;    ///< refuse parameters that the documentation does not have
  /// The URI that asks for all of this, which restricts what may be done for it, see Allowance; empty: none does.
  std::string uri;

  Secret apiKey;
  std::string apiKeyFile;
  /// Empty: `$AIMLAPI_BASE_URL`, else the service. Another than that needs `apiKey` or `apiKeyFile` beside it.
  std::string baseUrl;
  EndpointChoice endpoint = EndpointChoice::Auto;

  unsigned timeout = 1800;      ///< seconds, for the whole wait
  unsigned pollInterval = 0;    ///< milliseconds; 0: adaptive
  unsigned maximumInFlight = 0; ///< of this process at this service, see Flight; 0: no limit
  std::string generationId;     ///< fetch that one, submit nothing
  int64_t ledgerRow = 0;        ///< fetch what that row of the ledger has bought, submit nothing
  bool incomplete = false;      ///< what there is of the clip will do, where all of it can't be had; it is not kept
  Reuse reuse = Reuse::All;
  unsigned take = 0; ///< another variation of the same request has another number
  OnUnknown onUnknown = OnUnknown::Fail;
  OnLost onLost = OnLost::Fail;
  bool storePrompt = false; ///< keep the prompt in the ledger
  double maximumCost = 0;   ///< USD; nothing is bought above this estimate or without one. 0: no cap
  bool dryRun = false;      ///< check and estimate, buy nothing

  uint64_t maximumClipSize = 8ULL << 30; ///< bytes
  std::string temporaryFolder;           ///< for a clip while the store can not be used

  /// Asked before anything is bought, on the worker's thread, whether somebody could take the clip. Nobody waits for
  /// the answer when the generation is stopped, so it holds on to nothing that may be gone by then.
  std::function<Result<void>()> recipient;

  std::string proxy;
  GRefPtr<GTlsDatabase> tlsDatabase;
  std::string userAgent;
  Headers extraHeaders; ///< for the service only, never for the clip's host

  /// Something that is bought is to be fetched, and there is no request.
  bool fetchesOnly() const { return !generationId.empty() || ledgerRow != 0; }
};

/// The base URL that the settings and the environment name.
AIMLVIDEO_API std::string effectiveBaseUrl(const Settings &settings);

/// Checks all that can be checked without reading a file, so that it may run on an application's thread.
AIMLVIDEO_API Result<void> checkSettings(const Settings &settings);

} // namespace aimlvideo
