// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <tl/expected.hpp>

#include <aimlvideo/export.h>

namespace aimlvideo {

/// What kind of thing went wrong, as far as a caller can act on it.
enum class ErrorKind {
  BadRequest,       ///< a setting or the request is wrong; nothing was bought
  NotAuthorized,    ///< no key, a refused key, or no funds
  NotFound,         ///< the model, the generation or a local file does not exist
  Unreadable,       ///< a local file is there and can't be read
  Busy,             ///< the service turned the request away for too long (429, 503)
  Unreachable,      ///< no connection: name, route, TLS
  TimedOut,         ///< the deadline passed; what was bought can be resumed
  Lost,             ///< the service no longer knows what was bought from it
  UnknownOutcome,   ///< the submission left and nobody knows whether it was accepted
  GenerationFailed, ///< the service reports that the generation failed
  BadAnswer,        ///< the service or the clip's host answered what can't be used
  TooLarge,         ///< the clip is larger than allowed
  NoSpace,          ///< the disk is full or can't be written
  Cancelled,        ///< stopped by the user of this library
};

/// The kind as programs read it, such as `timed-out`.
AIMLVIDEO_API const char *nameOf(ErrorKind kind);

/// An error as a value: what failed, why (the system's or the service's own words), what the user can do.
struct AIMLVIDEO_API Error {
  ErrorKind kind = ErrorKind::BadRequest;
  std::string what;
  std::string why;
  std::string remedy;

  unsigned httpStatus = 0; ///< 0: no HTTP answer is the cause
  std::string generationId;
  std::string clientRequestId;
  std::string serviceMessage;
  std::string requestId; ///< the service's own name for the request, which its support asks for

  /// The three parts as one or two sentences in one printable line, whatever the service's words hold.
  std::string text() const;
};

template <typename T>
using Result = tl::expected<T, Error>;

using Failure = tl::unexpected<Error>;

inline Failure failure(ErrorKind kind, std::string what, std::string why = {}, std::string remedy = {}) {
  Error error;
  error.kind = kind;
  error.what = std::move(what);
  error.why = std::move(why);
  error.remedy = std::move(remedy);
  return Failure{std::move(error)};
}

} // namespace aimlvideo
