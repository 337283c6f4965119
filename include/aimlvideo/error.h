// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

#include <tl/expected.hpp>

#include <aimlvideo/export.h>

namespace aimlvideo {

/// What went wrong, as far as a caller can act on it.
enum class ErrorKind {
  BadRequest,       ///< a setting or the request is wrong; nothing was bought
  NotAuthorized,    ///< no key, a refused key, or no funds
  NotFound,         ///< the model, the generation or a local file does not exist
  Unreadable,       ///< a local file exists but can't be read
  Busy,             ///< the service turned the request away for too long (429, 503)
  Unreachable,      ///< no connection: name, route, TLS
  TimedOut,         ///< the deadline passed; what was bought can be resumed
  Lost,             ///< the service no longer knows what was bought from it
  UnknownOutcome,   ///< the submission was sent and it is not known whether it was accepted
  GenerationFailed, ///< the service reports that the generation failed
  BadAnswer,        ///< the service or the clip's host sent an answer that can't be used
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
  /// Seconds since 1970 from which on a limit on spending has room for it; INT64_MAX: it costs more than the limit is.
  /// 0: no such limit is the cause.
  int64_t roomAt = 0;

  /// Where in the engine it arose.
  std::source_location place = std::source_location::current();

  /// The three parts as one or two sentences in one printable line, whatever the service's words contain.
  std::string text() const;
};

namespace detail {

/// The error of a Result: on the heap, since every result needs room for it and few have one. A value; one that was
/// moved from may only be assigned to.
class AIMLVIDEO_API KeptError {
public:
  KeptError(Error error);
  KeptError(const KeptError &other);
  KeptError(KeptError &&) noexcept = default;
  KeptError &operator=(const KeptError &other);
  KeptError &operator=(KeptError &&other) noexcept;
  ~KeptError();

  Error &operator*() const { return *error_; }
  operator const Error &() const { return *error_; }

private:
  std::unique_ptr<Error> error_;
};

} // namespace detail

/// An error on its way into a Result, of whatever type.
class Failure : public tl::unexpected<detail::KeptError> {
  using Base = tl::unexpected<detail::KeptError>;

public:
  explicit Failure(detail::KeptError error) : Base(std::move(error)) {}

  const Error &value() const & { return *Base::value(); }
  Error &value() & { return *Base::value(); }
  Error &&value() && { return std::move(*Base::value()); }
};

/// A value, or why there is none: a tl::expected<T, Error> that is little larger than the value.
template <typename T>
class Result : public tl::expected<T, detail::KeptError> {
  using Base = tl::expected<T, detail::KeptError>;

public:
  using Base::Base;

  const Error &error() const & { return *Base::error(); }
  Error &error() & { return *Base::error(); }
  Error &&error() && { return std::move(*Base::error()); }
  /// The error, for a result of another type.
  Failure failure() const & { return Failure(Base::error()); }
  Failure failure() && { return Failure(std::move(*this).Base::error()); }

  /// What `next` makes of the value, a Result as well; the error if there is no value.
  template <typename Next>
  auto and_then(Next &&next) const & {
    return then(*this, std::forward<Next>(next));
  }
  template <typename Next>
  auto and_then(Next &&next) && {
    return then(std::move(*this), std::forward<Next>(next));
  }

private:
  template <typename Self, typename Next>
  static auto then(Self &&self, Next &&next) {
    const auto call = [&] {
      if constexpr (std::is_void_v<T>)
        return std::forward<Next>(next)();
      else
        return std::forward<Next>(next)(*std::forward<Self>(self));
    };
    return self ? call() : decltype(call())(std::forward<Self>(self).failure());
  }
};

AIMLVIDEO_API Failure failure(ErrorKind kind, std::string what, std::string why = {}, std::string remedy = {},
                              const std::source_location &place = std::source_location::current());

} // namespace aimlvideo
