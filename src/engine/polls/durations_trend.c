/* What durations would be today: see durations_trend.h. */
#include "durations_trend.h"

#include <stddef.h>

/* How many a line goes through, from the newest on; the last one: all. */
static const unsigned lengths[] = {8, 16, 32, 64, DURATIONS_MAX};
#define LENGTHS (sizeof lengths / sizeof *lengths)
#define LINES (2 * LENGTHS) /* level ones, then those that are not */
#define ALL_LEVEL (LENGTHS - 1)

#define JUDGED 32      /* jobs that judge them */
#define JUDGED_LEAST 8 /* of them */
/* Of the squares, and less, is clearly better, the fewer the clearer. */
#define BETTER(judged) (0.8 - 1.5 / (judged))
#define NEGLIGIBLE 0.04 /* what each is away at least, in logarithms */

#define STEEPEST 0.1 /* a job, in logarithms: more is no drift */

#define MEANS 4    /* rounds */
#define UNTOLD 1.0 /* looks that far apart tell of no drift at all */
#define WIDE 0.3   /* looks, in logarithms */

#define HUNG 2.0 /* times the longest: no other waits for such a one */

/* What is known, in logarithms.  Each ended in the middle of its looks; or,
 * where these are wide, as near to the mean of all as they allow: that tells
 * least of a drift. */
typedef struct Known {
  const Durations *durations;
  double low[DURATIONS_MAX], high[DURATIONS_MAX], ends[DURATIONS_MAX];
} Known;

/* In logarithms, of a place in the order of beginning. */
typedef struct Line {
  double at, value, slope;
  unsigned from; /* the first that it goes through */
} Line;

/* Sums over those that a line goes through: of their places, as far as they are
 * before another one, and of their middles. */
typedef struct Sums {
  double count, places, squares, values, products;
} Sums;

/* Whether it had not ended by then. */
static bool ran_at(const Duration *one, double now) {
  if (one->began > now)
    return false;
  return duration_ended(one) ? one->began + (double)one->high > now
                             : duration_runs(one);
}

/* The first that ran by then, of those before `end`: what is known of those
 * after it are the short ones of them. */
static unsigned known_before(const Durations *durations, unsigned end,
                             double now) {
  double longest = 0;
  unsigned first;
  for (unsigned i = durations->since; i < end; i++) {
    const Duration *one = &durations->ones[i];
    if (duration_ended(one) && !ran_at(one, now))
      longest = fmax(longest, (double)one->high);
  }
  for (first = durations->since; first < end; first++) {
    const Duration *one = &durations->ones[first];
    if (ran_at(one, now) && now - one->began <= HUNG * longest)
      break;
  }
  return first;
}

/* ---- what their looks tell ---- */

static double clamp(double value, double least, double most) {
  return value < least ? least : value > most ? most : value;
}

/* Whether a line may go through it. */
static bool tells(const Known *known, unsigned i) {
  return duration_ended(&known->durations->ones[i]) &&
         known->high[i] - known->low[i] < UNTOLD;
}

static double mean_of(const Known *known) {
  const Durations *durations = known->durations;
  double sum = 0, count = 0;
  for (unsigned i = durations->since; i < durations->count; i++)
    if (tells(known, i)) {
      sum += known->ends[i];
      count++;
    }
  return count > 0 ? sum / count : 0;
}

static void set_known(Known *known, const Durations *durations) {
  known->durations = durations;
  for (unsigned i = durations->since; i < durations->count; i++) {
    const Duration *one = &durations->ones[i];
    double low = (double)one->low, high = (double)one->high;
    known->low[i] = low > 0 ? log(low) : (double)-INFINITY;
    known->high[i] = log(high);
    known->ends[i] = log((low + high) / 2);
  }
  for (int round = 0; round < MEANS; round++) {
    double mean = mean_of(known);
    for (unsigned i = durations->since; i < durations->count; i++)
      if (known->high[i] - known->low[i] > WIDE)
        known->ends[i] = clamp(mean, known->low[i], known->high[i]);
  }
}

/* ---- lines ---- */

static void add(Sums *sums, double place, double value) {
  sums->count++;
  sums->places += place;
  sums->squares += place * place;
  sums->values += value;
  sums->products += place * value;
}

