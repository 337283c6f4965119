// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "emulator/service/service.h"

namespace aimlvideo::emulator {

/// The answer with the clip or the range of it that is asked for; 304 if the client has it.
Response serveClip(const Request &request, const Clip &clip, const std::string &etag);

/// The object store that hands the clips out.
class Clips {
public:
  explicit Clips(Service &service) : service_(service) {}
  Response get(const Request &request, const Fault *fault);

private:
  /// The answer to a request that gets no clip for `target`; nothing if it does.
  static std::optional<Response> refuse(const Request &request, const Fault *fault, const Task &task,
                                        const std::string &target);
  Response handOut(const Request &request, const Fault *fault, const TaskPtr &task);

  Service &service_;
  unsigned etags_ = 0; ///< made up so far
};

} // namespace aimlvideo::emulator
