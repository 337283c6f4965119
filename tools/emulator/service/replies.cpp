// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/replies.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/sha256.h"
#include "emulator/wire/media.h"

namespace aimlvideo::emulator {

namespace {

constexpr std::array mixture = {ReplyShape::Schema,       ReplyShape::GenerationId, ReplyShape::VideoArray,
                                ReplyShape::VideoStrings, ReplyShape::Extras,       ReplyShape::OldUsage,
                                ReplyShape::Placeholders};

/// What the model's own page shows.
ReplyShape documentedShape(const Model &model) {
  if (model.id.starts_with("minimax/hailuo-"))
    return ReplyShape::GenerationId;
  if (model.vendor == "Runway")
    return ReplyShape::VideoStrings;
  return model.videoMayBeArray ? ReplyShape::VideoArray : ReplyShape::Schema;
}

ReplyShape shapeOf(const Task &task, const Service &service) {
  switch (service.options.replyShape) {
  case ReplyShape::Documented:
    return documentedShape(*task.knownModel);
  case ReplyShape::Mixed:
    return mixture[task.serial % mixture.size()];
  default:
    return service.options.replyShape;
  }
}

/// PixVerse and the quickest of ByteDance say "succeeded" when the others say "completed".
std::string spell(State state, const Task &task, const Service &service) {
  const std::string name = stateName(state);
  const auto spelling = service.options.stateSpelling.find(name);
  if (spelling != service.options.stateSpelling.end())
    return spelling->second;
  bool saysSucceeded =
      task.knownModel->vendor == "PixVerse" || task.knownModel->id == "bytedance/seedance-1-0-pro-fast";
  return state == State::Completed && saysSucceeded ? "succeeded" : name;
}

Json usageJson(const Task &task, bool isOld) {
  const Json usage = isOld ? Json::object({{"tokens_used", task.cost.credits()}})
                           : Json::object({{"credits_used", task.cost.credits()}, {"usd_spent", task.cost.usd}});
  return Json::object({{"usage", usage}});
}

std::string clipUrl(const Task &task, const Request &request, const Service &service) {
  std::string origin = request.origin;
  if (const std::string &host = service.options.clipHost; !host.empty()) {
    const size_t port = origin.rfind(':');
    const std::string scheme = origin.substr(0, origin.find("://") + 3);
    origin = scheme + host + (port >= scheme.size() ? origin.substr(port) : "");
  }
  return origin + clipTarget(task);
}

Json videoJson(const Task &task, const std::string &url, ReplyShape shape) {
  Json video = Json::object({{"url", url}});
  switch (shape) {
  case ReplyShape::VideoArray:
    return Json::array({video});
  case ReplyShape::VideoStrings:
    return Json::array({url});
  case ReplyShape::Extras:
    return video.set("content_type", "video/mp4")
        .set("file_name", "output.mp4")
        .set("file_size", task.clip ? task.clip->bytes.size() : 0)
        .set("duration", task.seconds);
  default:
    return video;
  }
}

Json errorJson(const Task &task, ReplyShape shape) {
  if (shape == ReplyShape::VideoStrings)
    return task.failure;
  if (shape == ReplyShape::Extras)
    return Json::object({{"detail", Json::array({Json::object({{"loc", Json::array({"body"})},
                                                               {"msg", task.failure},
                                                               {"type", task.failureName},
                                                               {"input", nullptr}})})}});
  return Json::object({{"name", task.failureName}, {"message", task.failure}});
}

/// What comes beside the state, by state and shape.
void addResult(Json &json, const Task &task, State state, const std::string &url, ReplyShape shape) {
  const bool saysNull = shape == ReplyShape::Placeholders || shape == ReplyShape::Extras;
  if (state == State::Completed)
    json.set("video", videoJson(task, url, shape));
  else if (saysNull)
    json.set("video", nullptr);
  if (state == State::Failed)
    json.set("error", errorJson(task, shape));
  else if (shape == ReplyShape::Placeholders && state == State::Completed)
    json.set("error", Json::object({{"name", "<string>"}, {"message", "<string>"}}));
  else if (saysNull)
    json.set("error", nullptr);
  if (shape == ReplyShape::Extras)
    json.set("model", task.model).set("duration", task.seconds);
}

Json replyJson(const Task &task, const Request &request, const Service &service, std::string status, State state,
               bool isCreate) {
  const ReplyShape shape = shapeOf(task, service);
  Json json = Json::object({{shape == ReplyShape::GenerationId && isCreate ? "generation_id" : "id", task.id},
                            {"status", std::move(status)}});
  addResult(json, task, state, clipUrl(task, request, service), shape);
  const bool isOld = shape == ReplyShape::OldUsage;
  if (isCreate != isOld)
    json.set("meta", usageJson(task, isOld));
  return json;
}

} // namespace

Json createdJson(const Task &task, const Request &request, const Service &service) {
  State state = task.state(monotonicSeconds());
  // A render may be done before the answer is written; a create that ends at once is a fault of its own.
  const bool mayHaveEnded = std::ranges::find(task.faults, "completed-at-once") != task.faults.end();
  if (!mayHaveEnded)
    state = State::Queued;
  return replyJson(task, request, service, spell(state, task, service), state, true);
}

Json polledJson(const Task &task, const Request &request, const Service &service, const Fault *fault) {
  State state = task.state(monotonicSeconds());
  std::string status = spell(state, task, service);
  if (fault && fault->kind == "unknown-state") {
    if (state == State::Completed)
      state = State::Generating;
    status = fault->settings["state"].string("dreaming");
  } else if (!task.strangeState.empty() && state != State::Completed && state != State::Failed) {
    status = task.strangeState;
  }
  return replyJson(task, request, service, status, state, false);
}

void addTracing(Response &response, const Request &request, const Task *task) {
  if (task) {
    response.header("x-inference-id", task->id);
    if (request.method == "POST") {
      response.header("x-aimlapi-credits-used", Json(task->cost.credits()).dump());
      response.header("x-aimlapi-usd-spent", Json(task->cost.usd).dump());
    }
  }
  if (const std::string id = validClientRequestId(request); !id.empty())
    response.header("x-client-request-id", id);
}

std::string validClientRequestId(const Request &request) {
  const std::string id = request.header("x-client-request-id");
  const bool isValid = !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [](unsigned char c) {
    return g_ascii_isalnum(c) || c == '.' || c == '_' || c == ':' || c == '-';
  });
  return isValid ? id : std::string();
}

std::string clipTarget(const Task &task) {
  const std::string edition = std::to_string(task.linkEdition);
  const std::string name = sha256("name " + task.id);
  const std::string signature = sha256("signature " + task.id + " " + edition);
  const std::string object = "generations%2F" + name.substr(0, 2) + "%2F" + name.substr(2, 30) + "%2Foutput.mp4";
  return "/clips/" + std::to_string(task.serial) + "/" + object +
         "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"
         "&X-Amz-Credential=EMULATOR%2F20260101%2Fauto%2Fs3%2Faws4_request&X-Amz-Expires=86400&X-Amz-Edition=" +
         edition + "&X-Amz-SignedHeaders=host&X-Amz-Signature=" + signature +
         "&response-content-disposition=attachment%3B%20filename%3D%22output.mp4%22&x-id=GetObject";
}

} // namespace aimlvideo::emulator
