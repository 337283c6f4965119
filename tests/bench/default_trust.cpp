// SPDX-License-Identifier: LGPL-2.1-or-later
// Preloaded into a process under test or a benchmark: the certificates that its system trusts are those in the file
// $AIMLVIDEO_TRUST. $AIMLVIDEO_TRUST_LOG, if given, gets a line whenever the process's default TLS database is
// replaced.

#include <cstdlib>

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <gio/gio.h>

namespace {

decltype(&g_tls_backend_set_default_database) original() {
  return reinterpret_cast<decltype(original())>(dlsym(RTLD_NEXT, "g_tls_backend_set_default_database"));
}

__attribute__((constructor)) void trust() {
  GTlsDatabase *database = g_tls_file_database_new(getenv("AIMLVIDEO_TRUST"), nullptr);
  if (!database)
    abort();
  original()(g_tls_backend_get_default(), database);
  g_object_unref(database);
}

} // namespace

extern "C" __attribute__((visibility("default"))) void g_tls_backend_set_default_database(GTlsBackend *backend,
                                                                                          GTlsDatabase *database) {
  const char *name = getenv("AIMLVIDEO_TRUST_LOG");
  const int log = name ? open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  if (log >= 0 && (write(log, "replaced\n", 9) != 9 || close(log) != 0))
    abort();
  original()(backend, database);
}
