// SPDX-License-Identifier: LGPL-2.1-or-later
#include "manifest.h"

#include <algorithm>
#include <map>

#include "base/glib_ptr.h"
#include "base/json/node.h"
#include "base/sha256.h"
#include "csv.h"
#include "ledger/identity.h"
#include "settings/plan.h"
#include "settings/text_file.h"

namespace aimlvideo::cli {

namespace {

/// A row as it is written: names and texts. An empty text says nothing.
struct Written {
  size_t number = 0;
  FieldTexts texts;
};
using Rows = tl::expected<std::vector<Written>, std::string>;

/// 0: a request that is in no row.
std::string at(size_t number) {
  return number == 0 ? "" : "row " + std::to_string(number) + ": ";
}

Rows rowsOfCsv(const std::string &text) {
  const auto records = parseCsv(text);
  if (!records)
    return tl::unexpected(records.error());
  if (records->empty())
    return tl::unexpected(std::string("it is empty"));
  const std::vector<std::string> &names = records->front().fields;
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i].empty() || std::count(names.begin(), names.end(), names[i]) > 1)
      return tl::unexpected("the heading of column " + std::to_string(i + 1) +
                            (names[i].empty() ? " is empty" : " appears twice: " + names[i]));
  std::vector<Written> rows;
  for (size_t i = 1; i < records->size(); ++i) {
    const CsvRecord &record = (*records)[i];
    if (record.fields.size() != names.size())
      return tl::unexpected(at(record.row) + "it has " + std::to_string(record.fields.size()) +
                            " fields, the heading " + std::to_string(names.size()));
    Written row{record.row, {}};
    for (size_t k = 0; k < names.size(); ++k)
      if (!record.fields[k].empty())
        row.texts[names[k]] = record.fields[k];
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Objects are for `parameters`; everything else is a text, a number or a truth value.
tl::expected<FieldTexts, std::string> textsOf(JsonObject *object) {
  FieldTexts texts;
  for (const std::string &name : json::memberNames(object)) {
    JsonNode *value = json::member(object, name.c_str());
    if (JSON_NODE_HOLDS_NULL(value))
      continue;
    const auto text = name == "parameters" && JSON_NODE_HOLDS_OBJECT(value) ? std::optional(json::write(value))
                                                                            : json::scalarText(value);
    if (!text)
      return tl::unexpected(name + " must be a text, a number, true or false");
    if (!text->empty())
      texts[name] = *text;
  }
  return texts;
}

Rows rowsOfJsonLines(const std::string &text) {
  std::vector<Written> rows;
  size_t number = 0;
  const GStrvPtr lines(g_strsplit(text.c_str(), "\n", -1));
  for (char **line = lines.get(); *line; ++line) {
    ++number;
    if (*g_strstrip(*line) == '\0')
      continue;
    const auto node = json::parse(*line);
    if (!node || !json::objectIn(node->get()))
      return tl::unexpected(at(number) + (node ? "it is not a JSON object" : node.error()));
    auto texts = textsOf(json::objectIn(node->get()));
    if (!texts)
      return tl::unexpected(at(number) + texts.error());
    rows.push_back({number, std::move(*texts)});
  }
  return rows;
}

Rows rowsOf(const std::string &file) {
  char *contents = nullptr;
  gsize size = 0;
  GErrorSlot error;
  if (!g_file_get_contents(file.c_str(), &contents, &size, &error))
    return tl::unexpected(std::string(error.message()));
  const GCharPtr owned(contents);
  const std::string text(contents, size);
  if (!g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr))
    return tl::unexpected(std::string("it is not UTF-8"));
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string::npos && text[first] == '{' ? rowsOfJsonLines(text) : rowsOfCsv(text);
}

/// A row says what is to be made. Everything else decides where the key goes, what is paid and which files are used,
/// and is for the user who runs the command.
Result<void> checkColumn(const std::string &name) {
  if (name == "api-key")
    return failure(ErrorKind::BadRequest, "the column api-key is not for a manifest", "it says what is to be made",
                   "Set $AIMLAPI_KEY, or --api-key-file on the command line");
  const auto field = fieldForCommandLine(name);
  if (!field)
    return tl::unexpected(field.error());
  if ((*field)->is(Field::InManifest))
    return {};
  return failure(ErrorKind::BadRequest, "the column " + name + " is not for a manifest",
                 "a row says what is to be made and nothing else", "Set it on the command line: --" + name);
}

class Checker {
public:
  Checker(Manifest &manifest, const ManifestTerms &terms)
      : manifest_(manifest), terms_(terms), originals_(terms.originals) {
    originals_.add(filesNamedBy(terms.properties));
  }

