// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include <gio/gio.h>

#include "base/glib_ptr.h"
#include "unit.h"

namespace aimlvideo::test {

/// Of a certificate for 127.0.0.1.
constexpr auto usual = "subjectAltName=IP:127.0.0.1\\nbasicConstraints=CA:FALSE\\n";

/// Authorities and certificates, made with the openssl command in a folder of their own.
class Authorities {
public:
  ~Authorities() { run("rm -f *"); }

  /// A new authority, NAME.pem and NAME.key. Its subject is NAME if none is given.
  void found(const std::string &name, std::string subject = {}) {
    if (subject.empty())
      subject = name;
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=" + subject +
        "' -addext keyUsage=critical,keyCertSign -keyout " + name + ".key -out " + name + ".pem");
  }
  /// A certificate and its key that the authority signs, followed by the authority's own certificate if `between`.
  GRefPtr<GTlsCertificate> certify(const std::string &authority, const std::string &extensions = usual,
                                   const std::string &key = "ec -pkeyopt ec_paramgen_curve:P-256",
                                   const std::string &days = "30") {
    const std::string name = "leaf" + std::to_string(++made_);
    run("openssl req -newkey " + key + " -nodes -subj /CN=leaf -keyout " + name + ".key -out " + name + ".csr");
    sign(authority, name, extensions, days);
    run("cat " + name + ".pem " + (authority.starts_with("between") ? authority + ".pem " : "") + name + ".key >" +
        name + ".all");
    GErrorSlot error;
    auto certificate = adopt(g_tls_certificate_new_from_file(path(name + ".all").c_str(), &error));
    fail_unless(bool(certificate), "%s", error.message());
    return certificate;
  }
  /// An authority that another one has signed.
  void delegate(const std::string &authority, const std::string &name, const std::string &extensions) {
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=" + name + "' -keyout " + name +
        ".key -out " + name + ".csr");
    sign(authority, name, extensions, "30");
  }
  /// Writes the certificates that are trusted.
  std::string trust(const std::string &names) {
    run("cat " + names + " >roots.pem");
    return path("roots.pem");
  }

private:
  void sign(const std::string &authority, const std::string &name, const std::string &extensions,
            const std::string &days) {
    run("printf '" + extensions + "' >" + name + ".ext && openssl x509 -req -in " + name + ".csr -CA " + authority +
        ".pem -CAkey " + authority + ".key -CAcreateserial -days " + days + " -extfile " + name + ".ext -out " + name +
        ".pem");
  }
  std::string path(const std::string &name) const { return folder_.path() + "/" + name; }
  void run(const std::string &line) const {
    const std::string whole = "cd '" + folder_.path() + "' && { " + line + "; } 2>/dev/null";
    const char *words[] = {"sh", "-c", whole.c_str(), nullptr};
    const auto process = adopt(g_subprocess_newv(words, G_SUBPROCESS_FLAGS_NONE, nullptr));
    fail_unless(process && g_subprocess_wait_check(process.get(), nullptr, nullptr), "%s", line.c_str());
  }

  TemporaryFolder folder_;
  int made_ = 0;
};

/// A host that greets with the certificate it has at the time, and answers one request a connection.
class Host {
public:
  explicit Host(GRefPtr<GTlsCertificate> certificate) : certificate_(std::move(certificate)) {
    port_ = g_socket_listener_add_any_inet_port(listener_.get(), nullptr, nullptr);
    thread_ = std::thread([this] {
      while (const auto connection = adopt(g_socket_listener_accept(listener_.get(), nullptr, stop_.get(), nullptr))) {
        ++connections_;
        const auto tls = adopt(g_tls_server_connection_new(G_IO_STREAM(connection.get()), present().get(), nullptr));
        if (demanding_)
          g_object_set(tls.get(), "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED, nullptr);
        if (g_tls_connection_handshake(G_TLS_CONNECTION(tls.get()), stop_.get(), nullptr))
          answer(G_IO_STREAM(tls.get()));
      }
    });
  }
  Host(const Host &) = delete;
  Host &operator=(const Host &) = delete;
  ~Host() {
    g_cancellable_cancel(stop_.get());
    thread_.join();
  }

  guint16 port() const { return port_; }
  unsigned connections() const { return connections_; }
  unsigned answers() const { return answers_; }
  /// Wants a certificate of who comes, too, which TLS 1.3 says after the handshake.
  void demandCertificate() { demanding_ = true; }
  void greetWith(GRefPtr<GTlsCertificate> certificate) {
    const std::lock_guard lock(mutex_);
    certificate_ = std::move(certificate);
  }

private:
  void answer(GIOStream *connection) {
    std::string request;
    std::array<char, 4096> piece;
    while (!request.ends_with("{}")) { // the body of all of them
      const gssize count = g_input_stream_read(g_io_stream_get_input_stream(connection), piece.data(), piece.size(),
                                               stop_.get(), nullptr);
      if (count <= 0)
        return;
      request.append(piece.data(), static_cast<size_t>(count));
    }
    constexpr std::string_view text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    ++answers_;
    g_output_stream_write_all(g_io_stream_get_output_stream(connection), text.data(), text.size(), nullptr, stop_.get(),
                              nullptr);
    g_io_stream_close(connection, nullptr, nullptr);
  }
  GRefPtr<GTlsCertificate> present() {
    const std::lock_guard lock(mutex_);
    return certificate_;
  }

  GRefPtr<GSocketListener> listener_ = adopt(g_socket_listener_new());
  GRefPtr<GCancellable> stop_ = adopt(g_cancellable_new());
  std::mutex mutex_;
  GRefPtr<GTlsCertificate> certificate_;
  std::atomic<bool> demanding_ = false;
  std::atomic<unsigned> connections_ = 0;
  std::atomic<unsigned> answers_ = 0;
  guint16 port_ = 0;
  std::thread thread_;
};

inline GRefPtr<GTlsDatabase> defaultDatabase() {
  return adopt(g_tls_backend_get_default_database(g_tls_backend_get_default()));
}

/// What stands for the system's certificates, for the length of a test.
class SystemTrust {
public:
  explicit SystemTrust(const std::string &file) : database_(adopt(g_tls_file_database_new(file.c_str(), nullptr))) {
    g_tls_backend_set_default_database(g_tls_backend_get_default(), database_.get());
  }
  SystemTrust(const SystemTrust &) = delete;
  SystemTrust &operator=(const SystemTrust &) = delete;
  ~SystemTrust() { g_tls_backend_set_default_database(g_tls_backend_get_default(), nullptr); }

  GTlsDatabase *get() const { return database_.get(); }

private:
  GRefPtr<GTlsDatabase> database_;
};

/// With a later glib-networking nothing is narrowed.
inline bool narrows() {
  return glib_check_version(2, 80, 0) &&
         g_str_equal(G_OBJECT_TYPE_NAME(g_tls_backend_get_default()), "GTlsBackendGnutls");
}

} // namespace aimlvideo::test
