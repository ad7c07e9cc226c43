/* The gate in front of libcurl: who goes next, how many at once, and that
 * nobody is starved. */
#include "fake_jobs.h"

#include <math.h>

/* ---- places and order ---- */

static void as_many_begin_as_there_are_places(void **state) {
  GateOrigin *origin = reset(false, 3);
  (void)state;
  join(0, 5, origin, GATE_POLL, 1);
  assert_string_equal(order, ""); /* joining begins nothing */
  assert_string_equal(advance(1), "012");
  assert_string_equal(advance(1), "");
  assert_true(gate_is_waiting(&jobs[3].link));
  assert_false(gate_is_waiting(&jobs[0].link));
  leave(1);
  assert_string_equal(advance(1), "3");
  leave(4); /* it waits no more */
  leave(4);
  leave(0);
  assert_string_equal(advance(1), "");
  leave(2);
  leave(3);
  assert_int_equal(gate.used, 0);
}

static void creates_go_before_polls_and_polls_by_their_time(void **state) {
  GateOrigin *origin = reset(false, 1);
  (void)state;
  gate_join(&jobs[0].link, origin, GATE_POLL, 3);
  gate_join(&jobs[1].link, origin, GATE_POLL, 5);
  gate_join(&jobs[2].link, origin, GATE_POLL, 4);
  gate_join(&jobs[3].link, origin, GATE_POLL, 2);
  gate_join(&jobs[4].link, origin, GATE_CREATE, 5);
  gate_join(&jobs[5].link, origin, GATE_CREATE, 5);
  for (unsigned i = 0; i < 6; i++) {
    static const unsigned expected[] = {4, 5, 3, 0, 2, 1};
    gate_advance(&gate, 3.9);
    check(jobs[expected[i]].link.inside, "the %uth was another", i);
    leave(expected[i]);
  }
}

static void who_got_nothing_from_its_place_is_the_next(void **state) {
  GateOrigin *origin = reset(false, 2);
  (void)state;
  join(0, 2, origin, GATE_POLL, 1);
  join(2, 2, origin, GATE_POLL, 2);
  assert_string_equal(advance(2), "01");
  leave(1);
  gate_join(&jobs[1].link, origin, GATE_POLL, 1);
  assert_string_equal(advance(2), "1");
  leave(1);
  gate_join(&jobs[1].link, origin, GATE_POLL, 2);
  assert_string_equal(advance(2), "2");
}

static void the_client_that_asks_for_most_counts(void **state) {
  GateOrigin *origin = reset(false, 4);
  GateOrigin *same = enter(1, false, 7);
  (void)state;
  assert_ptr_equal(origin, same);
  assert_int_equal(gate_places(&gate), 7);
  gate_quit(&gate, same, 7);
  assert_int_equal(gate_places(&gate), 4);
  join(0, 6, origin, GATE_POLL, 1);
  assert_string_equal(advance(1), "0123");
  assert_ptr_equal(enter(1, false, 300), origin); /* more than there may be */
  assert_int_equal(gate_places(&gate), CONNECTIONS_MAX);
  assert_string_equal(advance(1), "45");
}

static void fewer_places_end_nothing(void **state) {
  GateOrigin *origin = reset(false, 2);
  GateOrigin *large = enter(2, false, 6);
  (void)state;
  join(0, 5, large, GATE_POLL, 1);
  assert_string_equal(advance(1), "0123"); /* three quarters */
  join(5, 1, origin, GATE_POLL, 1);
  for (unsigned i = 0; i < 5; i++)
    leave(i);
  gate_quit(&gate, large, 6);
  assert_int_equal(gate_places(&gate), 2);
  assert_string_equal(advance(1), "5");
}

/* ---- nobody is starved ---- */

