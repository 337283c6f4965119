// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/image_reference.h"

#include "api/canonical.h"
#include "base/glib_ptr.h"
#include "media/image_preparer.h"
#include "media/media_file.h"

namespace aimlvideo {

namespace {

constexpr auto wantedImage = "Give a PNG, JPEG or WebP image";
constexpr auto readableTypes = "PNG, JPEG and WebP";

void tell(const std::string &note, Notes *notes) {
  if (notes && !note.empty())
    notes->push_back(note);
}

Result<Media> localImage(const std::string &reference, const std::string &property, const ImageLimits &limits,
                         Notes *notes) {
  const auto path = pathIn(reference, property);
  if (!path)
    return tl::unexpected(path.error());
  auto bytes = readMediaFile(*path, property, wantedImage);
  if (!bytes)
    return tl::unexpected(std::move(bytes.error()));
  std::string identity = identityOf(*bytes);
  return imageFromBytes(std::move(*bytes), std::move(identity), property + " \"" + *path + "\"", limits, notes);
}

/// The bytes in a data URI.
Result<std::string> bytesIn(const std::string &uri, const std::string &property) {
  const auto refuse = [&](const std::string &why) {
    return failure(ErrorKind::BadRequest, property + " is a data URI that can't be used", why,
                   "Give one such as data:image/png;base64,...");
  };
  const size_t comma = uri.find(',');
  if (comma == std::string::npos)
    return refuse("it has no comma before its data");
  const std::string_view head = std::string_view(uri).substr(0, comma);
  if (!head.ends_with(";base64"))
    return refuse("it is not in base64");
  const std::string_view data = std::string_view(uri).substr(comma + 1);
  if (data.empty())
    return refuse("it contains no data");
  if (data.size() / 4 * 3 > maximumMediaSize)
    return refuse("it contains more than " + std::to_string(maximumMediaSize) + " bytes");
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  if (data.find_first_not_of(alphabet) != std::string_view::npos)
    return refuse("its data has characters that are not base64");
  const size_t padding = data.find('=');
  if (padding != std::string_view::npos &&
      (data.size() - padding > 2 || data.find_first_not_of('=', padding) != std::string_view::npos))
    return refuse("its data continues after the end of its base64");
  auto bytes = base64In(uri);
  if (!bytes)
    return refuse("its base64 is cut off");
  if (!imageTypeOf(*bytes))
    return refuse(std::string("its content is not one of ") + readableTypes);
  return std::move(*bytes);
}

Result<Media> checkedDataUri(const std::string &uri, const std::string &property, const ImageLimits &limits,
                             Notes *notes) {
  auto bytes = bytesIn(uri, property);
  if (!bytes)
    return tl::unexpected(std::move(bytes.error()));
  const std::string type = *imageTypeOf(*bytes);
  const std::string identity = identityOf(*bytes);
  const size_t before = bytes->size();
  auto prepared = prepareImage(std::move(*bytes), type, limits, property);
  if (!prepared)
    return tl::unexpected(std::move(prepared.error()));
  tell(prepared->note, notes);
  const bool changed = prepared->bytes.size() != before || prepared->type != type;
  return Media{changed ? dataUriOf(prepared->bytes, prepared->type) : uri, identity};
}

Result<Media> checkedWebAddress(const std::string &address, const std::string &property) {
  GErrorSlot error;
  const auto uri = adopt(g_uri_parse(address.c_str(), G_URI_FLAGS_ENCODED, &error));
  if (!uri || !g_uri_get_host(uri.get()) || !*g_uri_get_host(uri.get()))
    return failure(ErrorKind::BadRequest, property + " \"" + address + "\" can't be used",
                   uri ? "it names no host" : error.message(), "Give a complete http or https address");
  return Media{address, address};
}

} // namespace

std::optional<std::string> imageTypeOf(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"))
    return "image/png";
  if (bytes.starts_with("\xff\xd8\xff"))
    return "image/jpeg";
  if (bytes.size() >= 12 && bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP")
    return "image/webp";
  return {};
}

bool isLocalFile(std::string_view reference) {
  return !reference.empty() && !isWebAddress(reference) && !isDataUri(reference);
}

Result<Media> imageFromBytes(std::string bytes, std::string identity, const std::string &property,
                             const ImageLimits &limits, Notes *notes) {
  const auto type = imageTypeOf(bytes);
  if (!type)
    return failure(ErrorKind::BadRequest, property + " can't be used",
                   std::string("its content is not one of ") + readableTypes, wantedImage);
  auto prepared = prepareImage(std::move(bytes), *type, limits, property);
  if (!prepared)
    return tl::unexpected(std::move(prepared.error()));
  tell(prepared->note, notes);
  return Media{dataUriOf(prepared->bytes, prepared->type), std::move(identity)};
}

Result<Media> resolveImage(const std::string &reference, const std::string &property, const ImageLimits &limits,
                           Notes *notes) {
  if (isWebAddress(reference))
    return checkedWebAddress(reference, property);
  if (isDataUri(reference))
    return checkedDataUri(reference, property, limits, notes);
  return localImage(reference, property, limits, notes);
}

} // namespace aimlvideo
