// SPDX-License-Identifier: LGPL-2.1-or-later
#include "production.h"

#include <chrono>
#include <deque>
#include <set>

#include <unistd.h>

#include <aimlvideo/catalogue.h>
#include <aimlvideo/folders.h>
#include <aimlvideo/mark.h>

#include "api/nearest.h"
#include "checksum.h"
#include "encoding.h"
#include "ledger/ledger.h"
#include "output.h"
#include "output_mark.h"
#include "save.h"
#include "settings/api_key.h"
#include "signing.h"
#include "transcoder.h"

namespace aimlvideo::cli {

namespace {

/// What is made in the work folder and published from there.
std::string resultOf(const Profile &profile) {
  return std::string("result") + (profile.extension ? std::string(".") + profile.extension : "");
}

/// Notes in the ledger what is made of a purchase, which an earlier run may have made for something else. It is for
/// people, so a failure is none.
void describePurchase(int64_t row, StorePrompt choice, const std::string &prompt, const std::string &output) {
  const auto ledger = row == 0 ? Result<std::shared_ptr<Ledger>>(nullptr) : Ledger::open(stateFolder());
  const GCharPtr path(g_canonicalize_filename(output.c_str(), nullptr));
  if (ledger && *ledger && (*ledger)->keepsPrompts(choice))
    static_cast<void>((*ledger)->describe(row, prompt, path.get()));
}

} // namespace

/// Lets only some productions at once do what takes much. For the main loop's thread.
class Production::Turns {
public:
  explicit Turns(size_t atOnce) : atOnce_(atOnce) {}

  void ask(const Production *who, std::function<void()> begin) {
    if (busy_.size() >= atOnce_)
      return waiting_.emplace_back(who, std::move(begin)), void();
    busy_.insert(who);
    begin();
  }
  void leave(const Production *who) {
    std::erase_if(waiting_, [who](const auto &entry) { return entry.first == who; });
    if (busy_.erase(who) == 0 || waiting_.empty())
      return;
    const auto [next, begin] = std::move(waiting_.front());
    waiting_.pop_front();
    busy_.insert(next);
    begin();
  }

