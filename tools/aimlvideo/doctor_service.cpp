// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cinttypes>
#include <cstdio>

#include <gio/gio.h>

#include "doctor.h"
#include "service/account.h"
#include "service/probe.h"
#include "settings/api_key.h"
#include "settings/service_address.h"

namespace aimlvideo::cli {

namespace {

using State = Finding::State;
using std::chrono::seconds;

Finding wrong(const char *check, const Error &error) {
  return {check, State::Wrong, error.what + (error.why.empty() ? "" : ": " + error.why), error.remedy};
}

/// Written into a file of variables with its quotation marks, or never filled in.
bool looksCopied(const Secret &key) {
  const std::string_view text = key.reveal();
  return text.find_first_of("\"'<>") != std::string::npos;
}

Finding examineKey(const Settings &settings) {
  if (const auto may = checkKeyMayGo(settings); !may)
    return wrong("key", may.error());
  const auto found = findKey(settings.apiKey, settings.apiKeyFile);
  if (!found)
    return wrong("key", found.error());
  if (looksCopied(found->key))
    return {"key", State::Wrong, "the key in " + found->place + " has quotation marks or angle brackets in it",
            "Write the key alone, without anything around it"};
  if (!found->warning.empty())
    return {"key", State::Wrong, "every user of this machine can read " + found->place,
            "Run: chmod go= " + found->place};
  return {"key", State::Fine, "in " + found->place, ""};
}

std::string counted(size_t number, const char *thing) {
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "es");
}

Finding examineName(const Probe &probe) {
  if (!probe.proxy.empty())
    return {"name", State::Skipped, "the proxy looks up the name", ""};
  if (!probe.nameProblem.empty())
    return {"name", State::Wrong, probe.nameProblem,
            "Check the address and the network's name servers; behind a proxy set https_proxy"};
  return {"name", State::Fine, counted(probe.addresses.size(), "address"), ""};
}

const char *hintFor(TransportError::Cause cause) {
  if (cause == TransportError::Cause::Tls)
    return "Install ca-certificates and set the clock right; where somebody on the way opens the traffic, the system "
           "must trust his authority";
  return "Check the network, the firewall and the address; behind a proxy set https_proxy";
}

Finding examineConnection(const Probe &probe, bool secure) {
  const std::string way = (secure ? "over TLS" : "without TLS, on this machine") +
                          (probe.proxy.empty() ? std::string() : ", through the proxy " + probe.proxy);
  if (!probe.nameProblem.empty())
    return {"connection", State::Skipped, "there is no address to connect to", ""};
  if (!probe.status) {
    const TransportError &error = probe.status.error();
    const bool noTls = secure && !g_tls_backend_supports_tls(g_tls_backend_get_default());
    return {"connection", State::Wrong, "there is no connection " + way + ": " + error.message,
            noTls ? "Install glib-networking, with which GLib has TLS" : hintFor(error.cause)};
  }
  if (*probe.status < 200 || *probe.status > 299)
    return {"connection", State::Wrong, "the service answers with status " + std::to_string(*probe.status) + ", " + way,
            *probe.status >= 500 || *probe.status == 429
                ? "Try again later"
                : "Check the address: it may be another program's, or a proxy's page"};
  char text[64];
  std::snprintf(text, sizeof text, "the service answers in %.2f s, ", static_cast<double>(probe.time.count()) / 1000);
  return {"connection", State::Fine, text + way, ""};
}

Finding examineClock(const Probe &probe) {
  constexpr seconds mostApart{300};
  if (!probe.clockAhead)
    return {"clock", State::Skipped, "the service has not told its time", ""};
  const auto apart = std::chrono::abs(*probe.clockAhead);
  const std::string text = std::to_string(apart.count()) + " s " +
                           (probe.clockAhead->count() < 0 ? "behind" : "ahead of") + " the service's";
  if (apart > mostApart)
    return {"clock", State::Wrong, text,
            "Set it right, as by NTP: certificates and the addresses of clips are valid for a time"};
  return {"clock", State::Fine, text, ""};
}

Finding examineBalance(const Settings &settings) {
  Cancellation never;
  const auto balance = fetchBalance(settings, never);
  if (!balance)
    return wrong("balance", balance.error());
  char amount[G_ASCII_DTOSTR_BUF_SIZE];
  const std::string text =
      std::string(g_ascii_formatd(amount, sizeof amount, "%.2f", balance->amount)) + " " + balance->currency;
  if (balance->amount <= 0)
    return {"balance", State::Wrong, text, "Add funds at https://aimlapi.com/app/billing"};
  return {"balance", State::Fine, text, ""};
}

/// Without the checks that need a connection.
void skip(const char *why, std::initializer_list<const char *> checks, Findings &findings) {
  for (const char *check : checks)
    findings.push_back({check, State::Skipped, why, ""});
}

} // namespace

void examineService(const Settings &settings, Network network, Findings &findings) {
  findings.push_back(examineKey(settings));
  const bool hasKey = checkKeyMayGo(settings) && findKey(settings.apiKey, settings.apiKeyFile);
  const auto address = serviceAddressOf(settings);
  if (!address)
    findings.push_back(wrong("address", address.error()));
  else
    findings.push_back({"address", State::Fine, address->baseUrl, ""});
  if (!address || network == Network::Leave)
    return skip(address ? "not asked" : "there is no address to ask", {"name", "connection", "clock", "balance"},
                findings);
  Cancellation never;
  const Probe probe = probeService(settings, *address, never);
  findings.push_back(examineName(probe));
  findings.push_back(examineConnection(probe, address->baseUrl.starts_with("https:")));
  const bool connected = findings.back().state == State::Fine;
  findings.push_back(examineClock(probe));
  if (hasKey && connected)
    findings.push_back(examineBalance(settings));
  else
    skip(hasKey ? "there is no connection" : "there is no key to ask with", {"balance"}, findings);
}

} // namespace aimlvideo::cli
