// SPDX-License-Identifier: LGPL-2.1-or-later
// The file of the ledger: damaged, of another version, or another program's.
#include "ledger/ledger.h"

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "fuzz.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

namespace {

/// A folder in memory, where there is such a thing: the ledger waits for the disk after every step.
class Folder {
public:
  Folder() {
    std::string name = "/dev/shm/aimlvideo-fuzz-XXXXXX";
    if (!g_mkdtemp(name.data()))
      name = g_dir_make_tmp("aimlvideo-fuzz-XXXXXX", nullptr);
    path_ = name;
  }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  const std::string &path() const { return path_; }
  void fill(std::string_view bytes) const {
    for (const auto &entry : std::filesystem::directory_iterator(path_))
      std::filesystem::remove_all(entry);
    std::ofstream(path_ + "/ledger.sqlite3", std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
  }

private:
  std::string path_;
};

void checkFailure(const Error &error) {
  must_hold(error.kind == ErrorKind::NoSpace); // which buys nothing
  must_hold(isReadable(error.text()) && !error.why.empty() && !error.remedy.empty());
}

void checkRow(const LedgerRow &row) {
  must_hold(std::string_view(nameOf(row.state)).size() > 0);
  must_hold(row.family == EndpointFamily::Universal || row.family == EndpointFamily::Legacy);
  for (const std::string &text : {row.identity, row.owner, row.baseUrl, row.model, row.clientRequestId,
                                  row.generationId, row.clipUrl, row.clip, row.prompt, row.cause})
    must_hold(isReadable(text));
}

/// What is written into it can be relied on, or is refused.
void checkWriting(Ledger &ledger) {
  LedgerRow row;
  row.identity = "sha256:of a request";
  row.owner = "of it";
  row.state = LedgerRow::State::Sent;
  row.clientRequestId = "d7b1";
  if (const auto written = ledger.write(row); !written)
    return checkFailure(written.error());
  const auto read = ledger.row(row.id);
  must_hold(read && *read && (*read)->identity == row.identity && (*read)->state == row.state);
  const auto found = ledger.find(row.identity, "");
  must_hold(found && *found && (*found)->clientRequestId == row.clientRequestId);
}

void use(Ledger &ledger) {
  const auto rows = ledger.rows();
  if (!rows)
    return checkFailure(rows.error());
  for (const LedgerRow &row : *rows)
    checkRow(row);
  checkWriting(ledger);
}

} // namespace

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const Folder folder;
  folder.fill(textOf(data, size));
  const auto ledger = Ledger::open(folder.path());
  if (ledger) {
    use(**ledger);
    return 0;
  }
  checkFailure(ledger.error());
  // a damaged one is told of once and moved aside; one that can't be used stays where it is
  const bool aside = !std::filesystem::exists(folder.path() + "/ledger.sqlite3");
  const auto again = Ledger::open(folder.path());
  must_hold(again.has_value() == aside);
  if (again) {
    must_hold((*again)->rows() && (*again)->rows()->empty());
    use(**again);
  }
  return 0;
}
