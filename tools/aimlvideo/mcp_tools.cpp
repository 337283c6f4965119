// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mcp_tools.h"

#include <algorithm>
#include <cmath>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <aimlvideo/money.h>
#include <aimlvideo/printable.h>

#include "api/catalogue.h"
#include "api/nearest.h"
#include "api/pricing.h"
#include "envelope.h"
#include "job_list.h"
#include "job_row.h"
#include "quote.h"
#include "service/account.h"
#include "terminal.h"
#include "wait.h"

namespace aimlvideo::cli {

namespace {

constexpr double nothing = 1e-9; // 0 would be no cap
constexpr double half = 1e-6;    // of the smallest sum that counts
constexpr int usualPatience = 20;
constexpr int longestPatience = 600;

using Schema = json::Value;

Schema object(std::initializer_list<std::pair<const char *, json::Value>> properties,
              const std::vector<json::Value> &required = {}) {
  return json::Value::object({{"type", "object"},
                              {"properties", json::Value::object(properties)},
                              {"required", json::Value::array(required)},
                              {"additionalProperties", false}});
}

Schema text(const char *about) {
  return json::Value::object({{"type", "string"}, {"description", about}});
}

Schema whole(const char *about, int64_t least, int64_t most) {
  return json::Value::object({{"type", "integer"}, {"minimum", least}, {"maximum", most}, {"description", about}});
}

Schema schemaOf(const Field &field) {
  const char *const type =
      std::visit(Overload{[](const Choices &) { return "string"; }, [](std::string Settings::*) { return "string"; },
                          [](Secret Settings::*) { return "string"; }, [](bool Settings::*) { return "boolean"; },
                          [](unsigned Settings::*) { return "integer"; },
                          [](uint64_t Settings::*) { return "integer"; }, [](int64_t Settings::*) { return "integer"; },
                          [](double Settings::*) {
                            return "number";
                          }},
                 field.member);
  Schema schema = json::Value::object(
      {{"type", field.name == std::string_view("parameters") ? "object" : type}, {"description", field.about}});
  if (const auto *choices = std::get_if<Choices>(&field.member)) {
    json::Value names = json::Value::array();
    for (const Choice &choice : choices->all)
      names.add(choice.name);
    schema.set("enum", names);
  }
  return schema;
}

/// What a request may say. What is bought already has a job.
bool isForRequest(const Field &field) {
  return field.is(Field::InManifest) && field.name != std::string_view("generation-id");
}

Schema requestSchema() {
  json::Value properties = json::Value::object();
  for (const Field &field : fields())
    if (isForRequest(field))
      properties.set(field.name, schemaOf(field));
  return json::Value::object({{"type", "object"}, {"properties", properties}, {"additionalProperties", false}});
}

json::Value annotations(bool readsOnly, bool idempotent, bool reachesOut) {
  return json::Value::object({{"readOnlyHint", readsOnly},
                              {"destructiveHint", false},
                              {"idempotentHint", idempotent},
                              {"openWorldHint", reachesOut}});
}

/// The arguments of a request as texts.
tl::expected<FieldTexts, std::string> requestIn(const json::Value &arguments) {
  FieldTexts texts;
  for (const std::string &name : arguments.names()) {
    const Field *field = findField(name);
    if (!field || !isForRequest(*field))
      return tl::unexpected("there is no argument " + name);
    const json::Value value = arguments[name];
    const bool fits = value.isString() || value.isNumber() || value.isBoolean() ||
                      (value.isObject() && name == std::string_view("parameters"));
    if (!fits && !value.isNull())
      return tl::unexpected(name + " can't be used: it has another type");
    const std::string spelled = value.isString() ? value.string() : value.isNull() ? "" : value.dump();
    if (!spelled.empty())
      texts[name] = spelled;
  }
  return texts;
}

/// Refuses arguments that a schema lacks.
tl::expected<void, std::string> checkNames(const json::Value &arguments, std::initializer_list<const char *> known) {
  for (const std::string &name : arguments.names())
    if (std::none_of(known.begin(), known.end(), [&](const char *entry) { return name == entry; }))
      return tl::unexpected("there is no argument " + name);
  return {};
}

/// A whole number within a range; the fallback if it is not there.
tl::expected<int64_t, std::string> wholeIn(const json::Value &value, const char *name, int64_t least, int64_t most,
                                           int64_t fallback) {
  if (!value.exists() || value.isNull())
    return fallback;
  const double number = value.number(NAN);
  if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most)) || std::floor(number) != number)
    return tl::unexpected(std::string(name) + " is a whole number from " + std::to_string(least) + " to " +
                          std::to_string(most));
  return static_cast<int64_t>(number);
}

