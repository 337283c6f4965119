// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/request.h"

#include <algorithm>
#include <iterator>

#include "api/canonical.h"
#include "api/faults.h"
#include "api/nearest.h"
#include "api/typed_inputs.h"
#include "base/json/node.h"

namespace aimlvideo {

namespace {

constexpr auto flagshipWithImage = "klingai/video-v2-6-pro-image-to-video";
constexpr auto flagshipWithoutImage = "klingai/video-v2-6-pro-text-to-video";

/// The warning for a model that the catalogue does not know.
std::string unknownModel(const std::string &id) {
  std::string text = "the model " + id + " is not in the catalogue: its parameters are sent unchecked";
  if (const std::string nearest = nearestTo(id, Catalogue::instance().names()); !nearest.empty())
    text += "; did you mean " + nearest + "?";
  return text;
}

/// The warning for one that the service has no longer, or not yet.
std::string unlistedModel(const std::string &id) {
  std::string text =
      "the service's own list, as of the last `aimlvideo models --refresh`, does not have the model " + id;
  if (const std::string nearest = nearestTo(id, Catalogue::listedNames()); !nearest.empty())
    text += "; did you mean " + nearest + "?";
  return text;
}

/// The same model for the inputs that were given, where there is one: its id says what it takes.
std::string siblingFor(const Inputs &inputs, const Model &model) {
  const bool withImage = inputs.find("image") != nullptr;
  const std::string from = withImage ? "text-to-video" : "image-to-video";
  const std::string to = withImage ? "image-to-video" : "text-to-video";
  const size_t at = model.id.find(from);
  if (at == std::string::npos)
    return "";
  std::string sibling = model.id;
  sibling.replace(at, from.size(), to);
  return Catalogue::instance().find(sibling) ? sibling : "";
}

/// What the user can do beyond reading the list of faults.
std::string remedyFor(const Inputs &inputs, const Model *model, const std::vector<std::string> &faults) {
  std::string remedy = "Nothing was sent and nothing was bought";
  if (!model)
    return remedy;
  const bool aboutImage = std::any_of(faults.begin(), faults.end(), [](const std::string &fault) {
    return fault == "the model takes no image" || fault.starts_with("image_url is missing");
  });
  const std::string sibling = aboutImage ? siblingFor(inputs, *model) : "";
  if (!sibling.empty())
    return remedy + ". " + sibling + (inputs.find("image") ? " takes an image" : " needs no image");
  return remedy + ". 'aimlvideo models " + model->id + "' explains the model";
}

} // namespace

const InputValue *Inputs::find(std::string_view property) const {
  const auto found = std::ranges::find(values, property, &std::pair<std::string, InputValue>::first);
  return found == values.end() ? nullptr : &found->second;
}

void Inputs::set(const std::string &property, InputValue value) {
  if (const auto found = std::ranges::find(values, property, &std::pair<std::string, InputValue>::first);
      found != values.end())
    found->second = std::move(value);
  else
    values.emplace_back(property, std::move(value));
}

void Inputs::unset(std::string_view property) {
  std::erase_if(values, [property](const auto &value) { return value.first == property; });
}

std::string chosenModel(const std::string &named, bool withImage) {
  if (!named.empty())
    return named;
  return withImage ? flagshipWithImage : flagshipWithoutImage;
}

Result<Request> composeRequest(const Inputs &inputs) {
  Request request;
  request.model = chosenModel(inputs.model, inputs.find("image") != nullptr);
  request.known = Catalogue::instance().find(request.model);
  if (const auto *prompt = inputs.find("prompt"))
    request.prompt = std::get<std::string>(*prompt);
  if (!request.known)
    request.warnings.push_back(unknownModel(request.model));
  else if (Catalogue::instance().isUnlisted(request.model))
    request.warnings.push_back(unlistedModel(request.model));
  if (const std::string &problem = Catalogue::overlayProblem(); !problem.empty())
    request.warnings.push_back(problem);

  const std::vector<Parameter> *parameters = request.known ? &request.known->parametersOn(inputs.family) : nullptr;
  const auto body = adopt(json_object_new());
  BodyWriter writer(body.get(), parameters);
  if (inputs.parameters)
    writer.addParameters(inputs.parameters.get(), inputs.media);
  for (const auto &[property, value] : inputs.values)
    writer.add(property, value);
  std::vector<std::string> faults = std::move(writer.faults);
  if (json_object_has_member(body.get(), "model")) {
    faults.emplace_back("parameters contains model, which the property model sets; give it there");
    json_object_remove_member(body.get(), "model");
  }
  if (parameters) {
    auto found = findingsOf(body.get(), *parameters, request.known->rules,
                            inputs.strict ? UnknownKeys::Fault : UnknownKeys::Warning);
    std::ranges::move(found.faults, std::back_inserter(faults));
    std::ranges::move(found.warnings, std::back_inserter(request.warnings));
  } else if (json_object_get_size(body.get()) == 0) {
    faults.emplace_back("there is nothing to make a video of");
  }
  if (!faults.empty())
    return failure(ErrorKind::BadRequest, "the request does not fit the model " + request.model, joined(faults, "; "),
                   remedyFor(inputs, request.known, faults));

  json_object_set_string_member(body.get(), "model", request.model.c_str());
  const auto node = adopt(json_node_init_object(json_node_alloc(), body.get()));
  request.body = writer.written();
  request.canonical = canonicalJson(node.get(), writer.identities);
  request.withMedia = !writer.identities.empty() || !remoteMediaIn(request.canonical).empty();
  return request;
}

Result<GRefPtr<JsonObject>> parseParameters(std::string_view text) {
  const auto node = json::parse(text);
  if (!node)
    return failure(ErrorKind::BadRequest, "parameters can't be used", node.error(),
                   "Give a JSON object such as {\"seed\":7}, or @FILE with one in a file");
  JsonObject *object = json::objectIn(node->get());
  if (!object)
    return failure(ErrorKind::BadRequest, "parameters can't be used", "it is JSON, but not an object",
                   "Give a JSON object such as {\"seed\":7}, or @FILE with one in a file");
  return share(object);
}

} // namespace aimlvideo
