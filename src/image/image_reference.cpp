// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/image_reference.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/canonical.h"
#include "base/glib_ptr.h"

namespace aimlvideo {

namespace {

constexpr auto wantedImage = "Give a PNG, JPEG or WebP image";
constexpr auto readableTypes = "PNG, JPEG and WebP";

bool hasScheme(std::string_view reference, std::string_view scheme) {
  return reference.size() > scheme.size() && reference[scheme.size()] == ':' &&
         g_ascii_strncasecmp(reference.data(), scheme.data(), scheme.size()) == 0;
}

bool isWebUrl(std::string_view reference) {
  return hasScheme(reference, "http") || hasScheme(reference, "https");
}

class File {
public:
  explicit File(const std::string &path) : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  ~File() {
    if (descriptor_ >= 0)
      close(descriptor_);
  }
  int descriptor() const { return descriptor_; }

private:
  int descriptor_;
};

Result<std::string> readImageFile(const std::string &path, const std::string &property) {
  const std::string what = property + " \"" + path + "\" can't be read";
  const File file(path);
  if (file.descriptor() < 0) {
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    return failure(missing ? ErrorKind::NotFound : ErrorKind::Unreadable, what, g_strerror(errno),
                   missing ? "Check the path; a relative one starts at the folder in which the program runs"
                           : "Check the permissions of the file and its folders");
  }
  struct stat facts {};
  if (fstat(file.descriptor(), &facts) != 0)
    return failure(ErrorKind::Unreadable, what, g_strerror(errno), wantedImage);
  if (!S_ISREG(facts.st_mode))
    return failure(ErrorKind::BadRequest, what, S_ISDIR(facts.st_mode) ? "it is a folder" : "it is not a regular file",
                   wantedImage);
  if (facts.st_size == 0)
    return failure(ErrorKind::BadRequest, what, "the file is empty", wantedImage);
  if (static_cast<size_t>(facts.st_size) > maximumImageSize)
    return failure(ErrorKind::BadRequest, what,
                   "it has " + std::to_string(facts.st_size) + " bytes, at most " + std::to_string(maximumImageSize) +
                       " are possible",
                   "Shrink the image");
  std::string bytes(static_cast<size_t>(facts.st_size), '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t count = read(file.descriptor(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return failure(ErrorKind::Unreadable, what, g_strerror(errno), "Check the disk");
    if (count == 0)
      return failure(ErrorKind::Unreadable, what, "it became shorter while it was read", "Try again");
    filled += static_cast<size_t>(count);
  }
  return bytes;
}

Result<Media> localFileAsDataUri(const std::string &path, const std::string &property) {
  auto bytes = readImageFile(path, property);
  if (!bytes)
    return tl::unexpected(std::move(bytes.error()));
  const auto type = imageTypeOf(*bytes);
  if (!type)
    return failure(ErrorKind::BadRequest, property + " \"" + path + "\" can't be used",
                   std::string("its content is none of ") + readableTypes, wantedImage);
  const GCharPtr base64(g_base64_encode(reinterpret_cast<const guchar *>(bytes->data()), bytes->size()));
  return Media{"data:" + *type + ";base64," + base64.get(), identityOf(*bytes)};
}

Result<Media> checkedDataUri(const std::string &uri, const std::string &property) {
  const auto refuse = [&](const std::string &why) {
    return failure(ErrorKind::BadRequest, property + " holds a data URI that can't be used", why,
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
    return refuse("it holds no data");
  if (data.size() / 4 * 3 > maximumImageSize)
    return refuse("it holds more than " + std::to_string(maximumImageSize) + " bytes");
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  if (data.find_first_not_of(alphabet) != std::string_view::npos)
    return refuse("its data has characters that base64 has not");
  const size_t padding = data.find('=');
  if (padding != std::string_view::npos &&
      (data.size() - padding > 2 || data.find_first_not_of('=', padding) != std::string_view::npos))
    return refuse("its data goes on after the end of its base64");
  const std::string start(data.substr(0, 64));
  gsize size = 0;
  const std::unique_ptr<guchar, GFree> decoded(g_base64_decode(start.c_str(), &size));
  if (!imageTypeOf({reinterpret_cast<const char *>(decoded.get()), size}))
    return refuse(std::string("its content is none of ") + readableTypes);
  return Media{uri, identityOfCarried(uri)};
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
  return !reference.empty() && !isWebUrl(reference) && !hasScheme(reference, "data");
}

Result<Media> resolveImage(const std::string &reference, const std::string &property) {
  if (isWebUrl(reference)) {
    GErrorSlot error;
    const auto uri = adopt(g_uri_parse(reference.c_str(), G_URI_FLAGS_ENCODED, &error));
    if (!uri || !g_uri_get_host(uri.get()) || !*g_uri_get_host(uri.get()))
      return failure(ErrorKind::BadRequest, property + " \"" + reference + "\" can't be used",
                     uri ? "it names no host" : error.message(), "Give a complete http or https address");
    return Media{reference, reference};
  }
  if (hasScheme(reference, "data"))
    return checkedDataUri(reference, property);
  if (hasScheme(reference, "file")) {
    GErrorSlot error;
    const GCharPtr path(g_filename_from_uri(reference.c_str(), nullptr, &error));
    if (!path)
      return failure(ErrorKind::BadRequest, property + " \"" + reference + "\" can't be used", error.message(),
                     "Give a URI such as file:///home/me/mona.jpg");
    return localFileAsDataUri(path.get(), property);
  }
  return localFileAsDataUri(reference, property);
}

} // namespace aimlvideo
