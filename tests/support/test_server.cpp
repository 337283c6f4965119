// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/test_server.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>

namespace aimlvideo::test {

namespace {

constexpr std::chrono::seconds patience{50};

void runInContext(GMainContext *context, const std::function<void()> &call) {
  std::promise<void> done;
  struct Job {
    const std::function<void()> &call;
    std::promise<void> &done;
  } job{call, done};
  g_main_context_invoke(
      context,
      +[](gpointer data) -> gboolean {
        auto *work = static_cast<Job *>(data);
        work->call();
        work->done.set_value();
        return G_SOURCE_REMOVE;
      },
      &job);
  done.get_future().wait();
}

GIOStream *steal(SoupServerMessage *message) {
  return soup_server_message_steal_connection(message);
}

void writeAll(GIOStream *stream, const std::string &bytes) {
  g_output_stream_write_all(g_io_stream_get_output_stream(stream), bytes.data(), bytes.size(), nullptr, nullptr,
                            nullptr);
}

std::string headOf(const std::string &type, size_t length) {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

} // namespace

std::string Seen::header(const char *name) const {
  for (const auto &[key, value] : headers)
    if (g_ascii_strcasecmp(key.c_str(), name) == 0)
      return value;
  return {};
}

void Answer::json(unsigned status, const std::string &body) {
  send(status, "application/json", body);
}

void Answer::send(unsigned status, const std::string &type, const std::string &body) {
  soup_server_message_set_status(message_, status, nullptr);
  soup_server_message_set_response(message_, type.c_str(), SOUP_MEMORY_COPY, body.data(), body.size());
}

void Answer::header(const char *name, const std::string &value) {
  soup_message_headers_append(soup_server_message_get_response_headers(message_), name, value.c_str());
}

void Answer::hold() {
  soup_server_message_pause(message_);
  const std::lock_guard lock(server_.mutex_);
  server_.held_.push_back(static_cast<SoupServerMessage *>(g_object_ref(message_)));
  server_.arrived_.notify_all();
}

void Answer::stall(const std::string &type, const std::string &body, size_t announced) {
  GIOStream *stream = steal(message_);
  writeAll(stream, headOf(type, announced) + body);
  const std::lock_guard lock(server_.mutex_);
  server_.stolen_.push_back(stream);
  server_.arrived_.notify_all();
}

void Answer::drip(const std::string &type, size_t announced) {
  GIOStream *stream = steal(message_);
  writeAll(stream, headOf(type, announced));
  GSource *timer = g_timeout_source_new(10);
  g_source_set_callback(
      timer,
      +[](gpointer data) -> gboolean {
        GOutputStream *output = g_io_stream_get_output_stream(static_cast<GIOStream *>(data));
        return g_output_stream_write_all(output, ".", 1, nullptr, nullptr, nullptr);
      },
      g_object_ref(stream), g_object_unref);
  g_source_attach(timer, server_.context_);
  g_source_unref(timer);
  const std::lock_guard lock(server_.mutex_);
  server_.stolen_.push_back(stream);
  server_.arrived_.notify_all();
}

void Answer::jsonAfter(std::chrono::milliseconds pause, unsigned status, const std::string &body) {
  json(status, body);
  soup_server_message_pause(message_);
  GSource *timer = g_timeout_source_new(static_cast<guint>(pause.count()));
  g_source_set_callback(
      timer,
      +[](gpointer data) -> gboolean {
        soup_server_message_unpause(static_cast<SoupServerMessage *>(data));
        return G_SOURCE_REMOVE;
      },
      g_object_ref(message_), g_object_unref);
  g_source_attach(timer, server_.context_);
  g_source_unref(timer);
}

void Answer::truncate(const std::string &type, const std::string &body, size_t announced) {
  raw(headOf(type, announced) + body);
}

void Answer::drop() {
  raw("");
}

void Answer::raw(const std::string &bytes) {
  GIOStream *stream = steal(message_);
  writeAll(stream, bytes);
  g_io_stream_close(stream, nullptr, nullptr);
  g_object_unref(stream);
}

TestServer::TestServer(Handler handler) : TestServer(nullptr, std::move(handler)) {}

TestServer::TestServer(GTlsCertificate *certificate, Handler handler)
    : handler_(std::move(handler)), secure_(certificate != nullptr) {
  context_ = g_main_context_new();
  loop_ = g_main_loop_new(context_, FALSE);
  std::promise<unsigned> listening;
  thread_ = std::thread([this, certificate, &listening] {
    g_main_context_push_thread_default(context_);
    server_ = soup_server_new("raw-paths", TRUE, nullptr);
    soup_server_add_handler(
        server_, nullptr,
        +[](SoupServer *, SoupServerMessage *message, const char *, GHashTable *, gpointer self) {
          static_cast<TestServer *>(self)->handle(message);
        },
        this, nullptr);
    GError *error = nullptr;
    if (certificate)
      soup_server_set_tls_certificate(server_, certificate);
    const auto options = static_cast<SoupServerListenOptions>(SOUP_SERVER_LISTEN_IPV4_ONLY |
                                                              (certificate ? SOUP_SERVER_LISTEN_HTTPS : 0));
    if (!soup_server_listen_local(server_, 0, options, &error))
      g_error("the test's server can't listen: %s", error->message);
    GSList *uris = soup_server_get_uris(server_);
    listening.set_value(static_cast<unsigned>(g_uri_get_port(static_cast<GUri *>(uris->data))));
    g_slist_free_full(uris, reinterpret_cast<GDestroyNotify>(g_uri_unref));
    run();
    g_main_context_pop_thread_default(context_);
  });
  port_ = listening.get_future().get();
}

void TestServer::run() {
  g_main_loop_run(loop_);
  soup_server_disconnect(server_);
  while (g_main_context_iteration(context_, FALSE)) {
  }
  g_object_unref(server_);
}

TestServer::~TestServer() {
  release();
  runInContext(context_, [this] { g_main_loop_quit(loop_); });
  thread_.join();
  g_main_loop_unref(loop_);
  g_main_context_unref(context_);
}

void TestServer::handle(SoupServerMessage *message) {
  Seen seen;
  seen.method = soup_server_message_get_method(message);
  GUri *uri = soup_server_message_get_uri(message);
  seen.path = g_uri_get_path(uri);
  seen.query = g_uri_get_query(uri) ? g_uri_get_query(uri) : "";
  seen.target = seen.path + (seen.query.empty() ? "" : "?" + seen.query);
  SoupMessageHeadersIter iterator;
  soup_message_headers_iter_init(&iterator, soup_server_message_get_request_headers(message));
  const char *name = nullptr;
  const char *value = nullptr;
  while (soup_message_headers_iter_next(&iterator, &name, &value))
    seen.headers.emplace_back(name, value);
  SoupMessageBody *body = soup_server_message_get_request_body(message);
  if (body->length > 0) {
    GBytes *bytes = soup_message_body_flatten(body);
    gsize size = 0;
    const auto *data = static_cast<const char *>(g_bytes_get_data(bytes, &size));
    seen.body.assign(data, size);
    g_bytes_unref(bytes);
  }
  Handler handler;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(seen);
    handler = handler_;
  }
  Answer answer(*this, message);
  if (handler)
    handler(seen, answer);
  else
    answer.send(404, "text/plain", "nothing here");
  arrived_.notify_all();
}

void TestServer::setHandler(Handler handler) {
  const std::lock_guard lock(mutex_);
  handler_ = std::move(handler);
}

std::vector<Seen> TestServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

size_t TestServer::count(const std::string &method, const std::string &pathPrefix) const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(requests_.begin(), requests_.end(), [&](const Seen &seen) {
    return seen.method == method && seen.path.starts_with(pathPrefix);
  }));
}