static Line line_of(const Sums *sums, double at, unsigned from, bool level) {
  double place = sums->places / sums->count, mean = sums->values / sums->count;
  double spread = sums->squares - sums->count * place * place;
  double slope = level || spread <= 0
                     ? 0
                     : (sums->products - sums->count * place * mean) / spread;
  if (fabs(slope) > STEEPEST)
    slope = 0;
  return (Line){at, mean - slope * place, slope, from};
}

/* All the lines that were known when the one at `at` began: how many have
 * enough to go through. */
static size_t draw(const Known *known, unsigned at, double now, Line *lines) {
  const Durations *durations = known->durations;
  unsigned i = known_before(durations, at, now);
  size_t drawn = 0;
  Sums sums = {0, 0, 0, 0, 0};
  while (i-- > durations->since) {
    const Duration *one = &durations->ones[i];
    if (!tells(known, i) || ran_at(one, now))
      continue;
    add(&sums, (double)i - (double)at, known->ends[i]);
    if (drawn < ALL_LEVEL && sums.count >= lengths[drawn]) {
      lines[drawn] = line_of(&sums, at, i, true);
      lines[LENGTHS + drawn++] = line_of(&sums, at, i, false);
    }
  }
  if (drawn == 0)
    return 0;
  for (size_t k = drawn; k < LENGTHS; k++) {
    lines[k] = line_of(&sums, at, durations->since, true);
    lines[LENGTHS + k] = line_of(&sums, at, durations->since, false);
  }
  return drawn;
}

/* Adds the squares of what each line would have been wrong by: how far it was
 * from there at least. */
static bool judge(const Known *known, unsigned i, double *wrong) {
  const Duration *one = &known->durations->ones[i];
  Line lines[LINES];
  if (!duration_ended(one) || draw(known, i, one->began, lines) == 0)
    return false;
  for (size_t k = 0; k < LINES; k++) {
    double value = lines[k].value;
    double away = clamp(value, known->low[i], known->high[i]) - value;
    wrong[k] += away * away + NEGLIGIBLE * NEGLIGIBLE;
  }
  return true;
}

/* Whether most of the newest tell: where jobs mostly end before their first
 * poll, a drift is what the polls are, and not the service. */
static bool most_tell(const Known *known) {
  const Durations *durations = known->durations;
  unsigned ended = 0, telling = 0;
  for (unsigned i = durations->count;
       i-- > durations->since && ended < JUDGED;) {
    ended += duration_ended(&durations->ones[i]);
    telling += tells(known, i);
  }
  return 4 * telling >= 3 * ended;
}

/* The line by which the last jobs would have been known best. */
static size_t best_line(const Known *known) {
  double wrong[LINES] = {0};
  size_t best = ALL_LEVEL;
  unsigned judged = 0;
  for (unsigned i = known->durations->count;
       i-- > known->durations->since && judged < JUDGED;)
    judged += judge(known, i, wrong);
  if (judged < JUDGED_LEAST || !most_tell(known))
    return ALL_LEVEL;
  for (size_t k = 0; k < LINES; k++)
    if (wrong[k] < wrong[best])
      best = k;
  return wrong[best] < BETTER(judged) * wrong[ALL_LEVEL] ? best : ALL_LEVEL;
}

static double latest(const Durations *durations) {
  double now = -INFINITY;
  for (unsigned i = durations->since; i < durations->count; i++) {
    const Duration *one = &durations->ones[i];
    double seen = (double)(duration_ended(one) ? one->high : one->low);
    now = fmax(now, one->began + seen);
  }
  return now;
}

static void move(Durations *today, const Line *line) {
  if (today->since < line->from)
    today->since = line->from;
  for (unsigned i = line->from; i < today->count; i++) {
    Duration *one = &today->ones[i];
    double factor = exp(line->slope * ((double)today->count - i));
    one->low = (float)((double)one->low * factor);
    if (duration_ended(one))
      one->high = (float)fmin((double)one->high * factor, 86399);
  }
}

void durations_today(const Durations *durations, Durations *today) {
  Line lines[LINES];
  Known known;
  size_t best;
  set_known(&known, durations);
  best = best_line(&known);
  *today = *durations;
  if (best != ALL_LEVEL &&
      draw(&known, durations->count, latest(durations), lines) > 0)
    move(today, &lines[best]);
}
