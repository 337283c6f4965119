// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report_page.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <aimlvideo/money.h>
#include <aimlvideo/printable.h>

#include "base/glib_ptr.h"
#include "base/json/value.h"
#include "terminal.h"
#include "thumbnail.h"

namespace aimlvideo::cli {

namespace {

using Parts = std::map<std::string, std::string, std::less<>>;
using State = RowResult::State;

/// A text as HTML shows it, also between quotation marks.
std::string escaped(const std::string &text) {
  const GCharPtr safe(g_markup_escape_text(printableLines(text).c_str(), -1));
  return safe.get();
}

/// A part of the page as it was written.
std::string resource(const char *name) {
  const GCharPtr path(g_strconcat("/aimlvideo/report/", name, nullptr));
  const auto bytes = adopt(g_resources_lookup_data(path.get(), G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr));
  gsize size = 0;
  const auto *data = static_cast<const char *>(g_bytes_get_data(bytes.get(), &size));
  return {data, size};
}

/// A text with the parts in the places of their names, `{{like this}}`. What is in a part is not looked at.
std::string filled(const std::string &text, const Parts &parts) {
  std::string_view rest = text;
  std::string result;
  for (size_t open = rest.find("{{"); open != std::string_view::npos; open = rest.find("{{")) {
    const size_t close = rest.find("}}", open);
    result += rest.substr(0, open);
    result += parts.find(rest.substr(open + 2, close - open - 2))->second;
    rest.remove_prefix(close + 2);
  }
  return result.append(rest);
}

/// How a policy names the one script or style that may take effect.
std::string sourceOf(const std::string &text) {
  constexpr gsize most = 32;
  guint8 digest[most];
  gsize size = most;
  const std::unique_ptr<GChecksum, ReleasedBy<g_checksum_free>> checksum(g_checksum_new(G_CHECKSUM_SHA256));
  g_checksum_update(checksum.get(), reinterpret_cast<const guchar *>(text.data()), static_cast<gssize>(text.size()));
  g_checksum_get_digest(checksum.get(), digest, &size);
  const GCharPtr hash(g_base64_encode(digest, size));
  return std::string("'sha256-") + hash.get() + "'";
}

/// Nothing but what the page was made with, and the clips that lie beside it on a disk or a server.
std::string policyFor(const std::string &style, const std::string &script) {
  return "default-src 'none'; script-src " + sourceOf(script) + "; style-src " + sourceOf(style) +
         "; img-src data: 'self' file:; media-src 'self' file:; base-uri 'none'; form-action 'none'";
}

/// The address of a file from a folder, so that both can be moved together. The names may hold anything.
std::string linkTo(const std::string &file, const std::string &folder) {
  const GCharPtr from(g_canonicalize_filename(folder.c_str(), nullptr));
  const GCharPtr to(g_canonicalize_filename(file.c_str(), nullptr));
  const std::string path = std::filesystem::path(to.get()).lexically_relative(from.get()).string();
  const GCharPtr address(g_uri_escape_string(path.c_str(), "/", FALSE));
  return address.get();
}

/// An argument without what may be a secret in it: who asks a proxy, the signature of an address, a picture.
std::string withoutSecrets(const std::string &argument) {
  static const auto *const address = new GRefPtr<GRegex>(
      adopt(g_regex_new(R"(([a-z][a-z0-9+.-]*://)(?:[^\s"']*@)?([^?#\s"']*)[^\s"']*|(data:)[^\s"']*)", G_REGEX_CASELESS,
                        GRegexMatchFlags{}, nullptr)));
  const GCharPtr text(
      g_regex_replace(address->get(), argument.c_str(), -1, 0, R"(\1\2\3)", GRegexMatchFlags{}, nullptr));
  return text ? text.get() : "...";
}

std::string commandText(const Arguments &arguments) {
  std::string text = "aimlvideo batch";
  std::string previous;
  for (const std::string &argument : arguments) {
    // the arguments of a command that signs may hold a secret
    const bool isSigner = argument.starts_with("--sign-with=") || previous == "--sign-with";
    previous = argument;
    const std::string shown = !isSigner                              ? withoutSecrets(printable(argument))
                              : argument.starts_with("--sign-with=") ? "--sign-with=..."
                                                                     : "...";
    const bool plain = !shown.empty() && shown.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                                 "0123456789-_=./:,@%+") == std::string::npos;
    const GCharPtr quoted(g_shell_quote(shown.c_str()));
    text += ' ' + (plain ? shown : std::string(quoted.get()));
  }
  return text;
}