  /// An encoder takes all of a processor and much memory.
  static Turns &toTranscode() {
    static Turns turns(g_get_num_processors());
    return turns;
  }
  /// A clip that waits to be written holds one descriptor, one that is being written several.
  static Turns &toWrite() {
    static Turns turns(backgroundThreads);
    return turns;
  }

private:
  const size_t atOnce_;
  std::set<const Production *> busy_;
  std::deque<std::pair<const Production *, std::function<void()>>> waiting_;
};

Result<void> checkOrder(const Order &order) {
  if (auto there = checkElements(*order.profile); !there)
    return there;
  if (auto named = checkExtension(*order.profile, order.output); !named)
    return named;
  if (order.shape.any() && order.profile->kind == Profile::Kind::AsIs)
    return failure(ErrorKind::BadRequest, "the profile mp4 keeps the clip as it is", "a size or a rate was asked for",
                   "Choose the profile h264");
  if (order.profile->kind == Profile::Kind::Hls && order.output.ends_with(".m3u8"))
    return failure(ErrorKind::BadRequest, order.output + " can't be written",
                   "the profile hls makes a folder with index.m3u8 in it", "Name a folder");
  if (!order.signWith.empty() && order.outputKind() == OutputKind::Folder)
    return failure(ErrorKind::BadRequest, "a stream can't be signed", "--sign-with gets a file, and hls makes a folder",
                   "Choose another profile");
  if (auto signs = order.signWith.empty() ? Result<void>() : checkSigner(order.signWith); !signs)
    return signs;
  if (!order.toStandardOutput())
    return checkOutput(order.output, order.outputKind(), order.overwrite);
  if (order.outputKind() == OutputKind::Folder)
    return failure(ErrorKind::BadRequest, "standard output can't be written", "the profile hls makes a folder",
                   "Name a folder");
  if (!order.signWith.empty())
    return failure(ErrorKind::BadRequest, "standard output can't be signed", "--sign-with gets a file", "Name a file");
  return {};
}

Production::Production(Order order, Hooks hooks) : order_(std::move(order)), hooks_(std::move(hooks)) {}

Production::~Production() {
  if (starter_ != 0)
    g_source_remove(starter_);
  if (job_)
    job_->stop();
  inbox_->close();
  g_cancellable_cancel(signingStops_.get());
  transcoder_.reset();
  leaveTurn();
  if (folder_)
    folder_->remove();
}

void Production::stop(const std::vector<Production *> &productions) {
  constexpr std::chrono::milliseconds grace{500};
  constexpr gulong pause = 1000; // microseconds
  for (const Production *production : productions)
    if (production->job_)
      production->job_->stop();
  const auto latest = std::chrono::steady_clock::now() + grace;
  for (Production *production : productions) {
    if (!production->job_)
      continue;
    // its task is the other owner
    while (production->job_.use_count() > 1 && std::chrono::steady_clock::now() < latest)
      g_usleep(pause);
    production->status_ = production->job_->status();
  }
}

bool Production::isUnknown() const {
  const int64_t number = job_ ? job_->row() : 0;
  const auto ledger = number != 0 ? Ledger::open(stateFolder()) : Result<std::shared_ptr<Ledger>>(nullptr);
  if (!ledger)
    return true;
  const auto row = *ledger ? (*ledger)->row(number) : Result<std::optional<LedgerRow>>(std::nullopt);
  return !row || (*row && (*row)->state == LedgerRow::State::Sent);
}

void Production::startSoon() {
  starter_ = g_idle_add_once(
      [](gpointer self) {
        static_cast<Production *>(self)->starter_ = 0;
        static_cast<Production *>(self)->start();
      },
      this);
}

void Production::start() {
  // made once before anything is bought, since it tells whether the output can be made
  if (!order_.toStandardOutput()) {
    auto folder = WorkFolder::open(order_.output, order_.outputKind(), order_.overwrite);
    if (!folder)
      return end(folder.error());
    if (order_.reserved)
      folder_ = std::make_shared<WorkFolder>(std::move(*folder));
    const GCharPtr path(g_canonicalize_filename(order_.output.c_str(), nullptr));
    order_.settings.output = path.get();
  }
  temporaryFolder_ = order_.settings.temporaryFolder;
  wantsMark_ = order_.settings.mark != Mark::None;
  if (!order_.signWith.empty())
    if (auto key = findKey(order_.settings.apiKey, order_.settings.apiKeyFile))
      signingKey_ = std::move(key->key);
  storePrompt_ = order_.settings.storePrompt;
  note_ = "starting the generation";
  job_ = Job::start(std::move(order_.settings), 0, *this);
  hooks_.changed();
}

void Production::stateChanged(const Status &status) {
  inbox_->post([this, status] { heard(status, describe(status)); });
}

void Production::progressed(const Status &status, const std::string &note) {
  inbox_->post([this, status, note] { heard(status, note.empty() ? describe(status) : note); });
}

void Production::arriving(const Status &status, const std::shared_ptr<Spool> &clip) {
  inbox_->post([this, status, clip] {
    clip_ = clip;
    heard(status, describe(status));
  });
}

void Production::completed(const Status &status) {
  inbox_->post([this, status] {
    heard(status, describe(status));
    fetched();
  });
}

void Production::failed(const Status &status, const Error &error) {
  inbox_->post([this, status, error] {
    heard(status, note_);
    end(error);
  });
}

void Production::warned(const std::string &text) {
  inbox_->post([text] { printWarning(text); });
}

void Production::heard(const Status &status, const std::string &note) {
  status_ = status;
  note_ = note;
  clock_.heard(status, Clock::now());
  hooks_.changed();
}

std::string Production::doing() const {
  return transcoding() ? "transcoding" : status_.state == State::Idle ? "starting" : nameOf(status_.state);
}

Progress Production::progress() {
  Progress progress = clock_.at(Clock::now());
  if (transcoding())
    progress.percent = transcoder_ ? transcoder_->percent() : std::nullopt;
  else if (job_ && !progress.percent)
    progress.percent = 0;
  return progress;
}

void Production::fetched() {
  mark_ = clip_ ? clip_->mark() : "";
  waiting_ = order_.profile->kind != Profile::Kind::AsIs;
  turns_ = waiting_ ? &Turns::toTranscode() : &Turns::toWrite();
  turns_->ask(this, [this] { make(); });
}

void Production::make() {
  waiting_ = false;
  if (order_.toStandardOutput())
    return makeForStandardOutput();
  if (!folder_) {
    auto folder = WorkFolder::open(order_.output, order_.outputKind(), order_.overwrite);
    if (!folder)
      return end(folder.error());
    folder_ = std::make_shared<WorkFolder>(std::move(*folder));
  }
  if (const auto created = folder_->create(resultOf(*order_.profile), order_.outputKind()); !created)
    return end(created.error());
  if (order_.profile->kind == Profile::Kind::AsIs)
    return finish(std::exchange(clip_, {}));
  transcode(folder_->path(resultOf(*order_.profile)), [this] { finish(nullptr); });
}

void Production::transcode(const std::string &target, const std::function<void()> &done) {
  transcoder_ = std::make_unique<Transcoder>(*order_.profile, order_.shape, pathOf(*clip_), target, outputMark(),
                                             [this, done](const std::optional<Error> &failure) {
                                               transcoder_.reset(); // which writes the last bytes
                                               if (failure)
                                                 return end(failure);
                                               clip_.reset();
                                               leaveTurn();
                                               done();
                                             });
  hooks_.changed();
}

/// A muxer may have to go back in what it writes, so that only what is whole goes out.
void Production::makeForStandardOutput() {
  if (order_.profile->kind == Profile::Kind::AsIs)
    return deliver(std::exchange(clip_, {}));
  auto file = namelessFile(temporaryFolder_.empty() ? "/var/tmp" : temporaryFolder_);
  if (!file)
    return end(file.error());
  nameless_ = std::make_shared<Descriptor>(std::move(*file));
  transcode(pathOf(*nameless_), [this] { deliver(nullptr); });
}

/// Writes a clip, or what was made of it, to standard output.
void Production::deliver(const std::shared_ptr<Spool> &clip) {
  runInBackground([this, inbox = inbox_, file = nameless_, clip, profile = order_.profile, mark = outputMark()] {
    constexpr auto name = "standard output"; // this: for the inbox alone
    auto done = clip ? copyClip(*clip, STDOUT_FILENO, name) : markOutput(*profile, pathOf(*file), mark);
    if (done && !clip)
      done = copyFile(file->number(), STDOUT_FILENO, name);
    inbox->post([this, failure = done ? std::nullopt : std::optional<Error>(done.error())] { end(failure); });
  });
}

/// All that has to happen to what was made before it can be published. For a thread that may wait for a disk.
struct Production::Finishing {
  std::shared_ptr<WorkFolder> folder;
  const Profile *profile = nullptr;
  std::string output;
  std::string mark; ///< empty: it gets none
  MarkFacts facts;
  Signer signer;
  GRefPtr<GCancellable> signingStops;

