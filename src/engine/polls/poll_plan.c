/* When to poll: see poll_plan.h. */
#include "poll_plan.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIRST_MOST 10.0 /* seconds */
#define GAP_LEAST 0.5
#define GAP_MOST 5.0
#define LOOP 2.5
#define SLACK 0.02 /* polls: what a first one costs that is tried earlier */
#define EDGE 1e-9  /* of rounding */
#define PAST 1.5   /* of the longest known duration */

/* ---- the search ---- */

#define NONE UINT16_MAX
#define NEGLIGIBLE 1e-6 /* chance */

#define RATE_LEAST 0.02
#define RATE_MOST 1e4
#define ROUNDS 16
#define ROUNDS_WARM 7
#define WARM 2.0 /* how far from the last one it is looked for */

typedef struct Search {
  const Survival *survival;
  double rest[SURVIVAL_CELLS + 1];   /* the cost from there on, less the area */
  uint16_t next[SURVIVAL_CELLS + 1]; /* poll there next */
} Search;

/* The best poll after the one at `i`, of those from `from` to `to`.  The cost
 * of each is (wait + its rest), where the wait is the rectangle of what runs at
 * `i`, less the area under what still runs. */
static void choose(Search *search, size_t i, size_t from, size_t to,
                   double price) {
  const Survival *s = search->survival;
  double best = INFINITY;
  size_t next = NONE;
  for (size_t j = from; j <= to; j++) {
    double cost = s->at[j] * s->runs[i] + search->rest[j];
    if (cost < best) {
      best = cost;
      next = j;
    }
  }
  search->next[i] = (uint16_t)next;
  search->rest[i] = next == NONE
                        ? -s->area[i]
                        : best - s->at[i] * s->runs[i] + price * s->runs[i];
}

/* The last time, from `to` backwards, that is no more than `gap` after `i`. */
static size_t last_within(const Survival *s, size_t i, size_t to, double gap) {
  while (to > i && s->at[to] - s->at[i] > gap + EDGE)
    to--;
  return to;
}

/* Least wait + price x polls, backwards in time. */
static void solve(Search *search, double price) {
  const Survival *s = search->survival;
  size_t from = SURVIVAL_CELLS + 1, to = SURVIVAL_CELLS;
  for (size_t i = SURVIVAL_CELLS + 1; i-- > 0;) {
    while (from > i + 1 && s->at[from - 1] - s->at[i] >= GAP_LEAST - EDGE)
      from--;
    to = i ? last_within(s, i, to, GAP_MOST)
           : last_within(s, i, SURVIVAL_CELLS, FIRST_MOST);
    choose(search, i, from, s->runs[i] < NEGLIGIBLE ? 0 : to, price);
  }
}

/* The polls that the solution is expected to need. */
static double count_polls(const Search *search) {
  double polls = 0;
  for (size_t i = 0; search->next[i] != NONE; i = search->next[i])
    polls += search->survival->runs[i];
  return polls;
}

static double polls_at(Search *search, double rate) {
  solve(search, 1 / rate);
  return count_polls(search);
}

/* The densest solution within the budget: a higher rate never polls less. */
static double find_rate(Search *search, double budget, double last) {
  bool warm = last > 0;
  double low = warm ? last / WARM : RATE_LEAST;
  double high = warm ? last * WARM : RATE_MOST;
  if (warm &&
      (polls_at(search, low) > budget || polls_at(search, high) <= budget)) {
    warm = false;
    low = RATE_LEAST;
    high = RATE_MOST;
  }
  for (int i = 0; i < (warm ? ROUNDS_WARM : ROUNDS); i++) {
    double middle = sqrt(low * high);
    if (polls_at(search, middle) > budget)
      high = middle;
    else
      low = middle;
  }
  return low;
}

/* What the longest gap brings about by itself is left out. */
static void note(PollPlan *plan, const Search *search) {
  const double *at = search->survival->at;
  double end = PAST * search->survival->longest, last = 0;
  plan->count = 0;
  plan->after = (float)GAP_MOST;
  plan->end = (float)end;
  for (size_t i = search->next[0]; i != NONE; i = search->next[i]) {
    double most = last > 0 ? GAP_MOST : FIRST_MOST;
    if (plan->count > 0 && at[i] > end)
      return;
    if (plan->count == POLL_PLAN_MAX) {
      plan->after = (float)LOOP;
      return;
    }
    if (at[i] - last < most - EDGE || plan->count == 0)
      plan->times[plan->count++] = (float)at[i];
    last = at[i];
  }
}

