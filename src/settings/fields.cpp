// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/field.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <optional>

#include <aimlvideo/money.h>

#include "api/faults.h"
#include "base/byte_count.h"
#include "base/glib_ptr.h"

namespace aimlvideo {

namespace {

template <typename Enum>
constexpr Choice choice(Enum value, const char *name, const char *meaning) {
  return {static_cast<int>(value), name, meaning};
}

template <auto Member>
constexpr Choices choices(const char *type, std::span<const Choice> all) {
  return {type, all, [](const Settings &settings) { return static_cast<int>(settings.*Member); },
          [](Settings &settings, int value) {
            auto &member = settings.*Member;
            member = static_cast<std::remove_reference_t<decltype(member)>>(value);
          }};
}

constexpr Choice endpoints[] = {
    choice(EndpointChoice::Auto, "auto", "Universal, or legacy if the service does not know the universal path"),
    choice(EndpointChoice::Universal, "universal", "/v2/video/generations"),
    choice(EndpointChoice::Legacy, "legacy", "/v2/generate/video/VENDOR/generation"),
};
constexpr Choice sounds[] = {
    choice(GenerateAudio::No, "false", "No sound track"),
    choice(GenerateAudio::Yes, "true", "With a sound track"),
    choice(GenerateAudio::Default, "default", "Not sent: the model's default"),
};
constexpr Choice reuses[] = {
    choice(Reuse::None, "none", "None: buy again"),
    choice(Reuse::Unfinished, "unfinished", "Resume a generation that has not ended"),
    choice(Reuse::All, "all", "Replay a finished clip as well"),
};
constexpr Choice onUnknowns[] = {
    choice(OnUnknown::Fail, "fail", "An error that says how to settle it"),
    choice(OnUnknown::Resubmit, "resubmit", "Submit again, which may buy twice"),
};
constexpr Choice onLosts[] = {
    choice(OnLost::Fail, "fail", "An error that says what it cost"),
    choice(OnLost::Buy, "buy", "Buy another one, once per run"),
};
constexpr Choice storePrompts[] = {
    choice(StorePrompt::No, "false", "Keep neither"),
    choice(StorePrompt::Yes, "true", "Keep both"),
    choice(StorePrompt::Default, "default", "Keep both, unless others can read the ledger"),
};

constexpr Choice marks[] = {
    choice(Mark::Auto, "auto", "Behind the clip's last byte, where that harms nothing"),
    choice(Mark::None, "none", "The clip as the service made it"),
    choice(Mark::Force, "force", "Also where it makes a signature or an index at the clip's end useless"),
};

/// A URI that may stand in a drawing of the pipeline.
std::string withoutUser(const std::string &text) {
  if (text.find('@') == std::string::npos)
    return text;
  // what is no URI may still hold a password
  const auto uri = adopt(g_uri_parse(text.c_str(), G_URI_FLAGS_ENCODED, nullptr));
  const GCharPtr shown(uri ? g_uri_to_string_partial(uri.get(), G_URI_HIDE_USERINFO) : g_strdup("***"));
  return shown.get();
}

std::string shownProxy(const Settings &settings) {
  return withoutUser(settings.proxy);
}

constexpr auto anywhere = Field::InUri | Field::InPreset | Field::InManifest | Field::OnCommandLine;
constexpr auto wanted = anywhere | Field::SentToModel;
constexpr auto frame = Field::InUri | Field::InManifest | Field::OnCommandLine | Field::SentToModel | Field::IsMedium;
constexpr auto option = Field::OnCommandLine;
using enum FieldGroup;

// clang-format off
constexpr Field table[] = {
    {.name = "prompt", .title = "Prompt", .about = "What should happen in the clip",
     .member = &Settings::prompt, .group = Request, .uses = wanted, .letter = 'p'},
    {.name = "negative-prompt", .title = "Negative prompt", .about = "What to keep out of the clip",
     .member = &Settings::negativePrompt, .group = Request, .uses = wanted},
    {.name = "prompt-file", .title = "Prompt file",
     .about = "UTF-8 text file with the prompt, instead of the property prompt; trailing line breaks are dropped",
     .member = &Settings::promptFile, .group = Request, .uses = Field::InManifest | option | Field::IsFile},
    {.name = "image", .title = "First frame",
     .about = "First frame of the clip: path, file:, http(s): or data: URI of a PNG, JPEG or WebP image, at most 50 MB",
     .member = &Settings::image, .group = Request, .uses = frame, .letter = 'i'},
    {.name = "tail-image", .title = "Last frame",
     .about = "Last frame of the clip, given like image, for models that take one",
     .member = &Settings::tailImage, .group = Request, .uses = frame},
    {.name = "model", .title = "Model",
     .about = "Id of the model; unset: klingai/video-v2-6-pro-image-to-video with an image, "
              "klingai/video-v2-6-pro-text-to-video without",
     .member = &Settings::model, .group = Request, .uses = Field::InPreset | Field::InManifest | option, .letter = 'm'},
    {.name = "duration", .title = "Duration",
     .about = "Length of the clip in seconds, where the model offers a choice; 0: the model's default",
     .member = &Settings::duration, .group = Request, .uses = wanted, .most = INT_MAX, .unit = "seconds", .letter = 'd'},
    {.name = "aspect-ratio", .title = "Aspect ratio",
     .about = "Shape of the frame such as 16:9, 9:16 or 1:1, for models that take it; with an image most follow the image",
     .member = &Settings::aspectRatio, .group = Request, .uses = wanted},
    {.name = "cfg-scale", .title = "CFG scale",
     .about = "How strictly to follow the prompt, 0 (loose) to 1 (strict) with most models; -1: the model's default",
     .member = &Settings::cfgScale, .group = Request, .uses = wanted, .most = 100},
    {.name = "generate-audio", .title = "Generate audio",
     .about = "Whether to make a sound track too, for models that can (this changes the price)",
     .member = choices<&Settings::generateAudio>("GenerateAudio", sounds), .group = Request, .uses = wanted},
    {.name = "seed", .title = "Seed",
     .about = "Seed of the random numbers, for models that take one: the same seed makes a similar clip; -1: not sent",
     .member = &Settings::seed, .group = Request, .uses = wanted, .most = UINT_MAX},
    {.name = "parameters", .title = "Parameters",
     .about = "Any other parameters of the model: a JSON object, or @FILE with one in a file; what another property sets "
              "must not be in it",
     .member = &Settings::parameters, .group = Request, .uses = anywhere},
    {.name = "strict", .title = "Strict",
     .about = "Refuse a parameter that is not in the model's documentation, which is otherwise sent with a warning; a "
              "misspelt one is always refused",
     .member = &Settings::strict, .group = Request, .uses = option},

    {.name = "api-key", .title = "API key",
     .about = "Key of the AI/ML API; can't be read back. Unset: api-key-file, else the environment's AIMLAPI_KEY, "
              "AIMLAPI_API_KEY or AIML_API_KEY, else the systemd credential aimlapi-key",
     .member = &Settings::apiKey, .group = Service, .uses = Field::WriteOnly},
    {.name = "api-key-file", .title = "API key file", .about = "File with the API key in its first line",
     .member = &Settings::apiKeyFile, .group = Service, .uses = option | Field::IsFile},
    {.name = "base-url", .title = "Base URL",
     .about = "Address of the service; https, or http on loopback; any other than the default needs api-key or "
              "api-key-file as well. Unset: the environment's AIMLAPI_BASE_URL, else https://api.aimlapi.com",
     .member = &Settings::baseUrl, .group = Service, .uses = option, .shown = effectiveBaseUrl},
    {.name = "endpoint", .title = "Endpoint", .about = "Family of paths on which generations are created and polled",
     .member = choices<&Settings::endpoint>("Endpoint", endpoints), .group = Service, .uses = option},
    {.name = "timeout", .title = "Timeout",
     .about = "Longest time in seconds from the start, or from the end of the wait for max-in-flight, to the complete "
              "clip; afterwards the generation can still be fetched by its id",
     .member = &Settings::timeout, .group = Service, .uses = Field::InPreset | option, .least = 1, .most = 7 * 24 * 3600,
     .unit = "seconds"},
    {.name = "poll-interval", .title = "Poll interval",
     .about = "Time in milliseconds between two polls of the state, at least 100; 0: adaptive, from 0.3 s at the "
              "start to 15 s",
     .member = &Settings::pollInterval, .group = Service, .uses = option, .most = INT_MAX, .unit = "milliseconds"},
    {.name = "max-in-flight", .title = "Maximum in flight",
     .about = "Submit only while fewer generations than this are in flight, submitted and not yet completed, in all "
              "elements of the process at this base-url; the others wait in line; 0: no limit",
     .member = &Settings::maximumInFlight, .group = Service, .uses = option, .most = UINT_MAX},
    {.name = "generation-id", .title = "Generation id",
     .about = "Fetch this generation, submit and buy nothing; with endpoint=auto both families of paths are tried",
     .member = &Settings::generationId, .group = Service, .uses = Field::InManifest | option | Field::WriteOnly},

    {.name = "reuse", .title = "Reuse",
     .about = "Which earlier purchases of the same request, of any process of this user, to resume instead of buying",
     .member = choices<&Settings::reuse>("Reuse", reuses), .group = Purchase, .uses = option},
    {.name = "take", .title = "Take",
     .about = "Number of the variation: the same request with another take is another purchase",
     .member = &Settings::take, .group = Purchase, .uses = Field::InUri | Field::InManifest | option, .most = UINT_MAX},
    {.name = "on-unknown", .title = "On unknown",
     .about = "What to do when it stays unknown whether the service accepted a submission, after looking it up until "
              "timeout",
     .member = choices<&Settings::onUnknown>("OnUnknown", onUnknowns), .group = Purchase, .uses = option},
    {.name = "on-lost", .title = "On lost",
     .about = "What to do when the service, asked for several minutes with the key that bought it, no longer knows "
              "what an earlier run had bought",
     .member = choices<&Settings::onLost>("OnLost", onLosts), .group = Purchase, .uses = option},
    {.name = "store-prompt", .title = "Store prompt",
     .about = "Whether to keep the prompt and the name of the output in the ledger of purchases on this machine, for "
              "`aimlvideo jobs`",
     .member = choices<&Settings::storePrompt>("StorePrompt", storePrompts), .group = Purchase, .uses = option},

    {.name = "max-cost", .title = "Maximum cost",
     .about = "Buy nothing whose estimated price in USD is above this, or not known; 0: no cap; with anything that is "
              "not an amount, such as -1, nothing is bought at all",
     .member = &Settings::maximumCost, .group = Price, .uses = option | Field::IsAmount, .most = G_MAXDOUBLE, .unit = "USD"},
    // changes what the pipeline carries, which only who made it can want
    {.name = "dry-run", .title = "Dry run",
     .about = "Check the request, estimate its price, report both and end with EOS; buy nothing",
     .member = &Settings::dryRun, .group = Price, .uses = 0},

    {.name = "mark", .title = "Mark",
     .about = "Whether the clip is delivered with a mark that says that a model has made it: an XMP box with IPTC's "
              "DigitalSourceType",
     .member = choices<&Settings::mark>("Mark", marks), .group = Delivery, .uses = option},
    {.name = "prompt-tag", .title = "Prompt tag",
     .about = "Whether the prompt goes along with the clip: in its mark, and as the title tag of the stream",
     .member = &Settings::promptTag, .group = Delivery, .uses = option},

    {.name = "max-clip-size", .title = "Maximum clip size",
     .about = "Largest clip in bytes that is downloaded; a larger one is an error",
     .member = &Settings::maximumClipSize, .group = Transport, .uses = option, .least = 1, .most = static_cast<double>(INT64_MAX),
     .unit = "bytes"},
    {.name = "temp-dir", .title = "Temporary folder",
     .about = "Folder for the clip while it is played, as an unnamed file, where the clip store in $XDG_CACHE_HOME can't "
              "be used; unset: /var/tmp",
     .member = &Settings::temporaryFolder, .group = Transport, .uses = option},
    {.name = "proxy", .title = "Proxy",
     .about = "URI of the HTTP proxy, which reads back without user and password; unset: the environment's https_proxy "
              "and no_proxy, else the system's",
     .member = &Settings::proxy, .group = Transport, .uses = option, .shown = shownProxy},
    {.name = "user-agent", .title = "User agent", .about = "Value of the User-Agent header",
     .member = &Settings::userAgent, .group = Transport, .uses = option},
};
// clang-format on

/// Digits alone, so that no sign, blank or prefix gets lost.
template <typename Number>
std::optional<Number> wholeNumber(const std::string &text, const Field &field) {
  guint64 number = 0;
  const auto least = static_cast<guint64>(field.least);
  // 2^63 as a double may be what was INT64_MAX
  const auto most =
      field.most >= static_cast<double>(INT64_MAX) ? guint64{INT64_MAX} : static_cast<guint64>(field.most);
  if (!g_ascii_string_to_unsigned(text.c_str(), 10, least, most, &number, nullptr))
    return {};
  return static_cast<Number>(number);
}

template <>
std::optional<uint64_t> wholeNumber<uint64_t>(const std::string &text, const Field &field) {
  const auto number = parseByteCount(text); // the fields of this type are sizes
  return number && static_cast<double>(*number) >= field.least ? number : std::nullopt;
}

/// strtod would take blanks, hexadecimal digits and words.
std::optional<double> decimal(const std::string &text, const Field &field) {
  if (text.empty() || text.find_first_not_of("0123456789.eE-") != std::string::npos)
    return {};
  char *end = nullptr;
  const double number = g_ascii_strtod(text.c_str(), &end);
  return *end == '\0' && number >= field.least && number <= field.most ? std::optional(number) : std::nullopt;
}

std::optional<bool> truth(const std::string &text) {
  const GCharPtr word(g_ascii_strdown(text.c_str(), -1));
  for (const auto &[name, value] : {std::pair("true", true), std::pair("yes", true), std::pair("1", true),
                                    std::pair("false", false), std::pair("no", false), std::pair("0", false)})
    if (g_str_equal(word.get(), name))
      return value;
  return {};
}

std::string writtenNumber(double number) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number);
  return {buffer, end.ptr};
}

