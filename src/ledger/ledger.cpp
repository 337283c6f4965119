// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/ledger.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include <glib/gstdio.h>
#include <pthread.h>
#include <sys/file.h>
#include <unistd.h>

#include <fcntl.h>

#include "base/folders.h"
#include "ledger/file_system.h"
#include "ledger/ownership.h"
#include "ledger/per_process.h"

namespace aimlvideo {

namespace {

constexpr std::array stateNames{"intent", "sent", "running", "completed", "failed", "moderated", "not-bought"};

/// One script a version of the schema: the n-th leads from version n to n + 1. A script that was released never
/// changes.
constexpr std::array migrations{
    R"sql(
      CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
      INSERT INTO setting VALUES ('salt', lower(hex(randomblob(16))));
      CREATE TABLE generation (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        state TEXT NOT NULL,
        identity TEXT NOT NULL,
        owner TEXT NOT NULL,
        validators TEXT NOT NULL,
        replayable INTEGER NOT NULL,
        base_url TEXT NOT NULL,
        model TEXT NOT NULL,
        family TEXT NOT NULL,
        client_request_id TEXT NOT NULL,
        key_fingerprint TEXT NOT NULL,
        generation_id TEXT NOT NULL,
        created INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        credits REAL,
        usd REAL,
        clip_url TEXT NOT NULL,
        clip TEXT NOT NULL,
        clip_size INTEGER NOT NULL,
        clip_checksum TEXT NOT NULL,
        prompt TEXT NOT NULL,
        cause TEXT NOT NULL);
      CREATE INDEX generation_by_identity ON generation (identity, id);
      CREATE INDEX generation_by_generation_id ON generation (generation_id);
    )sql",
    R"sql(
      ALTER TABLE generation ADD COLUMN submitted INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE generation ADD COLUMN duration TEXT NOT NULL DEFAULT '';
      ALTER TABLE generation ADD COLUMN resolution TEXT NOT NULL DEFAULT '';
      CREATE TABLE observed_time (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        base_url TEXT NOT NULL,
        model TEXT NOT NULL,
        duration TEXT NOT NULL,
        resolution TEXT NOT NULL,
        seconds REAL NOT NULL,
        observed INTEGER NOT NULL);
      CREATE INDEX observed_time_by_kind ON observed_time (base_url, model, duration, resolution, id);
    )sql",
    R"sql(
      ALTER TABLE generation ADD COLUMN request_id TEXT NOT NULL DEFAULT '';
      ALTER TABLE generation ADD COLUMN clip_proof TEXT NOT NULL DEFAULT '';
    )sql",
    R"sql(
      CREATE INDEX generation_by_base_url ON generation (base_url);
    )sql",
    // a program of an older version that has this ledger open finds its table no more, and so can't buy
    R"sql(
      ALTER TABLE generation RENAME TO purchase;
    )sql",
    // whoever bought before prompts were kept by default is told once
    R"sql(
      ALTER TABLE purchase ADD COLUMN output TEXT NOT NULL DEFAULT '';
      INSERT INTO setting SELECT 'tell-of-prompts', '' WHERE EXISTS (SELECT 1 FROM purchase);
    )sql",
    R"sql(
      CREATE TABLE mark (
        purchase INTEGER PRIMARY KEY,
        packet TEXT NOT NULL);
    )sql",
    // what counters keep of rows that were removed, see tally.h
    R"sql(
      CREATE TABLE forgotten (
        model TEXT NOT NULL,
        state TEXT NOT NULL,
        accepted INTEGER NOT NULL,
        jobs INTEGER NOT NULL,
        usd REAL NOT NULL,
        PRIMARY KEY (model, state, accepted));
    )sql",
    spending::schema,
};

constexpr auto columns = "id, state, identity, owner, validators, replayable, base_url, model, family, "
                         "client_request_id, key_fingerprint, generation_id, created, changed, credits, usd, clip_url, "
                         "clip, clip_size, clip_checksum, prompt, cause, submitted, duration, resolution, request_id, "
                         "clip_proof, output";

