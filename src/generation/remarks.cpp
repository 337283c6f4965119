// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/remarks.h"

#include "api/pricing.h"
#include "settings/allowance.h"

namespace aimlvideo {

namespace {

constexpr auto otherKey = "it was submitted with another API key, perhaps of another account";

} // namespace

Error notReached(const Settings &settings, const std::string &baseUrl, const TransportError &cause) {
  Error error{};
  error.kind = ErrorKind::Unreachable;
  error.what = "no connection to " + baseUrl;
  error.why = cause.message;
  if (cause.cause == TransportError::Cause::Declined) {
    error.kind = ErrorKind::Busy;
    error.what = "the service turns requests away";
    error.remedy = "Try again later; nothing was bought";
    return error;
  }
  if (cause.cause == TransportError::Cause::NoTurn) {
    error.kind = ErrorKind::Busy;
    error.what = "the submission was not sent within " + std::to_string(settings.timeout) + " s";
    error.remedy = "Run fewer generations at once, or with a longer timeout; nothing was bought";
    return error;
  }
  error.remedy = cause.cause == TransportError::Cause::Tls
                     ? "Check base-url, the system's clock and certificates, or set tls-database"
                     : "Check the network, base-url and proxy";
  error.remedy += "; nothing was bought";
  return error;
}

Error unknownOutcome(const Purchase &purchase, const Error &doubt) {
  const LedgerRow &row = purchase.row;
  const std::string settle = "aimlvideo jobs resolve " + std::to_string(row.id);
  Error error{};
  error.kind = ErrorKind::UnknownOutcome;
  error.what = "it is not known whether the service accepted the submission, which may have been bought";
  error.why = purchase.byOtherKey ? doubt.why + "; " + otherKey : doubt.why;
  error.httpStatus = doubt.httpStatus;
  error.serviceMessage = doubt.serviceMessage;
  error.requestId = doubt.requestId;
  error.remedy = "It was not sent again, and the same request will be looked up again first. To settle it, look for "
                 "client_request_id " +
                 row.clientRequestId + " in the account's logs (GET /v2/logs?period=7d) and run `" + settle +
                 " --bought GENERATION-ID` with its inference_id, or `" + settle + " --not-bought`";
  return error;
}

Failure deadlinePassed(const Settings &settings, const Purchase &purchase, const std::string &cause,
                       std::optional<std::chrono::seconds> disowned) {
  Error error{};
  error.kind = ErrorKind::TimedOut;
  error.what = "the generation had not completed after " + std::to_string(settings.timeout) + " s";
  error.why = cause;
  error.remedy = disowned ? "It is paid for; the answer that it is not known counts only after " +
                                std::to_string(disowned->count()) +
                                " s: the same request again, or generation-id=" + purchase.row.generationId +
                                " with the same key, and a longer timeout settle it"
                          : resumeHint(purchase);
  return Failure(std::move(error));
}

Failure completedWithoutClip(const Purchase &purchase, const Reply &reply) {
  return failure(ErrorKind::BadAnswer, "the service reports a completed generation without a clip", reply.error,
                 resumeHint(purchase));
}

Error failedGeneration(const Reply &reply, std::string reason) {
  Error error{};
  error.kind = ErrorKind::GenerationFailed;
  error.what = reply.moderated ? "the service refused the contents of the request" : "the generation failed";
  error.serviceMessage = std::move(reason);
  error.why =
      error.serviceMessage.empty() ? "the service gives no reason (status " + reply.word + ")" : error.serviceMessage;
  error.remedy = reply.moderated ? "Change the prompt or the image; a failed generation is not billed"
                                 : "A failed generation is not billed, so it may be tried again";
  return error;
}

Error lostGeneration(const Settings &settings, const Purchase &purchase, Error refusal) {
  const LedgerRow &row = purchase.row;
  refusal.kind = ErrorKind::Lost;
  refusal.what = "the service no longer knows the generation " + row.generationId + ", which was bought";
  refusal.remedy = row.usage.usd ? "It cost " + usdText(*row.usage.usd) : "What it cost is not known here";
  refusal.remedy += ", and nothing was bought again. The service's support may find it by its id";
  if (!purchase.keptClip.empty())
    refusal.remedy += "; the copy that is kept may be good, check it: " + purchase.keptClip;
  else if (!settings.fetchesOnly())
    refusal.remedy += "; the same request asks for it again, and with on-lost=buy buys another one";
  return refusal;
}

Error unknownGeneration(const Purchase &purchase, Error refusal) {
  refusal.kind = ErrorKind::NotFound;
  refusal.what = "the service does not know the generation " + purchase.row.generationId;
  if (purchase.byOtherKey)
    refusal.remedy = std::string("Use the key that bought it: ") + otherKey + ". Nothing was bought again";
  else
    refusal.remedy = "Check generation-id, endpoint and base-url, and that the key belongs to the same account";
  return refusal;
}

/// The advice is one that an element, a URI, a row of a manifest and a command line can follow alike: `reuse=none`
/// would buy all of a manifest again, and no URI can set it.
Error moderatedBefore(const Settings &settings, const Purchase &purchase) {
  Error error{};
  error.kind = ErrorKind::GenerationFailed;
  error.what = "the service refused the contents of the same request before, so it was not sent again";
  error.serviceMessage = purchase.row.cause;
  error.why = purchase.row.cause;
  error.remedy = settings.fetchesOnly() ? "There is no clip to fetch, and nothing was bought"
                                        : "Change the prompt or the image; take=" + std::to_string(settings.take + 1) +
                                              " tries the same contents again. Nothing was bought";
  return error;
}

Error notForUri(const Settings &settings) {
  Error error{};
  error.kind = ErrorKind::BadRequest;
  error.what = "an aimlvideo:// URI alone buys nothing";
  error.why = "anyone can write one into a playlist, and its clip is not among those that were bought before";
  error.remedy = "Nothing was bought. " + howToAllow(settings);
  return error;
}

std::string resumeHint(const Purchase &purchase) {
  const std::string byId = "generation-id=" + purchase.row.generationId;
  if (!purchase.isBought())
    return "Whether the service knows the generation is not known; " + byId + " asks for it again";
  std::string hint = "It is paid for and continues at the service: the same request again, or " + byId +
                     " with the same key, fetches it";
  return purchase.byOtherKey ? hint + "; " + otherKey : hint;
}

} // namespace aimlvideo
