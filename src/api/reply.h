// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <aimlvideo/error.h>
#include <aimlvideo/status.h>

namespace aimlvideo {

/// What a generation does, by the many words that the service has for it.
enum class JobState {
  Queued,     ///< accepted, not begun
  Generating, ///< being made; also every word that is not known, until the deadline
  Completed,
  Failed,
};

/// The state behind a word, compared without regard to case and surrounding blanks.
JobState jobStateFromWord(std::string_view word);

/// The answer to a create or a poll, whatever its shape.
struct Reply {
  std::string id; ///< opaque; empty: the answer names none
  JobState state = JobState::Generating;
  std::string word;       ///< the state as the service spelt it
  std::string clipUrl;    ///< byte for byte; empty: none yet
  std::string error;      ///< the service's words for what went wrong; may come with any state
  bool moderated = false; ///< a failure that the service lays to the contents
  Usage usage;
};

/// Reads the body of a 2xx answer. The error is a sentence for people.
tl::expected<Reply, std::string> parseReply(std::string_view body);

/// The service's own words in the body of an answer that is no success, whatever its shape: at most 500 bytes of one
/// line of valid UTF-8, possibly empty.
std::string serviceMessage(std::string_view body);

/// By what name the service's support finds the request that this answers, as far as the body says; possibly empty.
std::string requestIdIn(std::string_view body);

/// Whether the body of an answer of 400 or 404 is the service's own word that it does not know this generation: a JSON
/// error that speaks of the generation, or names it, and says that there is none. A page, any other JSON and the
/// sentence about an unknown path are none, since a gateway in between may have written them.
bool saysGenerationIsUnknown(std::string_view body, unsigned status, std::string_view generationId);

} // namespace aimlvideo
