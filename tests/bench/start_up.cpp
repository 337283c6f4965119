// SPDX-License-Identifier: LGPL-2.1-or-later
// What it takes to begin, as Markdown tables: the plugins' size and the time to load them, and the time from
// set_state(PLAYING) until the submission leaves and until all of it has left, with images of several sizes, with the
// peak memory of the process. Each round is a process of its own; the clients take turns.
//
//   meson compile -C build start-up
//   GST_PLUGIN_PATH=build/gst-plugin build/tests/bench/start-up IMAGE [ROUNDS [MEGABYTES...]]
//
// With sizes in megabytes only submissions with images of these sizes are measured; 0 is one without.
// IMAGE is a JPEG, to whose end bytes are added that no decoder looks at. The peer is a Python client that does what
// the service's documentation says: read the file, base64, JSON, POST.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gst/gst.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

// no documented limit of this one makes it shrink the image
constexpr auto model = "kling-video/v1.6/standard/image-to-video";

constexpr auto python = R"py(
import base64, json, sys, time, urllib.error, urllib.request
url, model, image = sys.argv[1:4]
print(time.monotonic(), flush=True)
body = {"model": model, "prompt": "a cat"}
if image:
    body["image_url"] = "data:image/jpeg;base64," + base64.b64encode(open(image, "rb").read()).decode()
request = urllib.request.Request(url + "/v2/video/generations", json.dumps(body).encode(),
                                 {"Authorization": "Bearer bench-key", "Content-Type": "application/json"})
try:
    urllib.request.urlopen(request)
except urllib.error.HTTPError:
    pass
print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
)py";

double now() {
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

/// Peak memory of this process in MiB.
double peakMemory() {
  gchar *text = nullptr;
  g_file_get_contents("/proc/self/status", &text, nullptr, nullptr);
  const double kibibytes = g_ascii_strtod(std::strstr(text, "VmHWM:") + std::strlen("VmHWM:"), nullptr);
  g_free(text);
  return kibibytes / 1024;
}

/// A service that refuses one submission, and notes when its first and its last byte came.
class Receiver {
public:
  Receiver() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0 || listen(listener_, 4) != 0)
      g_error("no socket");
    getsockname(listener_, reinterpret_cast<sockaddr *>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { receive(); });
  }
  Receiver(const Receiver &) = delete;
  Receiver &operator=(const Receiver &) = delete;
  ~Receiver() { close(listener_); }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void wait() { thread_.join(); }
  double first = 0; ///< by the clock of now()
  double last = 0;

private:
  void receive() {
    const int connection = accept(listener_, nullptr, nullptr);
    std::string head;
    std::vector<char> buffer(1 << 16);
    size_t left = 1;
    bool inBody = false;
    while (left > 0) {
      const ssize_t count = read(connection, buffer.data(), buffer.size());
      if (count <= 0)
        break;
      if (first == 0)
        first = now();
      if (inBody) {
        left -= std::min(left, static_cast<size_t>(count));
        continue;
      }
      head.append(buffer.data(), static_cast<size_t>(count));
      const size_t end = head.find("\r\n\r\n");
      if (end == std::string::npos)
        continue;
      inBody = true;
      gchar *lower = g_ascii_strdown(head.c_str(), static_cast<gssize>(end));
      const char *length = std::strstr(lower, "content-length:");
      left = length ? g_ascii_strtoull(length + std::strlen("content-length:"), nullptr, 10) : 0;
      g_free(lower);
      left -= std::min(left, head.size() - end - 4);
    }
    last = now();
    constexpr char answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
                              "Connection: close\r\n\r\n{}";
    if (write(connection, answer, sizeof answer - 1) < 0)
      g_printerr("no answer\n");
    close(connection);
  }

  const int listener_;
  unsigned port_ = 0;
  std::thread thread_;
};

/// A child process, and what it printed.
std::string outputOf(const std::vector<std::string> &arguments) {
  std::vector<char *> list;
  for (const std::string &argument : arguments)
    list.push_back(const_cast<char *>(argument.c_str()));
  list.push_back(nullptr);
  gchar *output = nullptr;
  int status = 0;
  GError *error = nullptr;
  if (!g_spawn_sync(nullptr, list.data(), nullptr, G_SPAWN_SEARCH_PATH, nullptr, nullptr, &output, nullptr, &status,
                    &error))
    g_error("%s", error->message);
  if (status != 0)
    g_error("%s failed", arguments[1].c_str());
  const std::string text = output;
  g_free(output);
  return text;
}

// the children

/// Prints the milliseconds that loading takes, and the memory that it adds in KiB.
int load(const char *path) {
  gst_init(nullptr, nullptr);
  const double before = peakMemory();
  const double begun = now();
  GstPlugin *plugin = gst_plugin_load_file(path, nullptr);
  if (!plugin)
    return 1;
  std::printf("%f %f\n", (now() - begun) * 1000, (peakMemory() - before) * 1024);
  return 0;
}

