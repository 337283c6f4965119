// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/media_reference.h"

#include "api/canonical.h"

namespace aimlvideo {

namespace {

/// What the first bytes of a file say, and where they stand.
struct Signature {
  size_t at;
  std::string_view bytes;
  const char *type;
};

using namespace std::string_view_literals;

constexpr Signature signatures[] = {
    {4, "ftypqt"sv, "video/quicktime"}, {4, "ftypM4A"sv, "audio/mp4"},
    {4, "ftyp"sv, "video/mp4"},         {0, "\x1a\x45\xdf\xa3"sv, "video/webm"},
    {8, "WAVE"sv, "audio/wav"},         {0, "ID3"sv, "audio/mpeg"},
    {0, "\xff\xfb"sv, "audio/mpeg"},    {0, "\xff\xf3"sv, "audio/mpeg"},
    {0, "\xff\xf2"sv, "audio/mpeg"},    {0, "\xff\xf1"sv, "audio/aac"},
    {0, "\xff\xf9"sv, "audio/aac"},     {0, "OggS"sv, "audio/ogg"},
    {0, "fLaC"sv, "audio/flac"},
};

const char *wantedFor(MediaKind kind) {
  switch (kind) {
  case MediaKind::Image:
    return "Give a PNG, JPEG or WebP image";
  case MediaKind::Video:
    return "Give an MP4, MOV or WebM video";
  case MediaKind::Audio:
    return "Give a sound file: MP3, WAV, M4A, AAC, Ogg or FLAC";
  case MediaKind::Any:
    break;
  }
  return "Give an image, a video or a sound file";
}

bool fits(const std::string &type, MediaKind kind) {
  return kind == MediaKind::Any || type.starts_with(kind == MediaKind::Video ? "video/" : "audio/") ||
         (kind == MediaKind::Audio && type == "video/mp4"); // an MP4 with sound only looks like any other
}

} // namespace

std::optional<std::string> mediaTypeOf(std::string_view bytes) {
  if (const auto image = imageTypeOf(bytes))
    return image;
  for (const Signature &signature : signatures)
    if (bytes.size() > signature.at && bytes.substr(signature.at).starts_with(signature.bytes))
      return signature.type;
  return {};
}

Result<Media> resolveMedia(const MediaPlace &place, const ImageLimits &limits, Notes *notes) {
  if (place.kind == MediaKind::Image)
    return resolveImage(place.text, place.place, limits, notes);
  const auto path = pathIn(place.text, place.place);
  if (!path)
    return tl::unexpected(path.error());
  auto bytes = readMediaFile(*path, place.place, wantedFor(place.kind));
  if (!bytes)
    return tl::unexpected(std::move(bytes.error()));
  const auto type = mediaTypeOf(*bytes);
  if (!type || !fits(*type, place.kind))
    return failure(ErrorKind::BadRequest, place.place + " \"" + *path + "\" can't be used",
                   type ? "it is " + *type : "its content is of no known type", wantedFor(place.kind));
  std::string identity = identityOf(*bytes);
  if (imageTypeOf(*bytes))
    return imageFromBytes(std::move(*bytes), std::move(identity), place.place, limits, notes);
  return Media{dataUriOf(*bytes, *type), std::move(identity)};
}

} // namespace aimlvideo
