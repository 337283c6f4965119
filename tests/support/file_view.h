// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include <glib.h>

namespace aimlvideo::test {

/// The bytes of a file, mapped.
class FileView {
public:
  explicit FileView(const std::string &path) : file_(g_mapped_file_new(path.c_str(), FALSE, nullptr)) {
    if (!file_)
      g_error("no file %s", path.c_str());
  }
  FileView(const FileView &) = delete;
  FileView &operator=(const FileView &) = delete;
  ~FileView() { g_mapped_file_unref(file_); }

  std::string_view bytes() const { return {g_mapped_file_get_contents(file_), g_mapped_file_get_length(file_)}; }

private:
  GMappedFile *file_;
};

} // namespace aimlvideo::test
