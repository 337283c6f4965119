// SPDX-License-Identifier: LGPL-2.1-or-later
#include "checksum.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>

#include <glib.h>

namespace aimlvideo::cli {

namespace {

using Checksum = std::unique_ptr<GChecksum, void (*)(GChecksum *)>;

bool addFile(GChecksum *checksum, const std::string &path) {
  const std::unique_ptr<FILE, int (*)(FILE *)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file)
    return false;
  constexpr size_t piece = 1 << 20;
  std::string buffer(piece, '\0');
  while (const size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get()))
    g_checksum_update(checksum, reinterpret_cast<const guchar *>(buffer.data()), static_cast<gssize>(count));
  return std::ferror(file.get()) == 0;
}

} // namespace

std::string checksumOf(const std::string &path) {
  const Checksum checksum(g_checksum_new(G_CHECKSUM_SHA256), g_checksum_free);
  std::error_code error;
  if (!std::filesystem::is_directory(path, error))
    return addFile(checksum.get(), path) ? g_checksum_get_string(checksum.get()) : "";
  std::set<std::string> names;
  for (const auto &entry : std::filesystem::directory_iterator(path, error))
    names.insert(entry.path());
  for (const std::string &name : names)
    if (!addFile(checksum.get(), name))
      return "";
  return g_checksum_get_string(checksum.get());
}

} // namespace aimlvideo::cli
