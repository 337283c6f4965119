// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/request.h>

#include "ledger/identity.h"
#include "settings/plan.h"

namespace aimlvideo {

Result<RequestPreview> previewRequest(Settings settings) {
  settings.dryRun = true; // which needs no key
  const unsigned take = settings.take;
  auto plan = prepare(settings);
  if (!plan)
    return tl::unexpected(std::move(plan.error()));
  Request &request = plan->request;
  RequestPreview preview;
  preview.identity = requestIdentity(plan->baseUrl, request.canonical, take);
  preview.model = std::move(request.model);
  preview.known = request.known;
  preview.prompt = std::move(request.prompt);
  preview.json = std::move(request.canonical);
  preview.baseUrl = std::move(plan->baseUrl);
  preview.notes = std::move(request.notes);
  preview.warnings = std::move(request.warnings);
  return preview;
}

} // namespace aimlvideo
