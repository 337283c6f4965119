// SPDX-License-Identifier: LGPL-2.1-or-later
// Plays one source and tells, as one line of JSON, what an application would have seen of it.
//
//   player push|pull SOURCE [PROPERTY=VALUE ...]
//
// push: the source pushes its bytes; their SHA-256 is told. pull: a demuxer pulls them; the SHA-256 of what it makes of
// them is told. `tls-ca=FILE` sets tls-database.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gst/gst.h>
#include <json-glib/json-glib.h>

namespace {

constexpr GstClockTime patience = 300 * GST_SECOND;
constexpr GstClockTime tick = 10 * GST_MSECOND;

struct Stream {
  void add(GstBuffer *buffer) {
    GstMapInfo map;
    gst_buffer_map(buffer, &map, GST_MAP_READ);
    bytes.append(reinterpret_cast<const char *>(map.data), map.size);
    gst_buffer_unmap(buffer, &map);
  }
  std::string bytes;
};

/// Where a box `uuid` at the very end of a file begins, which may be a mark; its size: there is none.
size_t beginOfMark(const std::string &file) {
  size_t last = 0;
  for (size_t at = 0; at + 8 <= file.size();) {
    const auto *bytes = reinterpret_cast<const guint8 *>(file.data() + at);
    const guint64 size = GST_READ_UINT32_BE(bytes);
    if (size < 8)
      return file.size();
    last = at;
    at += size;
  }
  return file.size() >= 8 && file.compare(last + 4, 4, "uuid") == 0 ? last : file.size();
}

class Player {
public:
  Player(bool pulls, const char *factory);
  Player(const Player &) = delete;
  Player &operator=(const Player &) = delete;
  ~Player();

  void set(const std::string &property);
  void play();
  void tell() const;

private:
  void collect(GstElement *from, const char *pad, const std::string &name);
  void record(GstMessage *message);
  bool streams() const;

  const bool pulls_;
  GstElement *const pipeline_ = gst_pipeline_new(nullptr);
  GstElement *source_ = nullptr;
  GstElement *consumer_ = nullptr;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Stream>> streams_; ///< by their names
  JsonArray *const errors_ = json_array_new();
  JsonArray *const notes_ = json_array_new();
  bool ended_ = false;
  bool hung_ = false;
  bool pulled_ = false;
  gint64 begun_ = 0;
};

Player::Player(bool pulls, const char *factory) : pulls_(pulls) {
  source_ = gst_element_factory_make(factory, "source");
  consumer_ = gst_element_factory_make(pulls ? "qtdemux" : "queue", nullptr);
  if (!source_ || !consumer_)
    g_error("there is no %s or no demuxer", factory);
  gst_bin_add_many(GST_BIN(pipeline_), source_, consumer_, nullptr);
  gst_element_link(source_, consumer_);
  if (pulls)
    g_signal_connect(consumer_, "pad-added", G_CALLBACK(+[](GstElement *, GstPad *pad, gpointer self) {
                       const std::string name = GST_PAD_NAME(pad);
                       static_cast<Player *>(self)->collect(GST_PAD_PARENT(pad), name.c_str(), name);
                     }),
                     this);
  else
    collect(consumer_, "src", "bytes");
}

Player::~Player() {
  gst_object_unref(pipeline_);
  json_array_unref(errors_);
  json_array_unref(notes_);
}

void Player::set(const std::string &property) {
  const size_t equals = property.find('=');
  const std::string name = property.substr(0, equals);
  const std::string value = property.substr(equals + 1);
  if (name != "tls-ca")
    return gst_util_set_object_arg(G_OBJECT(source_), name.c_str(), value.c_str());
  GTlsDatabase *database = g_tls_file_database_new(value.c_str(), nullptr);
  g_object_set(source_, "tls-database", database, nullptr);
  g_object_unref(database);
}

/// A sink for a pad that takes all that comes as fast as it comes.
void Player::collect(GstElement *from, const char *pad, const std::string &name) {
  GstElement *queue = gst_element_factory_make("queue", nullptr);
  GstElement *sink = gst_element_factory_make("fakesink", nullptr);
  g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
  gst_bin_add_many(GST_BIN(pipeline_), queue, sink, nullptr);
  gst_element_link(queue, sink);
  gst_element_link_pads(from, pad, queue, "sink");
  Stream *stream = nullptr;
  {
    const std::lock_guard lock(mutex_);
    stream = (streams_[name] = std::make_unique<Stream>()).get();
  }
  GstPad *sinkPad = gst_element_get_static_pad(sink, "sink");
  gst_pad_add_probe(
      sinkPad, GST_PAD_PROBE_TYPE_BUFFER,
      +[](GstPad *, GstPadProbeInfo *info, gpointer data) {
        static_cast<Stream *>(data)->add(GST_PAD_PROBE_INFO_BUFFER(info));
        return GST_PAD_PROBE_OK;
      },
      stream, nullptr);
  gst_object_unref(sinkPad);
  gst_element_sync_state_with_parent(sink);
  gst_element_sync_state_with_parent(queue);
}

void Player::record(GstMessage *message) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
    ended_ = true;
  } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_PROGRESS) {
    char *text = nullptr;
    gst_message_parse_progress(message, nullptr, nullptr, &text);
    json_array_add_string_element(notes_, text);
    g_free(text);
  } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError *error = nullptr;
    const GstStructure *details = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    gst_message_parse_error_details(message, &details);
    JsonObject *object = json_object_new();
    json_object_set_boolean_member(object, "by_source", GST_MESSAGE_SRC(message) == GST_OBJECT(source_));
    json_object_set_string_member(object, "domain", g_quark_to_string(error->domain));
    json_object_set_int_member(object, "code", error->code);
    json_object_set_string_member(object, "text", error->message);
    json_object_set_int_member(object, "after_ms", (g_get_monotonic_time() - begun_) / 1000);
    char *text = details ? gst_structure_to_string(details) : g_strdup("");
    json_object_set_string_member(object, "details", text);
    json_array_add_object_element(errors_, object);
    g_free(text);
    g_error_free(error);
  }
}

