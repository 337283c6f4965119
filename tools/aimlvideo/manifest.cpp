// SPDX-License-Identifier: LGPL-2.1-or-later
#include "manifest.h"

#include <algorithm>
#include <iostream>
#include <iterator>
#include <map>

#include "api/nearest.h"
#include "base/glib_ptr.h"
#include "base/json/node.h"
#include "base/json/value.h"
#include "base/sha256.h"
#include "csv.h"
#include "ledger/identity.h"
#include "settings/plan.h"
#include "settings/text_file.h"

namespace aimlvideo::cli {

namespace {

/// What is wrong, and in which row; 0: in all.
using Problems = std::multimap<size_t, std::string>;

/// A row as it is written: names and texts. An empty text says nothing.
struct Written {
  size_t number = 0;
  FieldTexts texts;
};

/// What is written in a manifest, with all that is wrong in its form.
struct Sheet {
  std::vector<std::pair<std::string, size_t>> columns; ///< each with the row that names it first
  std::vector<Written> rows;
  Problems problems;
};

constexpr const char *outputColumns[] = {"output", "profile", "size", "rate"};

std::string at(size_t number) {
  return "row " + std::to_string(number) + ": ";
}

/// All that a row may say.
std::vector<std::string> columnNames() {
  std::vector<std::string> names(std::begin(outputColumns), std::end(outputColumns));
  for (const Field &field : fields())
    if (field.is(Field::InManifest))
      names.emplace_back(field.name);
  return names;
}

bool isColumn(const std::string &name) {
  const auto names = columnNames();
  return std::ranges::find(names, name) != names.end();
}

/// What separates the fields of a table whose heading has no comma.
char separatorOf(const std::string &text) {
  const std::string heading = text.substr(0, text.find_first_of("\r\n"));
  if (heading.find(',') == std::string::npos)
    for (const char separator : {';', '\t'})
      if (heading.find(separator) != std::string::npos)
        return separator;
  return ',';
}

void readHeadings(Sheet &sheet, const CsvRecord &heading) {
  const auto &names = heading.fields;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty())
      sheet.problems.emplace(heading.row, "the heading of column " + std::to_string(i + 1) + " is empty");
    else if (std::find(names.begin(), names.begin() + static_cast<ptrdiff_t>(i), names[i]) !=
             names.begin() + static_cast<ptrdiff_t>(i))
      sheet.problems.emplace(heading.row,
                             "the heading of column " + std::to_string(i + 1) + " appears twice: " + names[i]);
    else
      sheet.columns.emplace_back(names[i], heading.row);
  }
}

Sheet readCsv(const std::string &text) {
  Sheet sheet;
  const char separator = separatorOf(text);
  Csv csv = parseCsv(text, separator);
  if (separator != ',') // what is meant is clear enough to be checked, and too unclear to be bought
    sheet.problems.emplace(0, std::string("the columns are separated by ") +
                                  (separator == ';' ? "semicolons" : "tabs") +
                                  ", not by commas: save it as comma-separated values (CSV, RFC 4180)");
  sheet.problems.insert(csv.problems.begin(), csv.problems.end());
  if (csv.records.empty()) {
    if (csv.problems.empty())
      sheet.problems.emplace(0, "it is empty");
    return sheet;
  }
  const auto &names = csv.records.front().fields;
  readHeadings(sheet, csv.records.front());
  for (auto record = std::next(csv.records.begin()); record != csv.records.end(); ++record) {
    const size_t count = record->fields.size();
    if (count != names.size()) {
      sheet.problems.emplace(record->row,
                             "it has " + std::to_string(count) + (count == 1 ? " field" : " fields") +
                                 ", the heading " + std::to_string(names.size()) +
                                 (count > names.size() ? "; a field with a comma in it needs quotation marks" : ""));
      continue;
    }
    Written row{record->row, {}};
    for (size_t k = 0; k < names.size(); ++k)
      if (!names[k].empty() && !record->fields[k].empty())
        row.texts.emplace(names[k], record->fields[k]);
    sheet.rows.push_back(std::move(row));
  }
  return sheet;
}

/// One value and nothing else: json-glib alone takes the last of several.
tl::expected<GRefPtr<JsonNode>, std::string> jsonIn(const std::string &text) {
  auto value = json::parse(text);
  if (value && !json::parse("[" + text + "]")) // in which several would need commas
    return tl::unexpected(std::string("it is not valid JSON: something follows the first value"));
  return value;
}

