// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/error.h>

#include <aimlvideo/printable.h>

namespace aimlvideo {

namespace {

void closeSentence(std::string &text) {
  if (!text.empty() && text.back() != '.' && text.back() != '!' && text.back() != '?')
    text += '.';
}

} // namespace

namespace detail {

// not in the header, where each result that goes would take a page of code to free the texts of an error
KeptError::KeptError(Error error) : error_(std::make_unique<Error>(std::move(error))) {}

KeptError::KeptError(const KeptError &other) : KeptError(*other.error_) {}

KeptError &KeptError::operator=(const KeptError &other) {
  return *this = KeptError(other);
}

KeptError &KeptError::operator=(KeptError &&other) noexcept = default;

KeptError::~KeptError() = default;

} // namespace detail

Failure failure(ErrorKind kind, std::string what, std::string why, std::string remedy,
                const std::source_location &place) {
  Error error{};
  error.place = place;
  error.kind = kind;
  error.what = std::move(what);
  error.why = std::move(why);
  error.remedy = std::move(remedy);
  return Failure{std::move(error)};
}

const char *nameOf(ErrorKind kind) {
  switch (kind) {
  case ErrorKind::BadRequest:
    return "bad-request";
  case ErrorKind::NotAuthorized:
    return "not-authorized";
  case ErrorKind::NotFound:
    return "not-found";
  case ErrorKind::Unreadable:
    return "unreadable";
  case ErrorKind::Busy:
    return "busy";
  case ErrorKind::Unreachable:
    return "unreachable";
  case ErrorKind::TimedOut:
    return "timed-out";
  case ErrorKind::Lost:
    return "lost";
  case ErrorKind::UnknownOutcome:
    return "unknown-outcome";
  case ErrorKind::GenerationFailed:
    return "generation-failed";
  case ErrorKind::BadAnswer:
    return "bad-answer";
  case ErrorKind::TooLarge:
    return "too-large";
  case ErrorKind::NoSpace:
    return "no-space";
  case ErrorKind::Cancelled:
    return "cancelled";
  }
  return "unknown";
}

std::string Error::text() const {
  std::string text = what;
  if (!why.empty())
    text += ": " + why;
  closeSentence(text);
  if (!remedy.empty()) {
    text += ' ' + remedy;
    closeSentence(text);
  }
  return printable(text);
}

} // namespace aimlvideo