std::string now() {
  const auto time = adopt(g_date_time_new_now_local());
  const GCharPtr text(g_date_time_format(time.get(), "%Y-%m-%d %H:%M %Z"));
  const GCharPtr exact(g_date_time_format_iso8601(time.get()));
  return std::string("<time datetime=\"") + escaped(exact.get()) + "\">" + escaped(text.get()) + "</time>";
}

/// The kinds of rows, in the order of the page. The script knows the names.
struct Group {
  const char *name;
  const char *title;
};
constexpr Group groups[] = {{"failed", "Failed"}, {"left", "Not made"}, {"made", "Made"}};

const Group &groupOf(const RowResult &result) {
  return groups[result.state == State::Failed ? 0 : result.isThere() ? 2 : 1];
}

size_t countOf(const Group &group, const std::vector<ReportEntry> &entries) {
  return static_cast<size_t>(std::count_if(entries.begin(), entries.end(),
                                           [&](const ReportEntry &entry) { return &groupOf(entry.result) == &group; }));
}

std::string total(const char *kind, const std::string &figure, const std::string &words) {
  return std::string("<li class=\"") + kind + "\"><b>" + escaped(figure) + "</b> " + escaped(words) + "</li>\n";
}

/// What the generations of the page have cost, each once.
double priceOf(const std::vector<ReportEntry> &entries) {
  std::set<std::string> counted;
  std::vector<std::optional<double>> amounts;
  for (const ReportEntry &entry : entries)
    if (counted.insert(entry.result.status.generationId).second)
      amounts.push_back(entry.price);
  return totalUsd(amounts);
}

std::string totalsText(const std::vector<ReportEntry> &entries) {
  std::vector<RowResult> results;
  results.reserve(entries.size());
  for (const ReportEntry &entry : entries)
    results.push_back(entry.result);
  const Totals totals = totalsOf(results);
  std::string text =
      total("made", std::to_string(totals.made) + " of " + std::to_string(entries.size()), "clips are made");
  for (const Group &group : {groups[0], groups[1]})
    if (const size_t count = countOf(group.name == groups[0].name ? groups[0] : groups[1], entries); count > 0)
      text += total(group.name, std::to_string(count), group.name == groups[0].name ? "failed" : "not made");
  text += total("cost", totals.cost, "this run, for " + std::to_string(totals.bought) + " bought");
  if (const double price = priceOf(entries); price > totals.usd)
    text += total("cost", usdText(price), "with earlier runs");
  return text;
}

/// What went wrong, why, and what to do.
struct Cause {
  std::string what;
  std::string why;
  std::string remedy;
};

Cause causeOf(const RowResult &result) {
  constexpr auto again = "Run the same command again: what is bought is not bought again";
  switch (result.state) {
  case State::Failed:
    return result.failure ? Cause{result.failure->what, result.failure->why, result.failure->remedy} : Cause{};
  case State::OverBudget:
    if (result.failure)
      return {"left out", result.failure->what + ": " + result.failure->why, result.failure->remedy};
    return {"left out", "--max-cost would have been exceeded", "Raise it and run the same command again"};
  case State::NotStarted:
    return {"not begun", "it would have failed for the reason that stopped the run", again};
  default:
    return {result.state == State::Running ? "interrupted" : "not begun", "the run was interrupted", again};
  }
}

std::string paragraph(const char *tag, const std::string &text) {
  return text.empty() ? "" : std::string("<") + tag + ">" + escaped(text) + "</" + tag + ">\n";
}

std::string causeText(const ReportEntry &entry) {
  const Cause cause = causeOf(entry.result);
  return "<div class=\"cause\">\n" + paragraph("b", cause.what) + paragraph("p", cause.why) +
         paragraph("p", cause.remedy) +
         paragraph("p", entry.earlierError.empty() ? "" : "An earlier run said: " + entry.earlierError) + "</div>\n";
}

