/* What was learned of durations: see poll_book.h. */
#include "poll_book.h"

#include <math.h>
#include <stddef.h>

#define PLAN_EVERY 1.0 /* seconds */

unsigned poll_class(bool images, int count) {
  if (count < 1 || count > POLL_COUNTS)
    return POLL_CLASS_NONE;
  return (images ? POLL_COUNTS : 0) + (unsigned)count;
}

static size_t mode_of(unsigned class) {
  return (class - 1) / POLL_COUNTS;
}

static bool is_class(unsigned class) {
  return class > POLL_CLASS_NONE && class < POLL_CLASSES;
}

void poll_book_init(PollBook *book, double unit, double share) {
  *book = (PollBook){.unit = unit, .share = share};
  for (unsigned i = 0; i < POLL_CLASSES; i++)
    book->planned[i] = (double)-INFINITY;
}

/* Others may go by it, too. */
void poll_book_add(PollBook *book, unsigned class, double began,
                   double seconds) {
  double length = seconds / book->unit, at = began / book->unit;
  if (!is_class(class))
    return;
  durations_add(&book->classes[class], at, length);
  durations_add(&book->modes[mode_of(class)], at, length);
  durations_add(&book->all, at, length);
  for (unsigned i = 0; i < POLL_CLASSES; i++)
    book->stale[i] = true;
}

/* Those of which enough are known, and how many; NULL = none are. */
static const Durations *known_of(const PollBook *book, unsigned class,
                                 double now, unsigned *ripe) {
  const Durations *const own[] = {&book->classes[class],
                                  &book->modes[mode_of(class)], &book->all};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if ((*ripe = durations_ripe(own[i], now)) >= POLL_BOOK_LEAST)
      return own[i];
  return NULL;
}

/* `unripe`: more will be known soon. */
static bool fill(const PollBook *book, unsigned class, double now,
                 Survival *survival, bool *unripe) {
  unsigned ripe = 0;
  const Durations *all = known_of(book, class, now / book->unit, &ripe);
  Durations known;
  *unripe = true;
  if (!all)
    return false;
  known = *all;
  *unripe = ripe < known.count;
  known.count = ripe;
  survival_fill(survival, &known);
  return true;
}

bool poll_book_survival(const PollBook *book, unsigned class, double now,
                        Survival *survival) {
  bool unripe;
  return is_class(class) && fill(book, class, now, survival, &unripe);
}

/* False when there was none before either. */
static bool drop_plan(PollPlan *plan) {
  bool had = plan->count > 0;
  plan->count = 0;
  return had;
}

bool poll_book_plan(PollBook *book, unsigned class, double now,
                    Outlook *outlook) {
  Survival survival;
  if (!is_class(class) || !book->stale[class] ||
      now < book->planned[class] + PLAN_EVERY * book->unit)
    return false;
  *outlook = (Outlook){{0}};
  if (!fill(book, class, now, &survival, &book->stale[class]))
    return drop_plan(&book->plans[class]);
  book->planned[class] = now;
  poll_plan_make(&book->plans[class], &survival, book->share);
  outlook_make(outlook, &survival, book->unit);
  return true;
}