constexpr int64_t highestJob = int64_t{1} << 53; // that every reader of JSON can tell from the next

/// Given up where the call is.
struct Abandonable {
  ~Abandonable() { cancellation.cancel(); }
  Cancellation cancellation;
};

std::shared_ptr<void> atOnce(const McpServer::Reply &reply, const json::Value &envelope) {
  reply(envelope);
  return std::make_shared<int>(0);
}

std::string lowered(const std::string &text) {
  const GCharPtr lower(g_utf8_strdown(text.c_str(), -1));
  return lower.get();
}

/// What is worth reading of a model when one chooses.
json::Value shortOf(const json::Value &model) {
  json::Value shorter = json::Value::object();
  for (const char *name : {"id", "vendor", "kind", "aliases", "inputs", "sample"})
    shorter.set(name, model[name]);
  return shorter;
}

bool matches(const json::Value &model, const std::vector<std::string> &words) {
  std::string names = model["id"].string() + " " + model["vendor"].string() + " " + model["kind"].string();
  for (const json::Value &alias : model["aliases"].elements())
    names += " " + alias.string();
  names = lowered(names);
  return std::all_of(words.begin(), words.end(),
                     [&](const std::string &word) { return names.find(word) != std::string::npos; });
}

std::vector<std::string> wordsIn(const std::string &text) {
  std::vector<std::string> words;
  const GStrvPtr parts(g_strsplit_set(lowered(text).c_str(), " \t\n,", -1));
  for (char **part = parts.get(); *part; ++part)
    if (**part != '\0')
      words.emplace_back(*part);
  return words;
}

/// A place for an output below a folder. Neither the name nor what is there already leads out of it: no link is
/// followed.
Result<std::string> placeBelow(const std::string &folder, const std::string &name) {
  const auto refused = [&name](const char *why) {
    return failure(ErrorKind::BadRequest, name + " can't be written", why,
                   "Name a file below the output folder, such as boat.mp4");
  };
  if (folder.empty())
    return failure(ErrorKind::BadRequest, "no file can be written", "the server was started without --output-folder",
                   "Ask its user to start it with one");
  if (name.empty() || printable(name) != name)
    return refused("it is empty, or has characters that can't be shown");
  int place = open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  const GStrvPtr parts(g_strsplit(name.c_str(), "/", -1));
  const char *problem = place < 0 ? "the output folder is not there" : nullptr;
  for (char **part = parts.get(); *part && !problem; ++part) {
    const std::string_view entry = *part;
    struct stat status{};
    if (entry.empty() || entry == "." || entry == "..")
      problem = "it is no relative path, or has a part that is empty, . or ..";
    else if (!part[1])
      problem = fstatat(place, *part, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode)
                    ? "it is a symbolic link"
                    : nullptr;
    else if (const int next = openat(place, *part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); next >= 0)
      close(std::exchange(place, next));
    else
      problem = "its folder is not there, or is a symbolic link";
  }
  if (place >= 0)
    close(place);
  if (problem)
    return refused(problem);
  return folder + "/" + name;
}

} // namespace

/// One call of submit.
class McpTools::Purchase : public std::enable_shared_from_this<Purchase> {
public:
  Purchase(McpTools &tools, Reply reply) : tools_(tools), reply_(std::move(reply)) {}
  Purchase(const Purchase &) = delete;
  Purchase &operator=(const Purchase &) = delete;
  ~Purchase() {
    if (submitter_)
      tools_.settle(submitter_->interrupt());
    leave();
  }