std::string pictureText(const Thumbnail &thumbnail, const std::string &name) {
  if (thumbnail.jpeg.empty())
    return "<span class=\"name\">" + escaped(name) + "</span>";
  const GCharPtr data(g_base64_encode(reinterpret_cast<const guchar *>(thumbnail.jpeg.data()), thumbnail.jpeg.size()));
  return std::string(R"(<img alt="" decoding="async" src="data:image/jpeg;base64,)") + data.get() + "\">";
}

std::string posterText(const ReportEntry &entry, const Thumbnail &thumbnail, const std::string &folder) {
  const Order &order = entry.row.order;
  const bool isPicture = order.profile->kind == Profile::Kind::Poster;
  const std::string name = order.output + (order.outputKind() == OutputKind::Folder ? "/index.m3u8" : "");
  const std::string length = thumbnail.seconds ? timeText(*thumbnail.seconds) : "";
  const std::string label = (isPicture ? "Show " : "Play ") + name + (length.empty() ? "" : ", " + length);
  return std::string(R"(<a class="poster" data-kind=")") + (isPicture ? "image" : "video") + "\" data-name=\"" +
         escaped(name) + "\" href=\"" + escaped(linkTo(name, folder)) + "\" aria-label=\"" + escaped(label) + "\">" +
         pictureText(thumbnail, name) + (isPicture ? "" : "<span class=\"play\"></span>") +
         (length.empty() ? "" : "<span class=\"length\">" + length + "</span>") + "</a>\n";
}

std::string fact(const char *name, const std::string &value) {
  return value.empty() ? "" : std::string("<dt>") + name + "</dt><dd>" + escaped(value) + "</dd>\n";
}

std::string costText(const ReportEntry &entry) {
  const auto billed = entry.result.status.billed().usd;
  if (entry.result.isBilled())
    return billed ? usdText(*billed) : "not known yet";
  if (entry.price && *entry.price > 0)
    return usdText(*entry.price) + ", paid by an earlier run or another row";
  return entry.result.state == State::Failed && entry.price ? "not billed" : "";
}

std::string originWords(const ReportEntry &entry) {
  if (entry.result.state == State::MadeBefore)
    return "made by an earlier run";
  const Origin origin = entry.result.status.origin;
  return origin == Origin::None ? "" : nameOf(origin);
}

/// What a file says of its origin, in words.
std::string markWords(const std::optional<MarkFacts> &facts) {
  if (!facts || !isGenerated(facts->sourceType))
    return "";
  return sourceTypeName(facts->sourceType) == sourceTypeName(generatedMedia) ? "as made by a model"
                                                                             : "as made by a model of given media";
}

std::string detailsText(const ReportEntry &entry, const Thumbnail &thumbnail) {
  const Order &order = entry.row.order;
  const auto &estimate = entry.result.status.estimatedUsd;
  return "<details><summary>Details</summary>\n<dl>\n" + fact("Prompt", entry.row.prompt) +
         fact("Model", entry.row.model) + fact("Cost", costText(entry)) +
         fact("Estimate", estimate ? usdText(*estimate) : "") +
         fact("Time", entry.seconds >= 0.5 ? timeText(entry.seconds) : "") + fact("Clip", originWords(entry)) +
         fact("Id", entry.result.status.generationId) + fact("Marked", markWords(thumbnail.facts)) +
         fact("Profile", order.profile->name) + fact("Output", order.output) +
         fact("Row", std::to_string(entry.row.number)) + "</dl>\n</details>\n";
}

std::string attribute(const char *name, std::optional<double> number) {
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  return number ? std::string(" data-") + name + "=\"" + g_ascii_formatd(buffer, sizeof buffer, "%.6g", *number) + "\""
                : "";
}

/// The name of a file without its folders.
std::string nameOfFile(const std::string &path) {
  const GCharPtr name(g_path_get_basename(path.c_str()));
  return name.get();
}