void TestServer::waitFor(const std::string &method, const std::string &pathPrefix, size_t number) const {
  std::unique_lock lock(mutex_);
  const bool there = arrived_.wait_for(lock, patience, [&] {
    return static_cast<size_t>(std::count_if(requests_.begin(), requests_.end(), [&](const Seen &seen) {
             return seen.method == method && seen.path.starts_with(pathPrefix);
           })) >= number;
  });
  if (!there) {
    std::fprintf(stderr, "no %s %s arrived in time\n", method.c_str(), pathPrefix.c_str());
    std::abort();
  }
}

void TestServer::waitUntilHolding() const {
  {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, patience, [this] { return !held_.empty() || !stolen_.empty(); })) {
      std::fprintf(stderr, "no answer was held back in time\n");
      std::abort();
    }
  }
  runInContext(context_, [] {}); // the handler has returned by then
}

bool TestServer::holding() const {
  const std::lock_guard lock(mutex_);
  return !held_.empty() || !stolen_.empty();
}

void TestServer::release() {
  runInContext(context_, [this] {
    std::vector<SoupServerMessage *> held;
    std::vector<GIOStream *> stolen;
    {
      const std::lock_guard lock(mutex_);
      held.swap(held_);
      stolen.swap(stolen_);
    }
    for (SoupServerMessage *message : held) {
      soup_server_message_set_status(message, 503, nullptr);
      soup_server_message_unpause(message);
      g_object_unref(message);
    }
    for (GIOStream *stream : stolen) {
      g_io_stream_close(stream, nullptr, nullptr);
      g_object_unref(stream);
    }
  });
}