static void a_storm_of_creates_leaves_room_for_polls(void **state) {
  GateOrigin *origin = reset(false, 4);
  (void)state;
  join(0, 20, origin, GATE_CREATE, 1);
  assert_string_equal(advance(1), "012"); /* three of the four at most */
  join(20, 5, origin, GATE_POLL, 1);
  assert_string_equal(advance(1), "D"); /* a poll: job 20 */
  leave(20);
  assert_string_equal(advance(1), "E");
  leave(2); /* creates go first where they may */
  assert_string_equal(advance(1), "3");
}

static void one_place_goes_to_the_late_poll(void **state) {
  GateOrigin *origin = reset(false, 1);
  (void)state;
  join(0, 2, origin, GATE_CREATE, 9);
  join(2, 1, origin, GATE_POLL, 1);
  assert_string_equal(advance(9), "2");
  leave(2);
  assert_string_equal(advance(9), "0");
}

static void an_origin_that_says_nothing_holds_up_no_other(void **state) {
  GateOrigin *silent = reset(false, 8);
  GateOrigin *other;
  (void)state;
  join(0, 10, silent, GATE_POLL, 1);
  assert_string_equal(advance(1), "01234567"); /* alone it may have all */
  for (unsigned i = 0; i < 10; i++)
    leave(i);
  other = enter(2, false, 8); /* it wants nothing yet */
  join(0, 10, silent, GATE_POLL, 1);
  assert_string_equal(advance(1), "012345");
  join(20, 3, other, GATE_POLL, 2);
  assert_string_equal(advance(2), "DE");
  leave(20);
  assert_string_equal(advance(2), "F");
  leave(21);
  leave(22);
  gate_quit(&gate, other, 8);
  assert_string_equal(advance(2), "67");
}

/* The polls that wait for places that their origin cannot have are late: that
 * is nothing to the others. */
static void creates_of_another_origin_go_past_those_without_room(void **state) {
  GateOrigin *silent = reset(false, 8);
  GateOrigin *other = enter(2, false, 8);
  (void)state;
  join(0, 9, silent, GATE_CREATE, 1);
  join(9, 4, silent, GATE_POLL, 1);
  assert_string_equal(advance(1), "01239:"); /* six: four creates, two polls */
  join(20, 3, other, GATE_CREATE, 2);
  assert_string_equal(advance(2 + GATE_OVERDUE), "DE");
}

/* Whose first create finds the creates of others in all places that creates
 * may have. */
static void one_create_of_each_origin_gets_through(void **state) {
  GateOrigin *silent = reset(false, 8);
  GateOrigin *late;
  (void)state;
  join(0, 9, silent, GATE_CREATE, 1);
  assert_string_equal(advance(1), "012345");
  late = enter(2, false, 8);
  join(20, 3, late, GATE_CREATE, 2);
  assert_string_equal(advance(2), "D");
  leave(20);
  assert_string_equal(advance(2), "E");
  leave(0);
  leave(1);
  assert_string_equal(advance(2), "F");
}

static void who_waits_for_its_origin_alone_holds_up_no_other(void **state) {
  GateOrigin *full = reset(false, 4);
  GateOrigin *other = enter(2, false, 4);
  (void)state;
  join(0, 9, full, GATE_POLL, 1);
  assert_string_equal(advance(1), "012");
  join(20, 2, other, GATE_CREATE, 8);
  assert_string_equal(advance(8), "D"); /* late polls that cannot go anyway */
}

static void creates_wait_a_little_for_a_host_that_is_behind(void **state) {
  GateOrigin *origin = reset(false, 8);
  (void)state;
  join(0, 2, origin, GATE_CREATE, 1);
  join(2, 1, origin, GATE_POLL, 1);
  gate.spares_host = true;
  assert_string_equal(advance(1), "2"); /* that a poll is late is no news */
  assert_string_equal(advance(1 + GATE_PATIENCE - 0.01), "");
  join(3, 1, origin, GATE_CREATE, 2);
  assert_string_equal(advance(1 + GATE_PATIENCE), "01");
  gate.spares_host = false;
  assert_string_equal(advance(1 + GATE_PATIENCE), "3");
}

