// SPDX-License-Identifier: LGPL-2.1-or-later
#include "service/refresh.h"

#include <algorithm>
#include <set>

#include "api/endpoint.h"
#include "api/overlay.h"
#include "api/schema.h"
#include "base/folders.h"
#include "base/json/node.h"
#include "service/account.h"

namespace aimlvideo {

namespace {

constexpr auto listPath = "/v1/models?output_modalities=video";
constexpr auto videoType = "internal/video-generations/submit";
constexpr auto documentationHost = "docs.aimlapi.com";
// far above what the service has
constexpr size_t largestList = 16 << 20;
constexpr size_t largestDescription = 2 << 20;
constexpr unsigned mostModels = 2000;
constexpr std::chrono::seconds patience{20}; // for one answer
constexpr std::chrono::minutes patienceInAll{15};
/// So many in a row that can't be fetched: it is not the descriptions that are wrong.
constexpr unsigned mostFailures = 10;

std::string textIn(JsonObject *object, const char *name) {
  return json::scalarText(json::member(object, name)).value_or("");
}

std::vector<std::string> textsIn(JsonObject *object, const char *name) {
  std::vector<std::string> texts;
  JsonNode *node = json::member(object, name);
  if (node && JSON_NODE_HOLDS_ARRAY(node))
    for (guint i = 0; i < json_array_get_length(json_node_get_array(node)); ++i)
      texts.push_back(json::scalarText(json_array_get_element(json_node_get_array(node), i)).value_or(""));
  return texts;
}

std::set<std::string> parameterNames(JsonObject *model, const char *list) {
  std::set<std::string> names;
  JsonNode *node = json::member(model, list);
  if (node && JSON_NODE_HOLDS_ARRAY(node))
    for (guint i = 0; i < json_array_get_length(json_node_get_array(node)); ++i)
      names.insert(textIn(json::objectIn(json_array_get_element(json_node_get_array(node), i)), "name"));
  return names;
}

class Refresh {
public:
  Refresh(const Settings &settings, std::string baseUrl, Cancellation &cancellation)
      : baseUrl_(std::move(baseUrl)), cancellation_(cancellation), session_(sessionOptionsOf(settings)) {}

  Task<Result<Refreshed>> run() {
    const std::string url = baseUrl_ + listPath;
    const auto list = co_await fetch(url, largestList);
    if (!list)
      co_return failed("the service's list of models can't be fetched", list.error());
    const auto root = json::parse(*list);
    JsonNode *data = root ? json::member(json::objectIn(root->get()), "data") : nullptr;
    if (!data || !JSON_NODE_HOLDS_ARRAY(data))
      co_return failed("the service's list of models can't be read", root ? "it contains no list" : root.error());
    JsonArray *entries = json_node_get_array(data);
    for (guint i = 0; i < json_array_get_length(entries) && found_.listed < mostModels; ++i) {
      JsonObject *entry = json::objectIn(json_array_get_element(entries, i));
      if (textIn(entry, "type") != videoType || !isModelName(textIn(entry, "id")))
        continue;
      ++found_.listed;
      co_await add(entry);
      if (cancellation_.cancelled())
        co_return failure(ErrorKind::Cancelled, "the catalogue was not refreshed", "it was stopped");
      if (failures_ >= mostFailures)
        co_return failed("the descriptions of the models can't be fetched", why_);
    }
    co_return co_await onPool([this] { return keep(); });
  }

private:
  Failure failed(const std::string &what, const std::string &why) const {
    return failure(ErrorKind::Unreachable, what, why, "The catalogue stays as it was. Try again later");
  }

  Task<tl::expected<std::string, std::string>> fetch(const std::string &url, size_t largest) {
    HttpRequest request;
    request.url = url;
    request.headers = {{"Accept", "application/json"}};
    const auto response = co_await session_.exchange(request, cancellation_, AttemptTime{deadline_, patience}, largest);
    if (!response)
      co_return tl::unexpected(response.error().message);
    if (!response->successful())
      co_return tl::unexpected("HTTP status " + std::to_string(response->status));
    co_return response->body;
  }

  /// The facts in the description that an entry of the list names.
  Task<tl::expected<GRefPtr<JsonObject>, std::string>> describe(JsonObject *entry) {
    const std::string url = textIn(json::objectIn(json::member(entry, "info")), "docsJson");
    if (!isOfTheService(url, baseUrl_))
      co_return tl::unexpected(std::string("its description is elsewhere"));
    const auto description = co_await fetch(url, largestDescription);
    failures_ = description ? 0 : failures_ + 1;
    if (!description)
      co_return tl::unexpected(description.error());
    co_return factsFromSchema(*description, textIn(entry, "id"));
  }

  Task<void> add(JsonObject *entry) {
    const std::string id = textIn(entry, "id");
    std::vector<std::string> names = textsIn(entry, "aliases");
    names.insert(names.begin(), id);
    listed_.insert(names.begin(), names.end());
    GRefPtr<JsonNode> known;
    for (const std::string &name : names)
      if (!known)
        known = compiledInModel(name);
    const auto facts = co_await describe(entry);
    if (!facts) {
      ++found_.unreadable;
      why_ = facts.error();
      // what nothing is known of goes unchecked, which is better than being checked against nothing
      if (!known)
        co_return;
    }
    JsonObject *knownFacts = json::objectIn(known.get());
    const auto model = adopt(json_object_new());
    json_object_set_string_member(model.get(), "id", known ? textIn(knownFacts, "id").c_str() : id.c_str());
    bool news = addNames(model.get(), names);
    if (known) {
      news = (facts && addParameters(model.get(), knownFacts, facts->get())) || news;
    } else {
      news = true;
      json_object_set_string_member(model.get(), "vendor",
                                    textIn(json::objectIn(json::member(entry, "info")), "developer").c_str());
      for (const char *name : {"kind", "inputs", "parameters"})
        json_object_set_member(model.get(), name, json_node_copy(json::member(facts->get(), name)));
    }
    if (news)
      json_array_add_object_element(models_.get(), json_object_ref(model.get()));
  }