const Settings &defaults() {
  static const auto *const settings = new Settings;
  return *settings;
}

} // namespace

std::span<const Field> fields() {
  return table;
}

const Field *findField(std::string_view name) {
  const auto found = std::ranges::find_if(table, [name](const Field &field) { return field.name == name; });
  return found == std::end(table) ? nullptr : found;
}

bool isSet(const Settings &settings, const Field &field) {
  return std::visit(Overload{[&](const Choices &member) { return member.get(settings) != member.get(defaults()); },
                             [&](Secret Settings::*member) { return !(settings.*member).empty(); },
                             [&](auto member) {
                               return settings.*member != defaults().*member;
                             }},
                    field.member);
}

void copyField(const Field &field, const Settings &from, Settings &to) {
  std::visit(Overload{[&](const Choices &member) { member.set(to, member.get(from)); },
                      [&](auto member) {
                        to.*member = from.*member;
                      }},
             field.member);
}

Result<void> setFromText(Settings &settings, const Field &field, const std::string &text) {
  const auto take = [&](auto member, const auto &value) {
    if (!value)
      return false;
    settings.*member = *value;
    return true;
  };
  // the default, which means that nothing is said, may lie outside of the range
  if (!text.empty() && text == textOf(defaults(), field)) {
    copyField(field, defaults(), settings);
    return {};
  }
  const bool taken =
      std::visit(Overload{[&](const Choices &member) {
                            const auto found =
                                std::ranges::find_if(member.all, [&](const Choice &one) { return text == one.name; });
                            if (found != member.all.end())
                              member.set(settings, found->value);
                            return found != member.all.end();
                          },
                          [&](std::string Settings::*member) { return take(member, std::optional(text)); },
                          [&](Secret Settings::*member) { return take(member, std::optional(Secret(text))); },
                          [&](bool Settings::*member) { return take(member, truth(text)); },
                          [&](double Settings::*member) {
                            return take(member, field.is(Field::IsAmount) ? parseUsd(text) : decimal(text, field));
                          },
                          [&]<typename Number>(Number Settings::*member) {
                            return take(member, wholeNumber<Number>(text, field));
                          }},
                 field.member);
  if (taken)
    return {};
  return failure(ErrorKind::BadRequest, std::string(field.name) + " can't be " + quoted(text),
                 "allowed is " + allowedFor(field));
}