  void check(Written written) {
    ManifestRow row;
    row.number = written.number;
    row.order = terms_.shared;
    if (auto done = fill(row, std::move(written.texts)); !done)
      return manifest_.problems.push_back(at(row.number) + done.error().text());
    const GCharPtr path(g_canonicalize_filename(row.order.output.c_str(), nullptr));
    if (const auto [other, fresh] = outputs_.emplace(path.get(), row.number); !fresh)
      return manifest_.problems.push_back(at(row.number) + "the output " + row.order.output + " is that of row " +
                                          std::to_string(other->second));
    if (const auto [other, fresh] = identities_.emplace(row.identity, row.number); !fresh)
      manifest_.remarks.push_back(at(row.number) + "it asks for the same as row " + std::to_string(other->second) +
                                  " and gets the same clip, bought once; another take is another clip");
    manifest_.rows.push_back(std::move(row));
  }

  /// No output takes the place of a file that any row is made from.
  void checkOriginals() {
    for (const ManifestRow &row : manifest_.rows)
      if (const auto allowed = originals_.check(row.order.output); !allowed)
        manifest_.problems.push_back(at(row.number) + allowed.error().text());
  }

private:
  Result<void> fill(ManifestRow &row, FieldTexts texts) {
    const auto take = [&texts](const char *name) {
      const auto node = texts.extract(name);
      return node ? node.mapped() : std::string();
    };
    row.order.output = take("output");
    if (row.order.output.empty())
      return failure(ErrorKind::BadRequest, "there is no output");
    if (const std::string name = take("profile"); !name.empty()) {
      const auto profile = findProfile(name);
      if (!profile)
        return tl::unexpected(profile.error());
      row.order.profile = *profile;
    }
    if (const std::string size = take("size"); !size.empty())
      if (auto read = parseSize(size, row.order.shape); !read)
        return read;
    if (const std::string rate = take("rate"); !rate.empty())
      if (auto read = parseRate(rate, row.order.shape); !read)
        return read;
    if (!terms_.outputs.holdsName(row.order.output))
      return failure(ErrorKind::BadRequest, row.order.output + " can't be written",
                     "it is outside the manifest's folder and the current folder",
                     "To allow it, name its folder on the command line: --outputs-to FOLDER");
    return fillRequest(row, texts);
  }

public:
  /// What is to be made, whatever becomes of it.
  Result<void> fillRequest(ManifestRow &row, const FieldTexts &texts) {
    for (const auto &[name, text] : texts)
      if (auto allowed = checkColumn(name); !allowed)
        return allowed;
    FieldTexts properties = terms_.properties;
    if (auto taken = takeTexts(properties, texts); !taken)
      return taken;
    if (auto allowed = checkFiles(properties, texts); !allowed)
      return allowed;
    return checkRequest(row, properties);
  }

private:
  /// Puts what a row says into the place of what holds for all. Text files are read here, once: what is sent is what
  /// was checked, wherever their names lead afterwards.
  Result<void> takeTexts(FieldTexts &properties, const FieldTexts &texts) const {
    for (const auto &[name, text] : texts) {
      std::string value = text;
      if (const bool isPrompt = name == "prompt-file"; isPrompt || (name == "parameters" && text.starts_with('@'))) {
        auto contents = contentsOf(isPrompt ? text : text.substr(1), name);
        if (!contents)
          return tl::unexpected(std::move(contents.error()));
        value = std::move(*contents);
      }
      if (name == "prompt" || name == "prompt-file") {
        if (texts.contains("prompt") && texts.contains("prompt-file"))
          return failure(ErrorKind::BadRequest, "prompt and prompt-file are both set", "only one of them can be sent",
                         "Unset one");
        properties.erase("prompt-file");
      }
      properties[name == "prompt-file" ? "prompt" : name] = std::move(value);
    }
    return {};
  }

