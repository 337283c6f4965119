// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/generations.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "emulator/service/prices.h"
#include "emulator/service/replies.h"
#include "emulator/service/requested_look.h"
#include "emulator/service/rules.h"
#include "emulator/service/summary.h"
#include "emulator/service/validation.h"
#include "emulator/wire/main_loop.h"

namespace aimlvideo::emulator {

namespace {

constexpr double typicalSeconds = 120; // for models whose documentation names no time

bool isLegacy(const Request &request) {
  return request.path.starts_with("/v2/generate/");
}

/// Whether the model can be asked for at this path; both families know most models.
bool isOffered(const Model &model, const Request &request) {
  if (isLegacy(request))
    return legacyPathOf(model) == request.path;
  return !model.legacyOnly;
}

/// What the path checks bodies against.
std::vector<Parameter> parametersAt(const Model &model, const Request &request) {
  const bool hasOwn = isLegacy(request) && !model.legacyParameters.empty();
  std::vector<Parameter> parameters = hasOwn ? model.legacyParameters : model.parameters;
  if (std::ranges::find(parameters, "model", &Parameter::name) == parameters.end()) {
    Parameter name;
    name.name = "model";
    name.types = {"string"};
    parameters.push_back(name);
  }
  return parameters;
}

/// Keys that the schema does not have are named in `unknownKeys`, or are mistakes if it is null.
std::vector<std::string> findMistakesIn(const Model &model, const Request &request, const Json &body,
                                        std::vector<std::string> *unknownKeys) {
  if (model.isInvented)
    return {};
  std::vector<std::string> mistakes = findMistakes(parametersAt(model, request), body, unknownKeys);
  for (const std::string &mistake : findBrokenRules(model.rules, body))
    mistakes.push_back(mistake);
  return mistakes;
}

/// For a header: any text may be a key.
std::string printable(std::string text) {
  std::ranges::replace_if(text, [](char c) { return !g_ascii_isprint(c) || c == '"' || c == '\\'; }, '?');
  return text;
}

Response bodyError(const Request &request, const std::vector<std::string> &mistakes) {
  std::string message = "Body validation error";
  for (const std::string &mistake : mistakes)
    message += "\n" + mistake;
  return errorResponse(request, 400, message);
}

} // namespace

Generations::Generations(Service &service)
    : service_(service), random_(service.options.seed.value_or(std::random_device()())) {}

void Generations::create(const Request &request, const Fault *fault, const Reply &reply) {
  if (const auto refusal = service_.refuse(request))
    return reply(*refusal);
  const auto body = Json::parse(request.body.view());
  if (!body)
    return reply(errorResponse(request, 400, "Invalid JSON: " + body.error()));
  if (!body->isObject())
    return reply(bodyError(request, {"Expected object"}));
  if (!(*body)["model"].isString())
    return reply(bodyError(request, {(*body)["model"].exists() ? "model: Expected string" : "model: Required"}));
  const std::string name = (*body)["model"].string();
  const Model *model = service_.catalogue.find(name);
  constexpr size_t longestName = 200;
  if (!model && service_.options.takesUnknownModels && !name.empty() && name.size() <= longestName)
    model = service_.catalogue.invent(name);
  if (!model || !isOffered(*model, request))
    return reply(errorResponse(request, 404, "Model '" + name.substr(0, 200) + "' not found"));
  std::vector<std::string> unknownKeys;
  const bool refusesUnknownKeys = service_.options.unknownKeys == UnknownKeys::Refuse;
  if (const auto mistakes = findMistakesIn(*model, request, *body, refusesUnknownKeys ? nullptr : &unknownKeys);
      !mistakes.empty())
    return reply(bodyError(request, mistakes));
  if (!service_.account.hold(costOf(*model, *body, requestedLook(*model, *body).seconds)))
    return reply(errorResponse(request, 403,
                               "You've run out of funds. Please top up your balance to continue: "
                               "https://aimlapi.com/app/billing"));
  const TaskPtr task = accept(request, *model, *body, fault);
  task->unknownKeys = std::move(unknownKeys);
  const auto row = service_.logs.add(*task, request.key());
  if (fault && fault->kind == "completed-at-once") {
    task->generationTime = 0;
    return startRendering(task, *model, *body, row,
                          [this, request, task, reply](const Response &) { reply(createdResponse(request, *task)); });
  }
  startRendering(task, *model, *body, row, [](const Response &) {});
  reply(createdResponse(request, *task));
}

TaskPtr Generations::accept(const Request &request, const Model &model, const Json &body, const Fault *fault) {
  auto task = std::make_shared<Task>();
  task->id = service_.ids.make(model.id);
  task->family = isLegacy(request) ? Family::Legacy : Family::Universal;
  task->owner = service_.ownerOf(request);
  task->keyStart = request.key().substr(0, keyStartLength);
  task->model = body["model"].string();
  task->knownModel = &model;
  task->clientRequestId = validClientRequestId(request);
  task->summary = summarise(model, body);
  task->seconds = requestedLook(model, body).seconds;
  task->cost = costOf(model, body, task->seconds);
  task->acceptedAt = monotonicSeconds();
  task->acceptedClock = g_get_real_time();
  task->generationTime = generationTime(model, task->seconds);
  if (fault) {
    task->faults.push_back(fault->kind);
    task->isEndless = fault->kind == "endless";
    if (fault->kind == "unknown-state")
      task->strangeState = fault->settings["state"].string("dreaming");
    if (fault->kind == "moderation" || fault->kind == "failure") {
      const bool isModerated = fault->kind == "moderation";
      task->failureName = fault->settings["name"].string(isModerated ? "ContentModerationError" : "GenerationError");
      task->failure = fault->settings["message"].string(
          isModerated ? "Your request was rejected by the safety system: the content may violate our usage policies."
                      : "The generation has failed.");
    }
  }
  service_.tasks.add(task);
  service_.report.countBillable(task->owner);
  return task;
}

void Generations::startRendering(const TaskPtr &task, const Model &model, const Json &body, std::shared_ptr<LogRow> row,
                                 const Reply &whenEnded) {
  Look look = requestedLook(model, body);
  look.layout = service_.options.layout;
  look.longestSide = service_.options.renderSize;
  service_.clips.order(std::move(look), [this, task, row = std::move(row), whenEnded](const ClipResult &clip) {
    task->clipReadyAt = monotonicSeconds();
    if (clip)
      task->clip = *clip;
    else if (task->failure.empty()) {
      task->failureName = "BadRequestError";
      task->failure = clip.error();
    }
    const double wait = task->endsAt() - task->clipReadyAt;
    if (!std::isfinite(wait))
      return;
    runLater(wait, [this, task, row, whenEnded] {
      finish(task, row);
      whenEnded({});
    });
  });
}

/// The charge is booked once the generation is completed; a failed one costs nothing.
void Generations::finish(const TaskPtr &task, const std::shared_ptr<LogRow> &row) {
  if (task->isForgotten)
    return;
  service_.tasks.end(task);
  service_.account.settle(*task);
  row->endedAt = monotonicSeconds();
  row->hasFailed = !task->failure.empty();
  if (!row->hasFailed)
    service_.report.countCharge(task->owner, task->cost);
}

double Generations::generationTime(const Model &model, double clipSeconds) {
  if (!service_.options.realisticTimes)
    return service_.options.generationSeconds;
  double typical = model.sample.seconds > 0 ? model.sample.seconds : typicalSeconds;
  // The documented times are those of 5 s clips; a clip twice as long takes about twice as long.
  typical *= std::max(1.0, clipSeconds / 5);
  const double spread = std::normal_distribution<double>(0, 0.15)(random_);
  return typical * std::clamp(std::exp(spread), 0.6, 1.8) / service_.options.speed;
}

Response Generations::createdResponse(const Request &request, const Task &task) const {
  const unsigned status = task.family == Family::Legacy ? 201 : 200;
  Response response = Response::json(status, createdJson(task, request, service_));
  addTracing(response, request, &task);
  if (service_.options.unknownKeys == UnknownKeys::Warn && !task.unknownKeys.empty()) {
    std::string names;
    for (const std::string &key : task.unknownKeys)
      names += (names.empty() ? "'" : ", '") + printable(key.substr(0, 100)) + "'";
    const std::string warning = "Unrecognized key(s) in object: " + names.substr(0, 1000);
    std::fprintf(stderr, "aimlapi-emulator: %s\n", warning.c_str());
    response.header("Warning", "299 aimlapi-emulator \"" + warning + "\"");
  }
  return response;
}

Response Generations::poll(const Request &request, const Fault *fault) {
  if (const auto refusal = service_.refuse(request))
    return *refusal;
  const auto id = request.parameter("generation_id");
  if (!id || id->empty())
    return errorResponse(request, 400, "Query validation error\ngeneration_id: Required");
  TaskPtr task = service_.tasks.find(*id);
  const bool isHere =
      task && task->owner == service_.ownerOf(request) &&
      (isLegacy(request) ? task->family == Family::Legacy && legacyPathOf(*task->knownModel) == request.path
                         : task->family == Family::Universal);
  if (!isHere) {
    Response response = errorResponse(request, 404, "Generation not found");
    // The service leaves x-inference-id out only if the id itself is malformed.
    if (isWellFormedId(*id))
      response.header("x-inference-id", *id);
    return response;
  }
  ++task->polls;
  if (fault)
    task->faults.push_back(fault->kind);
  Response response = Response::json(200, polledJson(*task, request, service_, fault));
  if (task->state(monotonicSeconds()) == State::Failed)
    service_.tasks.fetched(task); // there is no more to it than this answer
  addTracing(response, request, task.get());
  return response;
}

} // namespace aimlvideo::emulator
