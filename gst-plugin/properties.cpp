// SPDX-License-Identifier: LGPL-2.1-or-later
#include "properties.h"

#include <algorithm>
#include <list>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gio/gio.h>

#include <aimlvideo/field.h>
#include <aimlvideo/glib_ptr.h>
#include <aimlvideo/settings.h>
#include <aimlvideo/status.h>

#include "config.h"
#include "image_sample.h"

namespace aimlvideo {

namespace {

constexpr auto configurable = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                       G_PARAM_EXPLICIT_NOTIFY | GST_PARAM_MUTABLE_READY);
constexpr auto writeOnly = static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS |
                                                    G_PARAM_EXPLICIT_NOTIFY | GST_PARAM_MUTABLE_READY);
constexpr auto readOnly = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

constexpr auto defaultUserAgent = PACKAGE "/" PACKAGE_VERSION;
const ElementSettings &defaults() {
  static const auto *settings = new ElementSettings;
  return *settings;
}

std::string textIn(const GValue *value) {
  const char *text = g_value_get_string(value);
  return text ? text : "";
}

void setText(GValue *value, const std::string &text) {
  g_value_set_string(value, text.empty() ? nullptr : text.c_str());
}

/// `extra-headers` as souphttpsrc has them: each field a string or a list of strings.
Headers headersFrom(const GstStructure *structure) {
  Headers headers;
  if (!structure)
    return headers;
  const auto add = [&](const char *name, const GValue *value) {
    GValue text = G_VALUE_INIT;
    g_value_init(&text, G_TYPE_STRING);
    if (g_value_transform(value, &text) && g_value_get_string(&text))
      headers.emplace_back(name, g_value_get_string(&text));
    g_value_unset(&text);
  };
  for (gint i = 0; i < gst_structure_n_fields(structure); ++i) {
    const char *name = gst_structure_nth_field_name(structure, static_cast<guint>(i));
    const GValue *value = gst_structure_get_value(structure, name);
    if (GST_VALUE_HOLDS_ARRAY(value)) {
      for (guint k = 0; k < gst_value_array_get_size(value); ++k)
        add(name, gst_value_array_get_value(value, k));
    } else if (GST_VALUE_HOLDS_LIST(value)) {
      for (guint k = 0; k < gst_value_list_get_size(value); ++k)
        add(name, gst_value_list_get_value(value, k));
    } else {
      add(name, value);
    }
  }
  return headers;
}

GType registerEnum(const std::string &name, std::vector<GEnumValue> values) {
  values.push_back({});
  static auto *const kept = new std::list<std::vector<GEnumValue>>; // they live as long as the types, which never end
  const GType type =
      g_enum_register_static(g_intern_string(name.c_str()), kept->emplace_back(std::move(values)).data());
  gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
  return type;
}

GType typeOf(const Choices &choices) {
  std::vector<GEnumValue> values;
  for (const Choice &choice : choices.all)
    values.push_back({choice.value, choice.meaning, choice.name});
  return registerEnum(std::string("GstAimlVideoSrc") + choices.type, std::move(values));
}

GType statusType() {
  return registerEnum(
      "GstAimlVideoSrcStatus",
      {{static_cast<gint>(State::Idle), "Nothing was started", nameOf(State::Idle)},
       {static_cast<gint>(State::QueuedLocally), "Waiting for its turn, or for another owner of the same generation",
        nameOf(State::QueuedLocally)},
       {static_cast<gint>(State::Submitting), "Being sent to the service", nameOf(State::Submitting)},
       {static_cast<gint>(State::LookingUp), "Finding out whether the service accepted it", nameOf(State::LookingUp)},
       {static_cast<gint>(State::Queued), "Accepted by the service, not begun", nameOf(State::Queued)},
       {static_cast<gint>(State::Generating), "Being made by the service", nameOf(State::Generating)},
       {static_cast<gint>(State::Downloading), "The clip is being fetched", nameOf(State::Downloading)},
       {static_cast<gint>(State::Completed), "The clip has arrived", nameOf(State::Completed)},
       {static_cast<gint>(State::Failed), "An error was posted", nameOf(State::Failed)},
       {static_cast<gint>(State::Cancelled), "Stopped by the application", nameOf(State::Cancelled)}});
}

