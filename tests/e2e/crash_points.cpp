// SPDX-License-Identifier: LGPL-2.1-or-later
// Preloaded into a process under test: counts the points right before and right after each call that makes something
// last or lets something leave, and at one of them kills or stops the process. So the programs need no hook of their
// own.
//
// AIMLVIDEO_POINT: the number, from 1, at which AIMLVIDEO_POINT_SIGNAL (9 if not given) is sent to oneself.
// AIMLVIDEO_POINT_LOG: a file that gets a line for each point.

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

template <typename Function>
Function *original(const char *name) {
  return reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name));
}

long numberIn(const char *variable, long otherwise) {
  const char *text = getenv(variable);
  return text ? atol(text) : otherwise;
}

/// The scanner of plugins and other helpers inherit the environment.
bool isMeant() {
  const char *program = getenv("AIMLVIDEO_POINT_PROGRAM");
  return program && strcmp(program, program_invocation_short_name) == 0;
}

void point(const char *when, const char *call) {
  static const bool meant = isMeant();
  if (!meant)
    return;
  static std::atomic<long> count = 0;
  static const long wanted = numberIn("AIMLVIDEO_POINT", 0);
  static const int log = getenv("AIMLVIDEO_POINT_LOG")
                             ? open(getenv("AIMLVIDEO_POINT_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
                             : -1;
  const int cause = errno;
  const long number = ++count;
  char line[100];
  const int size = snprintf(line, sizeof line, "%ld %s %s\n", number, when, call);
  if (log >= 0 && write(log, line, static_cast<size_t>(size)) < 0)
    abort();
  if (number == wanted)
    kill(getpid(), static_cast<int>(numberIn("AIMLVIDEO_POINT_SIGNAL", SIGKILL)));
  errno = cause;
}

bool leavesTheProcess(int socket) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && (domain == AF_INET || domain == AF_INET6);
}

template <typename Function, typename... Arguments>
auto between(bool counts, const char *name, Arguments... arguments) {
  auto *const call = original<Function>(name);
  if (counts)
    point("before", name);
  const auto result = call(arguments...);
  if (counts)
    point("after", name);
  return result;
}

} // namespace

#pragma GCC visibility push(default) // all else of the project is hidden
extern "C" {

int fdatasync(int descriptor) {
  return between<int(int)>(true, "fdatasync", descriptor);
}

int fsync(int descriptor) {
  return between<int(int)>(true, "fsync", descriptor);
}

ssize_t send(int socket, const void *bytes, size_t size, int flags) {
  return between<ssize_t(int, const void *, size_t, int)>(leavesTheProcess(socket), "send", socket, bytes, size, flags);
}

ssize_t sendmsg(int socket, const msghdr *message, int flags) {
  return between<ssize_t(int, const msghdr *, int)>(leavesTheProcess(socket), "sendmsg", socket, message, flags);
}

int rename(const char *from, const char *to) noexcept {
  return between<int(const char *, const char *)>(true, "rename", from, to);
}

int linkat(int from, const char *name, int to, const char *other, int flags) noexcept {
  return between<int(int, const char *, int, const char *, int)>(true, "linkat", from, name, to, other, flags);
}

int unlink(const char *path) noexcept {
  return between<int(const char *)>(true, "unlink", path);
}
}
#pragma GCC visibility pop
