// SPDX-License-Identifier: LGPL-2.1-or-later
#include "element_options.h"

#include <algorithm>

#include <aimlvideo/money.h>

#include "aimlvideosrc.h"
#include "api/nearest.h"
#include "properties.h"

namespace aimlvideo::cli {

namespace {

GObjectClass *elementClass() {
  static auto *const objectClass = [] {
    gst_init(nullptr, nullptr);
    return static_cast<GObjectClass *>(g_type_class_ref(GST_TYPE_AIML_VIDEO_SRC));
  }();
  return objectClass;
}

bool canBeText(const GParamSpec *spec) {
  // dry-run and prompt-tag change what the pipeline carries, and no pipeline is the user's here
  for (const char *name : {"api-key", "dry-run", "prompt-tag"})
    if (g_str_equal(spec->name, name))
      return false;
  const GType type = spec->value_type;
  const bool plain = G_TYPE_IS_ENUM(type) || type == G_TYPE_STRING || type == G_TYPE_BOOLEAN || type == G_TYPE_UINT ||
                     type == G_TYPE_UINT64 || type == G_TYPE_DOUBLE;
  return plain && spec->owner_type == GST_TYPE_AIML_VIDEO_SRC && (spec->flags & G_PARAM_WRITABLE);
}

GParamSpec *find(const std::string &name) {
  GParamSpec *spec = g_object_class_find_property(elementClass(), name.c_str());
  return spec && canBeText(spec) ? spec : nullptr;
}

std::string allowedFor(GParamSpec *spec) {
  if (G_TYPE_IS_ENUM(spec->value_type)) {
    std::string text = "it is one of";
    const GEnumClass *values = G_PARAM_SPEC_ENUM(spec)->enum_class;
    for (guint i = 0; i < values->n_values; ++i)
      text += (i > 0 ? ", " : " ") + std::string(values->values[i].value_nick);
    return text;
  }
  if (spec->value_type == G_TYPE_BOOLEAN)
    return "it is true or false";
  return spec->value_type == G_TYPE_DOUBLE ? "it has to be a number in the range of the property"
                                           : "it has to be a whole number in the range of the property";
}

/// A GValue of a property, from text.
class Value {
public:
  Value(GParamSpec *spec, const std::string &text) {
    g_value_init(&value_, spec->value_type);
    if (spec->value_type == G_TYPE_STRING) { // every text is one; GStreamer would strip quotation marks
      g_value_set_string(&value_, text.c_str());
      valid_ = true;
    } else {
      // the validation changes what is out of range; a range that is not strict lets pass what the element refuses
      valid_ = gst_value_deserialize(&value_, text.c_str()) && !g_param_value_validate(spec, &value_) &&
               (!(spec->flags & G_PARAM_LAX_VALIDATION) || isAmount(g_value_get_double(&value_)));
    }
  }
  Value(const Value &) = delete;
  Value &operator=(const Value &) = delete;
  ~Value() { g_value_unset(&value_); }

  bool valid() const { return valid_; }
  const GValue *get() const { return &value_; }

private:
  GValue value_ = G_VALUE_INIT;
  bool valid_ = false;
};

const char *placeholderFor(const GParamSpec *spec) {
  if (spec->value_type == G_TYPE_STRING)
    return "TEXT";
  return G_TYPE_IS_ENUM(spec->value_type) ? "WORD" : "NUMBER";
}

gchar shortNameOf(const std::string &name) {
  static const std::map<std::string, gchar> names{{"model", 'm'}, {"prompt", 'p'}, {"image", 'i'}, {"duration", 'd'}};
  const auto found = names.find(name);
  return found == names.end() ? '\0' : found->second;
}

std::vector<GParamSpec *> settableProperties() {
  guint count = 0;
  GParamSpec **list = g_object_class_list_properties(elementClass(), &count);
  std::vector<GParamSpec *> specs(list, list + count);
  g_free(list);
  specs.erase(std::remove_if(specs.begin(), specs.end(), [](const GParamSpec *spec) { return !canBeText(spec); }),
              specs.end());
  return specs;
}

Failure unknownProperty(const std::string &name) {
  std::vector<std::string> names;
  for (const GParamSpec *spec : settableProperties())
    names.emplace_back(spec->name);
  const std::string nearest = nearestTo(name, names);
  return failure(ErrorKind::BadRequest, "there is no property \"" + name + "\"", "",
                 nearest.empty() ? "" : "Did you mean " + nearest + "?");
}

} // namespace

Result<void> checkPropertyName(const std::string &name) {
  return find(name) ? Result<void>() : unknownProperty(name);
}

Result<Settings> settingsFrom(const PropertyTexts &texts) {
  ElementSettings settings;
  for (const auto &[name, text] : texts) {
    GParamSpec *spec = find(name);
    if (!spec)
      return unknownProperty(name);
    const Value value(spec, text);
    if (!value.valid())
      return failure(ErrorKind::BadRequest, name + " can't be \"" + text + "\"", allowedFor(spec));
    setProperty(settings, static_cast<Property>(spec->param_id), value.get());
  }
  return Settings(std::move(settings));
}

void ElementOptions::addTo(Options &options) {
  for (const GParamSpec *spec : settableProperties()) {
    if (cost_ == Cost::Elsewhere && g_str_equal(spec->name, "max-cost"))
      continue;
    Slot &slot = slots_.emplace_back();
    slot.name = spec->name;
    const bool isFlag = spec->value_type == G_TYPE_BOOLEAN;
    entries_.push_back({spec->name, shortNameOf(slot.name), 0, isFlag ? G_OPTION_ARG_NONE : G_OPTION_ARG_STRING,
                        isFlag ? static_cast<gpointer>(&slot.flag) : slot.text.slot(),
                        g_param_spec_get_blurb(const_cast<GParamSpec *>(spec)),
                        isFlag ? nullptr : placeholderFor(spec)});
  }
  entries_.push_back({});
  options.add(entries_.data());
}

PropertyTexts ElementOptions::texts() const {
  PropertyTexts texts;
  for (const Slot &slot : slots_)
    if (slot.flag)
      texts[slot.name] = "true";
    else if (slot.text.given())
      texts[slot.name] = slot.text.text();
  if (const auto baseUrl = texts.find("base-url"); baseUrl != texts.end())
    trustTypedBaseUrl(baseUrl->second);
  return texts;
}

} // namespace aimlvideo::cli
