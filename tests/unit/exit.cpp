// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstdlib>

#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

/// One whole generation, from the models' catalogue to the clip's host.
bool generates() {
  Bench bench;
  return bench.run().has_value();
}

/// What a worker does that a stop has left behind, once the process has destroyed its static objects.
[[noreturn]] void generateAfterTheStaticObjectsHaveGone() {
  _exit(generates() ? 0 : 1);
}

} // namespace

/// Stopping never waits for the network, so a worker may still be at work while its process exits.
GST_START_TEST(a_generation_goes_on_while_the_process_exits) {
  const pid_t process = fork();
  if (process == 0) {
    // registered before there are any static objects, and so called after their destruction
    if (std::atexit(generateAfterTheStaticObjectsHaveGone) != 0 || !generates())
      _exit(2);
    std::exit(3);
  }
  int status = 0;
  fail_unless(waitpid(process, &status, 0) == process);
  fail_unless(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
  fail_unless_equals_int(WEXITSTATUS(status), 0);
}
GST_END_TEST

static Suite *exit_suite() {
  Suite *suite = suite_create("exit");
  TCase *tests = tcase_create("exit");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_generation_goes_on_while_the_process_exits);
  return suite;
}

GST_CHECK_MAIN(exit)
