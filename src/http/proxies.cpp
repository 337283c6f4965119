// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/proxies.h"

#include <map>
#include <string>
#include <utility>

#include "base/loop.h"

using namespace aimlvideo;

namespace {

struct Answer {
  GStrvPtr proxies;
  Clock::time_point goodUntil;
};

struct Memory {
  GRefPtr<GProxyResolver> other;
  std::map<std::string, Answer, std::less<>> answers; ///< by address
};

struct AimlProxies {
  GObject parent;
  Memory *memory; ///< owned
};
struct AimlProxiesClass {
  GObjectClass parent;
};

void aiml_proxies_serve(GProxyResolverInterface *type);

// GObject's macros are C
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
G_DEFINE_TYPE_WITH_CODE(AimlProxies, aiml_proxies, G_TYPE_OBJECT,
                        G_IMPLEMENT_INTERFACE(G_TYPE_PROXY_RESOLVER, aiml_proxies_serve))
#pragma GCC diagnostic pop

Memory &memoryOf(gpointer resolver) {
  return *static_cast<AimlProxies *>(resolver)->memory;
}

void aiml_proxies_init(AimlProxies *self) {
  self->memory = new Memory;
}

void aiml_proxies_class_init(AimlProxiesClass *type) {
  G_OBJECT_CLASS(type)->finalize = [](GObject *self) {
    delete &memoryOf(self);
    G_OBJECT_CLASS(aiml_proxies_parent_class)->finalize(self);
  };
}

/// What is remembered of an address; null: nothing.
char **known(Memory &memory, const char *address) {
  std::erase_if(memory.answers, [now = Clock::now()](const auto &entry) { return entry.second.goodUntil <= now; });
  const auto answer = memory.answers.find(std::string_view(address));
  return answer == memory.answers.end() ? nullptr : answer->second.proxies.get();
}

void answered(GObject *other, GAsyncResult *result, gpointer data) {
  const auto task = adopt(static_cast<GTask *>(data));
  GErrorSlot error;
  char **proxies = g_proxy_resolver_lookup_finish(G_PROXY_RESOLVER(other), result, &error);
  if (!proxies)
    return g_task_return_error(task.get(), g_error_copy(error.get()));
  memoryOf(g_task_get_source_object(task.get()))
      .answers.insert_or_assign(static_cast<const char *>(g_task_get_task_data(task.get())),
                                Answer{GStrvPtr(g_strdupv(proxies)), Clock::now() + proxiesAreGoodFor});
  g_task_return_pointer(task.get(), proxies, reinterpret_cast<GDestroyNotify>(g_strfreev));
}

void aiml_proxies_serve(GProxyResolverInterface *type) {
  type->is_supported = [](GProxyResolver *self) {
    return g_proxy_resolver_is_supported(memoryOf(self).other.get());
  };
  type->lookup = [](GProxyResolver *self, const gchar *address, GCancellable *cancellable, GError **error) {
    return g_proxy_resolver_lookup(memoryOf(self).other.get(), address, cancellable, error);
  };
  type->lookup_async = [](GProxyResolver *self, const gchar *address, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer data) {
    Memory &memory = memoryOf(self);
    auto task = adopt(g_task_new(self, cancellable, callback, data));
    if (char **proxies = known(memory, address))
      return g_task_return_pointer(task.get(), g_strdupv(proxies), reinterpret_cast<GDestroyNotify>(g_strfreev));
    g_task_set_task_data(task.get(), g_strdup(address), g_free);
    g_proxy_resolver_lookup_async(memory.other.get(), address, cancellable, answered, task.release());
  };
  type->lookup_finish = [](GProxyResolver *, GAsyncResult *result, GError **error) {
    return static_cast<gchar **>(g_task_propagate_pointer(G_TASK(result), error));
  };
}

} // namespace

namespace aimlvideo {

GRefPtr<GProxyResolver> rememberingResolver(GProxyResolver *other) {
  auto resolver = adopt(static_cast<GProxyResolver *>(g_object_new(aiml_proxies_get_type(), nullptr)));
  memoryOf(resolver.get()).other = share(other);
  return resolver;
}

} // namespace aimlvideo
