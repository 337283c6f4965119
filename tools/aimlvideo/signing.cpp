// SPDX-License-Identifier: LGPL-2.1-or-later
#include "signing.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <utility>

#include <sys/prctl.h>

#include <aimlvideo/printable.h>

#include "base/json/value.h"
#include "settings/api_key.h"

namespace aimlvideo::cli {

namespace {

constexpr auto claimName = "claim.json";
constexpr guint patience = 10 * 60; // seconds

/// The words of a command, the first of which is the path of its program.
Result<std::vector<std::string>> wordsOf(const std::string &command) {
  gint count = 0;
  char **list = nullptr;
  const auto refuse = [&command](const std::string &why) {
    return failure(ErrorKind::BadRequest, "nothing can be signed with \"" + command + "\"", why,
                   "Name a program with its arguments, as in a shell: it gets FILE and CLAIM behind them");
  };
  if (!g_shell_parse_argv(command.c_str(), &count, &list, nullptr))
    return refuse("it is no command line");
  const GStrvPtr words(list);
  // the command is run in another folder
  const GCharPtr program(g_find_program_in_path(list[0]));
  if (!program)
    return refuse(std::string("there is no program ") + list[0]);
  const GCharPtr path(g_canonicalize_filename(program.get(), nullptr));
  std::vector<std::string> all(list, list + count);
  all.front() = path.get();
  return all;
}

/// The last lines of what a program has said, for an error.
std::string endOf(GBytes *bytes) {
  constexpr size_t most = 500;
  gsize size = 0;
  const void *text = bytes ? g_bytes_get_data(bytes, &size) : nullptr;
  const GCharPtr valid(g_utf8_make_valid(static_cast<const char *>(text ? text : ""), static_cast<gssize>(size)));
  const std::string said = g_strstrip(valid.get());
  return said.size() > most ? "..." + said.substr(said.size() - most) : said;
}

/// How a run of the command has ended.
struct Ending {
  bool done = false;
  bool waited = false; ///< until it ended by itself
  std::string output;
};

/// Waits for the end of a process, of a time limit or until `stop` is cancelled.
Ending await(GSubprocess *process, GCancellable *stop) {
  GMainContext *context = g_main_context_new();
  g_main_context_push_thread_default(context);
  GSource *timer = g_timeout_source_new_seconds(patience);
  g_source_set_callback(
      timer,
      [](gpointer cancellable) -> gboolean {
        g_cancellable_cancel(static_cast<GCancellable *>(cancellable));
        return G_SOURCE_REMOVE;
      },
      stop, nullptr);
  g_source_attach(timer, context);
  Ending ending;
  g_subprocess_communicate_async(
      process, nullptr, stop,
      [](GObject *object, GAsyncResult *result, gpointer data) {
        auto &end = *static_cast<Ending *>(data);
        GBytes *output = nullptr;
        end.waited = g_subprocess_communicate_finish(G_SUBPROCESS(object), result, &output, nullptr, nullptr) != FALSE;
        end.output = endOf(output);
        g_clear_pointer(&output, g_bytes_unref);
        end.done = true;
      },
      &ending);
  while (!ending.done)
    g_main_context_iteration(context, TRUE);
  g_source_destroy(timer);
  g_source_unref(timer);
  g_main_context_pop_thread_default(context);
  g_main_context_unref(context);
  return ending;
}

} // namespace

Result<void> checkSigner(const std::string &command) {
  if (const auto words = wordsOf(command); !words)
    return tl::unexpected(words.error());
  return {};
}

std::string claimFor(const std::string &output, const std::string &type, const MarkFacts &facts) {
  using json::Value;
  // https://spec.c2pa.org: a definition of a manifest, with the assertion that says how the file came to be
  const Value made = Value::object({{"action", "c2pa.created"},
                                    {"when", facts.created},
                                    {"digitalSourceType", facts.sourceType},
                                    {"softwareAgent", Value::object({{"name", facts.system}})}});
  Value actions = Value::array();
  actions.add(made);
  Value assertions = Value::array();
  assertions.add(Value::object({{"label", "c2pa.actions"}, {"data", Value::object({{"actions", actions}})}}));
  Value tools = Value::array();
  tools.add(Value::object({{"name", facts.tool}}));
  Value claim = Value::object({{"title", std::filesystem::path(output).filename().string()},
                               {"format", type},
                               {"claim_generator_info", tools},
                               {"assertions", assertions}});
  return claim.dump();
}

Result<void> sign(const std::string &command, WorkFolder &folder, const std::string &name, const std::string &claim,
                  GCancellable *stop) {
  const auto words = wordsOf(command);
  if (!words)
    return tl::unexpected(words.error());
  if (auto created = folder.create(claimName, OutputKind::File); !created)
    return created;
  const auto refuse = [&](const std::string &why) {
    return failure(ErrorKind::BadAnswer, "what was made could not be signed", why,
                   "The clip is bought and kept: run it again when the command works, or without --sign-with");
  };
  std::ofstream file(folder.path(claimName));
  file << claim;
  file.close();
  if (!file)
    return refuse("the claim can't be written beside it");
  std::vector<const char *> arguments;
  for (const std::string &word : *words)
    arguments.push_back(word.c_str());
  arguments.insert(arguments.end(), {name.c_str(), claimName, nullptr});
  const auto launcher = adopt(g_subprocess_launcher_new(
      static_cast<GSubprocessFlags>(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE)));
  g_subprocess_launcher_set_cwd(launcher.get(), folder.folderPath().c_str());
  for (const char *variable : apiKeyVariables)
    g_subprocess_launcher_unsetenv(launcher.get(), variable);
  // a signer must not outlive who would have published its work
  g_subprocess_launcher_set_child_setup(
      launcher.get(), [](gpointer) { prctl(PR_SET_PDEATHSIG, SIGKILL); }, nullptr, nullptr);
  GErrorSlot error;
  const auto process = adopt(g_subprocess_launcher_spawnv(launcher.get(), arguments.data(), &error));
  if (!process)
    return refuse(error->message);
  const Ending ending = await(process.get(), stop);
  if (!ending.waited) {
    g_subprocess_force_exit(process.get());
    g_subprocess_wait(process.get(), nullptr, nullptr);
    return refuse(command + " did not end within " + std::to_string(patience / 60) + " minutes, or was interrupted");
  }
  if (!g_subprocess_get_successful(process.get()))
    return refuse(command +
                  (g_subprocess_get_if_exited(process.get())
                       ? " ended with " + std::to_string(g_subprocess_get_exit_status(process.get()))
                       : " was killed") +
                  (ending.output.empty() ? "" : ": " + ending.output));
  if (const auto reopened = folder.reopen(name); !reopened)
    return refuse(command + " has left no file that can be read");
  return {};
}

} // namespace aimlvideo::cli