/// Whether the thread that moves the bytes is still at work, and may have an error of its own to tell.
bool Player::streams() const {
  GstPad *pad = gst_element_get_static_pad(pulls_ ? consumer_ : source_, pulls_ ? "sink" : "src");
  const bool streams = gst_pad_get_task_state(pad) == GST_TASK_STARTED;
  gst_object_unref(pad);
  return streams;
}

void Player::play() {
  GstBus *bus = gst_element_get_bus(pipeline_);
  begun_ = g_get_monotonic_time();
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
  GstClockTime waited = 0;
  const auto failed = [this] {
    return json_array_get_length(errors_) > 0;
  };
  while (!ended_ && !(failed() && !streams())) {
    GstMessage *message = gst_bus_timed_pop(bus, tick);
    waited += message ? 0 : tick;
    if (message) {
      record(message);
      gst_message_unref(message);
    } else if (waited > patience) {
      hung_ = true;
      break;
    }
  }
  while (GstMessage *message = gst_bus_pop(bus)) {
    record(message);
    gst_message_unref(message);
  }
  GstPad *pad = gst_element_get_static_pad(source_, "src");
  pulled_ = GST_PAD_MODE(pad) == GST_PAD_MODE_PULL;
  gst_object_unref(pad);
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(bus);
}

void Player::tell() const {
  GChecksum *all = g_checksum_new(G_CHECKSUM_SHA256);
  std::string mark;
  for (const auto &[name, stream] : streams_) {
    std::string &bytes = stream->bytes;
    if (!pulls_) {
      mark = bytes.substr(beginOfMark(bytes));
      bytes.resize(bytes.size() - mark.size());
    }
    g_checksum_update(all, reinterpret_cast<const guchar *>(bytes.data()), static_cast<gssize>(bytes.size()));
  }
  JsonObject *object = json_object_new();
  char *base64 = g_base64_encode(reinterpret_cast<const guchar *>(mark.data()), mark.size());
  json_object_set_string_member(object, "mark", base64);
  g_free(base64);
  json_object_set_boolean_member(object, "ended", ended_);
  json_object_set_boolean_member(object, "hung", hung_);
  json_object_set_boolean_member(object, "pulled", pulled_);
  json_object_set_string_member(object, "digest", g_checksum_get_string(all));
  g_checksum_free(all);
  json_object_set_int_member(object, "streams", static_cast<gint64>(streams_.size()));
  json_object_set_array_member(object, "errors", json_array_ref(errors_));
  json_object_set_array_member(object, "notes", json_array_ref(notes_));
  JsonNode *node = json_node_init_object(json_node_alloc(), object);
  char *text = json_to_string(node, FALSE);
  std::puts(text);
  g_free(text);
  json_node_unref(node);
  json_object_unref(object);
}

} // namespace

int main(int argc, char *argv[]) {
  gst_init(nullptr, nullptr);
  if (argc < 3)
    g_error("usage: player push|pull SOURCE [PROPERTY=VALUE ...]");
  Player player(std::strcmp(argv[1], "pull") == 0, argv[2]);
  for (int i = 3; i < argc; ++i)
    player.set(argv[i]);
  player.play();
  player.tell();
  return 0;
}