/// Objects are for `parameters`; everything else is a text, a number or a truth value.
void readObject(Sheet &sheet, JsonNode *node, size_t number) {
  JsonObject *object = json::objectIn(node);
  if (!object)
    return sheet.problems.emplace(number, "it is not a JSON object"), void();
  Written row{number, {}};
  bool right = true;
  for (const std::string &name : json::memberNames(object)) {
    JsonNode *value = json::member(object, name.c_str());
    if (std::ranges::find(sheet.columns, name, &std::pair<std::string, size_t>::first) == sheet.columns.end())
      sheet.columns.emplace_back(name, number);
    if (JSON_NODE_HOLDS_NULL(value))
      continue;
    const auto text = name == "parameters" && JSON_NODE_HOLDS_OBJECT(value) ? std::optional(json::write(value))
                                                                            : json::scalarText(value);
    right = right && text;
    if (!text)
      sheet.problems.emplace(number, name + " must be a text, a number, true or false");
    else if (!text->empty())
      row.texts[name] = *text;
  }
  if (right)
    sheet.rows.push_back(std::move(row));
}

Sheet readJsonArray(const std::string &text) {
  Sheet sheet;
  const auto root = jsonIn(text);
  if (!root) {
    sheet.problems.emplace(0, root.error());
    return sheet;
  }
  JsonArray *array = json_node_get_array(root->get());
  for (guint i = 0; i < json_array_get_length(array); ++i)
    readObject(sheet, json_array_get_element(array, i), i + 1);
  return sheet;
}

Sheet readJsonLines(const std::string &text) {
  Sheet sheet;
  size_t number = 0;
  const GStrvPtr lines(g_strsplit(text.c_str(), "\n", -1));
  for (char **line = lines.get(); *line; ++line) {
    ++number;
    if (*g_strstrip(*line) == '\0')
      continue;
    if (const auto value = jsonIn(*line))
      readObject(sheet, value->get(), number);
    else
      sheet.problems.emplace(number, value.error());
  }
  return sheet;
}

/// The contents of a file, or of standard input.
tl::expected<std::string, std::string> contentsOf(const std::string &file) {
  if (file == "-")
    return std::string(std::istreambuf_iterator<char>(std::cin), {});
  char *contents = nullptr;
  gsize size = 0;
  GErrorSlot error;
  if (!g_file_get_contents(file.c_str(), &contents, &size, &error))
    return tl::unexpected(std::string(error.message()));
  const GCharPtr owned(contents);
  return std::string(contents, size);
}

Sheet readSheet(const std::string &file) {
  Sheet sheet;
  const auto text = contentsOf(file);
  if (!text) {
    sheet.problems.emplace(0, text.error());
    return sheet;
  }
  const char *end = nullptr;
  if (text->starts_with("\xff\xfe") || text->starts_with("\xfe\xff")) {
    sheet.problems.emplace(0, "it is UTF-16, as of spreadsheets: save it as UTF-8");
    return sheet;
  }
  if (!g_utf8_validate(text->data(), static_cast<gssize>(text->size()), &end)) {
    const auto line = std::count(text->data(), end, '\n') + 1;
    sheet.problems.emplace(0, "it is not UTF-8, first in line " + std::to_string(line));
    return sheet;
  }
  const size_t first = text->find_first_not_of(" \t\r\n");
  const char sign = first == std::string::npos ? '\0' : (*text)[first];
  return sign == '[' ? readJsonArray(*text) : sign == '{' ? readJsonLines(*text) : readCsv(*text);
}

/// What is wrong with a column. A row says what is to be made. Everything else decides where the key goes, what is paid
/// and which files are used, and is for the user who runs the command.
Error problemWith(const std::string &name, const std::string &meant) {
  if (name == "api-key")
    return failure(ErrorKind::BadRequest, "the column api-key is not for a manifest", "it says what is to be made",
                   "Set $AIMLAPI_KEY, or --api-key-file on the command line")
        .value();
  if (findField(name))
    return failure(ErrorKind::BadRequest, "the column " + name + " is not for a manifest",
                   "a row says what is to be made and nothing else",
                   "Set it on the command line: --" + (name == "dry-run" ? "check" : name))
        .value();
  return failure(ErrorKind::BadRequest, "there is no column \"" + name + "\"", "",
                 meant.empty() ? "'aimlvideo batch --template csv' prints those that there are"
                               : "Did you mean " + meant + "?")
      .value();
}

