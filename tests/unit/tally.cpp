// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/tally.h"

#include "ledger/ledger.h"
#include "ledger/ownership.h"
#include "support/home.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

using RowState = LedgerRow::State;

struct Desk {
  PrivateHome home;
  std::string folder = home.state() + "/aimlvideo";
  std::shared_ptr<Ledger> ledger = *Ledger::open(folder);

  /// A purchase of 0.25 USD, as far as it is one.
  LedgerRow add(RowState state, const std::string &model = "cat", const std::string &identity = "identity") const {
    LedgerRow row;
    row.identity = identity;
    row.owner = "owner " + std::to_string(static_cast<int>(state));
    row.model = model;
    row.state = state;
    const bool refused = state == RowState::Intent || state == RowState::Sent || state == RowState::NotBought;
    row.generationId = refused ? "" : "generation";
    if (state == RowState::Running || state == RowState::Completed)
      row.usage.usd = 0.25;
    fail_unless(ledger->write(row).has_value());
    return row;
  }

  LedgerTally tally() const {
    auto tally = tallyLedger(folder);
    fail_unless(tally.has_value(), "%s", tally ? "" : tally.error().text().c_str());
    return *tally;
  }
};

constexpr RowState allStates[] = {RowState::Intent, RowState::Sent,      RowState::Running,  RowState::Completed,
                                  RowState::Failed, RowState::Moderated, RowState::NotBought};

} // namespace

GST_START_TEST(jobs_are_counted_by_model_and_state_with_what_they_were_billed) {
  const Desk desk;
  for (const RowState state : allStates)
    desk.add(state);
  desk.add(RowState::Completed, "dog");
  const LedgerTally tally = desk.tally();
  fail_unless_equals_int(tally.jobs.size(), 2);
  for (const RowState state : allStates) {
    const auto &jobs = tally.jobs.at("cat").at(state);
    fail_unless_equals_int(jobs.present, 1);
    fail_unless(jobs.usd == (state == RowState::Running || state == RowState::Completed ? 0.25 : 0));
  }
  const auto &ever = tally.ever.at("cat");
  fail_unless(ever.accepted == 4 && ever.completed == 1 && ever.failed == 1 && ever.moderated == 1 && ever.usd == 0.25);
  fail_unless(tally.ever.at("dog").completed == 1);
}
GST_END_TEST

GST_START_TEST(what_sums_over_all_that_ever_was_outlives_a_job_that_is_forgotten) {
  const Desk desk;
  std::vector<LedgerRow> rows;
  for (int i = 0; i < 2; ++i)
    for (const RowState state : allStates)
      rows.push_back(desk.add(state));
  const auto before = desk.tally().ever.at("cat");
  for (const LedgerRow &row : rows)
    if (row.state != RowState::Running)
      fail_unless(desk.ledger->remove(row.id).has_value());
  const LedgerTally without = desk.tally();
  fail_unless_equals_int(without.jobs.at("cat").size(), 1);
  const auto &after = without.ever.at("cat");
  fail_unless(after.accepted == before.accepted && after.completed == 2 && after.failed == 2 && after.moderated == 2);
  fail_unless(before.usd == 0.5 && after.usd == 0.5);
  // what is bought, and will never be known to be made, is spent
  for (const LedgerRow &row : rows)
    if (row.state == RowState::Running)
      fail_unless(desk.ledger->remove(row.id).has_value());
  const LedgerTally none = desk.tally();
  fail_unless(none.jobs.empty() && none.ever.at("cat").usd == 1.0 && none.ever.at("cat").accepted == before.accepted);
}
GST_END_TEST

GST_START_TEST(what_was_bought_elsewhere_is_a_job_and_no_purchase) {
  const Desk desk;
  const LedgerRow row = desk.add(RowState::Completed, "cat", "");
  for (const bool removed : {false, true}) {
    if (removed)
      fail_unless(desk.ledger->remove(row.id).has_value());
    const LedgerTally tally = desk.tally();
    fail_unless(tally.jobs.contains("cat") == !removed);
    if (!removed)
      fail_unless(tally.jobs.at("cat").at(RowState::Completed).usd == 0);
    fail_if(tally.ever.contains("cat") && (tally.ever.at("cat").completed != 0 || tally.ever.at("cat").usd != 0));
  }
}
GST_END_TEST

GST_START_TEST(what_is_not_final_is_attended_while_somebody_holds_it_and_its_oldest_is_known) {
  const Desk desk;
  fail_unless(desk.tally().unfinished.empty());
  const LedgerRow first = desk.add(RowState::Running);
  LedgerRow second = desk.add(RowState::Running);
  second.created = first.created + 5000;
  second.owner = "another";
  fail_unless(desk.ledger->write(second).has_value());
  desk.add(RowState::Completed);
  fail_unless_equals_int(desk.tally().unfinished.size(), 1);
  fail_unless_equals_int(desk.tally().unfinished.at(RowState::Running).unattended, 2);
  fail_unless(desk.tally().unfinished.at(RowState::Running).oldest == first.created);
  {
    const auto held = Ownership::take(desk.folder, "another");
    fail_unless(held.has_value() && held->has_value());
    fail_unless_equals_int(desk.tally().unfinished.at(RowState::Running).unattended, 1);
  }
  fail_unless_equals_int(desk.tally().unfinished.at(RowState::Running).unattended, 2);
}
GST_END_TEST

GST_START_TEST(looking_makes_nothing_and_brings_nothing_up_to_date) {
  Desk desk;
  fail_unless(tallyLedger(desk.folder + "/none").has_value());
  fail_if(g_file_test((desk.folder + "/none").c_str(), G_FILE_TEST_EXISTS));
  desk.ledger.reset();
  const auto setVersion = [&](const std::string &version) {
    auto file = sqlite::Database::open(Ledger::fileIn(desk.folder));
    fail_unless(file->execute("PRAGMA user_version = " + version).has_value());
  };
  for (const std::string version : {"7", "99"}) {
    setVersion(version);
    const auto refused = tallyLedger(desk.folder);
    fail_if(refused.has_value());
    fail_unless_contains(refused.error().text(), "schema " + version);
    fail_unless_equals_text(**sqlite::Database::open(Ledger::fileIn(desk.folder))->value("PRAGMA user_version"),
                            version);
  }
}
GST_END_TEST

static Suite *tally_suite() {
  Suite *suite = suite_create("tally");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, jobs_are_counted_by_model_and_state_with_what_they_were_billed);
  tcase_add_test(tests, what_sums_over_all_that_ever_was_outlives_a_job_that_is_forgotten);
  tcase_add_test(tests, what_was_bought_elsewhere_is_a_job_and_no_purchase);
  tcase_add_test(tests, what_is_not_final_is_attended_while_somebody_holds_it_and_its_oldest_is_known);
  tcase_add_test(tests, looking_makes_nothing_and_brings_nothing_up_to_date);
  return suite;
}

GST_CHECK_MAIN(tally)