FakeService::FakeService() {
  clip.assign("\0\0\0\x18"
              "ftypmp42\0\0\0\0mp42isom",
              24);
  for (unsigned i = 0; clip.size() < 300'000; ++i)
    clip += static_cast<char>(i * 131 >> 3);
  server.setHandler([this](const Seen &request, Answer &answer) { handle(request, answer); });
}

size_t FakeService::polls() const {
  const auto requests = server.requests();
  return static_cast<size_t>(std::count_if(requests.begin(), requests.end(), [](const Seen &seen) {
    return seen.method == "GET" && seen.query.starts_with("generation_id=");
  }));
}

std::string FakeService::logPage(const std::string &rows) {
  return R"({"data":[)" + rows + R"(],"pagination":{"limit":100,"offset":0}})";
}

std::string FakeService::logRow(const std::string &clientRequestId, const std::string &generationId,
                                const std::string &status) {
  return R"({"status":")" + status + R"(","model":"m","cost":{"usd":0.5,"credits":1000000},"request_id":null,)" +
         R"("inference_id":")" + generationId + R"(","client_request_id":")" + clientRequestId + R"("})";
}

std::string FakeService::submissionId(size_t number) const {
  for (const Seen &seen : server.requests())
    if (seen.method == "POST" && number-- == 0)
      return seen.header("X-Client-Request-Id");
  return {};
}

std::string FakeService::completedReply(const std::string &id) const {
  return R"({"id":")" + id + R"(","status":"completed","video":{"url":")" + clipUrl() + R"("}})";
}

void FakeService::serveClip(Answer &answer) const {
  answer.header("ETag", "\"the-clip\"");
  answer.header("Accept-Ranges", "bytes");
  answer.send(200, "video/mp4", clip);
}

void FakeService::handle(const Seen &request, Answer &answer) {
  const bool service = request.path.starts_with("/v2/");
  if (request.method == "POST" && service) {
    if (onCreate)
      onCreate(request, answer);
    else
      answer.json(
          request.path == "/v2/video/generations" ? 200 : 201,
          R"({"id":"gen/1:model","status":"queued","meta":{"usage":{"credits_used":1820000,"usd_spent":0.91}}})");
  } else if (request.path == "/v2/logs") {
    if (onLogs)
      onLogs(request, answer);
    else
      answer.json(200, logPage(""));
  } else if (request.method == "GET" && service) {
    if (onPoll)
      onPoll(request, answer);
    else if (polls() <= pollsUntilCompleted)
      answer.json(200, R"({"id":"gen/1:model","status":"generating"})");
    else
      answer.json(200, completedReply("gen/1:model"));
  } else if (request.method == "GET" && request.target == clipPath) {
    if (onClip)
      onClip(request, answer);
    else
      serveClip(answer);
  } else if (onOther) {
    onOther(request, answer);
  } else {
    answer.json(404, R"({"message":"Cannot )" + request.method + " " + request.path + R"(","statusCode":404})");
  }
}

} // namespace aimlvideo::test
