// SPDX-License-Identifier: LGPL-2.1-or-later
#include "output_mark.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include <gst/tag/tag.h>

#include <aimlvideo/mark.h>

#include "tags.h"
#include "work_folder.h"

namespace aimlvideo::cli {

namespace {

Failure notMarked(const std::string &why) {
  return failure(ErrorKind::NoSpace, "what was made can't be marked as generated", why,
                 "Check the folder and its free space; the clip is kept and can be fetched again");
}

Result<std::string> contentsOf(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::string contents{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad())
    return notMarked("it can't be read again");
  return contents;
}

Result<void> write(const std::string &path, const std::string &bytes, std::ios::openmode how) {
  errno = 0;
  std::ofstream file(path, std::ios::binary | how);
  file << bytes;
  file.close();
  if (!file)
    return notMarked(errno != 0 ? strerror(errno) : "it can't be written");
  return {};
}

/// A comment behind the first line of its playlist, and the packet beside it.
Result<void> markFolder(const std::string &folder, const std::string &mark) {
  const std::string playlist = folder + "/index.m3u8";
  auto text = contentsOf(playlist);
  if (!text)
    return tl::unexpected(text.error());
  const size_t start = text->find('\n') + 1;
  text->insert(start, "# " + markLine(factsIn(mark).value_or(MarkFacts())) + "\n");
  if (auto written = write(playlist, *text, std::ios::trunc); !written)
    return written;
  return write(folder + "/" + streamMarkName, mark, std::ios::trunc);
}

Result<void> markPicture(const std::string &path, const std::string &mark) {
  auto picture = contentsOf(path);
  if (!picture)
    return tl::unexpected(picture.error());
  const size_t offset = markOffset(picture->data(), picture->size());
  if (offset == 0) // there is no place for it
    return {};
  picture->insert(offset, markSegment(mark));
  return write(path, *picture, std::ios::trunc);
}

} // namespace

void markStream(GstPad *pad, const std::string &mark) {
  struct Marking {
    MarkFacts facts;
    bool sent;
  };
  const auto facts = factsIn(mark);
  if (!facts)
    return;
  gst_pad_add_probe(
      pad, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      [](GstPad *from, GstPadProbeInfo *info, gpointer data) -> GstPadProbeReturn {
        auto &marking = *static_cast<Marking *>(data);
        const bool isBuffer = (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0;
        if (!isBuffer && GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_TAG)
          GST_PAD_PROBE_INFO_DATA(info) = withMark(GST_PAD_PROBE_INFO_EVENT(info), marking.facts);
        else if (isBuffer && !std::exchange(marking.sent, true))
          gst_pad_push_event(from, gst_event_new_tag(tagsFor(marking.facts)));
        return GST_PAD_PROBE_OK;
      },
      new Marking{*facts, false}, [](gpointer data) { delete static_cast<Marking *>(data); });
}

void prepareMuxer(GstElement *muxer) {
  if (GST_IS_TAG_XMP_WRITER(muxer)) // one file should say it once
    gst_tag_xmp_writer_remove_all_schemas(GST_TAG_XMP_WRITER(muxer));
}

Result<void> markOutput(const Profile &profile, const std::string &path, const std::string &mark) {
  if (mark.empty())
    return {};
  switch (profile.kind) {
  case Profile::Kind::AsIs: // it has come so
    return {};
  case Profile::Kind::Hls:
    return markFolder(path, mark);
  case Profile::Kind::Poster:
    return markPicture(path, mark);
  case Profile::Kind::File:
    break;
  }
  const bool hasBoxes = g_str_has_prefix(profile.container, "video/quicktime");
  return hasBoxes ? write(path, markBox(mark), std::ios::app) : Result<void>();
}

} // namespace aimlvideo::cli
