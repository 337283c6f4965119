// SPDX-License-Identifier: LGPL-2.1-or-later
#include "signing.h"

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/masking.h"
#include "base/glib_ptr.h"
#include "base/json/value.h"
#include "settings/api_key.h"

namespace aimlvideo::cli {

namespace {

using namespace std::string_view_literals;

constexpr auto claimName = "claim.json";
constexpr guint patience = 10 * 60; // seconds

/// The words of a command, the first of which is the path of its program. No error has its arguments, in which there
/// may be a secret.
Result<std::vector<std::string>> wordsOf(const std::string &command) {
  const auto refuse = [](const std::string &what, const std::string &why) {
    return failure(ErrorKind::BadRequest, "nothing can be signed with " + what, why,
                   "Name a program with its arguments, as in a shell: it gets FILE and CLAIM behind them");
  };
  gint count = 0;
  char **list = nullptr;
  if (!g_shell_parse_argv(command.c_str(), &count, &list, nullptr))
    return refuse("what --sign-with names", "it is no command line");
  const GStrvPtr words(list);
  // the command is run in another folder
  const GCharPtr program(g_find_program_in_path(list[0]));
  if (!program)
    return refuse(list[0], "there is no such program");
  const GCharPtr path(g_canonicalize_filename(program.get(), nullptr));
  std::vector<std::string> all(list, list + count);
  all.front() = path.get();
  return all;
}

/// Whether a file begins as one of its type does.
bool beginsAs(const std::string &path, std::string_view type) {
  std::string start(16, '\0');
  std::ifstream(path, std::ios::binary).read(start.data(), static_cast<std::streamsize>(start.size()));
  const std::string_view bytes(start);
  if (type == "image/jpeg")
    return bytes.starts_with("\xFF\xD8\xFF");
  if (type == "video/webm")
    return bytes.starts_with("\x1A\x45\xDF\xA3");
  return bytes.substr(4).starts_with("ftyp");
}

/// A process with all that it has begun. Nothing where it has ended.
void endAll(GSubprocess *process) {
  if (const char *number = g_subprocess_get_identifier(process))
    kill(-static_cast<pid_t>(g_ascii_strtoll(number, nullptr, 10)), SIGKILL);
  g_subprocess_force_exit(process);
}

/// A run of the command: ends when its program has, whoever still has its output open.
class Run {
public:
  explicit Run(GSubprocess *process) : process_(process) {}
  Run(const Run &) = delete;
  Run &operator=(const Run &) = delete;
  ~Run() { g_main_context_unref(context_); }

  /// False: it had to be ended, with all that it had begun.
  bool await(GCancellable *stop);
  /// The last that it has said, as valid UTF-8.
  std::string said() const;

private:
  void read();

