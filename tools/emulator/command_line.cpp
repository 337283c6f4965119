// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/command_line.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "config.h"
#include "emulator/wire/media.h"

namespace aimlvideo::emulator {

namespace {

using Outcome = tl::expected<void, std::string>;

constexpr char summary[] = "Stands in for the AI/ML API's video service on this machine: takes the same requests,\n"
                           "checks them as strictly, answers in the same words, and renders a real MP4 for each.\n"
                           "Nothing leaves the machine and nothing costs money.";

constexpr char description[] =
    "Once it is ready, the emulator prints one line to standard output:\n"
    "  listening on http://127.0.0.1:PORT\n"
    "Use that address in place of https://api.aimlapi.com, with any key. SIGTERM or SIGINT ends it.\n\n"
    "To see what it does:   http://127.0.0.1:PORT/emulator/\n"
    "What was asked of it:  GET  /emulator/report\n"
    "To start afresh:       POST /emulator/reset\n"
    "To make things fail:   POST /emulator/faults, or --scenario\n\n"
    "Examples:\n"
    "  aimlapi-emulator                                  on port 8089, each generation takes 2 s\n"
    "  aimlapi-emulator --port 0 --generation-time 0.1 --render-size 320\n"
    "                                                    quick, for tests\n"
    "  aimlapi-emulator --generation-time realistic --speed 10\n"
    "                                                    the documented times, ten times as fast\n"
    "  aimlapi-emulator --scenario faults.json --seed 1  with faults, the same ones each time\n\n"
    "See aimlapi-emulator(1) and docs/emulator.md.";

template <typename T, size_t N>
tl::expected<T, std::string> choose(const char *option, const std::string &text,
                                    const std::array<std::pair<const char *, T>, N> &choices) {
  std::string known;
  for (const auto &[name, value] : choices) {
    if (text == name)
      return value;
    known += std::string(known.empty() ? "" : ", ") + name;
  }
  return tl::unexpected(std::string(option) + " must be one of " + known + ", not '" + text + "'");
}

constexpr std::array<std::pair<const char *, Layout>, 3> layouts = {
    {{"faststart", Layout::FastStart}, {"moov-last", Layout::MoovLast}, {"fragmented", Layout::Fragmented}}};

constexpr std::array<std::pair<const char *, IdShape>, 8> idShapes = {{{"model", IdShape::Model},
                                                                       {"uuid", IdShape::Uuid},
                                                                       {"nano", IdShape::Nano},
                                                                       {"digits", IdShape::Digits},
                                                                       {"digits-model", IdShape::DigitsModel},
                                                                       {"dated", IdShape::Dated},
                                                                       {"hex", IdShape::Hex},
                                                                       {"mixed", IdShape::Mixed}}};

constexpr std::array<std::pair<const char *, ReplyShape>, 9> replyShapes = {
    {{"documented", ReplyShape::Documented},
     {"schema", ReplyShape::Schema},
     {"generation-id", ReplyShape::GenerationId},
     {"video-array", ReplyShape::VideoArray},
     {"video-strings", ReplyShape::VideoStrings},
     {"extras", ReplyShape::Extras},
     {"old-usage", ReplyShape::OldUsage},
     {"placeholders", ReplyShape::Placeholders},
     {"mixed", ReplyShape::Mixed}}};

constexpr std::array<std::pair<const char *, UnknownKeys>, 3> keyPolicies = {
    {{"ignore", UnknownKeys::Ignore}, {"warn", UnknownKeys::Warn}, {"refuse", UnknownKeys::Refuse}}};

tl::expected<double, std::string> readSeconds(const char *option, const std::string &text) {
  char *end = nullptr;
  double seconds = g_ascii_strtod(text.c_str(), &end);
  if (text.empty() || *end || !(seconds >= 0 && seconds <= 1e6))
    return tl::unexpected(std::string(option) + " must be a number of seconds, not '" + text + "'");
  return seconds;
}

/// A number with k, M or G behind it.
tl::expected<double, std::string> readRate(const std::string &text) {
  char *end = nullptr;
  const double rate = g_ascii_strtod(text.c_str(), &end);
  const std::string unit = end;
  const double factor = unit == "k" ? 1e3 : unit == "M" ? 1e6 : unit == "G" ? 1e9 : unit.empty() ? 1 : 0;
  if (end == text.c_str() || rate <= 0 || factor == 0)
    return tl::unexpected("--bandwidth must be a number of bytes per second such as 500k or 2.5M, not '" + text + "'");
  return rate * factor;
}

/// "completed=succeeded,queued=waiting"; a word alone is for completed.
tl::expected<std::map<std::string, std::string>, std::string> readSpelling(const std::string &text) {
  std::map<std::string, std::string> spelling;
  const GStrvPtr parts(g_strsplit(text.c_str(), ",", -1));
  for (char **part = parts.get(); *part; ++part) {
    const std::string word = *part;
    const size_t equals = word.find('=');
    std::string state = equals == std::string::npos ? "completed" : word.substr(0, equals);
    if (state == "failed")
      state = "error";
    if (state != "queued" && state != "generating" && state != "completed" && state != "error")
      return tl::unexpected("--state-spelling knows the states queued, generating, completed and error, not '" + state +
                            "'");
    spelling[state] = equals == std::string::npos ? word : word.substr(equals + 1);
  }
  return spelling;
}

/// "completed", "completed+SECONDS" or "SECONDS".
tl::expected<LogDelay, std::string> readLogDelay(std::string text) {
  constexpr std::string_view completed = "completed";
  LogDelay delay;
  delay.whenCompleted = text.starts_with(completed);
  if (delay.whenCompleted) {
    text.erase(0, completed.size());
    if (text.empty())
      return delay;
    if (text.front() != '+')
      return tl::unexpected<std::string>("--log-delay must be SECONDS, completed or completed+SECONDS");
    text.erase(0, 1);
  }
  auto seconds = readSeconds("--log-delay", text);
  if (!seconds)
    return tl::unexpected(seconds.error());
  delay.seconds = *seconds;
  return delay;
}

/// The command line as GOption reads it, owned here until it is turned into Options.
struct Raw {
  char *bind = nullptr;
  int port = 8089;
  char **keys = nullptr;
  char **allowedHosts = nullptr;
  char *generationTime = nullptr;
  double speed = 1;
  char *layout = nullptr;
  int renderSize = 0;
  char *clip = nullptr;
  char *clipHost = nullptr;
  char *idShape = nullptr;
  char *replyShape = nullptr;
  char *stateSpelling = nullptr;
  char *unknownKeys = nullptr;
  char *logDelay = nullptr;
  char *latency = nullptr;
  char *bandwidth = nullptr;
  char *tls = nullptr;
  char *scenario = nullptr;
  int history = 1000;
  char *retention = nullptr;
  double balance = 100'000;
  char *seed = nullptr;
  char **rest = nullptr;
  gboolean unknownModels = FALSE, allowRemote = FALSE, verbose = FALSE, exitWithParent = FALSE, version = FALSE;

