// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/uri_source.h"

#include <gst/gst.h>

namespace aimlvideo::test {

namespace {

std::string &base() {
  static auto *url = new std::string;
  return *url;
}

struct UriSource {
  GstBin parent;
};
struct UriSourceClass {
  GstBinClass parent;
};

GstStaticPadTemplate padTemplate = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

void initClass(gpointer klass, gpointer) {
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &padTemplate);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Test clip", "Source", "A clip by address", "test");
}

void init(GTypeInstance *instance, gpointer) {
  GstElement *source = gst_element_factory_make("aimlvideosrc", nullptr);
  g_object_set(source, "base-url", base().c_str(), "api-key", "k", "generation-id", "gen/1:model", nullptr);
  gst_bin_add(GST_BIN(instance), source);
  GstPad *inner = gst_element_get_static_pad(source, "src");
  GstPadTemplate *shape = gst_static_pad_template_get(&padTemplate);
  gst_element_add_pad(GST_ELEMENT(instance), gst_ghost_pad_new_from_template("src", inner, shape));
  gst_object_unref(shape);
  gst_object_unref(inner);
}

void initHandler(gpointer interface, gpointer) {
  auto *handler = static_cast<GstURIHandlerInterface *>(interface);
  handler->get_type = +[](GType) {
    return GST_URI_SRC;
  };
  handler->get_protocols = +[](GType) -> const gchar *const * {
    static const gchar *const protocols[] = {"test-clip", nullptr};
    return protocols;
  };
  handler->get_uri = +[](GstURIHandler *) {
    return g_strdup("test-clip://generation/clip.mp4");
  };
  handler->set_uri = +[](GstURIHandler *, const gchar *, GError **) -> gboolean {
    return TRUE;
  };
}

} // namespace

void registerUriSource(const std::string &baseUrl) {
  base() = baseUrl;
  static const GType type = [] {
    const GType made = g_type_register_static_simple(GST_TYPE_BIN, "AimlVideoTestUriSource", sizeof(UriSourceClass),
                                                     initClass, sizeof(UriSource), init, GTypeFlags(0));
    const GInterfaceInfo handler = {initHandler, nullptr, nullptr};
    g_type_add_interface_static(made, GST_TYPE_URI_HANDLER, &handler);
    gst_element_register(nullptr, "testclipsrc", GST_RANK_PRIMARY, made);
    return made;
  }();
  (void)type;
}

} // namespace aimlvideo::test
