// SPDX-License-Identifier: LGPL-2.1-or-later
#include "save.h"

#include <vector>

#include <gio/gio.h>

#include "base/glib_ptr.h"
#include "base/printable.h"

namespace aimlvideo::cli {

Result<void> saveClip(const Spool &clip, const std::string &file) {
  GErrorSlot error;
  const auto refuse = [&] {
    return failure(ErrorKind::NoSpace, "the clip can't be written to " + file, error.message(),
                   "Check the folder and its free space; the clip is kept and can be fetched again");
  };
  const auto target = adopt(g_file_new_for_commandline_arg(file.c_str()));
  const auto stream = adopt(g_file_replace(target.get(), nullptr, FALSE, G_FILE_CREATE_NONE, nullptr, &error));
  if (!stream)
    return refuse();
  std::vector<char> buffer(1 << 20);
  for (uint64_t offset = 0; offset < clip.size().value_or(0);) {
    const auto count = clip.read(offset, buffer.data(), buffer.size());
    if (!count || *count == 0 ||
        !g_output_stream_write_all(G_OUTPUT_STREAM(stream.get()), buffer.data(), *count, nullptr, nullptr, &error)) {
      // without this the stream would put what it has into the file's place
      const auto cancelled = adopt(g_cancellable_new());
      g_cancellable_cancel(cancelled.get());
      g_output_stream_close(G_OUTPUT_STREAM(stream.get()), cancelled.get(), nullptr);
      return count ? refuse() : Result<void>(tl::unexpected(count.error()));
    }
    offset += *count;
  }
  if (!g_output_stream_close(G_OUTPUT_STREAM(stream.get()), nullptr, &error))
    return refuse();
  return {};
}

void printProgress(const std::string &text) {
  g_printerr("%s\n", printable(text).c_str());
}

} // namespace aimlvideo::cli
