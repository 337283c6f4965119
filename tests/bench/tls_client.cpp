// SPDX-License-Identifier: LGPL-2.1-or-later
// For tls.py: requests over TLS with a session for each, as generations have it, or with one for all; prints a line of
// JSON.
//
//   tls-client each|one URL CERTIFICATE COUNT
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "http/session.h"
#include "usage.h"

using namespace aimlvideo;

namespace {

double kibibytes() {
  gchar *text = nullptr;
  g_file_get_contents("/proc/self/status", &text, nullptr, nullptr);
  const double value = g_ascii_strtod(std::strstr(text, "RssAnon:") + std::strlen("RssAnon:"), nullptr);
  g_free(text);
  return value;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 5)
    g_error("usage: tls-client each|one URL CERTIFICATE COUNT");
  const bool each = std::strcmp(argv[1], "each") == 0;
  const size_t count = std::strtoul(argv[4], nullptr, 10);
  SessionOptions options;
  options.tlsDatabase = adopt(g_tls_file_database_new(argv[3], nullptr));
  Cancellation cancellation;
  std::vector<std::unique_ptr<HttpSession>> sessions;
  const auto ask = [&] {
    if (each || sessions.empty())
      sessions.push_back(std::make_unique<HttpSession>(options));
    HttpRequest request;
    request.url = argv[2];
    const std::chrono::seconds patience(20);
    const auto answer = Loop::instance().wait(
        sessions.back()->exchange(request, cancellation, {Clock::now() + patience, patience}, 1 << 20));
    if (!answer)
      g_error("%s", answer.error().message.c_str());
  };
  ask(); // what only the first one pays
  const double memory = kibibytes();
  const double cpu = cpuSeconds();
  const auto begun = Clock::now();
  for (size_t i = 0; i < count; ++i)
    ask();
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  const auto all = static_cast<double>(count);
  std::printf(R"({"ms":%.3f,"cpu":%.3f,"kibibytes":%.1f})"
              "\n",
              seconds * 1000 / all, (cpuSeconds() - cpu) * 1000 / all, (kibibytes() - memory) / all);
  return 0;
}