LedgerRow rowFrom(const sqlite::Statement &statement) {
  LedgerRow row;
  row.id = statement.integer(0);
  const auto *name = std::find(stateNames.begin(), stateNames.end(), statement.text(1));
  // an unknown word can't come from this version of the schema: take it for what must not be bought again
  row.state = name == stateNames.end() ? LedgerRow::State::Sent
                                       : static_cast<LedgerRow::State>(std::distance(stateNames.begin(), name));
  row.identity = statement.text(2);
  row.owner = statement.text(3);
  row.validators = statement.text(4);
  row.replayable = statement.integer(5) != 0;
  row.baseUrl = statement.text(6);
  row.model = statement.text(7);
  row.family = statement.text(8) == "legacy" ? EndpointFamily::Legacy : EndpointFamily::Universal;
  row.clientRequestId = statement.text(9);
  row.keyFingerprint = statement.text(10);
  row.generationId = statement.text(11);
  row.created = statement.integer(12);
  row.changed = statement.integer(13);
  row.usage.credits = statement.number(14);
  row.usage.usd = statement.number(15);
  row.clipUrl = statement.text(16);
  row.clip = statement.text(17);
  row.clipSize = statement.integer(18);
  row.clipChecksum = statement.text(19);
  row.prompt = statement.text(20);
  row.cause = statement.text(21);
  row.submitted = statement.integer(22);
  row.duration = statement.text(23);
  row.resolution = statement.text(24);
  row.requestId = statement.text(25);
  row.clipProof = statement.text(26);
  row.output = statement.text(27);
  return row;
}

int64_t now() {
  return g_get_real_time() / 1000;
}

std::string fileIn(const std::string &folder) {
  return Ledger::fileIn(folder);
}

Failure ledgerFailure(const std::string &folder, const std::string &why) {
  return failure(ErrorKind::NoSpace, "the ledger of purchases in " + folder + " can't be used, so nothing was bought",
                 why, "Make that folder writable, on a local disk with free space, or name another in $XDG_STATE_HOME");
}

bool exists(const std::string &path) {
  return g_file_test(path.c_str(), G_FILE_TEST_EXISTS);
}

/// Only one kernel's processes see each other's locks.
Result<void> checkIsLocal(const std::string &folder) {
  std::string why = whyNotLocal(folder);
  if (why.empty() && exists(fileIn(folder))) // which may be a link to another place
    why = whyNotLocal(fileIn(folder));
  if (why.empty())
    return {};
  return failure(ErrorKind::NoSpace, "the ledger of purchases in " + folder + " can't be used, so nothing was bought",
                 why, remedyForShared);
}

/// There while somebody has found the ledger damaged: whoever opens it next looks at all of it.
std::string doubtIn(const std::string &folder) {
  return fileIn(folder) + "-doubt";
}

Failure ledgerFailure(const std::string &folder, const sqlite::Fault &fault) {
  if (!fault.damaged())
    return ledgerFailure(folder, fault.message);
  g_file_set_contents(doubtIn(folder).c_str(), "", 0, nullptr);
  return failure(ErrorKind::NoSpace, "the ledger of purchases in " + folder + " is damaged, so nothing was bought",
                 fault.message, "Run again: the next run checks all of it and sets it aside");
}

/// Moves a ledger with the files that belong to it, and returns its new name.
std::string moveAside(const std::string &folder) {
  const std::string aside = fileIn(folder) + ".damaged-" + std::to_string(now());
  for (const char *suffix : {"-wal", "-shm", ""})
    g_rename((fileIn(folder) + suffix).c_str(), (aside + suffix).c_str());
  return aside;
}

/// For a damaged one.
Failure setAside(const std::string &folder) {
  const std::string aside = moveAside(folder);
  g_unlink(doubtIn(folder).c_str());
  return failure(ErrorKind::NoSpace, "the ledger of purchases was damaged, so nothing was bought",
                 "it is kept as " + aside + ", and the next run begins a new one",
                 "Look with `aimlvideo jobs list` or in the account's logs whether a generation of an earlier run is "
                 "still to be fetched, then run again");
}

int64_t sizeOf(const std::string &path) {
  GStatBuf facts{};
  return g_stat(path.c_str(), &facts) == 0 ? facts.st_size : 0;
}

sqlite::Done<void> migrate(sqlite::Database &database) {
  const auto text = database.value("PRAGMA user_version");
  if (!text)
    return tl::unexpected(text.error());
  const auto version = static_cast<size_t>(g_ascii_strtoull(text->value_or("0").c_str(), nullptr, 10));
  if (version > migrations.size())
    return tl::unexpected(sqlite::Fault{SQLITE_ERROR, "it was written by a newer version of this software (schema " +
                                                          std::to_string(version) + ")"});
  for (size_t next = version; next < migrations.size(); ++next) {
    const std::string script = std::string("BEGIN IMMEDIATE;") + migrations[next] +
                               "PRAGMA user_version = " + std::to_string(next + 1) + "; COMMIT";
    if (const auto done = database.execute(script); !done) {
      database.execute("ROLLBACK");
      return tl::unexpected(done.error());
    }
  }
  return {};
}