  Result<std::string> contentsOf(const std::string &path, const std::string &column) const {
    if (!terms_.inputs.holds(path))
      return outside(column, path);
    auto text = readTextFile(path, column);
    if (text && column == "parameters" && text->starts_with('@')) // which would name yet another file
      return failure(ErrorKind::BadRequest, "parameters \"" + path + "\" can't be used", "it contains no JSON object");
    while (text && column == "prompt-file" && (text->ends_with('\n') || text->ends_with('\r')))
      text->pop_back();
    return text;
  }

  Result<void> checkFiles(const FieldTexts &properties, const FieldTexts &texts) {
    const auto files = filesNamedBy(properties);
    for (const NamedFile &file : files)
      if (texts.contains(file.property) && !terms_.inputs.holds(file.path))
        return outside(file.property, file.path);
    originals_.add(files);
    return {};
  }

  static Failure outside(const std::string &column, const std::string &path) {
    return failure(ErrorKind::BadRequest, column + " \"" + path + "\" is not read",
                   "it is outside the manifest's folder, perhaps by a symbolic link",
                   "To allow it, name its folder on the command line: --files-from FOLDER");
  }

  Result<void> checkRequest(ManifestRow &row, const FieldTexts &properties) {
    auto settings = settingsFrom(properties);
    if (!settings)
      return tl::unexpected(settings.error());
    if (settings->reuse == Reuse::None)
      return failure(ErrorKind::BadRequest, "reuse can't be none", "the same command again would buy again",
                     "Give the row another take");
    const auto plan = prepare(*settings);
    if (!plan)
      return tl::unexpected(plan.error());
    for (const std::string &warning : plan->request.warnings)
      manifest_.remarks.push_back(at(row.number) + warning);
    row.model = plan->request.model;
    row.prompt = plan->request.prompt;
    row.baseUrl = plan->baseUrl;
    row.canonical = settings->generationId.empty() ? plan->request.canonical : "";
    row.identity = row.canonical.empty() ? "generation " + settings->generationId
                                         : requestIdentity(plan->baseUrl, row.canonical, settings->take);
    row.order.settings = std::move(*settings);
    return {};
  }

  Manifest &manifest_;
  const ManifestTerms &terms_;
  Originals originals_;
  std::map<std::string, size_t> outputs_;
  std::map<std::string, size_t> identities_;
};

} // namespace

std::string ManifestRow::recipe() const {
  return sha256(identity + "\n" + order.profile->name + "\n" + std::to_string(order.shape.width) + "x" +
                std::to_string(order.shape.height) + "@" + std::to_string(order.shape.rate));
}

Result<ManifestRow> readRequest(const FieldTexts &texts, const ManifestTerms &terms) {
  Manifest manifest;
  ManifestRow row;
  row.order = terms.shared;
  if (auto filled = Checker(manifest, terms).fillRequest(row, texts); !filled)
    return std::move(filled).failure();
  return row;
}

Manifest readManifest(const std::string &file, const ManifestTerms &terms) {
  Manifest manifest;
  auto rows = rowsOf(file);
  if (!rows) {
    manifest.problems.push_back(rows.error());
    return manifest;
  }
  Checker checker(manifest, terms);
  for (Written &row : *rows)
    checker.check(std::move(row));
  checker.checkOriginals();
  if (rows->empty())
    manifest.problems.emplace_back("it has no rows");
  return manifest;
}

} // namespace aimlvideo::cli
