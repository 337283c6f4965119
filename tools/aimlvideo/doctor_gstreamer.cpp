// SPDX-License-Identifier: LGPL-2.1-or-later
#include <memory>

#include <gst/gst.h>

#include "base/glib_ptr.h"
#include "config.h"
#include "doctor.h"
#include "encoding.h"
#include "profile.h"

namespace aimlvideo::cli {

namespace {

using State = Finding::State;

constexpr auto pluginName = "aimlapi";
constexpr auto pluginFile = "libgstaimlapi.so";
constexpr auto packages = "Install gstreamer1.0-plugins-base, -good, -bad, -ugly and gstreamer1.0-libav";

using PluginList = std::unique_ptr<GList, ReleasedBy<gst_plugin_list_free>>;

/// A file of that name that GStreamer has tried to load in vain.
std::string refusedFile() {
  const PluginList all(gst_registry_get_plugin_list(gst_registry_get()));
  for (const GList *item = all.get(); item; item = item->next) {
    auto *plugin = GST_PLUGIN(item->data);
    const char *file = gst_plugin_get_filename(plugin);
    if (GST_OBJECT_FLAG_IS_SET(plugin, GST_PLUGIN_FLAG_BLACKLISTED) && file && g_str_has_suffix(file, pluginFile))
      return file;
  }
  return "";
}

Finding missingPlugin() {
  if (const std::string file = refusedFile(); !file.empty())
    return {"plugin", State::Wrong, "GStreamer could not load " + file,
            "`ldd " + file + "` shows which library it lacks; then remove ~/.cache/gstreamer-1.0/registry.*.bin"};
  return {"plugin", State::Wrong, "GStreamer finds none, so there is no aimlvideosrc; aimlvideo itself does without",
          "Install gstreamer1.0-aimlvideo, or name the folder of " + std::string(pluginFile) + " in $GST_PLUGIN_PATH"};
}

/// The one that players and gst-launch-1.0 take.
Finding examinePlugin() {
  const auto plugin = adopt(gst_registry_find_plugin(gst_registry_get(), pluginName));
  if (!plugin)
    return missingPlugin();
  const std::string file = gst_plugin_get_filename(plugin.get()) ? gst_plugin_get_filename(plugin.get()) : "a program";
  const std::string version = gst_plugin_get_version(plugin.get());
  if (version != PACKAGE_VERSION)
    return {"plugin", State::Wrong, "version " + version + " in " + file + ", while this is aimlvideo " PACKAGE_VERSION,
            "Install both from one version; $GST_PLUGIN_PATH and ~/.local/share/gstreamer-1.0/plugins come before the "
            "system's folder"};
  return {"plugin", State::Fine, "version " + version + " in " + file, ""};
}

bool canDecode(const char *caps) {
  const std::unique_ptr<GList, ReleasedBy<gst_plugin_feature_list_free>> decoders(
      gst_element_factory_list_get_elements(GST_ELEMENT_FACTORY_TYPE_DECODABLE, GST_RANK_MARGINAL));
  GstCaps *wanted = gst_caps_from_string(caps);
  const std::unique_ptr<GList, ReleasedBy<gst_plugin_feature_list_free>> fitting(
      gst_element_factory_list_filter(decoders.get(), wanted, GST_PAD_SINK, FALSE));
  gst_caps_unref(wanted);
  return fitting != nullptr;
}

/// What plays the clips that the service makes.
Finding examineDecoders() {
  std::string missing;
  for (const auto &[caps, name] : {std::pair("video/quicktime", "MP4"), std::pair("video/x-h264", "H.264"),
                                   std::pair("audio/mpeg,mpegversion=4", "AAC")})
    if (!canDecode(caps))
      missing += (missing.empty() ? "" : ", ") + std::string(name);
  if (missing.empty())
    return {"decoders", State::Fine, "for MP4, H.264 and AAC", ""};
  return {"decoders", State::Wrong, "GStreamer has none for " + missing, packages};
}

Finding examineProfile(const Profile &profile) {
  const std::string check = std::string("profile ") + profile.name;
  const auto checked = checkElements(profile);
  if (!checked)
    return {check, State::Wrong, checked.error().why, packages};
  return {check, State::Fine, profile.about, ""};
}

} // namespace

Result<void> examineGStreamer(const std::string &profile, Findings &findings) {
  const Profile *only = nullptr;
  if (!profile.empty()) {
    const auto found = findProfile(profile);
    if (!found)
      return found.failure();
    only = *found;
  }
  gst_init(nullptr, nullptr);
  if (!only)
    findings.push_back(examinePlugin());
  if (!only || only->kind != Profile::Kind::AsIs)
    findings.push_back(examineDecoders());
  for (const Profile &one : profiles())
    if (!only || &one == only)
      findings.push_back(examineProfile(one));
  return {};
}

std::string gstreamerVersion() {
  guint major = 0;
  guint minor = 0;
  guint micro = 0;
  guint nano = 0;
  gst_version(&major, &minor, &micro, &nano);
  return "GStreamer " + std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(micro);
}

} // namespace aimlvideo::cli