/// Writes a file or a folder to the disk. False: see errno.
bool sync(const std::string &path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0)
    return false;
  const bool synced = fsync(descriptor) == 0;
  const int cause = errno;
  close(descriptor);
  errno = cause;
  return synced;
}

/// Makes a new ledger. It gets its name when it is whole and on disk: so no crash leaves an empty file, and one that is
/// found has lost what was in it.
sqlite::Done<void> create(const std::string &folder) {
  const std::string draft = fileIn(folder) + ".new";
  for (const char *suffix : {"", "-journal", "-wal", "-shm"})
    g_unlink((draft + suffix).c_str());
  {
    auto database = sqlite::Database::open(draft);
    if (!database)
      return tl::unexpected(database.error());
    // it is on disk before it has its name, so that each step need not be
    if (const auto done = database->execute("PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY"); !done)
      return done;
    if (const auto done = migrate(*database); !done)
      return done;
    if (const auto done = database->execute("PRAGMA journal_mode=WAL"); !done)
      return done;
  }
  if (!sync(draft, O_RDWR))
    return tl::unexpected(sqlite::Fault{SQLITE_IOERR_FSYNC, g_strerror(errno)});
  moveAside(folder); // a log of writes whose ledger was removed must not be taken for the new one's
  if (g_rename(draft.c_str(), fileIn(folder).c_str()) != 0)
    return tl::unexpected(sqlite::Fault{SQLITE_IOERR, g_strerror(errno)});
  sync(folder, O_RDONLY | O_DIRECTORY); // not every file system can
  return {};
}

/// How long the opening waits for other threads and processes; theirs takes milliseconds, and seconds where a large
/// ledger has to be looked at wholly.
constexpr std::chrono::seconds openingPatience{20};