  Raw() = default;
  Raw(const Raw &) = delete;
  Raw &operator=(const Raw &) = delete;
  ~Raw() {
    for (char *text : {bind, generationTime, layout, clip, clipHost, idShape, replyShape, stateSpelling, unknownKeys,
                       logDelay, latency, bandwidth, tls, scenario, retention, seed})
      g_free(text);
    g_strfreev(keys);
    g_strfreev(allowedHosts);
    g_strfreev(rest);
  }
};

std::string textOr(const char *text, const char *fallback) {
  return text ? text : fallback;
}

using Entries = std::vector<GOptionEntry>;

Entries servingEntries(Raw &raw) {
  return {
      {"port", 'p', 0, G_OPTION_ARG_INT, &raw.port, "Port to listen on; 0 takes a free one (default: 8089)", "PORT"},
      {"bind", 0, 0, G_OPTION_ARG_STRING, &raw.bind, "Address to listen on (default: 127.0.0.1)", "ADDRESS"},
      {"allow-remote", 0, 0, G_OPTION_ARG_NONE, &raw.allowRemote, "Let --bind name an address that others can reach",
       nullptr},
      {"allow-host", 0, 0, G_OPTION_ARG_STRING_ARRAY, &raw.allowedHosts,
       "Answer requests for this host name too; may be repeated (default: names and addresses of loopback)", "NAME"},
      {"tls", 0, 0, G_OPTION_ARG_FILENAME, &raw.tls, "Serve https with this certificate and key (PEM files)",
       "CERT KEY"},
      {"key", 'k', 0, G_OPTION_ARG_STRING_ARRAY, &raw.keys, "Accept this key only; may be repeated (default: any key)",
       "KEY"},
      {"verbose", 'v', 0, G_OPTION_ARG_NONE, &raw.verbose, "Log each request to standard error, without keys", nullptr},
      {"exit-with-parent", 0, 0, G_OPTION_ARG_NONE, &raw.exitWithParent, "End when the parent process ends", nullptr},
      {"history", 0, 0, G_OPTION_ARG_INT, &raw.history, "Ended tasks to remember (default: 1000)", "COUNT"},
      {"retention", 0, 0, G_OPTION_ARG_STRING, &raw.retention,
       "How long ended tasks beyond these are remembered if they were not fetched (default: 86400)", "SECONDS"},
      {"version", 0, 0, G_OPTION_ARG_NONE, &raw.version, "Print the version and exit", nullptr},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw.rest, nullptr, nullptr},
      {}};
}

Entries behaviourEntries(Raw &raw) {
  return {{"generation-time", 't', 0, G_OPTION_ARG_STRING, &raw.generationTime,
           "How long a generation takes, or 'realistic' for the documented time of its model, with spread (default: 2)",
           "SECONDS"},
          {"speed", 0, 0, G_OPTION_ARG_DOUBLE, &raw.speed,
           "Makes realistic times that many times as short (default: 1)", "FACTOR"},
          {"id-shape", 0, 0, G_OPTION_ARG_STRING, &raw.idShape,
           "Form of generation ids: model, uuid, nano, digits, digits-model, dated, hex or mixed (default: model)",
           "SHAPE"},
          {"reply-shape", 0, 0, G_OPTION_ARG_STRING, &raw.replyShape,
           "Form of the answers: documented (by model), schema, generation-id, video-array, video-strings, extras, "
           "old-usage, placeholders or mixed (default: documented)",
           "SHAPE"},
          {"state-spelling", 0, 0, G_OPTION_ARG_STRING, &raw.stateSpelling,
           "What to call states, such as completed=succeeded,queued=waiting,generating=active,error=failed", "WORDS"},
          {"unknown-models", 0, 0, G_OPTION_ARG_NONE, &raw.unknownModels,
           "Take any model, and check nothing of one that is not known", nullptr},
          {"unknown-keys", 0, 0, G_OPTION_ARG_STRING, &raw.unknownKeys,
           "Parameters that the model's schema does not have: ignore, warn or refuse (default: ignore)", "WHAT"},
          {"log-delay", 0, 0, G_OPTION_ARG_STRING, &raw.logDelay,
           "When /v2/logs lists a generation: SECONDS after it was accepted, 'completed', or 'completed+SECONDS' "
           "(default: completed)",
           "WHEN"},
          {"balance", 0, 0, G_OPTION_ARG_DOUBLE, &raw.balance,
           "Money in the account; a generation beyond it is refused (default: 100000)", "USD"},
          {"latency", 0, 0, G_OPTION_ARG_STRING, &raw.latency, "Wait before each answer of the service (default: 0)",
           "SECONDS"},
          {"bandwidth", 0, 0, G_OPTION_ARG_STRING, &raw.bandwidth,
           "Bytes per second of each clip download, such as 2.5M (default: no limit)", "RATE"},
          {"scenario", 0, 0, G_OPTION_ARG_FILENAME, &raw.scenario, "Faults to start with, a JSON file", "FILE"},
          {"seed", 0, 0, G_OPTION_ARG_STRING, &raw.seed, "Makes ids, times and faults the same in each run", "NUMBER"},
          {}};
}

Entries clipEntries(Raw &raw) {
  return {{"layout", 0, 0, G_OPTION_ARG_STRING, &raw.layout,
           "Layout of the MP4 files: faststart, moov-last or fragmented (default: faststart)", "LAYOUT"},
          {"render-size", 0, 0, G_OPTION_ARG_INT, &raw.renderSize,
           "Longest side of clips in pixels, whatever is asked for; small is quick (default: as asked)", "PIXELS"},
          {"clip", 0, 0, G_OPTION_ARG_FILENAME, &raw.clip, "Serve this MP4 for every task, render nothing", "FILE"},
          {"clip-host", 0, 0, G_OPTION_ARG_STRING, &raw.clipHost,
           "Name of this machine in the addresses of clips, to have them on another host than the API", "HOST"},
          {}};
}

Outcome parse(Raw &raw, int argc, char **argv) {
  const std::unique_ptr<GOptionContext, ReleasedBy<g_option_context_free>> context(g_option_context_new(nullptr));
  g_option_context_set_summary(context.get(), summary);
  g_option_context_set_description(context.get(), description);
  GOptionGroup *main = g_option_group_new("main", "", "", nullptr, nullptr);
  for (const Entries &entries : {servingEntries(raw), behaviourEntries(raw), clipEntries(raw)})
    g_option_group_add_entries(main, entries.data());
  g_option_context_set_main_group(context.get(), main);
  GErrorSlot error;
  if (!g_option_context_parse(context.get(), &argc, &argv, &error))
    return tl::unexpected<std::string>(error.message());
  return {};
}

Outcome readServing(const Raw &raw, Options &options) {
  options.address = textOr(raw.bind, "127.0.0.1");
  if (options.address == "localhost")
    options.address = "127.0.0.1";
  if (!raw.allowRemote && !isLoopbackHost(options.address))
    return tl::unexpected("'" + options.address + "' can be reached from outside; add --allow-remote if you mean it");
  if (raw.port < 0 || raw.port > 65535)
    return tl::unexpected<std::string>("--port must be from 0 to 65535");
  options.port = raw.port;
  for (char **key = raw.keys; key && *key; ++key)
    options.keys.emplace_back(*key);
  for (char **host = raw.allowedHosts; host && *host; ++host)
    options.allowedHosts.emplace_back(*host);
  const size_t rest = raw.rest ? g_strv_length(raw.rest) : 0;
  if (rest != (raw.tls ? 1U : 0U))
    return tl::unexpected(raw.tls ? std::string("--tls takes two files: CERT KEY")
                                  : "'" + std::string(raw.rest[0]) + "' is not an option");
  if (raw.tls) {
    options.tlsCertificate = raw.tls;
    options.tlsKey = raw.rest[0];
  }
  if (raw.history < 1)
    return tl::unexpected<std::string>("--history must be at least 1");
  options.history = size_t(raw.history);
  if (const auto seconds = readSeconds("--retention", textOr(raw.retention, "86400")); seconds)
    options.retention = *seconds;
  else
    return tl::unexpected(seconds.error());
  if (!(raw.balance >= 0 && raw.balance <= 1e9))
    return tl::unexpected<std::string>("--balance must be a sum from 0 to 1000000000");
  options.balance = raw.balance;
  options.verbose = raw.verbose;
  options.exitWithParent = raw.exitWithParent;
  return {};
}

/// Puts a value that was read into its place, or passes the error on.
template <typename T, typename U>
Outcome assign(T &target, const tl::expected<U, std::string> &value) {
  if (!value)
    return tl::unexpected(value.error());
  target = *value;
  return {};
}

Outcome readTimes(const Raw &raw, Options &options) {
  const std::string time = textOr(raw.generationTime, "2");
  options.realisticTimes = time == "realistic";
  if (!options.realisticTimes)
    if (const auto outcome = assign(options.generationSeconds, readSeconds("--generation-time", time)); !outcome)
      return outcome;
  if (raw.speed <= 0)
    return tl::unexpected<std::string>("--speed must be above 0");
  options.speed = raw.speed;
  if (const auto outcome = assign(options.latency, readSeconds("--latency", textOr(raw.latency, "0"))); !outcome)
    return outcome;
  if (raw.bandwidth)
    if (const auto outcome = assign(options.bandwidth, readRate(raw.bandwidth)); !outcome)
      return outcome;
  return assign(options.logDelay, readLogDelay(textOr(raw.logDelay, "completed")));
}

Outcome readBehaviour(const Raw &raw, Options &options) {
  if (const auto outcome = readTimes(raw, options); !outcome)
    return outcome;
  if (const auto outcome = assign(options.idShape, choose("--id-shape", textOr(raw.idShape, "model"), idShapes));
      !outcome)
    return outcome;
  if (auto outcome =
          assign(options.replyShape, choose("--reply-shape", textOr(raw.replyShape, "documented"), replyShapes));
      !outcome)
    return outcome;
  options.takesUnknownModels = raw.unknownModels;
  if (raw.stateSpelling)
    if (const auto outcome = assign(options.stateSpelling, readSpelling(raw.stateSpelling)); !outcome)
      return outcome;
  if (auto outcome =
          assign(options.unknownKeys, choose("--unknown-keys", textOr(raw.unknownKeys, "ignore"), keyPolicies));
      !outcome)
    return outcome;
  if (const auto outcome = assign(options.layout, choose("--layout", textOr(raw.layout, "faststart"), layouts));
      !outcome)
    return outcome;
  if (raw.seed) {
    guint64 seed = 0;
    if (!g_ascii_string_to_unsigned(raw.seed, 10, 0, G_MAXUINT, &seed, nullptr))
      return tl::unexpected<std::string>("--seed must be a whole number");
    options.seed = static_cast<unsigned>(seed);
  }
  if (raw.renderSize != 0 && raw.renderSize < 64)
    return tl::unexpected<std::string>("--render-size must be at least 64");
  options.renderSize = raw.renderSize;
  options.clipFile = textOr(raw.clip, "");
  options.clipHost = textOr(raw.clipHost, "");
  options.scenarioFile = textOr(raw.scenario, "");
  return {};
}

} // namespace

tl::expected<Options, std::string> readOptions(int argc, char **argv) {
  Raw raw;
  Options options;
  if (const auto parsed = parse(raw, argc, argv); !parsed)
    return tl::unexpected(parsed.error());
  if (raw.version) {
    std::printf("aimlapi-emulator %s\n", PACKAGE_VERSION);
    std::exit(0);
  }
  if (const auto serving = readServing(raw, options); !serving)
    return tl::unexpected(serving.error());
  if (const auto behaviour = readBehaviour(raw, options); !behaviour)
    return tl::unexpected(behaviour.error());
  return options;
}

} // namespace aimlvideo::emulator
