/* Whose turn it is: order, the limit, and those that end while they begin. */
#include "check.h"

#include "engine/rules/limiter.h"

#include <string.h>

#define JOBS 6

typedef struct FakeJob {
  Permit permit; /* first */
  unsigned began;
  bool ends_at_once;
} FakeJob;

static FakeJob jobs[JOBS];
static Limiter limiter;
static char order[2 * JOBS + 1]; /* the jobs that began, as digits */
static unsigned most;            /* that were active at once */

static void begin(Permit *permit) {
  FakeJob *job = (FakeJob *)permit;
  unsigned index = (unsigned)(job - jobs);
  check(permit->active && !turn_is_waiting(permit), "job %u began out of turn",
        index);
  job->began++;
  order[strlen(order)] = (char)('0' + index);
  if (limiter.active > most)
    most = limiter.active;
  if (job->ends_at_once) {
    limiter_release(permit);
    limiter_dispatch(&limiter);
  }
}

static void reset(unsigned limit) {
  memset(jobs, 0, sizeof jobs);
  memset(order, 0, sizeof order);
  limiter = (Limiter){0};
  adaptive_limit_init(&limiter.limit, limit);
  most = 0;
  for (unsigned i = 0; i < JOBS; i++)
    jobs[i].permit = (Permit){.limiter = &limiter, .begin = begin};
}

static void join_all(void) {
  for (unsigned i = 0; i < JOBS; i++)
    limiter_wait(&jobs[i].permit);
}

static void leave(unsigned index) {
  limiter_release(&jobs[index].permit);
  limiter_dispatch(&limiter);
}

/* One letter a job: w(aits), a(ctive), - (neither). */
static void assert_jobs(const char *expected) {
  char found[JOBS + 1] = "";
  unsigned active = 0;
  for (unsigned i = 0; i < JOBS; i++) {
    const Permit *permit = &jobs[i].permit;
    check(permit->active + turn_is_waiting(permit) <= 1, "job %u is torn", i);
    active += permit->active;
    found[i] = turn_is_waiting(permit) ? 'w' : permit->active ? 'a' : '-';
  }
  assert_string_equal(found, expected);
  assert_int_equal(limiter.active, active);
}

static void at_most_the_limit_begin_in_order(void **state) {
  (void)state;
  reset(2);
  join_all();
  assert_jobs("wwwwww"); /* joining begins nothing */
  limiter_dispatch(&limiter);
  assert_jobs("aawwww");
  limiter_dispatch(&limiter);
  assert_jobs("aawwww");
  leave(1);
  assert_jobs("a-awww");
  leave(0);
  assert_jobs("--aaww");
  for (unsigned i = 2; i < JOBS; i++)
    leave(i);
  assert_jobs("------");
  assert_string_equal(order, "012345");
  assert_int_equal(most, 2);
  assert_null(turn_first(&limiter));
  assert_null(limiter.waiting.last);
}

static void leaving_the_queue_keeps_the_others_in_order(void **state) {
  (void)state;
  reset(1);
  join_all();
  limiter_dispatch(&limiter);
  leave(1); /* the first, the last, and one between */
  leave(5);
  leave(3);
  assert_jobs("a-w-w-");
  limiter_wait(&jobs[3].permit); /* again, at the end */
  leave(0);
  leave(2);
  assert_jobs("---wa-");
  leave(4);
  assert_jobs("---a--");
  leave(3);
  assert_string_equal(order, "0243");
}

static void leaving_twice_is_leaving_once(void **state) {
  (void)state;
  reset(2);
  join_all();
  limiter_dispatch(&limiter);
  leave(0);
  leave(0);
  leave(5);
  leave(5);
  assert_jobs("-aaww-");
}

static void a_queue_that_was_emptied_fills_again(void **state) {
  (void)state;
  reset(1);
  limiter_wait(&jobs[0].permit);
  leave(0);
  assert_null(turn_first(&limiter));
  assert_null(limiter.waiting.last);
  limiter_wait(&jobs[1].permit);
  limiter_wait(&jobs[2].permit);
  limiter_dispatch(&limiter);
  assert_jobs("-aw---");
}

static void those_already_at_the_service_count_without_waiting(void **state) {
  (void)state;
  reset(2);
  for (unsigned i = 0; i < 3; i++)
    limiter_acquire(&jobs[i].permit);
  assert_int_equal(limiter.active, 3);
  assert_string_equal(order, "");
  limiter_wait(&jobs[3].permit);
  limiter_dispatch(&limiter);
  assert_jobs("aaaw--");
  leave(0);
  assert_jobs("-aaw--");
  leave(1);
  assert_jobs("--aa--");
}

static void those_that_end_while_they_begin_make_room(void **state) {
  (void)state;
  reset(1);
  for (unsigned i = 0; i < 4; i++)
    jobs[i].ends_at_once = true;
  join_all();
  limiter_dispatch(&limiter);
  assert_jobs("----aw");
  assert_string_equal(order, "01234");
  assert_int_equal(most, 1);
  leave(4); /* the queue still moves */
  assert_jobs("-----a");
}

/* Joins, leaves and advances at random: nobody is lost, nobody goes twice. */
static void nobody_is_forgotten(void **state) {
  uint64_t seed = 11;
  unsigned joined[JOBS] = {0};
  (void)state;
  reset(3);
  for (unsigned step = 0; step < 20000; step++) {
    unsigned i = random_below(&seed, JOBS);
    Permit *permit = &jobs[i].permit;
    memset(order, 0, sizeof order);
    if (permit->active || turn_is_waiting(permit)) {
      joined[i] -= turn_is_waiting(permit); /* it leaves before it began */
      limiter_release(permit);
    } else {
      joined[i]++;
      limiter_wait(permit);
    }
    limiter_dispatch(&limiter);
    check(limiter.active <= 3, "too many are active");
    check(!turn_first(&limiter) || limiter.active == 3,
          "somebody waits for nothing");
    check(jobs[i].began + turn_is_waiting(permit) == joined[i], "job %u", i);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(at_most_the_limit_begin_in_order),
      cmocka_unit_test(leaving_the_queue_keeps_the_others_in_order),
      cmocka_unit_test(leaving_twice_is_leaving_once),
      cmocka_unit_test(a_queue_that_was_emptied_fills_again),
      cmocka_unit_test(those_already_at_the_service_count_without_waiting),
      cmocka_unit_test(those_that_end_while_they_begin_make_room),
      cmocka_unit_test(nobody_is_forgotten),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
