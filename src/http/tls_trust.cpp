// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/tls_trust.h"

#include <atomic>
#include <set>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mutex.h"

namespace {

/// A database that asks another one, and has no certificates that a connection could parse.
struct DeferringDatabase {
  GTlsDatabase parent;
  GTlsDatabase *whole; ///< owned
};
struct DeferringDatabaseClass {
  GTlsDatabaseClass parent;
};

G_DEFINE_TYPE(DeferringDatabase, aimlvideo_deferring_database, G_TYPE_TLS_DATABASE)

GTlsDatabase *whole(GTlsDatabase *deferring) {
  return reinterpret_cast<DeferringDatabase *>(deferring)->whole;
}

bool isDeferring(GTlsDatabase *database) {
  return database && G_TYPE_CHECK_INSTANCE_TYPE(database, aimlvideo_deferring_database_get_type());
}

void aimlvideo_deferring_database_init(DeferringDatabase *) {}

void aimlvideo_deferring_database_class_init(DeferringDatabaseClass *type) {
  G_OBJECT_CLASS(type)->finalize = [](GObject *self) {
    g_object_unref(reinterpret_cast<DeferringDatabase *>(self)->whole);
    G_OBJECT_CLASS(aimlvideo_deferring_database_parent_class)->finalize(self);
  };
  type->parent.verify_chain = [](GTlsDatabase *self, GTlsCertificate *chain, const gchar *purpose,
                                 GSocketConnectable *identity, GTlsInteraction *interaction,
                                 GTlsDatabaseVerifyFlags flags, GCancellable *cancellable, GError **error) {
    return g_tls_database_verify_chain(whole(self), chain, purpose, identity, interaction, flags, cancellable, error);
  };
  type->parent.create_certificate_handle = [](GTlsDatabase *self, GTlsCertificate *certificate) {
    return g_tls_database_create_certificate_handle(whole(self), certificate);
  };
  type->parent.lookup_certificate_for_handle = [](GTlsDatabase *self, const gchar *handle, GTlsInteraction *interaction,
                                                  GTlsDatabaseLookupFlags flags, GCancellable *cancellable,
                                                  GError **error) {
    return g_tls_database_lookup_certificate_for_handle(whole(self), handle, interaction, flags, cancellable, error);
  };
  type->parent.lookup_certificate_issuer = [](GTlsDatabase *self, GTlsCertificate *certificate,
                                              GTlsInteraction *interaction, GTlsDatabaseLookupFlags flags,
                                              GCancellable *cancellable, GError **error) {
    return g_tls_database_lookup_certificate_issuer(whole(self), certificate, interaction, flags, cancellable, error);
  };
  type->parent.lookup_certificates_issued_by = [](GTlsDatabase *self, GByteArray *issuer, GTlsInteraction *interaction,
                                                  GTlsDatabaseLookupFlags flags, GCancellable *cancellable,
                                                  GError **error) {
    return g_tls_database_lookup_certificates_issued_by(whole(self), issuer, interaction, flags, cancellable, error);
  };
}

} // namespace

