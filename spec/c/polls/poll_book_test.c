/* What a client has learned: classes, who goes by whom, when plans are made,
 * and what is said of the time that is left. */
#include "check.h"

#include "looks.h"

#include "engine/polls/poll_book.h"

#include <math.h>
#include <string.h>

static PollBook book;
static Outlook outlook;
static double began;

static void begin(double unit) {
  poll_book_free(&book);
  poll_book_init(&book, unit, 1);
  outlook = (Outlook){{0}};
}

static void add(unsigned class, unsigned count, double seconds) {
  for (unsigned i = 0; i < count; i++)
    poll_book_add(&book, class,
                  seen_as(began += 1000, seconds * (1 + 0.02 * (i % 5))));
}

/* The middle of what the class is thought to take; NAN = nothing is known. */
static double middle(unsigned class) {
  static Survival survival;
  if (!poll_book_survival(&book, class, &survival))
    return NAN;
  return survival_time(&survival, 0.5);
}

static void each_mode_and_count_is_a_class(void **state) {
  bool seen[POLL_CLASSES] = {true};
  (void)state;
  for (int images = 0; images <= 1; images++)
    for (int count = 1; count <= POLL_COUNTS; count++) {
      unsigned class = poll_class(images, count);
      check(class < POLL_CLASSES && !seen[class], "%d of mode %d", count,
            images);
      seen[class] = true;
    }
  assert_int_equal(poll_class(false, 0), POLL_CLASS_NONE);
  assert_int_equal(poll_class(true, POLL_COUNTS + 1), POLL_CLASS_NONE);
  assert_int_equal(poll_class(true, -1), POLL_CLASS_NONE);
}

static void a_class_goes_by_its_mode_then_by_all(void **state) {
  unsigned own = poll_class(false, 1), like = poll_class(false, 2);
  unsigned other = poll_class(true, 1);
  (void)state;
  begin(1);
  assert_true(isnan(middle(own)));
  add(other, POLL_BOOK_LEAST - 1, 40);
  assert_true(isnan(middle(own)));
  add(other, 1, 40);
  assert_true(fabs(middle(own) - 40) < 4); /* all */
  add(like, POLL_BOOK_LEAST, 20);
  assert_true(fabs(middle(own) - 20) < 3); /* its mode */
  assert_true(fabs(middle(other) - 40) < 4);
  add(own, POLL_BOOK_LEAST - 1, 8);
  assert_true(middle(own) > 9);
  add(own, 1, 8);
  assert_true(fabs(middle(own) - 8) < 1); /* itself */
  assert_true(fabs(middle(like) - 20) < 3);
}

static void a_job_of_no_class_teaches_and_learns_nothing(void **state) {
  (void)state;
  begin(1);
  add(POLL_CLASS_NONE, 20, 25);
  add(POLL_CLASSES, 20, 25);
  assert_true(isnan(middle(1)));
  add(1, 20, 25);
  assert_true(isnan(middle(POLL_CLASS_NONE)));
  assert_false(poll_book_plan(&book, POLL_CLASS_NONE, 1, &outlook));
  assert_null(book.plans[POLL_CLASS_NONE]);
}

static void a_plan_is_made_at_most_once_a_second(void **state) {
  unsigned made = 0;
  (void)state;
  begin(1);
  assert_false(poll_book_plan(&book, 1, 100, &outlook)); /* nothing is new */
  for (int i = 0; i < 10000; i++) {                      /* ten seconds */
    add(1, 1, 25);
    made += poll_book_plan(&book, 1, 100 + i / 1000.0, &outlook);
  }
  assert_int_equal(made, 10);
  assert_true(poll_book_plan(&book, 1, 111, &outlook));
  assert_false(poll_book_plan(&book, 1, 113, &outlook)); /* nor here */
  assert_true(poll_book_plan(&book, 2, 113, &outlook));  /* by its mode's */
}

static void before_four_jobs_there_is_no_plan(void **state) {
  (void)state;
  begin(1);
  add(1, POLL_BOOK_LEAST - 1, 25);
  assert_false(poll_book_plan(&book, 1, 1, &outlook));
  assert_null(book.plans[1]);
  add(1, 1, 25);
  assert_true(poll_book_plan(&book, 1, 1, &outlook)); /* at once */
  assert_true(book.plans[1]->count > 0);
  assert_true(fabs(outlook_left(&outlook, 0, 0.5) - 25) < 3);
}

/* After a change too little may be known of the new times. */
static void a_plan_ends_with_what_it_came_from(void **state) {
  (void)state;
  begin(1);
  add(1, 20, 25);
  poll_book_plan(&book, 1, 1, &outlook);
  add(1, 3, 250);
  assert_true(poll_book_plan(&book, 1, 3, &outlook));
  assert_int_equal(count_since(&book.classes[1]->durations), 3);
  assert_int_equal(count_since(&book.all->durations), 3);
  assert_null(book.plans[1]);
  assert_true(isnan(outlook_left(&outlook, 0, 0.5)));
}