  /// Reads and checks the request in the background, since it may name files.
  void prepare(const FieldTexts &texts) {
    runInBackground([weak = weak_from_this(), inbox = tools_.inbox_, terms = tools_.terms_, texts] {
      auto row = std::make_shared<Result<ManifestRow>>(readRequest(texts, terms->requests));
      inbox->post([weak, row] {
        if (const auto self = weak.lock())
          self->prepared(*row);
      });
    });
  }

  void buy() {
    cap_ = tools_.cap();
    settings_.maximumCost = cap_;
    submitter_ = std::make_unique<Submitter>(std::move(settings_), [this](const Submitted &submitted) {
      tools_.settle(submitted);
      reply_(answer(submitted));
      tools_.inbox_->post([submitter = std::shared_ptr<Submitter>(std::move(submitter_))] {});
      leave();
    });
  }

private:
  void prepared(Result<ManifestRow> &row) {
    const auto allowed = row ? checkSubmission(row->order.settings) : Result<void>(tl::unexpected(row.error()));
    if (!allowed)
      return reply_(answerOf("submit", {}, jsonOf(allowed.error())));
    settings_ = std::move(row->order.settings);
    tools_.enqueue(shared_from_this());
  }

  void leave() {
    if (tools_.buying_ != this)
      return;
    tools_.buying_ = nullptr;
    tools_.inbox_->post([tools = &tools_] { tools->buyNext(); });
  }

  json::Value answer(const Submitted &submitted) const {
    json::Value data = json::Value::object();
    if (submitted.job)
      data.set("job", jsonOf(*submitted.job));
    data.set("origin", nameOf(submitted.status.origin));
    const auto estimated = submitted.status.estimatedUsd;
    if (estimated)
      data.set("usd_estimated", rounded(*estimated));
    if (submitted.end == Submitted::End::Accepted)
      return answerOf("submit", data);
    if (submitted.end == Submitted::End::Pending)
      return answerOf("submit", data,
                      errorOf("outcome-pending",
                              "It was sent, and it is not known yet whether the service has accepted it. The same "
                              "call again looks it up and buys nothing twice.",
                              secondsToComeBackIn(submitted.status)));
    const bool tooDear = submitted.failure->kind == ErrorKind::BadRequest && estimated && *estimated > cap_;
    return answerOf("submit", data, tooDear ? tools_.tooDear(*estimated) : jsonOf(*submitted.failure));
  }

  McpTools &tools_;
  const Reply reply_;
  Settings settings_;
  double cap_ = 0;
  std::unique_ptr<Submitter> submitter_;
};

/// A file that is being made. It goes on when nobody waits for it any more.
struct McpTools::Making {
  int64_t job = 0;
  std::unique_ptr<Production> production;
  json::Value envelope; ///< exists once it has ended
  std::vector<std::weak_ptr<Fetching>> waiting;
};

/// One call of fetch.
class McpTools::Fetching : public std::enable_shared_from_this<Fetching> {
public:
  Fetching(McpTools &tools, Reply reply, LedgerRow job, Order order, int64_t patience)
      : tools_(tools),
        reply_(std::move(reply)),
        job_(std::move(job)),
        order_(std::move(order)),
        end_(Clock::now() + std::chrono::seconds(patience)) {}
  Fetching(const Fetching &) = delete;
  Fetching &operator=(const Fetching &) = delete;
  ~Fetching() {
    if (timer_ != 0)
      g_source_remove(timer_);
  }

  void begin() {
    if (Making *making = tools_.makingOf(order_.output))
      return making->job == job_.id ? join(*making)
                                    : refuse(failure(ErrorKind::BadRequest, order_.output + " can't be made",
                                                     "it is made from another job", "Choose another name")
                                                 .value());
    if (const auto checked = checkOrder(order_); !checked)
      return refuse(checked.error());
    if (job_.state == LedgerRow::State::Completed)
      return make();
    const auto patience =
        std::max(std::chrono::ceil<std::chrono::seconds>(end_ - Clock::now()), std::chrono::seconds(1));
    waiter_ = std::make_unique<Waiter>(std::vector{job_}, tools_.terms_->service, patience,
                                       [this](const std::vector<Waited> &waited) { waitedFor(waited.front()); });
  }

  void made(const json::Value &envelope) const { reply_(envelope); }

private:
  void refuse(const Error &error) const { reply_(answerOf("fetch", {}, jsonOf(error))); }