/* ---- HTTP/2 ---- */

static void until_it_is_known_an_exchange_is_a_connection(void **state) {
  GateOrigin *origin = reset(true, 32);
  (void)state;
  join(0, 20, origin, GATE_CREATE, 1);
  gate_advance(&gate, 1);
  assert_int_equal(origin->inside[GATE_CREATE], GATE_CREATES_HTTP2);
  assert_int_equal(gate.used, GATE_CREATES_HTTP2);
  join(20, 40, origin, GATE_POLL, 1);
  gate_advance(&gate, 1);
  assert_int_equal(gate.used, 32);
  answer(0, false, 1); /* it is HTTP/1.1: creates share connections in turn */
  gate_advance(&gate, 1);
  assert_int_equal(origin->inside[GATE_CREATE], GATE_CREATES_HTTP2);
  for (unsigned i = 1; i < 8; i++)
    answer(i, false, 1);
  gate_advance(&gate, 1);
  assert_int_equal(origin->inside[GATE_CREATE], 12 - 4);
  assert_int_equal(gate.used, 32);
}

static void over_http2_polls_share_a_place(void **state) {
  GateOrigin *origin = reset(true, 3);
  (void)state;
  join(0, 1, origin, GATE_CREATE, 1);
  gate_advance(&gate, 1);
  answer(0, true, 1);
  join(0, 60, origin, GATE_POLL, 1);
  gate_advance(&gate, 1);
  assert_int_equal(origin->inside[GATE_POLL], 60);
  assert_int_equal(gate.used, 1);
  assert_true(jobs[0].link.fresh); /* which may have made a connection */
  assert_false(jobs[1].link.fresh);
}

static void few_creates_over_http2_go_at_a_time(void **state) {
  GateOrigin *origin = reset(true, 32);
  (void)state;
  origin->version = GATE_HTTP2;
  join(0, 20, origin, GATE_CREATE, 1);
  gate_advance(&gate, 1);
  assert_int_equal(origin->inside[GATE_CREATE], GATE_CREATES_HTTP2);
  leave(3);
  gate_advance(&gate, 1);
  assert_int_equal(origin->inside[GATE_CREATE], GATE_CREATES_HTTP2);
}

static void refused_streams_halve_what_shares_a_place(void **state) {
  GateOrigin *origin = reset(true, 8);
  double now = 1;
  (void)state;
  origin->version = GATE_HTTP2;
  join(0, 60, origin, GATE_POLL, 1);
  gate_advance(&gate, now);
  assert_int_equal(origin->places, 1);
  gate_note_refused(&gate, &jobs[0].link, now);
  gate_note_refused(&gate, &jobs[1].link, now); /* of the same storm */
  assert_int_equal(origin->streams.current, 50);
  assert_int_equal(origin->places, 2);
  assert_int_equal(gate.used, 2);
  for (unsigned i = 0; i < 20; i++)
    gate_note_refused(&gate, &jobs[0].link, now += 2);
  assert_int_equal(origin->streams.current, 1);
  assert_int_equal(origin->places, 60); /* they go on, and nobody joins them */
  assert_null(gate_next(&gate, now));
  for (unsigned i = 0; i < 60; i++)
    answer(i, true, now += 2);
  assert_true(origin->streams.current > 8 && origin->streams.current < 20);
  assert_int_equal(gate.used, 0);
}

static void one_that_turns_to_http1_is_counted_so(void **state) {
  GateOrigin *origin = reset(true, 8);
  (void)state;
  origin->version = GATE_HTTP2;
  join(0, 20, origin, GATE_POLL, 1);
  gate_advance(&gate, 1);
  assert_int_equal(gate.used, 1);
  answer(0, false, 1);
  assert_int_equal(gate.used, 19);
  join(20, 1, origin, GATE_POLL, 1);
  assert_string_equal(advance(1), "");
}