static void a_unit_is_the_measure_of_all_times(void **state) {
  PollPlan plain;
  (void)state;
  begin(1);
  add(1, 20, 25);
  poll_book_plan(&book, 1, 1, &outlook);
  plain = *book.plans[1];
  begin(0.05);
  add(1, 20, 1.25);
  assert_true(poll_book_plan(&book, 1, 1, &outlook));
  assert_int_equal(book.plans[1]->count, plain.count);
  for (unsigned i = 0; i < plain.count; i++)
    assert_true(fabsf(book.plans[1]->times[i] - plain.times[i]) < 0.3f);
  assert_true(fabs(outlook_left(&outlook, 0, 0.5) - 1.25) < 0.15);
  add(1, 1, 1.25);
  assert_true(poll_book_plan(&book, 1, 1.06, &outlook));
}

/* ---- what it takes ---- */

/* The sheets, each counted once. */
static unsigned count_sheets(void) {
  const PollSheet *found[3 + POLL_CLASSES] = {book.all, book.modes[0],
                                              book.modes[1]};
  unsigned count = 0;
  for (unsigned i = 0; i < POLL_CLASSES; i++)
    found[3 + i] = book.classes[i];
  for (size_t i = 0; i < COUNT(found); i++) {
    bool first = found[i] != NULL;
    for (size_t k = 0; k < i; k++)
      first = first && found[k] != found[i];
    count += first;
  }
  return count;
}

static void a_sheet_is_opened_when_it_has_something_of_its_own(void **state) {
  static const struct {
    unsigned class, sheets;
  } rows[] = {{1, 1}, {1, 1}, {5, 3}, {2, 5}, {1, 5}, {6, 7}, {3, 8}, {8, 9}};
  (void)state;
  begin(1);
  poll_book_plan(&book, 1, 1, &outlook);
  assert_int_equal(count_sheets(), 0);
  assert_true(sizeof book <= 512 && sizeof(PollSheet) <= 2560);
  for (size_t i = 0; i < COUNT(rows); i++) {
    add(rows[i].class, 1, 25);
    check(count_sheets() == rows[i].sheets, "row %zu: %u", i, count_sheets());
  }
}

static void check_same(const PollSheet *sheet, const Durations *known,
                       const char *what) {
  unsigned count = sheet ? sheet->durations.count : 0;
  check(count == known->count, "%s: %u, not %u", what, count, known->count);
  for (unsigned i = 0; i < count; i++)
    check(sheet->durations.ones[i].began == known->ones[i].began &&
              sheet->durations.ones[i].high == known->ones[i].high,
          "%s: number %u", what, i);
}

/* That sheets are shared changes nothing: classes that come in any order, each
 * against one record of its own, of its mode and of all. */
static void shared_sheets_say_what_their_own_would(void **state) {
  static Durations own[POLL_CLASSES], modes[2], all;
  (void)state;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    uint64_t turn = seed;
    begin(1);
    memset(own, 0, sizeof own);
    memset(modes, 0, sizeof modes);
    all = (Durations){0};
    for (int i = 0; i < 60; i++) {
      unsigned most = 1 + random_below(&turn, POLL_CLASSES - 1);
      unsigned class = 1 + random_below(&turn, most);
      Duration one = seen_as(100 * i, 5 + 30 * random_unit(&turn));
      poll_book_add(&book, class, one);
      durations_add(&own[class], one);
      durations_add(&modes[class > POLL_COUNTS], one);
      durations_add(&all, one);
    }
    check_same(book.all, &all, "all");
    check_same(book.modes[0], &modes[0], "text");
    check_same(book.modes[1], &modes[1], "images");
    for (unsigned class = 1; class < POLL_CLASSES; class ++)
      check_same(book.classes[class], &own[class], "a class");
  }
  begin(1);
}

/* One plan for all that go by it, and never one of another. */
static void classes_that_go_by_one_sheet_have_its_plan(void **state) {
  (void)state;
  begin(1);
  add(1, 20, 25);
  for (unsigned class = 1; class < POLL_CLASSES; class ++) {
    assert_true(poll_book_plan(&book, class, 1, &outlook));
    assert_ptr_equal(book.plans[class], book.plans[1]);
    assert_true(fabs(outlook_left(&outlook, 0, 0.5) - 25) < 3);
  }
  add(2, 20, 8);
  for (unsigned class = 1; class < POLL_CLASSES; class ++)
    assert_true(poll_book_plan(&book, class, 3, &outlook));
  assert_ptr_not_equal(book.plans[2], book.plans[1]);
  assert_ptr_not_equal(book.plans[3], book.plans[1]);
  assert_ptr_equal(book.plans[3], book.plans[4]);
  poll_book_plan(&book, 1, 3, &outlook);
  assert_true(fabs(middle(1) - 25) < 3 && fabs(middle(2) - 8) < 1);
}