  void waitedFor(const Waited &waited) {
    if (waited.failure)
      return refuse(*waited.failure);
    if (waited.isPending())
      return reply_(answerOf("fetch", {},
                             errorOf("not-ready", "Job " + std::to_string(job_.id) + " is not ready.",
                                     secondsToComeBackIn(waited.status))));
    make();
  }

  void make() {
    auto making = std::make_unique<Making>();
    making->job = job_.id;
    order_.settings = tools_.terms_->service;
    order_.settings.ledgerRow = job_.id;
    order_.settings.baseUrl = job_.baseUrl;
    order_.settings.model = job_.model;
    order_.reserved = true;
    Production::Hooks hooks;
    hooks.changed = [] {
    };
    hooks.ended = [made = making.get()](const std::optional<Error> &failure) {
      const Production &production = *made->production;
      made->envelope =
          failure
              ? answerOf("fetch", {}, jsonOf(*failure))
              : answerOf("fetch",
                         Members().text("output", production.order().output).generation(production.status()).value());
      for (const auto &waiting : std::exchange(made->waiting, {}))
        if (const auto fetching = waiting.lock())
          fetching->made(made->envelope);
      made->production.reset();
    };
    const std::string output = order_.output;
    making->production = std::make_unique<Production>(std::move(order_), std::move(hooks));
    making->production->startSoon();
    join(*(tools_.makings_[output] = std::move(making)));
  }

  void join(Making &making) {
    if (making.envelope.exists())
      return made(making.envelope);
    making.waiting.push_back(weak_from_this());
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
    timer_ = g_timeout_add_once(
        static_cast<guint>(std::max<int64_t>(left.count(), 1)),
        [](gpointer self) { static_cast<Fetching *>(self)->tooSlow(); }, this);
  }

  void tooSlow() {
    constexpr int soon = 10;
    timer_ = 0;
    reply_(
        answerOf("fetch", {}, errorOf("not-ready", "The file is being made. The same call again waits for it.", soon)));
  }

  McpTools &tools_;
  const Reply reply_;
  const LedgerRow job_;
  Order order_;
  const Clock::time_point end_;
  std::unique_ptr<Waiter> waiter_;
  guint timer_ = 0;
};

McpTools::McpTools(McpTerms terms) : terms_(std::make_shared<const McpTerms>(std::move(terms))) {}

McpTools::~McpTools() {
  inbox_->close();
}

std::string McpTools::instructions() const {
  const McpTerms &terms = *terms_;
  std::string text = "Makes video clips with the models of the AI/ML API, which cost money. Find a model with models, "
                     "check the request and its price with check, buy with submit, which returns a job at once, then "
                     "wait for the job and fetch its clip. Every call can be repeated: the same submission is never "
                     "bought twice, and another take is another variation. Where error.retry_after is given, call "
                     "again after so many seconds. ";
  text += terms.maximumCost > 0 ? "This server may spend " + usdText(terms.maximumCost) + " in all"
                                : "This server buys nothing: it was started without --max-cost";
  if (terms.maximumCost > 0 && terms.maximumCostPerCall > 0)
    text += " and " + usdText(terms.maximumCostPerCall) + " a call";
  return text + (terms.outputFolder.empty() ? ". It writes no files." : ". Files are made below one folder.");
}