std::string clipText(const ReportEntry &entry, const Thumbnail &thumbnail, const std::string &folder) {
  const Group &group = groupOf(entry.result);
  const std::string number = std::to_string(entry.row.number);
  std::string facts;
  if (entry.price && *entry.price > 0)
    facts += usdText(*entry.price);
  if (entry.seconds >= 0.5)
    facts += (facts.empty() ? "" : " · ") + timeText(entry.seconds);
  return std::string("<li class=\"clip ") + group.name + "\" id=\"row-" + number + "\" data-group=\"" + group.name +
         "\" data-row=\"" + number + "\" data-model=\"" + escaped(entry.row.model) + "\"" +
         attribute("usd", entry.price) + attribute("seconds", entry.seconds) + ">\n" +
         (entry.result.isThere() ? posterText(entry, thumbnail, folder) : "") +
         "<div class=\"told\">\n<p class=\"prompt\">" + escaped(entry.row.prompt) + "</p>\n<p class=\"facts\"><span>" +
         escaped(nameOfFile(entry.row.order.output)) + "</span><span>" + escaped(facts) + "</span></p>\n" +
         detailsText(entry, thumbnail) + "</div>\n" + (entry.result.isThere() ? "" : causeText(entry)) + "</li>\n";
}

/// The same for programs: https://schema.org/digitalSourceType. As JSON-LD that can stand in a page.
std::string dataText(const std::string &folder, const std::vector<ReportEntry> &entries,
                     const std::vector<Thumbnail> &thumbnails) {
  json::Value clips = json::Value::array();
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto &facts = thumbnails[i].facts;
    const Order &order = entries[i].row.order;
    if (!facts || !isGenerated(facts->sourceType))
      continue;
    std::string kind = sourceTypeName(facts->sourceType);
    kind[0] = g_ascii_toupper(kind[0]);
    const bool isPicture = order.profile->kind == Profile::Kind::Poster;
    json::Value clip = json::Value::object(
        {{"@type", isPicture ? "ImageObject" : "VideoObject"},
         {"name", nameOfFile(order.output)},
         {"contentUrl", linkTo(order.output + (order.outputKind() == OutputKind::Folder ? "/index.m3u8" : ""), folder)},
         {"identifier", facts->generationId},
         {"creditText", markLine(*facts)},
         {"digitalSourceType", "https://schema.org/" + kind + "DigitalSource"}});
    if (!facts->created.empty())
      clip.set("dateCreated", facts->created);
    clips.add(clip);
  }
  const json::Value list =
      json::Value::object({{"@context", "https://schema.org"}, {"@type", "ItemList"}, {"itemListElement", clips}});
  // JSON has the same text without what would end the element
  std::string text = printableJson(list.dump());
  for (size_t at = 0; (at = text.find('<', at)) != std::string::npos;)
    text.replace(at, 1, "\\u003c");
  return text;
}

/// Of those that are there.
std::vector<Thumbnail> thumbnailsFor(const std::vector<ReportEntry> &entries) {
  std::vector<std::string> outputs;
  outputs.reserve(entries.size());
  for (const ReportEntry &entry : entries)
    outputs.push_back(entry.result.isThere() ? entry.row.order.output : "");
  return thumbnailsOf(outputs);
}

std::string sectionsText(const std::string &folder, const std::vector<ReportEntry> &entries,
                         const std::vector<Thumbnail> &thumbnails) {
  std::string text;
  for (const Group &group : groups) {
    const size_t count = countOf(group, entries);
    if (count == 0)
      continue;
    text += std::string("<section>\n<h2>") + group.title + " <span>" + std::to_string(count) +
            "</span></h2>\n<ul class=\"grid" + (&group == &groups[2] ? "" : " problems") + "\">\n";
    for (size_t i = 0; i < entries.size(); ++i)
      if (&groupOf(entries[i].result) == &group)
        text += clipText(entries[i], thumbnails[i], folder);
    text += "</ul>\n</section>\n";
  }
  return text;
}

} // namespace

std::string reportPage(const std::string &folder, const ReportedRun &run, const std::vector<ReportEntry> &entries) {
  const std::string style = resource("page.css");
  const std::string script = resource("page.js");
  const auto thumbnails = thumbnailsFor(entries);
  return filled(resource("page.html"), {{"policy", policyFor(style, script)},
                                        {"style", style},
                                        {"script", script},
                                        {"title", escaped(nameOfFile(run.manifest))},
                                        {"date", now()},
                                        {"totals", totalsText(entries)},
                                        {"manifest", escaped(run.manifest)},
                                        {"command", escaped(commandText(run.arguments))},
                                        {"data", dataText(folder, entries, thumbnails)},
                                        {"sections", sectionsText(folder, entries, thumbnails)}});
}

} // namespace aimlvideo::cli
