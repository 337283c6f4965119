// SPDX-License-Identifier: LGPL-2.1-or-later
#include "recipient.h"

#include <memory>
#include <string>

#include <aimlvideo/glib_ptr.h>

namespace aimlvideo {

template <>
struct RefTraits<GstCaps> {
  static void ref(GstCaps *caps) { gst_caps_ref(caps); }
  static void unref(GstCaps *caps) { gst_caps_unref(caps); }
};

namespace {

/// What a clip may come in, under every name that demuxers, parsers and capsfilters have for it.
constexpr auto containers =
    "video/quicktime; video/mp4; audio/mp4; video/mj2; audio/x-m4a; application/x-3gp; video/webm; audio/webm; "
    "video/x-matroska; audio/x-matroska; video/x-matroska-3d; video/x-msvideo; video/x-flv; video/x-ms-asf; image/gif; "
    "image/webp; video/mpegts; video/mpeg, systemstream=(boolean)true; application/ogg; video/ogg; audio/ogg; "
    "application/octet-stream";

std::string nameBehind(GstPad *pad) {
  const auto peer = adopt(gst_pad_get_peer(pad));
  const auto element = adopt(peer ? gst_pad_get_parent(peer.get()) : nullptr);
  const GCharPtr name(element ? gst_object_get_name(element.get()) : g_strdup("what is linked to it"));
  return name.get();
}

Result<void> ask(GstPad *pad) {
  static GstStaticCaps containerCaps = GST_STATIC_CAPS(containers);
  const auto clips = adopt(gst_static_caps_get(&containerCaps));
  // the filter is needed: qtmux of GStreamer 1.22 copies it without looking whether there is one
  const auto accepted = adopt(gst_pad_peer_query_caps(pad, clips.get()));
  if (!accepted || gst_caps_can_intersect(accepted.get(), clips.get()))
    return {};
  return failure(ErrorKind::BadRequest, "nothing after the source accepts a clip",
                 nameBehind(pad) + ", or what follows it, accepts no file such as an MP4 (video/quicktime)",
                 "Put decodebin (or parsebin, qtdemux) after aimlvideosrc; nothing was bought");
}

/// A GWeakRef has an address that it must keep.
class WeakPad {
public:
  explicit WeakPad(GstPad *pad) { g_weak_ref_init(&reference_, pad); }
  WeakPad(const WeakPad &) = delete;
  WeakPad &operator=(const WeakPad &) = delete;
  ~WeakPad() { g_weak_ref_clear(&reference_); }

  GRefPtr<GstPad> get() { return adopt(static_cast<GstPad *>(g_weak_ref_get(&reference_))); }

private:
  GWeakRef reference_;
};

} // namespace

std::function<Result<void>()> recipientBehind(GstPad *pad) {
  return [weak = std::make_shared<WeakPad>(pad)]() -> Result<void> {
    const auto alive = weak->get();
    return alive ? ask(alive.get()) : Result<void>();
  };
}

} // namespace aimlvideo