std::vector<McpServer::Tool> McpTools::tools() {
  const Schema timeout = whole("Seconds to wait at most; 20 if not given", 1, longestPatience);
  const Schema job = whole("The number of a job", 1, highestJob);
  const Schema jobList = json::Value::object(
      {{"type", "array"}, {"items", job}, {"minItems", 1}, {"maxItems", 1000}, {"description", "Their numbers"}});
  return {
      {"models", "Video models", "Lists the video models that match words, or describes one with all its parameters.",
       object({{"words", text("Words that id, vendor or kind contain, such as: kling image-to-video")},
               {"id", text("Id of one model, of which everything is told")}}),
       annotations(true, true, false),
       [this](const auto &arguments, const auto &reply) {
         return models(arguments, reply);
       }},
      {"check", "Check a request",
       "Checks a request against the model's documentation and tells its price. Buys nothing.", requestSchema(),
       annotations(true, true, true),
       [this](const auto &arguments, const auto &reply) {
         return check(arguments, reply);
       }},
      {"submit", "Buy a clip",
       "Buys a generation and returns its job when the service has accepted it, without waiting for the clip. COSTS "
       "MONEY, within the limits of this server. The same request again returns the same job and buys nothing.",
       requestSchema(), annotations(false, true, true),
       [this](const auto &arguments, const auto &reply) {
         return submit(arguments, reply);
       }},
      {"wait", "Wait for jobs", "Waits until the service has made the clips of jobs. Fetches nothing, buys nothing.",
       object({{"jobs", jobList}, {"timeout", timeout}}, {"jobs"}), annotations(true, true, true),
       [this](const auto &arguments, const auto &reply) {
         return wait(arguments, reply);
       }},
      {"fetch", "Fetch a clip",
       "Puts the clip of a job into a new file below the output folder. Buys nothing. If it takes longer than the "
       "timeout, it goes on, and the same call again waits for it.",
       object({{"job", job},
               {"output", text("Relative path of the file, such as boat.mp4")},
               {"profile", text(("What to make of the clip: " + profileNames() + "; mp4 keeps it as it is").c_str())},
               {"size", text("Size of the frames, such as 1280x720")},
               {"rate", text("Frames per second")},
               {"timeout", timeout}},
              {"job", "output"}),
       annotations(false, true, true),
       [this](const auto &arguments, const auto &reply) {
         return fetch(arguments, reply);
       }},
      {"jobs", "What was bought", "Lists the newest jobs of this user's ledger, or tells all that is known of one.",
       object({{"job", job},
               {"words", text("Words that prompt, output, model or an id contain")},
               {"unfinished", json::Value::object({{"type", "boolean"}, {"description", "Only those under way"}})},
               {"limit", whole("How many at most; 20 if not given", 1, 1000)}}),
       annotations(true, true, false),
       [this](const auto &arguments, const auto &reply) {
         return jobs(arguments, reply);
       }},
      {"balance", "Balance", "Tells how much money the account has left.", object({}), annotations(true, true, true),
       [this](const auto &arguments, const auto &reply) -> Begun {
         if (const auto known = checkNames(arguments, {}); !known)
           return tl::unexpected(known.error());
         return balance(reply);
       }},
  };
}

std::vector<McpServer::Resource> McpTools::resources() const {
  return {
      {"aimlvideo-data:catalogue", "Models", "All video models that are known, with their parameters",
       [] {
         return json::Value(catalogueFacts());
       }},
      {"aimlvideo-data:ledger", "Ledger", "All jobs of this user, newest first",
       [] {
         json::Value list = json::Value::array();
         if (const auto rows = ledgerRows())
           for (const LedgerRow &row : *rows)
             list.add(jsonOf(row));
         return json::Value::object({{"jobs", list}});
       }},
  };
}

McpTools::Begun McpTools::models(const json::Value &arguments, const Reply &reply) const {
  if (const auto known = checkNames(arguments, {"words", "id"}); !known)
    return tl::unexpected(known.error());
  const std::string id = arguments["id"].string();
  const Model *model = id.empty() ? nullptr : Catalogue::instance().find(id);
  if (!id.empty() && !model) {
    const std::string nearest = nearestTo(id, Catalogue::instance().names());
    const auto unknown = failure(ErrorKind::NotFound, "the model \"" + id + "\" is not known", "",
                                 nearest.empty() ? "List those that are" : "Did you mean " + nearest + "?");
    return atOnce(reply, answerOf("models", {}, jsonOf(unknown.value())));
  }
  const auto words = wordsIn(arguments["words"].string());
  json::Value found = json::Value::array();
  for (const json::Value &entry : json::Value(catalogueFacts())["models"].elements()) {
    if (model && entry["id"].string() == model->id)
      return atOnce(reply, answerOf("models", entry));
    if (matches(entry, words))
      found.add(shortOf(entry));
  }
  return atOnce(reply, answerOf("models", json::Value::object({{"models", found}})));
}