  /// Where a clip is given, with its bytes.
  Result<void> operator()(const std::shared_ptr<Spool> &clip) const {
    const std::string name = resultOf(*profile);
    auto done =
        clip ? copyClip(*clip, folder->descriptor(name), output) : markOutput(*profile, folder->path(name), mark);
    if (done && !signer.command.empty())
      done = sign(signer, *folder, name, profile->mediaType, claimFor(output, profile->mediaType, facts),
                  signingStops.get());
    return done ? folder->settle(name) : done;
  }
};

/// Brings the result to the disk.
void Production::finish(const std::shared_ptr<Spool> &clip) {
  const Finishing finishing{folder_,
                            order_.profile,
                            order_.output,
                            outputMark(),
                            factsIn(mark_).value_or(MarkFacts()),
                            {order_.signWith, signingKey_},
                            signingStops_};
  const bool wanted = static_cast<bool>(hooks_.publishing);
  runInBackground([this, inbox = inbox_, finishing, clip, wanted, row = job_->row(), choice = storePrompt_,
                   prompt = status_.prompt] { // this: for the inbox alone
    auto done = finishing(clip);
    if (done)
      describePurchase(row, choice, prompt, finishing.output);
    Result<std::string> checksum =
        wanted && done ? checksumOf(finishing.folder->path(resultOf(*finishing.profile))) : "";
    if (!done)
      checksum = tl::unexpected(std::move(done.error()));
    inbox->post([this, checksum] { publish(checksum); });
  });
}

void Production::publish(const Result<std::string> &checksum) {
  if (!checksum)
    return end(checksum.error());
  auto done = hooks_.publishing ? hooks_.publishing(*checksum) : Result<void>();
  if (done)
    done = folder_->publish(resultOf(*order_.profile));
  const bool isClip = order_.profile->kind == Profile::Kind::AsIs;
  if (done && isClip && wantsMark_ && !status_.unmarked.empty())
    printWarning(order_.output + " is not marked as made by a model: " + status_.unmarked);
  end(done ? std::nullopt : std::optional(done.error()));
}

void Production::leaveTurn() {
  if (Turns *const turns = std::exchange(turns_, nullptr))
    turns->leave(this);
}

/// The service refuses a model that it does not have: the user may have misspelt one that is known.
void Production::suggestModel(Error &failure) const {
  const bool refused = failure.kind == ErrorKind::BadRequest || failure.kind == ErrorKind::NotFound;
  if (!refused || status_.model.empty() || Catalogue::instance().find(status_.model))
    return;
  const std::string nearest = nearestTo(status_.model, Catalogue::instance().names());
  if (!nearest.empty() && failure.text().find(nearest) == std::string::npos)
    failure.remedy += (failure.remedy.empty() ? "" : ". ") + ("Did you mean the model " + nearest + "?");
}

void Production::end(std::optional<Error> failure) {
  if (failure && failure->generationId.empty())
    failure->generationId = status_.generationId;
  if (failure)
    suggestModel(*failure);
  clip_.reset();
  if (folder_)
    folder_->remove();
  leaveTurn();
  const auto ended = std::move(hooks_.ended);
  ended(failure);
}

} // namespace aimlvideo::cli
