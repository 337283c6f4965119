// SPDX-License-Identifier: LGPL-2.1-or-later
#include "named_files.h"

#include <algorithm>

#include "api/request.h"
#include "media/image_reference.h"
#include "media/media_file.h"
#include "settings/text_file.h"

namespace aimlvideo::cli {

namespace {

namespace fs = std::filesystem;

std::string textIn(const FieldTexts &texts, const char *name) {
  const auto found = texts.find(name);
  return found == texts.end() ? "" : found->second;
}

/// What the model's documentation says of parameters, by which the media among them are known.
const std::vector<Parameter> *documentedFor(const FieldTexts &texts) {
  const Model *model = Catalogue::instance().find(chosenModel(textIn(texts, "model"), !textIn(texts, "image").empty()));
  const bool legacy = textIn(texts, "endpoint") == "legacy";
  return model ? &model->parametersOn(legacy ? EndpointFamily::Legacy : EndpointFamily::Universal) : nullptr;
}

/// Where a name stands, with the links in its folder followed and the last one not.
fs::path entryOf(const std::string &name) {
  std::error_code error;
  const fs::path path = fs::absolute(name, error).lexically_normal();
  const fs::path folder = fs::canonical(path.parent_path(), error);
  return error ? path : folder / path.filename();
}

} // namespace

std::vector<NamedFile> filesNamedBy(const FieldTexts &texts) {
  std::vector<NamedFile> files;
  const auto add = [&files](const char *property, const std::string &reference) {
    if (const auto path = pathIn(reference, property); path && isLocalFile(reference))
      files.push_back({property, *path});
  };
  for (const Field &field : fields())
    if (const std::string text = textIn(texts, field.name); field.is(Field::IsMedium))
      add(field.name, text);
    else if (field.is(Field::IsFile) && !text.empty())
      files.push_back({field.name, text});
  std::string parameters = textIn(texts, "parameters");
  if (parameters.starts_with('@')) {
    files.push_back({"parameters", parameters.substr(1)});
    parameters = readTextFile(files.back().path, "parameters").value_or("");
  }
  if (const auto object = parseParameters(parameters))
    for (const MediaPlace &place : mediaPlacesIn(object->get(), documentedFor(texts)))
      add("parameters", place.text);
  return files;
}

void Boundary::add(const std::string &folder) {
  std::error_code error;
  if (fs::path real = fs::canonical(folder, error); !error)
    folders_.push_back(std::move(real));
}

bool Boundary::holds(const std::string &file) const {
  std::error_code error;
  const fs::path real = fs::canonical(file, error);
  // what has no name any more can still be read through /proc
  return error ? !fs::exists(file, error) : holdsReal(real);
}

bool Boundary::holdsName(const std::string &name) const {
  std::error_code error;
  const fs::path folder = fs::absolute(name, error).parent_path();
  const fs::path real = fs::canonical(folder, error);
  return error ? !fs::exists(folder, error) : holdsReal(real / "name"); // one that is not there is refused elsewhere
}

bool Boundary::holdsReal(const fs::path &real) const {
  return std::any_of(folders_.begin(), folders_.end(), [&real](const fs::path &folder) {
    return std::mismatch(folder.begin(), folder.end(), real.begin(), real.end()).first == folder.end();
  });
}

void Originals::add(const std::string &file) {
  entries_.insert(entryOf(file));
  std::error_code error;
  if (fs::path real = fs::canonical(file, error); !error)
    entries_.insert(std::move(real));
}

void Originals::add(const std::vector<NamedFile> &files) {
  for (const NamedFile &file : files)
    add(file.path);
}

Result<void> Originals::check(const std::string &output) const {
  if (!entries_.contains(entryOf(output)))
    return {};
  return failure(ErrorKind::BadRequest, output + " can't be written", "it is one of the files that this is made from",
                 "Choose another name; --force does not change this");
}

} // namespace aimlvideo::cli
