// SPDX-License-Identifier: LGPL-2.1-or-later
// How a program without GStreamer generates a clip: a prompt, optionally with a picture, becomes a file.
//
//   c++ -std=c++20 -o engine examples/engine.cpp $(pkg-config --cflags --libs aimlvideo)
//   ./engine --image=mona.jpg --output=mona.mp4 "Mona Lisa puts on glasses"
//
// The key is in AIMLAPI_KEY; AIMLAPI_BASE_URL names another service, such as the emulator. Ctrl-C ends it at once, and
// the same command again resumes what was bought.
#include <cerrno>
#include <cstdio>
#include <functional>
#include <vector>

#include <glib-unix.h>
#include <glib/gstdio.h>

#include <aimlvideo/aimlvideo.h>

using namespace aimlvideo;

namespace {

// sysexits.h: the same command may succeed later
constexpr int tryAgain = 75;
constexpr int interrupted = 130;

/// Runs it in the main loop, on that thread.
void onMainLoop(std::function<void()> work) {
  g_idle_add_full(
      G_PRIORITY_DEFAULT,
      [](gpointer data) -> gboolean {
        (*static_cast<std::function<void()> *>(data))();
        return G_SOURCE_REMOVE;
      },
      new std::function<void()>(std::move(work)),
      [](gpointer data) { delete static_cast<std::function<void()> *>(data); });
}

/// The clip in a file that is either complete or absent.
Result<void> save(const Spool &clip, const std::string &path) {
  const std::string unfinished = path + ".part";
  const auto failed = [&] {
    const std::string why = g_strerror(errno);
    g_unlink(unfinished.c_str());
    return failure(ErrorKind::NoSpace, "the clip can't be written to " + path, why,
                   "The same command again replays it");
  };
  FILE *file = g_fopen(unfinished.c_str(), "wb");
  if (!file)
    return failed();
  std::vector<char> buffer(1 << 20);
  bool written = true;
  for (uint64_t offset = 0; written && offset < clip.size().value_or(0);) {
    const auto got = clip.read(offset, buffer.data(), buffer.size());
    written = got && *got > 0 && fwrite(buffer.data(), 1, *got, file) == *got;
    offset += got.value_or(0);
  }
  const bool closed = fclose(file) == 0;
  if (!written || !closed || g_rename(unfinished.c_str(), path.c_str()) != 0)
    return failed();
  return {};
}

/// Is notified on the engine's thread, which serves all jobs of the process: it passes the call on and returns.
class App : public JobObserver {
public:
  App(GMainLoop *loop, std::string output) : loop_(loop), output_(std::move(output)) {}

  void stateChanged(const Status &status) override {
    onMainLoop([status] {
      std::string line = nameOf(status.state);
      if (!status.generationId.empty())
        line += ", generation " + status.generationId;
      if (const auto left = status.remaining())
        line += ", " + std::to_string(left->count() / 1000) + " s left";
      say("[" + line + "]");
    });
  }

  void progressed(const Status &status, const std::string &note) override {
    onMainLoop([percent = status.percent(), note] {
      if (percent)
        say(std::to_string(*percent) + " %  " + note);
      else if (!note.empty())
        say(note);
    });
  }

  void arriving(const Status &, const std::shared_ptr<Spool> &clip) override {
    onMainLoop([this, clip] { clip_ = clip; });
  }

  void completed(const Status &status) override {
    onMainLoop([this, status] {
      if (const auto saved = save(*clip_, output_); !saved)
        return finish(saved.error());
      say(output_ + " is there, " + nameOf(status.origin) +
          (status.billed().usd ? ", " + usdText(*status.billed().usd) : ""));
      finish(0);
    });
  }

  void failed(const Status &, const Error &error) override {
    onMainLoop([this, error] { finish(error); });
  }

  void warned(const std::string &text) override {
    onMainLoop([text] { say("warning: " + text); });
  }

  void finish(int exitCode) {
    exitCode_ = exitCode;
    g_main_loop_quit(loop_);
  }
  int exitCode() const { return exitCode_; }

private:
  static void say(const std::string &line) {
    puts(line.c_str());
    fflush(stdout);
  }

  /// Its text says what failed, why, and what to do; its fields are for programs.
  void finish(const Error &error) {
    fprintf(stderr, "%s\n  kind: %s\n", error.text().c_str(), nameOf(error.kind));
    if (!error.generationId.empty())
      fprintf(stderr, "  generation-id: %s\n", error.generationId.c_str());
    const bool passes = error.kind == ErrorKind::Busy || error.kind == ErrorKind::Unreachable ||
                        error.kind == ErrorKind::TimedOut || error.kind == ErrorKind::UnknownOutcome;
    finish(passes ? tryAgain : 1);
  }

  GMainLoop *const loop_;
  const std::string output_;
  std::shared_ptr<Spool> clip_;
  int exitCode_ = 0;
};

/// What the command line says.
bool parse(int argc, char **argv, Settings &settings, std::string &output) {
  GCharPtr image;
  GCharPtr file;
  char *imageText = nullptr;
  char *fileText = nullptr;
  const GOptionEntry entries[] = {{"image", 'i', 0, G_OPTION_ARG_FILENAME, &imageText, "first frame", "FILE"},
                                  {"output", 'o', 0, G_OPTION_ARG_FILENAME, &fileText, "where the clip goes", "FILE"},
                                  {}};
  GOptionContext *context = g_option_context_new("PROMPT");
  g_option_context_add_main_entries(context, entries, nullptr);
  GErrorSlot error;
  const bool understood = g_option_context_parse(context, &argc, &argv, &error);
  g_option_context_free(context);
  image.reset(imageText);
  file.reset(fileText);
  if (!understood || argc != 2 || !file) {
    fprintf(stderr, "%s\n", error ? error.message() : "usage: engine [--image=FILE] --output=FILE PROMPT");
    return false;
  }
  settings.prompt = argv[1];
  settings.image = image ? image.get() : "";
  output = file.get();
  return true;
}

} // namespace

int main(int argc, char **argv) {
  Settings settings;
  settings.userAgent = "engine-example";
  std::string output;
  if (!parse(argc, argv, settings, output))
    return 2;

  GMainLoop *loop = g_main_loop_new(nullptr, FALSE);
  App app(loop, output);
  const auto job = Job::start(settings, 0, app);
  const auto stop = +[](gpointer data) -> gboolean {
    static_cast<App *>(data)->finish(interrupted);
    return G_SOURCE_CONTINUE;
  };
  g_unix_signal_add(SIGINT, stop, &app);
  g_unix_signal_add(SIGTERM, stop, &app);
  g_main_loop_run(loop);

  job->stop(); // from here on the observer is not called any more
  const Status status = job->status();
  if (app.exitCode() == interrupted && !status.generationId.empty())
    fprintf(stderr, "Stopped. Generation %s continues at the service. The same command again resumes it.\n",
            status.generationId.c_str());
  g_main_loop_unref(loop);
  return app.exitCode();
}
