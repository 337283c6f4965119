// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <random>
#include <string>

#include "emulator/service/service.h"

namespace aimlvideo::emulator {

/// Create and poll, the two halves of the video endpoints.
class Generations {
public:
  explicit Generations(Service &service);

  /// Replies at once, but for the fault "completed-at-once".
  void create(const Request &request, const Fault *fault, const Reply &reply);
  Response poll(const Request &request, const Fault *fault);

private:
  TaskPtr accept(const Request &request, const Model &model, const Json &body, const Fault *fault);
  void startRendering(const TaskPtr &task, const Model &model, const Json &body, std::shared_ptr<LogRow> row,
                      const Reply &whenEnded);
  void finish(const TaskPtr &task, const std::shared_ptr<LogRow> &row);
  double generationTime(const Model &model, double clipSeconds);
  Response createdResponse(const Request &request, const Task &task) const;

  Service &service_;
  std::mt19937_64 random_;
};

} // namespace aimlvideo::emulator