/// Prints when the pipeline was set to PLAYING, and the peak memory in KiB when the answer was there.
int submit(const char *url, const char *image) {
  gst_init(nullptr, nullptr);
  GstElement *pipeline = gst_parse_launch("aimlvideosrc name=source ! fakesink", nullptr);
  GstElement *source = gst_bin_get_by_name(GST_BIN(pipeline), "source");
  g_object_set(source, "base-url", url, "api-key", "bench-key", "prompt", "a cat", nullptr);
  if (*image)
    g_object_set(source, "model", model, "image", image, nullptr);
  gst_element_set_state(pipeline, GST_STATE_READY);
  std::printf("%f\n", now());
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus *bus = gst_element_get_bus(pipeline);
  gst_message_unref(gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR));
  std::printf("%f\n", peakMemory() * 1024);
  std::fflush(stdout);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  return 0;
}

// the tables

void measureLoading(int rounds) {
  const std::string folder = GST_PLUGINS_FOLDER;
  const std::string own = std::string(g_getenv("GST_PLUGIN_PATH")) + "/libgstaimlapi.so";
  std::puts("| plugin | file, kB | stripped, kB | loading, ms | memory, KiB |\n|---|---|---|---|---|");
  for (const std::string &path : {own, folder + "/libgstsoup.so", folder + "/libgstcurl.so"}) {
    struct stat facts{};
    if (stat(path.c_str(), &facts) != 0)
      continue;
    const std::string stripped = "/var/tmp/aimlvideo-start-up.so";
    outputOf({"strip", "-o", stripped, path});
    struct stat strippedFacts{};
    stat(stripped.c_str(), &strippedFacts);
    unlink(stripped.c_str());
    std::vector<double> times;
    std::vector<double> memory;
    for (int round = 0; round < rounds; ++round) {
      double time = 0;
      double added = 0;
      std::sscanf(outputOf({"/proc/self/exe", "--load", path}).c_str(), "%lf %lf", &time, &added);
      times.push_back(time);
      memory.push_back(added);
    }
    gchar *name = g_path_get_basename(path.c_str());
    std::printf("| %s | %.0f | %.0f | %.1f | %.0f |\n", name, static_cast<double>(facts.st_size) / 1000,
                static_cast<double>(strippedFacts.st_size) / 1000, median(times), median(memory));
    g_free(name);
  }
}

struct Departure {
  std::vector<double> first;
  std::vector<double> last;
  std::vector<double> memory;

  void measure(const std::vector<std::string> &command, const std::string &image) {
    Receiver receiver;
    std::vector<std::string> arguments = command;
    arguments.push_back(receiver.url());
    if (command.front() == "python3")
      arguments.emplace_back(model);
    arguments.push_back(image);
    double begun = 0;
    double kibibytes = 0;
    std::sscanf(outputOf(arguments).c_str(), "%lf\n%lf", &begun, &kibibytes);
    receiver.wait();
    first.push_back((receiver.first - begun) * 1000);
    last.push_back((receiver.last - begun) * 1000);
    memory.push_back(kibibytes / 1024);
  }
};

void measureDeparture(const char *image, int rounds, const std::vector<unsigned> &sizes) {
  gchar *picture = nullptr;
  gsize size = 0;
  if (!g_file_get_contents(image, &picture, &size, nullptr))
    g_error("%s can't be read", image);
  const std::array<std::pair<const char *, std::vector<std::string>>, 2> ways{
      {{"aimlvideosrc", {"/proc/self/exe", "--submit"}}, {"Python", {"python3", "-c", python}}}};
  std::puts("\n| image | client | first byte, ms | last byte, ms | peak RSS, MiB |\n|---|---|---|---|---|");
  for (const unsigned megabytes : sizes) {
    const std::string path = megabytes ? "/var/tmp/aimlvideo-start-up.jpg" : "";
    if (megabytes) {
      std::string bytes(picture, size);
      bytes.resize(megabytes * 1'000'000, '.');
      g_file_set_contents(path.c_str(), bytes.data(), static_cast<gssize>(bytes.size()), nullptr);
    }
    std::array<Departure, ways.size()> departures;
    for (int round = 0; round < rounds; ++round)
      for (size_t i = 0; i < ways.size(); ++i) {
        const size_t way = (i + static_cast<size_t>(round)) % ways.size();
        departures[way].measure(ways[way].second, path);
      }
    for (size_t way = 0; way < ways.size(); ++way)
      std::printf("| %u MB | %s | %.1f | %.1f | %.1f |\n", megabytes, ways[way].first, median(departures[way].first),
                  median(departures[way].last), median(departures[way].memory));
    std::fflush(stdout);
    if (megabytes)
      unlink(path.c_str());
  }
  g_free(picture);
}

} // namespace

int main(int argc, char **argv) {
  if (argc == 3 && std::strcmp(argv[1], "--load") == 0)
    return load(argv[2]);
  if (argc == 4 && std::strcmp(argv[1], "--submit") == 0)
    return submit(argv[2], argv[3]);
  if (argc < 2 || !g_getenv("GST_PLUGIN_PATH"))
    g_error("usage: GST_PLUGIN_PATH=FOLDER start-up IMAGE [ROUNDS [MEGABYTES...]]");
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 9;
  std::vector<unsigned> sizes;
  for (int i = 3; i < argc; ++i)
    sizes.push_back(static_cast<unsigned>(std::strtoul(argv[i], nullptr, 10)));
  if (sizes.empty())
    measureLoading(rounds);
  measureDeparture(argv[1], rounds, sizes.empty() ? std::vector<unsigned>{0, 1, 10, 40} : sizes);
  return 0;
}