McpTools::Begun McpTools::check(const json::Value &arguments, const Reply &reply) const {
  const auto texts = requestIn(arguments);
  if (!texts)
    return tl::unexpected(texts.error());
  runInBackground([terms = terms_, texts = *texts, reply] {
    const auto row = readRequest(texts, terms->requests);
    const auto found =
        row ? quote(row->order.settings, 1, Asking::Service) : Result<Quote>(tl::unexpected(row.error()));
    if (found)
      reply(answerOf("check", jsonOf(*found)));
    else
      reply(answerOf("check", json::Value::object({{"valid", false}}), jsonOf(found.error())));
  });
  return std::make_shared<int>(0);
}

McpTools::Begun McpTools::submit(const json::Value &arguments, const Reply &reply) {
  const auto texts = requestIn(arguments);
  if (!texts)
    return tl::unexpected(texts.error());
  const auto purchase = std::make_shared<Purchase>(*this, reply);
  purchase->prepare(*texts);
  return purchase;
}

void McpTools::enqueue(const std::shared_ptr<Purchase> &purchase) {
  queue_.push_back(purchase);
  buyNext();
}

void McpTools::buyNext() {
  while (!buying_ && !queue_.empty()) {
    const auto next = queue_.front().lock();
    queue_.pop_front();
    if (!next)
      continue; // given up
    buying_ = next.get();
    next->buy();
  }
}

/// What may have been spent counts as spent.
void McpTools::settle(const Submitted &submitted) {
  const Status &status = submitted.status;
  const bool unknown = submitted.end == Submitted::End::Pending ||
                       (submitted.failure && submitted.failure->kind == ErrorKind::UnknownOutcome);
  if (status.bought() || unknown)
    spent_[submitted.job ? submitted.job->id : 0] =
        status.billed().usd.value_or(status.estimatedUsd.value_or(terms_->maximumCost));
}

/// What has turned out not to be billed is not spent.
double McpTools::leftToSpend() const {
  using State = LedgerRow::State;
  double spent = 0;
  for (const auto &[job, usd] : spent_) {
    const auto row = ledgerRow(job);
    const bool free =
        row && *row &&
        ((*row)->state == State::Failed || (*row)->state == State::Moderated || (*row)->state == State::NotBought);
    spent += free ? 0 : usd;
  }
  return std::max(terms_->maximumCost - spent, 0.0);
}

/// Of the next purchase, as `max-cost`.
double McpTools::cap() const {
  const double left = leftToSpend();
  const double most = terms_->maximumCostPerCall > 0 ? std::min(left, terms_->maximumCostPerCall) : left;
  return most > 0 ? most + half : nothing;
}

json::Value McpTools::tooDear(double estimated) const {
  const McpTerms &terms = *terms_;
  std::string message = "It would cost about " + usdText(estimated) + ", and nothing was bought: ";
  if (terms.maximumCost <= 0)
    message += "this server was started without --max-cost, so it buys nothing.";
  else
    message += "this server may still spend " + usdText(leftToSpend()) +
               (terms.maximumCostPerCall > 0 ? ", and " + usdText(terms.maximumCostPerCall) + " a call." : ".");
  return errorOf("over-budget", message);
}

McpTools::Begun McpTools::wait(const json::Value &arguments, const Reply &reply) const {
  if (const auto known = checkNames(arguments, {"jobs", "timeout"}); !known)
    return tl::unexpected(known.error());
  const auto patience = wholeIn(arguments["timeout"], "timeout", 1, longestPatience, usualPatience);
  if (!patience)
    return tl::unexpected(patience.error());
  const auto numbers = arguments["jobs"].elements();
  if (numbers.empty() || numbers.size() > 1000)
    return tl::unexpected(std::string("jobs is a list of 1 to 1000 numbers"));
  std::vector<LedgerRow> rows;
  for (const json::Value &entry : numbers) {
    const auto number = wholeIn(entry, "a job", 1, highestJob, 0);
    if (!number)
      return tl::unexpected(number.error());
    auto row = jobNamed(std::to_string(*number));
    if (!row)
      return atOnce(reply, answerOf("wait", {}, jsonOf(row.error())));
    rows.push_back(std::move(*row));
  }
  return std::make_shared<Waiter>(rows, terms_->service, std::chrono::seconds(*patience),
                                  [reply](const std::vector<Waited> &waited) { reply(answerOf(waited)); });
}