namespace aimlvideo {

namespace {

/// Each known host takes a descriptor; there are two or three of them, the service and where its clips are.
constexpr size_t mostKnown = 8;

std::atomic<bool> isEnabled = false;

/// Guards the process's default database against several that replace and restore it.
Mutex replacing;
int replacements GUARDED_BY(replacing) = 0;
GTlsDatabase *replaced GUARDED_BY(replacing) = nullptr; // owned while there are replacements

/// Whether this TLS library parses the default database for each connection.
bool parsesEachTime() {
  return glib_check_version(2, 80, 0) &&
         g_str_equal(G_OBJECT_TYPE_NAME(g_tls_backend_get_default()), "GTlsBackendGnutls");
}

/// The process's true default database.
GRefPtr<GTlsDatabase> defaultDatabase() {
  const Lock lock(replacing);
  return replacements > 0 ? share(replaced) : adopt(g_tls_backend_get_default_database(g_tls_backend_get_default()));
}

std::string nameOf(const std::string &host, guint16 port) {
  return GCharPtr(g_ascii_strdown(host.c_str(), -1)).get() + (' ' + std::to_string(port));
}

/// Where a connection leads, as forget() has it. Empty if that is not known.
std::string destination(GTlsConnection *connection) {
  if (!G_IS_TLS_CLIENT_CONNECTION(connection))
    return {};
  GSocketConnectable *identity = g_tls_client_connection_get_server_identity(G_TLS_CLIENT_CONNECTION(connection));
  if (!G_IS_NETWORK_ADDRESS(identity))
    return {};
  return nameOf(g_network_address_get_hostname(G_NETWORK_ADDRESS(identity)),
                g_network_address_get_port(G_NETWORK_ADDRESS(identity)));
}

/// The same database, read anew. Null for one that is not GnuTLS's.
GRefPtr<GTlsDatabase> readAnew(GTlsDatabase *database) {
  const std::string type = G_OBJECT_TYPE_NAME(database);
  if (type == "GTlsDatabaseGnutls")
    return adopt(static_cast<GTlsDatabase *>(g_initable_new(G_OBJECT_TYPE(database), nullptr, nullptr, nullptr)));
  if (type != "GTlsFileDatabaseGnutls")
    return nullptr;
  gchar *file = nullptr;
  g_object_get(database, "anchors", &file, nullptr);
  const GCharPtr owner(file);
  return adopt(g_tls_file_database_new(file, nullptr));
}

/// A database of the certificates in `pem`, held in a file that has no name, can't be changed, and lives as long as
/// the database does. Null if the system can't.
GRefPtr<GTlsDatabase> databaseOf(const std::string &pem) {
  const int file = memfd_create("certificates", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0)
    return nullptr;
  GRefPtr<GTlsDatabase> database;
  if (write(file, pem.data(), pem.size()) == static_cast<ssize_t>(pem.size()) &&
      fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
    database = adopt(g_tls_file_database_new(("/proc/self/fd/" + std::to_string(file)).c_str(), nullptr));
  if (database)
    g_object_set_data_full(G_OBJECT(database.get()), "aimlvideo-file", GINT_TO_POINTER(file),
                           [](gpointer descriptor) { close(GPOINTER_TO_INT(descriptor)); });
  else
    close(file);
  return database;
}

/// The certificates of `trusted` that have signed one of the chain, in a database of their own. Null if these alone
/// would not do.
GRefPtr<GTlsDatabase> narrowed(GTlsDatabase *trusted, GTlsCertificate *chain, GSocketConnectable *identity) {
  std::set<std::string> anchors;
  for (GTlsCertificate *one = chain; one; one = g_tls_certificate_get_issuer(one)) {
    const auto anchor = adopt(
        g_tls_database_lookup_certificate_issuer(trusted, one, nullptr, G_TLS_DATABASE_LOOKUP_NONE, nullptr, nullptr));
    if (!anchor)
      continue;
    gchar *pem = nullptr;
    g_object_get(anchor.get(), "certificate-pem", &pem, nullptr);
    anchors.insert(GCharPtr(pem).get());
  }
  std::string pem;
  for (const std::string &anchor : anchors)
    pem += anchor;
  auto database = databaseOf(pem);
  if (!database || g_tls_database_verify_chain(database.get(), chain, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER,
                                               identity, nullptr, G_TLS_DATABASE_VERIFY_NONE, nullptr, nullptr) != 0)
    return nullptr;
  return database;
}

} // namespace

TlsConstruction::TlsConstruction() {
  if (!parsesEachTime())
    return;
  const Lock lock(replacing);
  if (replacements++ > 0)
    return;
  GTlsBackend *backend = g_tls_backend_get_default();
  replaced = g_tls_backend_get_default_database(backend);
  if (!replaced)
    return;
  const auto deferring =
      adopt(static_cast<DeferringDatabase *>(g_object_new(aimlvideo_deferring_database_get_type(), nullptr)));
  deferring.get()->whole = static_cast<GTlsDatabase *>(g_object_ref(replaced));
  g_tls_backend_set_default_database(backend, &deferring.get()->parent);
}

TlsConstruction::~TlsConstruction() {
  if (!parsesEachTime())
    return;
  const Lock lock(replacing);
  if (--replacements > 0)
    return;
  GTlsBackend *backend = g_tls_backend_get_default();
  const auto present = adopt(g_tls_backend_get_default_database(backend));
  if (isDeferring(present.get())) // else the application has set another one
    g_tls_backend_set_default_database(backend, replaced);
  if (GTlsDatabase *whole = std::exchange(replaced, nullptr))
    g_object_unref(whole);
}

void TlsTrust::enable() {
  isEnabled = true;
}

bool TlsTrust::enabled() {
  return isEnabled;
}

bool TlsTrust::beforeHandshake(GTlsConnection *connection) {
  if (!parsesEachTime())
    return false;
  const auto whole = defaultDatabase();
  GTlsDatabase *present = g_tls_connection_get_database(connection);
  if (present != whole.get() && !isDeferring(present))
    return false;
  std::erase_if(known_, [now = Clock::now()](const auto &host) { return host.second.until <= now; });
  const auto host = known_.find(destination(connection));
  const bool narrow = host != known_.end() && host->second.database;
  GTlsDatabase *wanted = narrow ? host->second.database.get() : whole.get();
  if (wanted != present)
    g_tls_connection_set_database(connection, wanted);
  return narrow;
}

void TlsTrust::afterHandshake(GTlsConnection *connection) {
  if (!parsesEachTime())
    return;
  const auto whole = defaultDatabase();
  const std::string host = destination(connection);
  GTlsCertificate *chain = g_tls_connection_get_peer_certificate(connection);
  if (host.empty() || !chain || g_tls_connection_get_database(connection) != whole.get() ||
      g_tls_connection_get_peer_certificate_errors(connection) != 0 || known_.size() >= mostKnown ||
      known_.contains(host))
    return;
  // what the system trusted when `whole` was made, it may trust no more
  const auto trusted = readAnew(whole.get());
  if (!trusted)
    return;
  GSocketConnectable *identity = g_tls_client_connection_get_server_identity(G_TLS_CLIENT_CONNECTION(connection));
  known_[host] = {narrowed(trusted.get(), chain, identity), Clock::now() + lifetime_};
}

bool TlsTrust::forget(const std::string &host, guint16 port) {
  return known_.erase(nameOf(host, port)) > 0;
}

} // namespace aimlvideo