std::string textOf(const Settings &settings, const Field &field) {
  return std::visit(Overload{[&](const Choices &member) {
                               const int value = member.get(settings);
                               const auto found = std::ranges::find_if(
                                   member.all, [&](const Choice &one) { return value == one.value; });
                               return std::string(found == member.all.end() ? "" : found->name);
                             },
                             [&](std::string Settings::*member) { return settings.*member; },
                             [&](Secret Settings::*) { return std::string(); },
                             [&](bool Settings::*member) { return std::string(settings.*member ? "true" : "false"); },
                             [&](double Settings::*member) { return writtenNumber(settings.*member); },
                             [&](auto member) {
                               return std::to_string(settings.*member);
                             }},
                    field.member);
}

std::string allowedFor(const Field &field) {
  const auto range = [&] {
    return field.most < INT_MAX || field.least > 0 // what is larger is no limit that anybody meets
               ? " from " + writtenNumber(field.least) + " to " + writtenNumber(field.most)
               : "";
  };
  const std::string unit = field.unit ? " of " + std::string(field.unit) : "";
  return std::visit(
      Overload{[&](const Choices &member) {
                 std::string names;
                 for (size_t i = 0; i < member.all.size(); ++i)
                   names += (i == 0 ? "" : i + 1 < member.all.size() ? ", " : " or ") + std::string(member.all[i].name);
                 return names;
               },
               [&](std::string Settings::*) {
                 return std::string(field.is(Field::IsMedium) ? "a path, or a file:, http(s): or data: URI"
                                                              : "any text");
               },
               [](Secret Settings::*) { return std::string("any text"); },
               [](bool Settings::*) { return std::string("true or false"); },
               [&](double Settings::*) {
                 return field.is(Field::IsAmount) ? std::string("an amount in USD such as 0.50")
                                                  : "a number" + unit + range();
               },
               [&](uint64_t Settings::*) { return std::string("a number of bytes such as 500MB, 1.5GB or 8GiB"); },
               [&](auto) {
                 return "a whole number" + unit + range();
               }},
      field.member);
}

} // namespace aimlvideo