/* ---- durations ---- */

static void what_is_no_duration_is_left_out(void **state) {
  static const double odd[] = {0, -1, NAN, -INFINITY, 86401};
  Durations known = {0};
  (void)state;
  for (size_t i = 0; i < COUNT(odd); i++)
    durations_add(&known, (Duration){0, 0, (float)odd[i]});
  assert_int_equal(known.count, 0);
  durations_add(&known, (Duration){0, -1, 5});
  durations_add(&known, (Duration){0, NAN, 5});
  durations_add(&known, (Duration){0, 5, 5});
  durations_add(&known, (Duration){NAN, 4, 5});
  durations_add(&known, (Duration){INFINITY, 4, 5});
  assert_int_equal(known.count, 0);
  assert_true(durations_longest(&known) == 0);
}

static void the_newest_are_kept(void **state) {
  Durations known = {0};
  (void)state;
  for (int i = 0; i < 1000; i++)
    durations_add(&known, seen_as(i * 100, 20 + i * 0.001));
  assert_int_equal(known.count, DURATIONS_MAX);
  assert_true(fabs(middle_of(&known.ones[0]) - 21 + DURATIONS_MAX / 1000.0) <
              1e-3);
  assert_true(fabs(durations_longest(&known) - 20.999) < 1e-3);
}

/* ---- those that run ---- */

static Duration running(double from, double age) {
  return (Duration){from, (float)age, DURATION_OPEN};
}

/* Of jobs side by side only the short ones have ended at first; and those that
 * run may take any time from there on. */
static void what_ends_first_is_not_all_there_is(void **state) {
  (void)state;
  begin(1);
  for (int i = 0; i < 40; i++)
    poll_book_add(&book, 1, running(i / 100.0, 0));
  assert_true(isnan(middle(1)));
  for (int i = 0; i < 40; i++)
    poll_book_update(&book, 1,
                     i < 8 ? seen_as(i / 100.0, 10 + i / 4.0)
                           : running(i / 100.0, 12));
  check(middle(1) > 14, "%.1f s", middle(1));
  for (int i = 8; i < 40; i++)
    poll_book_update(&book, 1, seen_as(i / 100.0, 10 + i / 4.0));
  check(fabs(middle(1) - 15) < 1, "%.1f s", middle(1));
}

/* Which are in it is not a question of how long they take: one that was left
 * out when it began stays out. */
static void enough_of_those_that_run_are_followed(void **state) {
  Durations known = {0};
  (void)state;
  for (int i = 0; i < 100; i++)
    durations_add(&known, running(i, 0));
  assert_int_equal(known.count, DURATIONS_OPEN);
  for (int i = 0; i < 100; i++)
    durations_update(&known, seen_as(i, 20));
  assert_int_equal(known.count, DURATIONS_OPEN);
  assert_int_equal(durations_ended(&known), DURATIONS_OPEN);
  durations_add(&known, running(200, 0));
  assert_int_equal(known.count, DURATIONS_OPEN + 1);
}

/* It took longer than it was seen to: no more will be known of it, and it is in
 * nobody's way. */
static void one_that_is_given_up_took_longer(void **state) {
  Durations known = {0};
  (void)state;
  for (int i = 0; i < 200; i++) {
    durations_add(&known, running(i, 0));
    durations_update(&known, (Duration){i, 7, DURATION_LEFT});
  }
  assert_int_equal(known.count, DURATIONS_MAX);
  assert_int_equal(durations_ended(&known), 0);
  assert_true(known.ones[0].low == 7);
  assert_true(durations_longest(&known) == 0);
}

/* Some side by side are fast at once: so are all, though others run. */
static void a_change_is_seen_while_others_run(void **state) {
  Durations known = {0};
  (void)state;
  for (int i = 0; i < 30; i++)
    durations_add(&known, seen_as(100 * i, 50 + i % 9));
  for (int i = 0; i < 12; i++) {
    durations_add(&known, running(5000 + i, 0));
    if (i < 8)
      durations_update(&known, seen_as(5000 + i, 1 + i / 10.0));
  }
  durations_part(&known);
  assert_int_equal(count_since(&known), 12);
}

/* A burst ends in the order of its lengths, which is no change of the service;
 * and of one that is larger than what is kept, not the longest are. */
