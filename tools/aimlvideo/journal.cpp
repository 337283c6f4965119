// SPDX-License-Identifier: LGPL-2.1-or-later
#include "journal.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/glib_ptr.h"
#include "base/json/value.h"
#include "checksum.h"

namespace aimlvideo::cli {

namespace {

constexpr int noDescriptor = -1;
constexpr size_t piece = 1 << 20;

Failure journalFailure(const std::string &file, const std::string &why) {
  return failure(ErrorKind::NoSpace, "the journal " + file + " can't be written", why,
                 "It says which outputs are made; --journal names another place");
}

std::string nameOf(const std::string &output) {
  const GCharPtr path(g_canonicalize_filename(output.c_str(), nullptr));
  return path.get();
}

} // namespace

Result<Journal> Journal::open(const std::string &file) {
  // whoever may write beside the manifest must not lead this to another file
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
  if (descriptor < 0)
    return journalFailure(file, errno == ELOOP ? "it is a symbolic link" : g_strerror(errno));
  Journal journal(descriptor, file);
  struct stat facts{};
  if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_uid != geteuid())
    return journalFailure(file, S_ISREG(facts.st_mode) ? "it belongs to another user" : "it is not a regular file");
  if (facts.st_nlink > 1)
    return journalFailure(file, "it is hard-linked to another file");
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0)
    return failure(ErrorKind::Busy, "the manifest is in use", "another process has its journal " + file);
  if (!journal.read())
    return journalFailure(file, "it can't be read");
  return journal;
}

Journal::Journal(Journal &&other) noexcept
    : descriptor_(std::exchange(other.descriptor_, noDescriptor)),
      file_(std::move(other.file_)),
      entries_(std::move(other.entries_)) {}

Journal::~Journal() {
  if (descriptor_ != noDescriptor)
    close(descriptor_);
}

/// A last line that was cut off by a crash counts as none: its output did not get its name.
bool Journal::read() {
  std::string contents;
  std::string buffer(piece, '\0');
  ssize_t count = 0;
  while ((count = ::read(descriptor_, buffer.data(), buffer.size())) > 0)
    contents.append(buffer, 0, static_cast<size_t>(count));
  if (count < 0)
    return false;
  const GStrvPtr lines(g_strsplit(contents.c_str(), "\n", -1));
  for (char **line = lines.get(); *line; ++line) {
    const auto node = json::parse(*line);
    JsonObject *object = node ? json::objectIn(node->get()) : nullptr;
    const auto text = [object](const char *name) {
      return json::scalarText(json::member(object, name)).value_or("");
    };
    if (object)
      entries_[text("output")] = {text("recipe"), text("sha256"), text("generation_id")};
  }
  if (!contents.empty() && contents.back() != '\n' && write(descriptor_, "\n", 1) != 1)
    return false;
  return true;
}

const Journal::Entry *Journal::find(const std::string &output) const {
  const auto found = entries_.find(nameOf(output));
  return found == entries_.end() ? nullptr : &found->second;
}

bool Journal::isMade(const Order &order, const std::string &recipe) const {
  const Entry *entry = find(order.output);
  return entry && entry->recipe == recipe && !entry->checksum.empty() && checksumOf(order.output) == entry->checksum;
}

Result<void> Journal::add(const Order &order, Entry entry) {
  const auto object = json::Value::object({{"output", nameOf(order.output)},
                                           {"recipe", entry.recipe},
                                           {"sha256", entry.checksum},
                                           {"generation_id", entry.generationId}});
  const std::string line = object.dump() + "\n";
  if (write(descriptor_, line.data(), line.size()) != static_cast<ssize_t>(line.size()) || fdatasync(descriptor_) != 0)
    return journalFailure(file_, g_strerror(errno));
  entries_[nameOf(order.output)] = std::move(entry);
  return {};
}

} // namespace aimlvideo::cli