  /// The names that lead to no model of the compiled-in catalogue.
  static bool addNames(JsonObject *model, const std::vector<std::string> &names) {
    const auto aliases = adopt(json_array_new());
    for (const std::string &name : names)
      if (isModelName(name) && name != textIn(model, "id") && !compiledInModel(name))
        json_array_add_string_element(aliases.get(), name.c_str());
    json_object_set_array_member(model, "aliases", json_array_ref(aliases.get()));
    return json_array_get_length(aliases.get()) > 0;
  }

  bool addParameters(JsonObject *model, JsonObject *known, JsonObject *facts) {
    std::set<std::string> names = parameterNames(known, "parameters");
    names.merge(parameterNames(known, "legacy_parameters"));
    const auto added = adopt(json_array_new());
    JsonArray *all = json_object_get_array_member(facts, "parameters");
    for (guint i = 0; i < json_array_get_length(all); ++i)
      if (!names.contains(textIn(json_array_get_object_element(all, i), "name")))
        json_array_add_element(added.get(), json_node_copy(json_array_get_element(all, i)));
    found_.parameters += json_array_get_length(added.get());
    json_object_set_array_member(model, "parameters", json_array_ref(added.get()));
    return json_array_get_length(added.get()) > 0;
  }

  std::string textWith(JsonArray *models) const {
    const auto root = adopt(json_object_new());
    json_object_set_int_member(root.get(), "version", 1);
    json_object_set_string_member(root.get(), "service", baseUrl_.c_str());
    json_object_set_array_member(root.get(), "models", json_array_ref(models));
    const auto listed = adopt(json_array_new());
    for (const std::string &name : listed_)
      if (isModelName(name))
        json_array_add_string_element(listed.get(), name.c_str());
    json_object_set_array_member(root.get(), "listed", json_array_ref(listed.get()));
    const auto node = adopt(json_node_init_object(json_node_alloc(), root.get()));
    return json::write(node.get());
  }

  Result<Refreshed> keep() {
    if (found_.listed == 0)
      return failed("the service's list of models can't be used", "there is no video model in it");
    // only what a reader would take over is kept
    const auto sound = adopt(json_array_new());
    for (const auto &[id, model] : parseOverlay(textWith(models_.get())).models) {
      json_array_add_element(sound.get(), json_node_copy(model.get()));
      found_.models += compiledInModel(id) ? 0 : 1;
    }
    found_.unreadable += json_array_get_length(models_.get()) - json_array_get_length(sound.get());
    const std::string text = textWith(sound.get());
    found_.file = overlayFile();
    const auto folder = makePrivateFolder(cacheFolder());
    GErrorSlot error;
    if (!folder || !g_file_set_contents_full(found_.file.c_str(), text.data(), static_cast<gssize>(text.size()),
                                             G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
      return failure(ErrorKind::NoSpace, "the refreshed catalogue can't be kept in " + found_.file,
                     folder ? error.message() : folder.error(), "Check XDG_CACHE_HOME");
    return found_;
  }

  const std::string baseUrl_;
  Cancellation &cancellation_;
  HttpSession session_;
  const Clock::time_point deadline_ = Clock::now() + patienceInAll;
  Refreshed found_;
  std::set<std::string> listed_; ///< all names, also of models that are known
  unsigned failures_ = 0;        ///< in a row
  std::string why_;              ///< the last one
  const GRefPtr<JsonArray> models_ = adopt(json_array_new());
};

} // namespace

bool isOfTheService(const std::string &url, const std::string &baseUrl) {
  const auto one = adopt(g_uri_parse(url.c_str(), httpUriFlags, nullptr));
  const auto own = adopt(g_uri_parse(baseUrl.c_str(), httpUriFlags, nullptr));
  if (!one || !own || !g_uri_get_host(one.get()) || g_uri_get_userinfo(one.get()))
    return false;
  const auto portOf = [](GUri *uri) {
    const int port = g_uri_get_port(uri);
    return port > 0 ? port : g_str_equal(g_uri_get_scheme(uri), "https") ? 443 : 80;
  };
  const bool sameHost = g_ascii_strcasecmp(g_uri_get_host(one.get()), g_uri_get_host(own.get())) == 0;
  if (sameHost && g_str_equal(g_uri_get_scheme(one.get()), g_uri_get_scheme(own.get())) &&
      portOf(one.get()) == portOf(own.get()))
    return true;
  return baseUrl == defaultBaseUrl && g_str_equal(g_uri_get_scheme(one.get()), "https") && portOf(one.get()) == 443 &&
         g_ascii_strcasecmp(g_uri_get_host(one.get()), documentationHost) == 0;
}

Result<Refreshed> refreshCatalogue(const Settings &settings, Cancellation &cancellation) {
  auto baseUrl = checkedBaseUrl(effectiveBaseUrl(settings));
  if (!baseUrl)
    return tl::unexpected(std::move(baseUrl.error()));
  Refresh refresh(settings, std::move(*baseUrl), cancellation);
  return Loop::instance().wait(refresh.run());
}

} // namespace aimlvideo