/* ---- shortages ---- */

static void a_shortage_makes_all_wait_a_moment(void **state) {
  GateOrigin *origin = reset(false, 8);
  double at;
  (void)state;
  join(0, 20, origin, GATE_POLL, 1);
  gate_advance(&gate, 1);
  assert_true(isinf(gate_at(&gate)));
  for (unsigned i = 7; i >= 4; i--) { /* half of them find nothing */
    gate_note_shortage(&gate, "no port", 1, 0.5);
    leave(i);
    gate_join(&jobs[i].link, origin, GATE_POLL, nextafter(1, 0));
  }
  assert_string_equal(gate_lacking(&gate), "no port");
  at = gate_at(&gate);
  assert_true(at > 1 && at < 1.5);
  assert_null(gate_next(&gate, 1));
  assert_null(gate_next(&gate, at)); /* four are there, and four may be */
  leave(0);
  assert_null(gate_next(&gate, at - 0.001));
  assert_ptr_equal(gate_next(&gate, at), &jobs[7].link);
  gate_advance(&gate, at);
  assert_true(isinf(gate_at(&gate)));
  assert_int_equal(gate_places(&gate), 8); /* what was asked for */
  for (unsigned n = 0; n < 200; n++) {     /* what goes well brings them back */
    unsigned i = 0;
    while (!jobs[i].link.inside)
      i++;
    answer(i, false, 10 + n);
    gate_join(&jobs[i].link, origin, GATE_POLL, 10 + n);
    gate_advance(&gate, 10 + n);
  }
  assert_null(gate_lacking(&gate));
  assert_int_equal(gate.used, 8);
}

static void a_lasting_shortage_leaves_one_place(void **state) {
  GateOrigin *origin = reset(false, 32);
  double now = 1;
  (void)state;
  join(0, 1, origin, GATE_POLL, 1);
  for (unsigned n = 0; n < 30; n++) {
    GateLink *link;
    now = fmax(now, gate.closed_until);
    gate_advance(&gate, now);
    link = &jobs[0].link;
    check(link->inside, "nobody tries any more");
    gate_note_shortage(&gate, NULL, now, 0.5);
    check(gate.closed_until - now <= 2, "it waits for long");
    gate_leave(&gate, link);
    gate_join(link, origin, GATE_POLL, 0.5);
  }
  assert_int_equal(gate.limit.current, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(as_many_begin_as_there_are_places),
      cmocka_unit_test(creates_go_before_polls_and_polls_by_their_time),
      cmocka_unit_test(who_got_nothing_from_its_place_is_the_next),
      cmocka_unit_test(the_client_that_asks_for_most_counts),
      cmocka_unit_test(fewer_places_end_nothing),
      cmocka_unit_test(a_storm_of_creates_leaves_room_for_polls),
      cmocka_unit_test(one_place_goes_to_the_late_poll),
      cmocka_unit_test(an_origin_that_says_nothing_holds_up_no_other),
      cmocka_unit_test(creates_of_another_origin_go_past_those_without_room),
      cmocka_unit_test(one_create_of_each_origin_gets_through),
      cmocka_unit_test(who_waits_for_its_origin_alone_holds_up_no_other),
      cmocka_unit_test(creates_wait_a_little_for_a_host_that_is_behind),
      cmocka_unit_test(until_it_is_known_an_exchange_is_a_connection),
      cmocka_unit_test(over_http2_polls_share_a_place),
      cmocka_unit_test(few_creates_over_http2_go_at_a_time),
      cmocka_unit_test(refused_streams_halve_what_shares_a_place),
      cmocka_unit_test(one_that_turns_to_http1_is_counted_so),
      cmocka_unit_test(a_shortage_makes_all_wait_a_moment),
      cmocka_unit_test(a_lasting_shortage_leaves_one_place),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  gate_free(&gate);
  return failed;
}
