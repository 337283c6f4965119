// SPDX-License-Identifier: LGPL-2.1-or-later
#include "settings/api_key.h"

#include <glib/gstdio.h>

#include "settings/text_file.h"

namespace aimlvideo {

namespace {

std::string systemdCredential() {
  const char *folder = g_getenv("CREDENTIALS_DIRECTORY");
  return folder && *folder ? std::string(folder) + "/aimlapi-key" : "";
}

Result<Secret> keyFromFile(const std::string &path) {
  auto contents = readTextFile(path, "api-key-file");
  if (!contents)
    return tl::unexpected(std::move(contents.error()));
  std::string_view line = *contents;
  line = line.substr(0, line.find_first_of("\r\n"));
  while (line.ends_with(' ') || line.ends_with('\t'))
    line.remove_suffix(1);
  const Secret key(line);
  wipe(*contents);
  if (key.empty())
    return failure(ErrorKind::NotAuthorized, "api-key-file \"" + path + "\" contains no key", "its first line is empty",
                   "Put the key into its first line");
  return key;
}

/// What to say about a key file that every user of this machine can read.
std::string warningAbout(const std::string &path) {
  GStatBuf facts{};
  if (g_stat(path.c_str(), &facts) != 0 || (facts.st_mode & S_IROTH) == 0)
    return "";
  return "every user of this machine can read the API key in \"" + path + "\"; run: chmod go= " + path;
}

Failure noKey() {
  return failure(ErrorKind::NotAuthorized, "there is no API key",
                 "none of api-key, api-key-file and $AIMLAPI_KEY is set",
                 "Get a key at https://aimlapi.com/app/keys and set the environment variable AIMLAPI_KEY to it");
}

Result<void> checkKey(const Secret &key) {
  for (const unsigned char c : key.reveal())
    if (c <= ' ' || c >= 0x7f)
      return failure(ErrorKind::NotAuthorized, "the API key can't be used",
                     "it contains a space, a line break or another character that no key has",
                     "Copy it again from https://aimlapi.com/app/keys");
  return {};
}

Result<FoundKey> lookForKey(const Secret &given, const std::string &file) {
  if (!given.empty())
    return FoundKey{given, "", "api-key"};
  if (!file.empty()) {
    auto key = keyFromFile(file);
    if (!key)
      return tl::unexpected(std::move(key.error()));
    return FoundKey{std::move(*key), warningAbout(file), file};
  }
  for (const char *name : apiKeyVariables)
    if (const char *value = g_getenv(name); value && *value)
      return FoundKey{Secret(value), "", "$" + std::string(name)};
  if (const std::string path = systemdCredential(); !path.empty() && g_file_test(path.c_str(), G_FILE_TEST_EXISTS)) {
    auto key = keyFromFile(path);
    if (!key)
      return tl::unexpected(std::move(key.error()));
    return FoundKey{std::move(*key), "", path}; // in a folder that no one else can enter
  }
  return noKey();
}

} // namespace

Result<void> checkKeyIsNamed(const Secret &given, const std::string &file) {
  if (!given.empty() || !file.empty() || !systemdCredential().empty())
    return {};
  for (const char *name : apiKeyVariables)
    if (const char *value = g_getenv(name); value && *value)
      return {};
  return noKey();
}

Result<FoundKey> findKey(const Secret &given, const std::string &file) {
  auto found = lookForKey(given, file);
  if (!found)
    return found;
  if (const auto usable = checkKey(found->key); !usable)
    return tl::unexpected(usable.error());
  return found;
}

} // namespace aimlvideo
