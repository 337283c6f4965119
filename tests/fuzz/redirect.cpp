// SPDX-License-Identifier: LGPL-2.1-or-later
// Addresses that others choose: the first line is where a request went, the second what the answer's Location says.
#include "api/endpoint.h"
#include "fuzz.h"
#include "http/address.h"
#include "http/session.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view text = textOf(data, size);
  const std::string url(cutLine(text));
  const std::string location(cutLine(text));
  if (url.find('\0') != std::string::npos || location.find('\0') != std::string::npos)
    return 0; // they come as C strings

  if (const auto base = checkedBaseUrl(url)) {
    must_hold(g_ascii_strncasecmp(base->c_str(), "http", 4) == 0 && !base->ends_with('/'));
    const auto again = checkedBaseUrl(*base);
    must_hold(again && *again == *base);
    must_hold(isReadable(*base));
  }
  const auto start = adopt(g_uri_parse(url.c_str(), httpUriFlags, nullptr));
  const char *named = start ? g_uri_get_host(start.get()) : nullptr;
  const std::string host = named ? named : "";
  if (host.empty())
    return 0; // no request went there
  const auto literal = adopt(g_inet_address_new_from_string(host.c_str()));
  must_hold(!literal || !isLoopbackHost(host) || !isPublic(literal.get()));
  const auto target = redirectTarget(url, location);
  if (!target)
    return 0;
  must_hold(!location.empty() && !target->empty());
  // what is absolute is followed byte for byte, since it is signed
  if (g_uri_peek_scheme(location.c_str()))
    must_hold(*target == location);
  return 0;
}