GParamFlags flagsOf(const Field &field) {
  int flags =
      G_PARAM_STATIC_NAME | G_PARAM_STATIC_NICK | G_PARAM_EXPLICIT_NOTIFY | GST_PARAM_MUTABLE_READY | G_PARAM_WRITABLE;
  if (!field.is(Field::WriteOnly))
    flags |= G_PARAM_READABLE;
  if (field.shown || isSet(defaults(), field)) // what is not the same everywhere
    flags |= GST_PARAM_DOC_SHOW_DEFAULT;
  // GObject would only warn of what is no amount and leave the cap as it is, which is none: it reaches the element (any
  // negative number as -1), which then buys nothing
  if (field.is(Field::IsAmount))
    flags |= G_PARAM_LAX_VALIDATION;
  return static_cast<GParamFlags>(flags);
}

GParamSpec *specOf(const Field &field) {
  const char *const name = field.name;
  const char *const title = field.title;
  const GParamFlags flags = flagsOf(field);
  const auto text = [&](const char *fallback) {
    // gst-inspect-1.0 shows a default as "null" where there is none
    const std::string about = std::string(field.about) + (fallback ? "" : " (default: none)");
    return g_param_spec_string(name, title, about.c_str(), fallback, flags);
  };
  return std::visit(
      Overload{
          [&](const Choices &choices) {
            return g_param_spec_enum(name, title, field.about, typeOf(choices), choices.get(defaults()), flags);
          },
          [&](std::string Settings::*member) {
            const std::string &value = defaults().*member;
            return text(field.shown == effectiveBaseUrl ? defaultBaseUrl : value.empty() ? nullptr : value.c_str());
          },
          [&](Secret Settings::*) { return text(nullptr); },
          [&](bool Settings::*member) {
            return g_param_spec_boolean(name, title, field.about, defaults().*member, flags);
          },
          [&](unsigned Settings::*member) {
            return g_param_spec_uint(name, title, field.about, static_cast<guint>(field.least),
                                     static_cast<guint>(field.most), defaults().*member, flags);
          },
          [&](uint64_t Settings::*member) {
            return g_param_spec_uint64(name, title, field.about, static_cast<guint64>(field.least), G_MAXINT64,
                                       defaults().*member, flags);
          },
          [&](int64_t Settings::*member) {
            return g_param_spec_int64(name, title, field.about, std::min<gint64>(0, defaults().*member),
                                      static_cast<gint64>(field.most), defaults().*member, flags);
          },
          [&](double Settings::*member) {
            const double least = field.is(Field::IsAmount) ? -1 : std::min(field.least, defaults().*member);
            return g_param_spec_double(name, title, field.about, least, field.most, defaults().*member, flags);
          }},
      field.member);
}

void install(GObjectClass *objectClass, Property property, GParamSpec *spec) {
  g_object_class_install_property(objectClass, static_cast<guint>(property), spec);
}

void installOwnProperties(GObjectClass *c) {
  install(c, Property::ImageSample,
          g_param_spec_boxed("image-sample", "First frame as sample",
                             "First frame of the clip from the application, instead of image: a sample of image/jpeg, "
                             "image/png, image/webp or raw video; can't be read back (default: none)",
                             GST_TYPE_SAMPLE, writeOnly));
  install(c, Property::TlsDatabase,
          g_param_spec_object("tls-database", "TLS database",
                              "Certificate authorities to trust instead of the system's (default: the system's)",
                              G_TYPE_TLS_DATABASE, configurable));
  install(c, Property::ExtraHeaders,
          g_param_spec_boxed("extra-headers", "Extra headers",
                             "Headers to add to requests to the service, never to the clip's host; can't be read back "
                             "(default: none)",
                             GST_TYPE_STRUCTURE, writeOnly));
  install(c, Property::CurrentGenerationId,
          g_param_spec_string("current-generation-id", "Current generation id",
                              "Id of the generation that is waited for or played; unset before the service accepted it",
                              nullptr, readOnly));
  install(c, Property::Status,
          g_param_spec_enum("status", "Status", "What the generation is doing", statusType(),
                            static_cast<gint>(State::Idle), readOnly));
  install(c, Property::Statistics,
          g_param_spec_boxed("statistics", "Statistics",
                             "Times in nanoseconds, polls, retries, bytes, cost and whether the generation was reused",
                             GST_TYPE_STRUCTURE, readOnly));
}