static void jobs_side_by_side_are_no_change(void **state) {
  Durations known = {0};
  unsigned longer = 0;
  (void)state;
  for (int burst = 0; burst < 3; burst++)
    for (int i = 0; i < 200; i++) {
      durations_add(&known, seen_as(1000 * burst + (i * 37 % 200) / 1000.0,
                                    10 + i * 0.2));
      durations_part(&known);
    }
  assert_int_equal(count_since(&known), DURATIONS_MAX);
  for (unsigned i = 0; i < known.count; i++)
    longer += middle_of(&known.ones[i]) > 30;
  check(longer > 0.35 * known.count && longer < 0.65 * known.count,
        "%u are long", longer);
}

static void jobs_one_by_one_show_a_change(void **state) {
  Durations known = {0};
  (void)state;
  for (int i = 0; i < 30; i++)
    durations_add(&known, seen_as(100 * i, 25 + i % 3));
  for (int i = 30; i < 33; i++)
    durations_add(&known, seen_as(100 * i, 50 + i % 3));
  durations_part(&known);
  check(count_since(&known) < 8, "%u are known", count_since(&known));
}

/* ---- outlook ---- */

/* Of jobs between 10 and 30 s, each length as likely. */
static void make_even_outlook(void) {
  static Survival survival;
  Durations known = {0};
  for (int i = 0; i < DURATIONS_MAX; i++)
    durations_add(&known,
                  seen_as(100 * i, 10 + 20 * ((i * 37 % DURATIONS_MAX) + 0.5) /
                                            DURATIONS_MAX));
  survival_fill(&survival, &known);
  outlook_make(&outlook, &survival, 1);
}

static void what_is_left_depends_on_the_age(void **state) {
  static const struct {
    double age, chance, left;
  } rows[] = {{0, 0.5, 20}, {5, 0.5, 15}, {10, 0.5, 10},
              {20, 0.5, 5}, {0, 0.1, 28}, {26, 0.5, 2.5}};
  (void)state;
  make_even_outlook();
  for (size_t i = 0; i < COUNT(rows); i++) {
    double left = outlook_left(&outlook, rows[i].age, rows[i].chance);
    check(fabs(left - rows[i].left) < 1.5, "at %g: %g", rows[i].age, left);
  }
}

static void the_outlook_of_an_old_job_is_nothing(void **state) {
  double before = INFINITY;
  (void)state;
  make_even_outlook();
  for (int i = 0; i < 40; i++) {
    double age = i / 2.0, left = outlook_left(&outlook, age, 0.5);
    assert_true(left >= 0 && left <= before && age + left >= 19);
    before = left;
  }
  assert_true(isnan(outlook_left(&outlook, 500, 0.5)));
  assert_true(isnan(outlook_left(&outlook, NAN, 0.5)));
  assert_true(isnan(outlook_left(&outlook, -1, 0.5)));
  outlook = (Outlook){{0}};
  assert_true(isnan(outlook_left(&outlook, 0, 0.5)));
}

static void what_takes_longer_than_plans_look_is_not_known(void **state) {
  (void)state;
  begin(1);
  add(1, 20, 400);
  poll_book_plan(&book, 1, 1, &outlook);
  assert_true(fabs(outlook_left(&outlook, 0, 0.5) - 416) < 20);
  begin(1);
  add(1, 20, 900);
  assert_true(poll_book_plan(&book, 1, 1, &outlook));
  for (unsigned age = 0; age < 1200; age += 100) {
    assert_true(isnan(outlook_left(&outlook, age, 0.5)));
    assert_true(isnan(outlook_left(&outlook, age, 0.1)));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_mode_and_count_is_a_class),
      cmocka_unit_test(a_class_goes_by_its_mode_then_by_all),
      cmocka_unit_test(a_job_of_no_class_teaches_and_learns_nothing),
      cmocka_unit_test(a_plan_is_made_at_most_once_a_second),
      cmocka_unit_test(before_four_jobs_there_is_no_plan),
      cmocka_unit_test(a_plan_ends_with_what_it_came_from),
      cmocka_unit_test(a_unit_is_the_measure_of_all_times),
      cmocka_unit_test(a_sheet_is_opened_when_it_has_something_of_its_own),
      cmocka_unit_test(shared_sheets_say_what_their_own_would),
      cmocka_unit_test(classes_that_go_by_one_sheet_have_its_plan),
      cmocka_unit_test(what_is_no_duration_is_left_out),
      cmocka_unit_test(the_newest_are_kept),
      cmocka_unit_test(what_ends_first_is_not_all_there_is),
      cmocka_unit_test(enough_of_those_that_run_are_followed),
      cmocka_unit_test(one_that_is_given_up_took_longer),
      cmocka_unit_test(a_change_is_seen_while_others_run),
      cmocka_unit_test(jobs_side_by_side_are_no_change),
      cmocka_unit_test(jobs_one_by_one_show_a_change),
      cmocka_unit_test(what_is_left_depends_on_the_age),
      cmocka_unit_test(the_outlook_of_an_old_job_is_nothing),
      cmocka_unit_test(what_takes_longer_than_plans_look_is_not_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