/// Names the columns that there are not. What is meant by them is checked all the same.
void settleColumns(Sheet &sheet) {
  const std::vector<std::string> names = columnNames();
  std::map<std::string, std::string> meanings; ///< of the wrong ones; empty: none is known
  for (const auto &[name, row] : sheet.columns) {
    if (isColumn(name))
      continue;
    const std::string meant = findField(name) ? "" : nearestTo(name, names);
    sheet.problems.emplace(row, problemWith(name, meant).text());
    meanings[name] = meant;
  }
  for (Written &row : sheet.rows)
    for (const auto &[name, meant] : meanings)
      if (auto node = row.texts.extract(name); node && !meant.empty()) {
        node.key() = meant;
        row.texts.insert(std::move(node));
      }
}

class Checker {
public:
  Checker(Manifest &manifest, Problems &problems, const ManifestTerms &terms)
      : manifest_(manifest), problems_(problems), terms_(terms), originals_(terms.originals) {
    originals_.add(filesNamedBy(terms.properties));
  }

  void check(Written written) {
    ManifestRow row;
    row.number = written.number;
    row.order = terms_.shared;
    const size_t before = problems_.size();
    checkOutput(row, written.texts);
    checkContents(row, written.texts);
    if (problems_.size() > before)
      return;
    if (const auto [other, fresh] = identities_.emplace(row.identity, row.number); !fresh)
      manifest_.remarks.push_back(at(row.number) + "it asks for the same as row " + std::to_string(other->second) +
                                  " and gets the same clip, bought once; another take is another clip");
    manifest_.rows.push_back(std::move(row));
  }

  /// What is to be made, whatever becomes of it.
  void checkContents(ManifestRow &row, const FieldTexts &texts) {
    if (const auto properties = propertiesOf(row, texts))
      expect(row, checkRequest(row, *properties));
  }

  /// The first that was wrong in a row.
  const std::optional<Error> &mistake() const { return mistake_; }

  /// No output takes the place of a file that any row is made from.
  void checkOriginals() {
    for (const ManifestRow &row : manifest_.rows)
      if (const auto allowed = originals_.check(row.order.output); !allowed)
        problems_.emplace(row.number, allowed.error().text());
  }

private:
  /// Notes what is wrong; whether nothing is.
  bool expect(const ManifestRow &row, const Result<void> &done) {
    if (!done) {
      problems_.emplace(row.number, done.error().text());
      mistake_ = mistake_.value_or(done.error());
    }
    return done.has_value();
  }

  /// Takes out of the texts what says where to put it, and in which form.
  void checkOutput(ManifestRow &row, FieldTexts &texts) {
    const auto take = [&texts](const char *name) {
      const auto node = texts.extract(name);
      return node ? node.mapped() : std::string();
    };
    row.order.output = take("output");
    expect(row, checkName(row));
    if (const std::string name = take("profile"); !name.empty()) {
      const auto profile = findProfile(name);
      if (expect(row, profile ? Result<void>() : tl::unexpected(profile.error())))
        row.order.profile = *profile;
    } else if (!row.order.profile && !row.order.output.empty()) {
      const auto profile = profileFor(row.order.output);
      if (expect(row, profile ? Result<void>() : tl::unexpected(profile.error())))
        row.order.profile = *profile;
    }
    if (const std::string size = take("size"); !size.empty())
      expect(row, parseSize(size, row.order.shape));
    if (const std::string rate = take("rate"); !rate.empty())
      expect(row, parseRate(rate, row.order.shape));
  }

  Result<void> checkName(const ManifestRow &row) {
    const std::string &output = row.order.output;
    if (output.empty())
      return failure(ErrorKind::BadRequest, "there is no output");
    if (!terms_.outputs.holdsName(output))
      return failure(ErrorKind::BadRequest, output + " can't be written",
                     "it is outside the manifest's folder and the current folder",
                     "To allow it, name its folder on the command line: --outputs-to FOLDER");
    const GCharPtr path(g_canonicalize_filename(output.c_str(), nullptr));
    if (const auto [other, fresh] = outputs_.emplace(path.get(), row.number); !fresh)
      return failure(ErrorKind::BadRequest,
                     "the output " + output + " is that of row " + std::to_string(other->second));
    return {};
  }

