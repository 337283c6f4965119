// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <map>
#include <string>

#include <gio/gio.h>

#include "base/cancellation.h"
#include "base/glib_ptr.h"

namespace aimlvideo {

/// While one exists, TLS connections are made without parsing the system's certificates.
///
/// glib-networking before 2.80 reads and parses all certificates of the default database for each connection at the
/// moment it is made, whatever database it is given later: 6.4 ms for 144 certificates. libsoup makes it between
/// `notify::remote-address` of the message and the event TLS_HANDSHAKING, in one call, and takes no database before. So
/// for this call, 0.1 ms, the process's default database is one that has nothing to parse and asks the true one. Does
/// nothing with a later GLib or another TLS library.
///
/// For any thread; several may exist at once. A connection that another thread makes meanwhile is verified by the true
/// database as well, but without the host's stapled answer (OCSP) and the minimum key length.
class TlsConstruction {
public:
  TlsConstruction();
  TlsConstruction(const TlsConstruction &) = delete;
  TlsConstruction &operator=(const TlsConstruction &) = delete;
  ~TlsConstruction();
};

/// Verifies connections to hosts that are known with the few certificates that they need, out of those that the system
/// trusts: GnuTLS checks all that it checked before, and has one to parse. A host is known for `lifetime` after the
/// whole database, read anew, has accepted it. Connections with a database of their own are left alone.
///
/// For the network thread.
class TlsTrust {
public:
  /// Has all sessions that are made from now on use one, and TlsConstruction. For a program that has its process to
  /// itself, and calls it before its first request. A library or a plugin must not: the default database belongs to the
  /// application, which may be looking at it at that moment.
  static void enable();
  static bool enabled();

  /// As long as glib-networking resumes TLS sessions, for which no certificate is verified either.
  static constexpr std::chrono::minutes usualLifetime{10};

  explicit TlsTrust(Clock::duration lifetime = usualLifetime) : lifetime_(lifetime) {}

  /// To be called with the event TLS_HANDSHAKING, when no TlsConstruction of this thread exists any more. True: fewer
  /// certificates are asked than the system trusts, so that a refusal is no verdict, see forget().
  bool beforeHandshake(GTlsConnection *connection);
  /// To be called with the event TLS_HANDSHAKED.
  void afterHandshake(GTlsConnection *connection);
  /// To be called when the certificate of a known host was refused, which has perhaps another authority now: the next
  /// connection asks the whole database. False: it was not known.
  bool forget(const std::string &host, guint16 port);

private:
  struct Known {
    GRefPtr<GTlsDatabase> database; ///< null: it needs the whole one
    Clock::time_point until;
  };
  Clock::duration lifetime_;
  std::map<std::string, Known> known_;
};

} // namespace aimlvideo