  static constexpr size_t kept = 500;
  GSubprocess *const process_;
  GMainContext *const context_ = g_main_context_new();
  const GRefPtr<GCancellable> reading_ = adopt(g_cancellable_new());
  std::array<char, 4096> block_{};
  std::string said_;
  bool isReading_ = false;
  bool hasEnded_ = false;
  bool isTimeUp_ = false;
};

void Run::read() {
  isReading_ = true;
  g_input_stream_read_async(
      g_subprocess_get_stdout_pipe(process_), block_.data(), block_.size(), G_PRIORITY_DEFAULT, reading_.get(),
      [](GObject *stream, GAsyncResult *result, gpointer data) {
        auto &self = *static_cast<Run *>(data);
        self.isReading_ = false;
        const gssize count = g_input_stream_read_finish(G_INPUT_STREAM(stream), result, nullptr);
        if (count <= 0)
          return;
        self.said_.append(self.block_.data(), static_cast<size_t>(count));
        self.said_.erase(0, self.said_.size() - std::min(self.said_.size(), 2 * kept));
        self.read();
      },
      this);
}

bool Run::await(GCancellable *stop) {
  constexpr guint toDrain = 200; // milliseconds
  g_main_context_push_thread_default(context_);
  const auto timer = [this](guint milliseconds) {
    GSource *source = g_timeout_source_new(milliseconds);
    g_source_set_callback(
        source,
        [](gpointer flag) -> gboolean {
          *static_cast<bool *>(flag) = true;
          return G_SOURCE_REMOVE;
        },
        &isTimeUp_, nullptr);
    g_source_attach(source, context_);
    return source;
  };
  const auto end = [](GSource *source) {
    g_source_destroy(source);
    g_source_unref(source);
  };
  read();
  g_subprocess_wait_async(
      process_, stop,
      [](GObject *object, GAsyncResult *result, gpointer data) {
        auto &self = *static_cast<Run *>(data);
        self.hasEnded_ = g_subprocess_wait_finish(G_SUBPROCESS(object), result, nullptr) != FALSE;
        self.isTimeUp_ = self.isTimeUp_ || !self.hasEnded_;
      },
      this);
  // by whoever stops it: the program may exit before this thread gets on
  const gulong killer = g_cancellable_connect(
      stop, G_CALLBACK(+[](GCancellable *, gpointer process) { endAll(static_cast<GSubprocess *>(process)); }),
      process_, nullptr);
  GSource *limit = timer(patience * 1000);
  while (!hasEnded_ && !isTimeUp_)
    g_main_context_iteration(context_, TRUE);
  end(limit);
  g_cancellable_disconnect(stop, killer);
  const bool ended = hasEnded_;
  if (!ended) {
    endAll(process_);
    g_subprocess_wait(process_, nullptr, nullptr);
  }
  isTimeUp_ = false;
  GSource *drain = timer(toDrain);
  while (isReading_ && !isTimeUp_)
    g_main_context_iteration(context_, TRUE);
  end(drain);
  g_cancellable_cancel(reading_.get());
  while (isReading_)
    g_main_context_iteration(context_, TRUE);
  g_main_context_pop_thread_default(context_);
  return ended;
}

std::string Run::said() const {
  const GCharPtr valid(g_utf8_make_valid(said_.data(), static_cast<gssize>(said_.size())));
  const std::string text = g_strstrip(valid.get());
  return text.size() > kept ? "..." + text.substr(text.size() - kept) : text;
}

/// In the child, before the program.
void prepareChild(gpointer) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL); // it must not outlive who would have published its work
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
  Value made = Value::object({{"action", "c2pa.created"}, {"digitalSourceType", facts.sourceType}});
  if (!facts.created.empty())
    made.set("when", facts.created);
  if (!facts.system.empty())
    made.set("softwareAgent", Value::object({{"name", facts.system}}));
  const Value actions = Value::array({made});
  const Value assertions =
      Value::array({Value::object({{"label", "c2pa.actions"}, {"data", Value::object({{"actions", actions}})}})});
  Value claim = Value::object(
      {{"title", std::filesystem::path(output).filename().string()}, {"format", type}, {"assertions", assertions}});
  if (!facts.tool.empty())
    claim.set("claim_generator_info", Value::array({Value::object({{"name", facts.tool}})}));
  return claim.dump();
}

Result<void> sign(const Signer &signer, WorkFolder &folder, const std::string &name, const std::string &type,
                  const std::string &claim, GCancellable *stop) {
  const auto words = wordsOf(signer.command);
  if (!words)
    return tl::unexpected(words.error());
  const std::string program = std::filesystem::path(words->front()).filename().string();
  const auto refuse = [&program](const std::string &why) {
    return failure(ErrorKind::BadAnswer, "what was made could not be signed", program + why,
                   "The clip is bought and kept: run it again when the command works, or without --sign-with");
  };
  if (auto created = folder.create(claimName, OutputKind::File); !created)
    return created;
  std::ofstream file(folder.path(claimName));
  file << claim;
  file.close();
  if (!file)
    return refuse(" can't be given a claim: the folder can't be written to");
  std::vector<const char *> arguments;
  for (const std::string &word : *words)
    arguments.push_back(word.c_str());
  arguments.insert(arguments.end(), {name.c_str(), claimName, nullptr});
  const auto launcher = adopt(g_subprocess_launcher_new(
      static_cast<GSubprocessFlags>(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE)));
  g_subprocess_launcher_set_cwd(launcher.get(), folder.folderPath().c_str());
  for (const char *variable : apiKeyVariables)
    g_subprocess_launcher_unsetenv(launcher.get(), variable);
  g_subprocess_launcher_set_child_setup(launcher.get(), prepareChild, nullptr, nullptr);
  GErrorSlot error;
  const auto process = adopt(g_subprocess_launcher_spawnv(launcher.get(), arguments.data(), &error));
  if (!process)
    return refuse(std::string(" can't be run: ") + error->message);
  Run run(process.get());
  if (!run.await(stop))
    return refuse(" did not end within " + std::to_string(patience / 60) + " minutes, or was interrupted");
  std::string said = run.said();
  mask(said, signer.key.reveal(), "(key)");
  if (!g_subprocess_get_successful(process.get()))
    return refuse((g_subprocess_get_if_exited(process.get())
                       ? " ended with " + std::to_string(g_subprocess_get_exit_status(process.get()))
                       : " was killed") +
                  (said.empty() ? "" : ": " + said));
  if (const auto reopened = folder.reopen(name); !reopened)
    return refuse(" has left no file of its own that can be read");
  if (!beginsAs(folder.path(name), type))
    return refuse(" has left something else than " + type);
  return {};
}

} // namespace aimlvideo::cli
