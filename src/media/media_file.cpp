// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/media_file.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/glib_ptr.h"

namespace aimlvideo {

namespace {

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

} // namespace

Result<std::string> readMediaFile(const std::string &path, const std::string &property, const std::string &wanted) {
  const std::string what = property + " \"" + path + "\" can't be read";
  const File file(path);
  if (file.descriptor() < 0) {
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    return failure(missing ? ErrorKind::NotFound : ErrorKind::Unreadable, what, g_strerror(errno),
                   missing ? "Check the path; a relative one starts at the folder in which the program runs"
                           : "Check the permissions of the file and its folders");
  }
  struct stat facts{};
  if (fstat(file.descriptor(), &facts) != 0)
    return failure(ErrorKind::Unreadable, what, g_strerror(errno), wanted);
  if (!S_ISREG(facts.st_mode))
    return failure(ErrorKind::BadRequest, what, S_ISDIR(facts.st_mode) ? "it is a folder" : "it is not a regular file",
                   wanted);
  if (facts.st_size == 0)
    return failure(ErrorKind::BadRequest, what, "the file is empty", wanted);
  if (static_cast<size_t>(facts.st_size) > maximumMediaSize)
    return failure(ErrorKind::BadRequest, what,
                   "it has " + std::to_string(facts.st_size) + " bytes, at most " + std::to_string(maximumMediaSize) +
                       " are possible",
                   "Give a smaller file");
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

Result<std::string> pathIn(const std::string &reference, const std::string &property) {
  if (reference.size() <= 5 || g_ascii_strncasecmp(reference.c_str(), "file:", 5) != 0)
    return reference;
  GErrorSlot error;
  const GCharPtr path(g_filename_from_uri(reference.c_str(), nullptr, &error));
  if (!path)
    return failure(ErrorKind::BadRequest, property + " \"" + reference + "\" can't be used", error.message(),
                   "Give a URI such as file:///home/me/mona.jpg");
  return std::string(path.get());
}

std::string dataUriOf(const std::string &bytes, const std::string &type) {
  // straight into the text: a second copy of it may be 67 MB
  std::string uri = "data:" + type + ";base64,";
  const size_t head = uri.size();
  uri.resize(head + (bytes.size() / 3 + 1) * 4 + 4);
  gint state = 0;
  gint save = 0;
  char *out = uri.data() + head;
  out += g_base64_encode_step(reinterpret_cast<const guchar *>(bytes.data()), bytes.size(), FALSE, out, &state, &save);
  out += g_base64_encode_close(FALSE, out, &state, &save);
  uri.resize(static_cast<size_t>(out - uri.data()));
  return uri;
}

} // namespace aimlvideo
