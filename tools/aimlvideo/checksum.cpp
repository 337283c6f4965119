// SPDX-License-Identifier: LGPL-2.1-or-later
#include "checksum.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>

#include "base/sha256.h"

namespace aimlvideo::cli {

namespace {

bool addFile(Sha256 &checksum, const std::string &path) {
  const std::unique_ptr<FILE, int (*)(FILE *)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file)
    return false;
  constexpr size_t piece = 1 << 20;
  std::string buffer(piece, '\0');
  while (const size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get()))
    checksum.add({buffer.data(), count});
  return std::ferror(file.get()) == 0;
}

} // namespace

std::string checksumOf(const std::string &path) {
  Sha256 checksum;
  std::error_code error;
  if (!std::filesystem::is_directory(path, error))
    return addFile(checksum, path) ? checksum.hex() : "";
  std::set<std::string> names;
  for (const auto &entry : std::filesystem::directory_iterator(path, error))
    names.insert(entry.path());
  for (const std::string &name : names)
    if (!addFile(checksum, name))
      return "";
  return checksum.hex();
}

} // namespace aimlvideo::cli