McpTools::Begun McpTools::fetch(const json::Value &arguments, const Reply &reply) {
  if (const auto known = checkNames(arguments, {"job", "output", "profile", "size", "rate", "timeout"}); !known)
    return tl::unexpected(known.error());
  const auto patience = wholeIn(arguments["timeout"], "timeout", 1, longestPatience, usualPatience);
  const auto number = wholeIn(arguments["job"], "job", 1, highestJob, 0);
  if (!patience || !number)
    return tl::unexpected(patience ? number.error() : patience.error());
  const auto refused = [&reply](const Error &error) {
    return atOnce(reply, answerOf("fetch", {}, jsonOf(error)));
  };
  Order order = terms_->requests.shared;
  const auto place = placeBelow(terms_->outputFolder, arguments["output"].string());
  if (!place)
    return refused(place.error());
  order.output = *place;
  const auto profile = arguments["profile"].exists() ? findProfile(arguments["profile"].string()) : order.profile;
  if (!profile)
    return refused(profile.error());
  order.profile = *profile;
  if (const auto size = arguments["size"].string(); !size.empty())
    if (const auto read = parseSize(size, order.shape); !read)
      return refused(read.error());
  if (const auto rate = arguments["rate"]; rate.exists())
    if (const auto read = parseRate(rate.isString() ? rate.string() : rate.dump(), order.shape); !read)
      return refused(read.error());
  auto row = jobNamed(std::to_string(*number));
  if (!row)
    return refused(row.error());
  const auto fetching = std::make_shared<Fetching>(*this, reply, std::move(*row), std::move(order), *patience);
  fetching->begin();
  return fetching;
}

/// Where a file is being made, or was made and is there: the same call again is answered alike.
McpTools::Making *McpTools::makingOf(const std::string &output) {
  const auto found = makings_.find(output);
  if (found == makings_.end())
    return nullptr;
  const json::Value &envelope = found->second->envelope;
  const bool isThere = envelope["ok"].boolean() && g_file_test(output.c_str(), G_FILE_TEST_EXISTS);
  if (!envelope.exists() || isThere)
    return found->second.get();
  makings_.erase(found);
  return nullptr;
}

McpTools::Begun McpTools::jobs(const json::Value &arguments, const Reply &reply) const {
  if (const auto known = checkNames(arguments, {"job", "words", "unfinished", "limit"}); !known)
    return tl::unexpected(known.error());
  const auto limit = wholeIn(arguments["limit"], "limit", 1, 1000, 20);
  const auto number = wholeIn(arguments["job"], "job", 1, highestJob, 0);
  if (!limit || !number)
    return tl::unexpected(limit ? number.error() : limit.error());
  if (*number > 0) {
    const auto row = jobNamed(std::to_string(*number));
    return atOnce(reply, row ? answerOf("jobs show", jsonOf(*row)) : answerOf("jobs show", {}, jsonOf(row.error())));
  }
  const auto rows = ledgerRows();
  if (!rows)
    return atOnce(reply, answerOf("jobs list", {}, jsonOf(rows.error())));
  JobFilter filter;
  filter.words = wordsIn(arguments["words"].string());
  if (arguments["unfinished"].boolean())
    filter.states = {LedgerRow::State::Sent, LedgerRow::State::Running};
  return atOnce(reply, answerOf("jobs list", jsonOfJobs(*rows, filter, static_cast<size_t>(*limit))));
}

McpTools::Begun McpTools::balance(const Reply &reply) const {
  const auto call = std::make_shared<Abandonable>();
  runInBackground([terms = terms_, call = std::weak_ptr(call), reply] {
    const auto alive = call.lock();
    if (!alive)
      return;
    const auto balance = fetchBalance(terms->service, alive->cancellation);
    if (balance)
      reply(answerOf("balance",
                     json::Value::object({{"balance", rounded(balance->amount)}, {"currency", balance->currency}})));
    else
      reply(answerOf("balance", {}, jsonOf(balance.error())));
  });
  return call;
}

} // namespace aimlvideo::cli