/// Tries until it succeeds. False: it was stopped, or the deadline has passed.
bool tryUntil(const std::function<bool()> &attempt, const Cancellation &cancellation, Clock::time_point deadline) {
  constexpr std::chrono::milliseconds pause{5};
  while (!attempt()) {
    if (Clock::now() >= deadline || cancellation.cancelled())
      return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

/// Locks a mutex, as tryUntil().
bool lockUntil(Mutex &mutex, const Cancellation &cancellation, Clock::time_point deadline)
    TRY_ACQUIRE(true, mutex) NO_THREAD_SAFETY_ANALYSIS { // the attempt is a lambda
  return tryUntil([&] { return mutex.try_lock(); }, cancellation, deadline);
}

/// A lock that is held while a process opens the ledger, so that one alone makes a new one or moves a damaged one
/// aside.
Result<LockFile> lockOpening(const std::string &folder, Cancellation &cancellation, Clock::time_point deadline) {
  const std::string path = folder + "/opening.lock";
  auto file = LockFile::open(path);
  if (!file)
    return ledgerFailure(folder, file.error());
  if (tryUntil([&] { return file->lock(LOCK_EX); }, cancellation, deadline)) {
    file->sign();
    return std::move(*file);
  }
  if (cancellation.cancelled())
    return failure(ErrorKind::Cancelled, "the ledger was not opened", "it was stopped");
  return failure(ErrorKind::TimedOut,
                 "the ledger of purchases in " + folder + " can't be opened, so nothing was bought",
                 LockFile::holderOf(path) + " holds " + path + " and makes no progress",
                 "Wait for that process, or end it, and run again");
}

} // namespace

uint64_t Ledger::newestSchema() {
  return migrations.size();
}

const char *nameOf(LedgerRow::State state) {
  return stateNames[static_cast<size_t>(state)];
}

Usage billed(const LedgerRow &row) {
  using RowState = LedgerRow::State;
  const bool made = row.state == RowState::Running || row.state == RowState::Completed;
  if (made && !row.identity.empty())
    return row.usage;
  return row.state == RowState::Sent ? Usage{} : Usage{0.0, 0.0};
}

/// The connections of this process to ledgers. SQLite counts its locks by process, and would take its parent's for its
/// own in a forked child, which would then read and write unlocked. So a child begins without the connections of its
/// parent, and no fork happens in the middle of their use.
class Ledger::Connections {
public:
  static Connections &instance() {
    static auto *connections = new Connections; // outlives every worker, also those still running at exit
    return *connections;
  }

  Mutex changing; ///< held while one is opened or closed, and while the process forks
  std::set<Ledger *> open GUARDED_BY(changing);

private:
  Connections() {
    pthread_atfork([] { instance().lock(); }, [] { instance().unlock(); }, [] { instance().leaveToParent(); });
  }

  // all mutexes, from before a fork until after it
  void lock() NO_THREAD_SAFETY_ANALYSIS {
    changing.lock();
    for (Ledger *ledger : open)
      ledger->mutex_.lock();
  }
  void unlock() NO_THREAD_SAFETY_ANALYSIS {
    for (Ledger *ledger : open)
      ledger->mutex_.unlock();
    changing.unlock();
  }
  void leaveToParent() NO_THREAD_SAFETY_ANALYSIS {
    for (Ledger *ledger : open) {
      ledger->database_.leaveToParent();
      ledger->mutex_.unlock();
    }
    open.clear();
    changing.unlock();
  }
};

Ledger::~Ledger() {
  Connections &connections = Connections::instance();
  const Lock lock(connections.changing);
  connections.open.erase(this);
  database_.close();
}

Result<std::shared_ptr<Ledger>> Ledger::open(const std::string &folder) {
  Cancellation never;
  return open(folder, never, Clock::time_point::max());
}

Result<std::shared_ptr<Ledger>> Ledger::open(const std::string &folder, Cancellation &cancellation,
                                             Clock::time_point deadline) {
  struct Opened {
    Mutex mutex;
    std::map<std::string, std::weak_ptr<Ledger>> ledgers GUARDED_BY(mutex); ///< by folder
  };
  static PerProcess<Opened> processes;
  Opened &opened = processes.get();
  deadline = std::min(deadline, Clock::now() + openingPatience);
  if (!lockUntil(opened.mutex, cancellation, deadline))
    return failure(cancellation.cancelled() ? ErrorKind::Cancelled : ErrorKind::TimedOut,
                   "the ledger of purchases in " + folder + " can't be opened, so nothing was bought",
                   "another thread is opening it and makes no progress", "Run again");
  const Lock lock(opened.mutex, std::adopt_lock);
  auto known = opened.ledgers[folder].lock();
  if (known && exists(fileIn(folder)) && !exists(doubtIn(folder)))
    return known;

  if (const auto made = makePrivateFolder(folder); !made)
    return ledgerFailure(folder, made.error());
  if (const auto local = checkIsLocal(folder); !local)
    return tl::unexpected(local.error());
  const auto opening = lockOpening(folder, cancellation, deadline);
  if (!opening)
    return tl::unexpected(opening.error());
  auto presence = LockFile::open(folder + "/open.lock");
  if (!presence)
    return ledgerFailure(folder, presence.error());
  const bool alone = presence->lock(LOCK_EX);
  presence->lock(LOCK_SH);

  Connections &connections = Connections::instance();
  Lock changing(connections.changing);
  if (!exists(fileIn(folder))) {
    if (const auto made = create(folder); !made)
      return ledgerFailure(folder, made.error().message);
  } else if (sizeOf(fileIn(folder)) == 0) {
    return setAside(folder);
  }
  // whoever closes it last leaves no log of writes behind
  const bool doubtful = exists(doubtIn(folder)) || (alone && sizeOf(fileIn(folder) + "-wal") > 0);
  auto database = sqlite::Database::open(fileIn(folder));
  if (!database)
    return database.error().damaged() ? setAside(folder) : ledgerFailure(folder, database.error());
  const std::shared_ptr<Ledger> ledger(new Ledger(folder, std::move(*presence), std::move(*database)));
  const auto prepared = ledger->prepare(doubtful);
  connections.open.insert(ledger.get());
  changing.unlock();
  if (!prepared)
    return prepared.error().damaged() ? setAside(folder) : ledgerFailure(folder, prepared.error());
  g_unlink(doubtIn(folder).c_str());
  opened.ledgers[folder] = ledger;
  return ledger;
}

sqlite::Done<void> Ledger::prepare(bool wholly) {
  const Lock lock(mutex_);
  g_chmod(fileIn(folder_).c_str(), 0600);
  auto ready = database_.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON");
  if (!ready)
    return ready;
  if (wholly) {
    const auto health = database_.value("PRAGMA quick_check(1)");
    if (!health)
      return tl::unexpected(health.error());
    if (health->value_or("ok") != "ok")
      return tl::unexpected(sqlite::Fault{SQLITE_CORRUPT, **health});
  }
  if (ready = migrate(database_); !ready)
    return ready;
  const auto salt = database_.value("SELECT value FROM setting WHERE name = 'salt'");
  if (!salt)
    return tl::unexpected(salt.error());
  salt_ = salt->value_or("");
  const auto notice = database_.value("SELECT 1 FROM setting WHERE name = 'tell-of-prompts'");
  if (!notice)
    return tl::unexpected(notice.error());
  noticeDue_ = notice->has_value();
  return {};
}

bool Ledger::keepsPrompts(StorePrompt choice) const {
  constexpr mode_t others = S_IRWXG | S_IRWXO;
  const auto openTo = [](const std::string &path) {
    GStatBuf facts{};
    return g_stat(path.c_str(), &facts) != 0 || (facts.st_mode & others) != 0;
  };
  return choice == StorePrompt::Yes ||
         (choice == StorePrompt::Default && !(openTo(folder_) && openTo(fileIn(folder_))));
}

bool Ledger::takeNotice() {
  bool taken = false;
  const auto done = writes_.run([&](sqlite::Database &database) -> sqlite::Done<void> {
    const auto found = database.value("DELETE FROM setting WHERE name = 'tell-of-prompts' RETURNING 1");
    if (!found)
      return tl::unexpected(found.error());
    taken = found->has_value();
    return {};
  });
  noticeDue_ = false;
  return done && taken;
}

/// The first column of all rows.
Result<std::vector<std::string>> Ledger::textsOf(const char *sql, const std::vector<std::string> &values) {
  const Lock lock(mutex_);
  auto statement = database_.prepare(sql);
  if (!statement)
    return ledgerFailure(folder_, statement.error());
  for (const std::string &value : values)
    statement->bind(value);
  std::vector<std::string> texts;
  for (;;) {
    const auto row = statement->step();
    if (!row)
      return ledgerFailure(folder_, row.error());
    if (!*row)
      return texts;
    texts.push_back(statement->text(0));
  }
}

Result<std::vector<LedgerRow>> Ledger::select(const std::string &condition, const std::vector<std::string> &values) {
  const Lock lock(mutex_);
  auto statement =
      database_.prepare(std::string("SELECT ") + columns + " FROM purchase " + condition + " ORDER BY id DESC");
  if (!statement)
    return ledgerFailure(folder_, statement.error());
  for (const std::string &value : values)
    statement->bind(value);
  std::vector<LedgerRow> rows;
  for (;;) {
    const auto row = statement->step();
    if (!row)
      return ledgerFailure(folder_, row.error());
    if (!*row)
      return rows;
    rows.push_back(rowFrom(*statement));
  }
}

namespace {

bool unfinished(const LedgerRow &row) {
  return row.state == LedgerRow::State::Sent || row.state == LedgerRow::State::Running;
}

Result<std::optional<LedgerRow>> firstOf(Result<std::vector<LedgerRow>> rows) {
  if (!rows)
    return tl::unexpected(std::move(rows.error()));
  return rows->empty() ? std::optional<LedgerRow>() : std::optional(std::move(rows->front()));
}

} // namespace

Result<std::optional<LedgerRow>> Ledger::find(const std::string &identity, const std::string &validators) {
  auto rows = select("WHERE identity = ?", {identity});
  if (!rows)
    return tl::unexpected(std::move(rows.error()));
  for (LedgerRow &row : *rows) {
    const bool oneIsUnknown = row.validators.empty() || validators.empty();
    if (row.validators == validators || (unfinished(row) && oneIsUnknown))
      return std::optional(std::move(row));
  }
  return std::optional<LedgerRow>();
}

Result<bool> Ledger::knows(const std::string &identity) {
  const auto rows = select("WHERE identity = ?", {identity});
  if (!rows)
    return tl::unexpected(rows.error());
  return !rows->empty();
}

Result<std::optional<LedgerRow>> Ledger::findGeneration(const std::string &baseUrl, const std::string &generationId) {
  auto rows = select("WHERE generation_id = ?", {generationId});
  if (!rows)
    return tl::unexpected(std::move(rows.error()));
  const std::string service = serviceAt(baseUrl);
  for (LedgerRow &row : *rows)
    if (serviceAt(row.baseUrl) == service)
      return std::optional(std::move(row));
  return std::optional<LedgerRow>();
}

Result<std::vector<std::string>> Ledger::spellingsOf(const std::string &baseUrl) {
  // walks from each value to the next, since SELECT DISTINCT would read the whole index
  auto spellings = textsOf("WITH RECURSIVE spelling(url) AS (SELECT min(base_url) FROM purchase UNION ALL "
                           "SELECT (SELECT min(base_url) FROM purchase WHERE base_url > url) FROM spelling "
                           "WHERE url IS NOT NULL) SELECT url FROM spelling WHERE url IS NOT NULL");
  if (!spellings)
    return spellings;
  const std::string service = serviceAt(baseUrl);
  std::erase_if(*spellings, [&](const std::string &spelling) { return serviceAt(spelling) != service; });
  return spellings;
}

Result<std::optional<LedgerRow>> Ledger::row(int64_t id) {
  return firstOf(select("WHERE id = CAST(? AS INTEGER)", {std::to_string(id)}));
}

Result<std::vector<LedgerRow>> Ledger::rows() {
  return select("", {});
}

namespace {

/// Sets the times of a row that is about to be written.
void stamp(LedgerRow &row) {
  row.changed = now();
  if (row.created == 0)
    row.created = row.changed;
}

/// Writes a row. What it is a row of, its identity and base URL, stays as it was first written, and so does when that
/// was: an index that holds nothing new need not be written to.
sqlite::Done<void> insert(sqlite::Database &database, const LedgerRow &row, int64_t &id) {
  static const auto *sql = [] { // outlives every worker, also those still running at exit
    auto *text = new std::string(std::string("INSERT INTO purchase (") + columns + ") VALUES (NULLIF(?, 0)");
    std::istringstream names(columns);
    std::string changes;
    for (std::string name; std::getline(names >> std::ws, name, ',');) {
      if (name == "id")
        continue;
      *text += ", ?";
      if (name != "identity" && name != "base_url" && name != "created")
        changes += (changes.empty() ? "" : ", ") + name + " = excluded." + name;
    }
    *text += ") ON CONFLICT (id) DO UPDATE SET " + changes;
    return text;
  }();
  const char *family = row.family == EndpointFamily::Legacy ? "legacy" : "universal";
  auto inserted = database.run(
      *sql, row.id, nameOf(row.state), row.identity, row.owner, row.validators, static_cast<int64_t>(row.replayable),
      row.baseUrl, row.model, family, row.clientRequestId, row.keyFingerprint, row.generationId, row.created,
      row.changed, row.usage.credits, row.usage.usd, row.clipUrl, row.clip, row.clipSize, row.clipChecksum, row.prompt,
      row.cause, row.submitted, row.duration, row.resolution, row.requestId, row.clipProof, row.output);
  id = row.id == 0 ? database.lastRow() : row.id;
  return inserted;
}

sqlite::Done<void> insert(sqlite::Database &database, const ObservedTime &time) {
  constexpr int64_t kept = 64;
  const JobKind &kind = time.kind;
  const std::string service = serviceAt(time.baseUrl);
  auto added =
      database.run("INSERT INTO observed_time (base_url, model, duration, resolution, seconds, observed) "
                   "VALUES (?, ?, ?, ?, ?, ?)",
                   service, kind.model, kind.duration, kind.resolution, std::optional<double>(time.seconds), now());
  if (!added)
    return added;
  return database.run("DELETE FROM observed_time WHERE id <= (SELECT id FROM observed_time WHERE base_url = ? AND "
                      "model = ? AND duration = ? AND resolution = ? ORDER BY id DESC LIMIT 1 OFFSET ?) AND "
                      "base_url = ? AND model = ? AND duration = ? AND resolution = ?",
                      service, kind.model, kind.duration, kind.resolution, kept, service, kind.model, kind.duration,
                      kind.resolution);
}

} // namespace

Result<void> Ledger::write(LedgerRow &row) {
  stamp(row);
  int64_t id = row.id;
  const auto written = writes_.run([&](sqlite::Database &database) { return insert(database, row, id); });
  if (!written)
    return ledgerFailure(folder_, written.error());
  row.id = id;
  return {};
}

void Ledger::submitWrite(LedgerRow row, std::function<void(Result<LedgerRow>)> done, std::string mark) {
  stamp(row);
  struct Submission {
    LedgerRow row;
    std::string mark;
    int64_t id;
  };
  const auto submission = std::make_shared<Submission>(Submission{std::move(row), std::move(mark), 0});
  writes_.submit(
      [submission](sqlite::Database &database) {
        auto written = insert(database, submission->row, submission->id);
        if (written && !submission->mark.empty())
          written = database.run("INSERT OR IGNORE INTO mark VALUES (?, ?)", submission->id, submission->mark);
        return written;
      },
      [this, submission, done = std::move(done)](const sqlite::Done<void> &written) {
        if (!written)
          return done(ledgerFailure(folder_, written.error()));
        submission->row.id = submission->id;
        done(std::move(submission->row));
      },
      shared_from_this());
}

void Ledger::submitIntent(LedgerRow row, std::optional<double> usd, int64_t moment,
                          std::function<void(Result<LedgerRow>)> done) {
  row.state = LedgerRow::State::Intent;
  stamp(row);
  struct Submission {
    LedgerRow row;
    spending::Candidate candidate;
    std::optional<Error> refusal;
  };
  const auto submission = std::make_shared<Submission>();
  submission->candidate = {row.id, row.id == 0, row.baseUrl, row.model, usd, moment};
  submission->row = std::move(row);
  writes_.submit(
      [submission](sqlite::Database &database) {
        submission->refusal.reset();
        return database.atomically([&]() -> sqlite::Done<bool> {
          if (const auto written = insert(database, submission->row, submission->candidate.purchase); !written)
            return tl::unexpected(written.error());
          auto refusal = spending::reserve(database, submission->candidate);
          if (!refusal)
            return tl::unexpected(refusal.error());
          submission->refusal = std::move(*refusal);
          return !submission->refusal;
        });
      },
      [this, submission, done = std::move(done)](const sqlite::Done<void> &written) {
        if (!written)
          return done(ledgerFailure(folder_, written.error()));
        if (submission->refusal)
          return done(Failure(std::move(*submission->refusal)));
        submission->row.id = submission->candidate.purchase;
        done(std::move(submission->row));
      },
      shared_from_this());
}

Result<void> Ledger::remove(int64_t id) {
  const auto removed = writes_.run([&](sqlite::Database &database) {
    return database.atomically([&]() -> sqlite::Done<bool> {
      auto done =
          database.run("INSERT INTO forgotten SELECT model, state, generation_id <> '', 1, total(usd) FROM purchase "
                       "WHERE id = ? AND identity <> '' GROUP BY id ON CONFLICT DO UPDATE SET "
                       "jobs = jobs + 1, usd = usd + excluded.usd",
                       id);
      if (done)
        done = spending::countApart(database, id);
      for (const char *sql : {"DELETE FROM purchase WHERE id = ?", "DELETE FROM mark WHERE purchase = ?"})
        done = done ? database.run(sql, id) : done;
      return done ? sqlite::Done<bool>(true) : tl::unexpected(done.error());
    });
  });
  if (!removed)
    return ledgerFailure(folder_, removed.error());
  return {};
}

Result<std::string> Ledger::mark(int64_t id) {
  const auto found = textsOf("SELECT packet FROM mark WHERE purchase = CAST(? AS INTEGER)", {std::to_string(id)});
  if (!found)
    return tl::unexpected(found.error());
  return found->empty() ? "" : found->front();
}

Result<void> Ledger::setStored(int64_t id, const std::string &clip, const std::string &checksum,
                               const std::string &proof) {
  const auto set = writes_.run([&](sqlite::Database &database) {
    return database.run("UPDATE purchase SET clip_checksum = COALESCE(NULLIF(?, ''), clip_checksum), clip_proof = ? "
                        "WHERE id = ? AND clip = ?",
                        checksum, proof, id, clip);
  });
  if (!set)
    return ledgerFailure(folder_, set.error());
  return {};
}

Result<void> Ledger::describe(int64_t id, const std::string &prompt, const std::string &output) {
  const auto described = writes_.run([&](sqlite::Database &database) {
    return database.run("UPDATE purchase SET prompt = COALESCE(NULLIF(?, ''), prompt), "
                        "output = COALESCE(NULLIF(?, ''), output) WHERE id = ? AND (prompt, output) IS NOT "
                        "(COALESCE(NULLIF(?, ''), prompt), COALESCE(NULLIF(?, ''), output))",
                        prompt, output, id, prompt, output);
  });
  return described ? Result<void>() : ledgerFailure(folder_, described.error());
}

template <typename T>
Result<T> Ledger::read(const std::function<sqlite::Done<T>(sqlite::Database &)> &look) {
  const Lock lock(mutex_);
  auto found = look(database_);
  if (!found)
    return ledgerFailure(folder_, found.error());
  return std::move(*found);
}

Result<void> Ledger::change(sqlite::GroupCommit::Work work) {
  const auto changed = writes_.run(std::move(work));
  return changed ? Result<void>() : ledgerFailure(folder_, changed.error());
}

Result<void> Ledger::lookForRoom(const std::string &baseUrl, const std::string &model, double usd, int64_t moment) {
  const spending::Candidate candidate{0, true, baseUrl, model, usd, moment};
  for (bool again = false;; again = true) {
    auto refusal = read<std::optional<Error>>(
        [&](sqlite::Database &database) { return spending::refusalOf(database, candidate); });
    if (!refusal)
      return refusal.failure();
    if (!*refusal)
      return {};
    const auto released = again ? false : releaseAbandoned(spanOf(Period::Month, moment).from);
    if (!released || !*released)
      return Failure(std::move(**refusal));
  }
}

Result<std::vector<SpendingLimit>> Ledger::limits() {
  return read<std::vector<SpendingLimit>>(spending::limitsIn);
}

Result<void> Ledger::setLimit(const SpendingLimit &limit) {
  return change([&](sqlite::Database &database) { return spending::set(database, limit); });
}

Result<void> Ledger::unsetLimits(std::optional<Period> period, const std::optional<std::string> &model) {
  return change([&](sqlite::Database &database) { return spending::unset(database, period, model); });
}

Result<std::vector<Spending>> Ledger::spending(const std::string &baseUrl, int64_t moment) {
  return read<std::vector<Spending>>(
      [&](sqlite::Database &database) { return spending::spendingIn(database, baseUrl, moment); });
}

Result<bool> Ledger::releaseAbandoned(int64_t since) {
  using Reservations = std::vector<spending::Reservation>;
  const auto all =
      read<Reservations>([&](sqlite::Database &database) { return spending::reservationsIn(database, since); });
  if (!all)
    return all.failure();
  bool released = false;
  for (const spending::Reservation &reservation : *all) {
    const auto owned = Ownership::take(folder_, reservation.owner);
    if (!owned)
      return owned.failure();
    if (!*owned)
      continue; // somebody is at work on it
    const auto changed =
        change([&](sqlite::Database &database) { return spending::release(database, reservation.purchase); });
    if (!changed)
      return changed.failure();
    released = true;
  }
  return released;
}

Result<void> Ledger::countApart(int64_t id) {
  return change([&](sqlite::Database &database) {
    return database.atomically([&]() -> sqlite::Done<bool> {
      const auto done = spending::countApart(database, id);
      return done ? sqlite::Done<bool>(true) : tl::unexpected(done.error());
    });
  });
}

Result<void> Ledger::addTime(const ObservedTime &time) {
  const auto added = writes_.run([&](sqlite::Database &database) { return insert(database, time); });
  return added ? Result<void>() : ledgerFailure(folder_, added.error());
}

void Ledger::submitTime(const ObservedTime &time, std::function<void(Result<void>)> done) {
  writes_.submit([time](sqlite::Database &database) { return insert(database, time); },
                 [this, done = std::move(done)](const sqlite::Done<void> &added) {
                   done(added ? Result<void>() : ledgerFailure(folder_, added.error()));
                 },
                 shared_from_this());
}

Result<std::vector<ObservedTime>> Ledger::times(const std::string &baseUrl, const std::string &model) {
  const Lock lock(mutex_);
  // a small table, of which older versions wrote each spelling of a service as one of its own
  auto statement = database_.prepare("SELECT duration, resolution, seconds, observed, base_url FROM observed_time "
                                     "WHERE model = ? ORDER BY id DESC");
  if (!statement)
    return ledgerFailure(folder_, statement.error());
  statement->bind(model);
  const std::string service = serviceAt(baseUrl);
  std::vector<ObservedTime> times;
  for (;;) {
    const auto row = statement->step();
    if (!row)
      return ledgerFailure(folder_, row.error());
    if (!*row)
      return times;
    if (serviceAt(statement->text(4)) == service)
      times.push_back({service,
                       {model, statement->text(0), statement->text(1)},
                       statement->number(2).value_or(0),
                       statement->integer(3)});
  }
}

std::string Ledger::fingerprint(const Secret &key) const {
  const auto text = key.reveal();
  const GCharPtr hash(g_compute_hmac_for_data(G_CHECKSUM_SHA256, reinterpret_cast<const guchar *>(salt_.data()),
                                              salt_.size(), reinterpret_cast<const guchar *>(text.data()),
                                              text.size()));
  return std::string(hash.get(), 16);
}

} // namespace aimlvideo
