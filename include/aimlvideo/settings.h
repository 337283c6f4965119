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
  Auto, ///< universal, or legacy if the service does not know the universal path
  Universal,
  Legacy,
};

enum class GenerateAudio { No, Yes, Default };

/// Which earlier purchases of the same request are resumed.
enum class Reuse {
  None,       ///< none: it is bought again
  Unfinished, ///< the ones whose generation has not ended
  All,        ///< finished ones as well, whose clip is then replayed
};

/// What to do when the outcome of a submission is still unknown after looking it up.
enum class OnUnknown {
  Fail,
  Resubmit, ///< which may buy twice
};

/// What to do when the service no longer knows what an earlier run had bought.
enum class OnLost {
  Fail,
  Buy, ///< another one, once per run
};

/// Whether the ledger keeps the prompt, and where its clip goes.
enum class StorePrompt {
  No,
  Yes,
  Default, ///< as long as others can't read the ledger
};

/// Whether a clip is delivered with a mark behind it that says that a model has made it.
enum class Mark {
  Auto,
  None,
  Force, ///< also where a signature or an index ends the clip, which then is not found any more
};

/// An image that an application gives instead of a reference.
struct GivenImage {
  std::string bytes;    ///< PNG, JPEG or WebP
  std::string identity; ///< what represents it in the request's identity, see identityOf()
};

/// What represents a medium in a request's identity: `sha256:` and the hash of its original bytes in hex, whatever they
/// are re-encoded to before sending.
AIMLVIDEO_API std::string identityOf(std::string_view bytes);

/// What the user set, and nothing derived from it. Copied when a generation starts.
struct Settings {
  std::string prompt;
  std::string negativePrompt;
  std::string promptFile;
  std::string image;
  /// Gives the first frame instead of `image`. Called on a worker thread, since it may need to encode.
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
  /// The URI that asks for all of this, which restricts what is allowed, see Allowance; empty: no URI does.
  std::string uri;

  Secret apiKey;
  std::string apiKeyFile;
  /// Empty: `$AIMLAPI_BASE_URL`, else the service. Any other needs `apiKey` or `apiKeyFile` as well.
  std::string baseUrl;
  EndpointChoice endpoint = EndpointChoice::Auto;

  unsigned timeout = 1800;      ///< seconds, for the whole wait
  unsigned pollInterval = 0;    ///< milliseconds; 0: adaptive
  unsigned maximumInFlight = 0; ///< of this process at this service, see Flight; 0: no limit
  std::string generationId;     ///< fetch that one, submit nothing
  int64_t ledgerRow = 0;        ///< fetch what that row of the ledger has bought, submit nothing
  bool incomplete = false;      ///< accept a part of the clip if the whole can't be fetched; it is not kept
  Reuse reuse = Reuse::All;
  unsigned take = 0; ///< another variation of the same request has another number
  OnUnknown onUnknown = OnUnknown::Fail;
  OnLost onLost = OnLost::Fail;
  StorePrompt storePrompt = StorePrompt::Default;
  std::string output;     ///< the file that the application makes of the clip, which the ledger keeps beside the prompt
  double maximumCost = 0; ///< USD; nothing is bought above this estimate or without one. 0: no cap
  bool dryRun = false;    ///< check and estimate, buy nothing

  Mark mark = Mark::Auto;
  bool promptTag = false; ///< the prompt may go along with the clip: in its mark and, from the element, as a tag

  uint64_t maximumClipSize = 8ULL << 30; ///< bytes
  std::string temporaryFolder;           ///< for a clip while the store can't be used

  /// Asked before anything is bought, on a worker thread, whether anyone can accept the clip. Nobody waits for the
  /// answer when the generation is stopped, so it must not refer to anything that may be gone by then.
  std::function<Result<void>()> recipient;

  std::string proxy;
  GRefPtr<GTlsDatabase> tlsDatabase;
  std::string userAgent;
  Headers extraHeaders; ///< for the service only, never for the clip's host

  /// A purchase is to be fetched, and there is no request.
  bool fetchesOnly() const { return !generationId.empty() || ledgerRow != 0; }
};

/// The base URL from the settings and the environment.
AIMLVIDEO_API std::string effectiveBaseUrl(const Settings &settings);

/// Checks all that can be checked without reading a file, so that it may run on an application's thread.
AIMLVIDEO_API Result<void> checkSettings(const Settings &settings);

} // namespace aimlvideo
