// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provenance.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

#include <gst/pbutils/gstdiscoverer.h>

#include "base/glib_ptr.h"
#include "clip/spool.h"
#include "provenance/found_marks.h"
#include "work_folder.h"

namespace aimlvideo::cli {

namespace {

/// Whether it counts: of several that say something the last does that says that a model had a part in it.
bool take(const std::optional<MarkFacts> &facts, const char *place, Provenance &provenance) {
  if (!facts || (provenance.facts && !isGenerated(facts->sourceType)))
    return false;
  provenance.facts = facts;
  provenance.place = place;
  return true;
}

void takeFrom(const FoundMarks &found, Provenance &provenance) {
  for (const std::string &packet : found.packets)
    if (take(factsIn(packet), "XMP", provenance))
      provenance.packet = packet;
  provenance.isSigned = found.isSigned;
  provenance.aigc = found.aigc;
}

/// Text tags, as GStreamer's demuxers read them.
void takeFrom(const GstTagList *tags, Provenance &provenance) {
  gst_tag_list_foreach(
      tags,
      [](const GstTagList *list, const gchar *tag, gpointer data) {
        auto &into = *static_cast<Provenance *>(data);
        for (guint i = 0; i < gst_tag_list_get_tag_size(list, tag); ++i) {
          const gchar *text = nullptr;
          const bool isText = gst_tag_get_type(tag) == G_TYPE_STRING;
          if (!isText || !gst_tag_list_peek_string_index(list, tag, i, &text))
            continue;
          take(factsInLine(text), "tags", into);
          // as the demuxers hand on what they have no tag for
          if (constexpr auto label = "AIGC="; into.aigc.empty() && g_str_has_prefix(text, label))
            into.aigc = text + strlen(label);
        }
      },
      &provenance);
}

/// Whether a file is of a kind that may have tags. A playlist is not: a demuxer would fetch what it names.
bool mayHaveTags(const Spool &file) {
  constexpr size_t enough = 12;
  std::string start(enough, '\0');
  start.resize(file.read(0, start.data(), start.size()).value_or(0));
  return start.starts_with("\x1A\x45\xDF\xA3") || start.starts_with("RIFF") || start.starts_with("OggS") ||
         start.starts_with("FLV") || start.substr(std::min<size_t>(start.size(), 4)).starts_with("ftyp");
}

/// The line in a playlist that `hls` has made.
void takePlaylist(const Spool &file, Provenance &provenance) {
  constexpr size_t enough = 4096;
  std::string start(enough, '\0');
  start.resize(file.read(0, start.data(), start.size()).value_or(0));
  const size_t at = start.starts_with("#EXTM3U") ? start.find("\n# ") : std::string::npos;
  if (at != std::string::npos)
    take(factsInLine(start.substr(at + 3, start.find('\n', at + 3) - at - 3)), "playlist", provenance);
}

void takeTags(const std::string &path, Provenance &provenance) {
  gst_init(nullptr, nullptr);
  constexpr GstClockTime patience = 20 * GST_SECOND;
  const auto discoverer = adopt(gst_discoverer_new(patience, nullptr));
  const GCharPtr absolute(g_canonicalize_filename(path.c_str(), nullptr));
  const GCharPtr uri(g_filename_to_uri(absolute.get(), nullptr, nullptr));
  if (!discoverer || !uri)
    return;
  const auto info = adopt(gst_discoverer_discover_uri(discoverer.get(), uri.get(), nullptr));
  if (!info)
    return;
  const auto container = adopt(gst_discoverer_info_get_stream_info(info.get()));
  if (container && GST_IS_DISCOVERER_CONTAINER_INFO(container.get()))
    if (const GstTagList *tags = gst_discoverer_container_info_get_tags(GST_DISCOVERER_CONTAINER_INFO(container.get())))
      takeFrom(tags, provenance);
  GList *streams = gst_discoverer_info_get_stream_list(info.get());
  for (const GList *stream = streams; stream; stream = stream->next)
    if (const GstTagList *tags = gst_discoverer_stream_info_get_tags(GST_DISCOVERER_STREAM_INFO(stream->data)))
      takeFrom(tags, provenance);
  gst_discoverer_stream_info_list_free(streams);
}

} // namespace

Result<Provenance> provenanceOf(const std::string &path) {
  // of a stream its mark speaks
  const auto isThere = [&path](const char *name) {
    return g_file_test((path + "/" + name).c_str(), G_FILE_TEST_IS_REGULAR) != FALSE;
  };
  const bool isStream = isThere("index.m3u8");
  if (isStream && !isThere(streamMarkName))
    return Provenance{};
  const std::string file = isStream ? path + "/" + streamMarkName : path;
  Descriptor open(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!open.isOpen() || fstat(open.number(), &status) != 0 || !S_ISREG(status.st_mode)) {
    const char *why = !open.isOpen() ? strerror(errno) : "it is no file";
    return failure(errno == EACCES ? ErrorKind::Unreadable : ErrorKind::NotFound, path + " can't be read", why,
                   "Name a video, a picture, an .xmp file, or the folder of a stream");
  }
  Provenance provenance;
  const auto spool = SpoolFile::open(open.release(), static_cast<uint64_t>(status.st_size));
  takeFrom(marksIn(*spool), provenance);
  takePlaylist(*spool, provenance);
  if (!provenance.isMarked() && mayHaveTags(*spool))
    takeTags(file, provenance);
  return provenance;
}

} // namespace aimlvideo::cli