void poll_plan_make(PollPlan *plan, const Survival *survival, double share) {
  Search search = {.survival = survival};
  double budget = share * survival_loop_polls(survival, LOOP) + SLACK;
  double rate = find_rate(&search, budget, (double)plan->rate);
  polls_at(&search, rate);
  plan->rate = (float)rate;
  plan->loop = (float)fmin(LOOP / share, GAP_MOST);
  note(plan, &search);
}

/* ---- choosing ---- */

static double clamp(double value, double least, double most) {
  return value < least ? least : value > most ? most : value;
}

/* A poll may have come a little before its time, by the jitter; then the next
 * one counts. */
static bool is_over(const PollPlan *plan, unsigned i, double age) {
  double gap =
      (double)(i ? plan->times[i] - plan->times[i - 1] : plan->times[0]);
  double left = (double)plan->times[i] - age;
  return left <= 1.2 * POLL_PLAN_JITTER * clamp(gap, 0, FIRST_MOST);
}

/* How many polls a job of this age has had by plan: those in it, and after. */
static unsigned had_by(const PollPlan *plan, double age) {
  unsigned i = 0;
  while (i < plan->count && is_over(plan, i, age))
    i++;
  return i;
}

double poll_plan_pause(const PollPlan *plan, double age, double random) {
  double most = age < GAP_LEAST ? FIRST_MOST : GAP_MOST;
  double pause = age < (double)plan->end ? (double)plan->after : GAP_MOST;
  unsigned i = had_by(plan, age);
  if (i < plan->count)
    pause = (double)plan->times[i] - age;
  pause *= 1 - POLL_PLAN_JITTER + 2 * POLL_PLAN_JITTER * random;
  return clamp(pause, GAP_LEAST, most);
}

/* ---- what was not by plan ---- */

#define SOONER 0.1 /* of the jobs are looked at sooner */
#define ODDS 0.99  /* polls: a whole one, about */

/* How many polls the plan has for a job of this age: also those that the
 * longest gap brings about, which are not in it. */
static double due_by(const PollPlan *plan, double age) {
  double due = 0, last = 0;
  unsigned i = 0;
  for (; i < plan->count && is_over(plan, i, age); i++) {
    double most = i > 0 ? GAP_MOST : FIRST_MOST;
    due += ceil(((double)plan->times[i] - last) / most - 0.05);
    last = (double)plan->times[i];
  }
  if (age <= last)
    return due;
  if (i < plan->count)
    return due + floor((age - last) / (i > 0 ? GAP_MOST : FIRST_MOST) + 0.1);
  return due + (age - last) / clamp((double)plan->after, GAP_LEAST, GAP_MOST);
}

/* The loop would have polled it as often: then that is as good as the loop.
 * Else the longer pause is. */
static double make_up(const PollPlan *plan, double age, unsigned polls,
                      double random) {
  double loop = (double)plan->loop;
  double pause = poll_plan_pause(plan, age, random);
  double like = loop * (1 - POLL_PLAN_JITTER + 2 * POLL_PLAN_JITTER * random);
  if (polls > age / loop + 1)
    like = fmax(pause, like);
  return clamp(like, GAP_LEAST, GAP_MOST);
}

/* At any time before the first poll, the shorter the likelier. */
static double look_sooner(const PollPlan *plan, double part) {
  double first = (double)plan->times[0];
  return clamp(first * part * part, GAP_LEAST, FIRST_MOST);
}

double poll_plan_next(const PollPlan *plan, double age, unsigned polls,
                      double random) {
  if (polls == 0 && random < SOONER && plan->times[0] > 2 * plan->loop)
    return look_sooner(plan, random / SOONER);
  if (polls > 0 && polls - due_by(plan, age) > ODDS)
    return make_up(plan, age, polls, random);
  return poll_plan_pause(plan, age, random);
}