  /// What is to be made. Empty: something is wrong, and has been noted.
  std::optional<FieldTexts> propertiesOf(const ManifestRow &row, const FieldTexts &texts) {
    FieldTexts right = texts;
    Settings scratch;
    for (const auto &[name, text] : texts) // each by itself, so that all mistakes are found
      if (!expect(row, setFromText(scratch, *findField(name), text)))
        right.erase(name);
    FieldTexts properties = terms_.properties;
    if (!expect(row, takeTexts(properties, right)) || !expect(row, checkFiles(properties, right)))
      return {};
    return properties;
  }

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
  Problems &problems_;
  const ManifestTerms &terms_;
  Originals originals_;
  std::optional<Error> mistake_;
  std::map<std::string, size_t> outputs_;
  std::map<std::string, size_t> identities_;
};

} // namespace

std::string ManifestRow::recipe() const {
  return sha256(identity + "\n" + order.profile->name + "\n" + std::to_string(order.shape.width) + "x" +
                std::to_string(order.shape.height) + "@" + std::to_string(order.shape.rate));
}

Result<ManifestRow> readRequest(const FieldTexts &texts, const ManifestTerms &terms) {
  Sheet sheet;
  for (const auto &[name, text] : texts)
    sheet.columns.emplace_back(name, 0);
  sheet.rows.push_back({0, texts});
  settleColumns(sheet);
  Manifest manifest;
  Checker checker(manifest, sheet.problems, terms);
  ManifestRow row;
  row.order = terms.shared;
  checker.checkContents(row, sheet.rows.front().texts);
  if (sheet.problems.empty())
    return row;
  if (sheet.problems.size() == 1 && checker.mistake())
    return Failure(*checker.mistake());
  std::string all;
  for (const auto &[number, what] : sheet.problems)
    all += (all.empty() ? "" : " ") + what;
  if (all.ends_with('.'))
    all.pop_back();
  return failure(checker.mistake() ? checker.mistake()->kind : ErrorKind::BadRequest, all);
}

Manifest readManifest(const std::string &file, const ManifestTerms &terms) {
  Manifest manifest;
  Sheet sheet = readSheet(file);
  if (sheet.rows.empty() && sheet.problems.empty())
    sheet.problems.emplace(0, "it has no rows");
  settleColumns(sheet);
  Problems problems = std::move(sheet.problems);
  Checker checker(manifest, problems, terms);
  for (Written &row : sheet.rows)
    checker.check(std::move(row));
  checker.checkOriginals();
  for (const auto &[row, what] : problems)
    manifest.problems.push_back((row > 0 ? at(row) : "") + what);
  return manifest;
}

std::string manifestTemplate(const std::string &form) {
  // two clips, and a variation of the first
  const std::vector<FieldTexts> rows{
      {{"output", "boat.mp4"}, {"prompt", "A paper boat on a stream, seen from above"}, {"duration", "5"}},
      {{"output", "boat-again.mp4"},
       {"prompt", "A paper boat on a stream, seen from above"},
       {"duration", "5"},
       {"take", "1"}},
      {{"output", "lighthouse.mp4"}, {"prompt", "A lighthouse at dusk"}, {"negative-prompt", "people"}}};
  std::string text;
  if (form == "jsonl")
    for (const FieldTexts &row : rows) {
      json::Value object = json::Value::object();
      for (const auto &[name, value] : row)
        if (name == "duration" || name == "take")
          object.set(name, g_ascii_strtoll(value.c_str(), nullptr, 10));
        else
          object.set(name, value);
      text += object.dump() + "\n";
    }
  if (form != "csv")
    return text;
  const std::vector<std::string> names = columnNames();
  for (const std::string &name : names)
    text += (text.empty() ? "" : ",") + name;
  for (const FieldTexts &row : rows)
    for (size_t i = 0; i < names.size(); ++i)
      text += (i == 0 ? "\n" : ",") + (row.contains(names[i]) ? csvField(row.at(names[i])) : "");
  return text + "\n";
}

} // namespace aimlvideo::cli