/// The field that a property is; null: it is one of the element's own.
const Field *fieldOf(Property property) {
  const auto place = static_cast<size_t>(property);
  return place <= fields().size() ? &fields()[place - 1] : nullptr;
}

void setField(Settings &settings, const Field &field, const GValue *value) {
  std::visit(Overload{[&](const Choices &choices) { choices.set(settings, g_value_get_enum(value)); },
                      [&](std::string Settings::*member) { settings.*member = textIn(value); },
                      [&](Secret Settings::*member) { settings.*member = Secret(textIn(value)); },
                      [&](bool Settings::*member) { settings.*member = g_value_get_boolean(value); },
                      [&](unsigned Settings::*member) { settings.*member = g_value_get_uint(value); },
                      [&](uint64_t Settings::*member) { settings.*member = g_value_get_uint64(value); },
                      [&](int64_t Settings::*member) { settings.*member = g_value_get_int64(value); },
                      [&](double Settings::*member) {
                        settings.*member = g_value_get_double(value);
                      }},
             field.member);
}

void getField(const Settings &settings, const Field &field, GValue *value) {
  if (field.shown)
    return setText(value, field.shown(settings));
  std::visit(Overload{[&](const Choices &choices) { g_value_set_enum(value, choices.get(settings)); },
                      [&](std::string Settings::*member) { setText(value, settings.*member); },
                      [&](Secret Settings::*) {},
                      [&](bool Settings::*member) { g_value_set_boolean(value, settings.*member); },
                      [&](unsigned Settings::*member) { g_value_set_uint(value, settings.*member); },
                      [&](uint64_t Settings::*member) { g_value_set_uint64(value, settings.*member); },
                      [&](int64_t Settings::*member) { g_value_set_int64(value, settings.*member); },
                      [&](double Settings::*member) {
                        g_value_set_double(value, settings.*member);
                      }},
             field.member);
}

} // namespace

ElementSettings::ElementSettings() {
  userAgent = defaultUserAgent;
}

void installProperties(GObjectClass *objectClass) {
  for (guint id = 1; const Field &field : fields())
    g_object_class_install_property(objectClass, id++, specOf(field));
  installOwnProperties(objectClass);
}

bool setProperty(ElementSettings &settings, Property property, const GValue *value) {
  if (const Field *field = fieldOf(property)) {
    const std::string before = textOf(settings, *field);
    setField(settings, *field, value);
    return before != textOf(settings, *field);
  }
  switch (property) {
  case Property::ImageSample:
    settings.imageSource = imageSourceFor(static_cast<GstSample *>(g_value_get_boxed(value)));
    break;
  case Property::TlsDatabase:
    settings.tlsDatabase = share(static_cast<GTlsDatabase *>(g_value_get_object(value)));
    break;
  case Property::ExtraHeaders:
    settings.extraHeaders = headersFrom(gst_value_get_structure(value));
    break;
  default: // those that can't be set
    break;
  }
  return true;
}

bool getProperty(const ElementSettings &settings, Property property, GValue *value) {
  if (const Field *field = fieldOf(property)) {
    getField(settings, *field, value);
    return true;
  }
  switch (property) {
  case Property::TlsDatabase:
    g_value_set_object(value, settings.tlsDatabase.get());
    return true;
  default:
    return false;
  }
}

} // namespace aimlvideo
