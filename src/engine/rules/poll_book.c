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
void poll_book_add(PollBook *book, unsigned class, double seconds) {
  double length = seconds / book->unit;
  if (!is_class(class))
    return;
  durations_add(&book->classes[class], length);
  durations_add(&book->modes[mode_of(class)], length);
  durations_add(&book->all, length);
  for (unsigned i = 0; i < POLL_CLASSES; i++)
    book->stale[i] = true;
}

const Durations *poll_book_known(const PollBook *book, unsigned class) {
  const Durations *known;
  if (!is_class(class))
    return NULL;
  known = &book->classes[class];
  if (known->count < POLL_BOOK_LEAST)
    known = &book->modes[mode_of(class)];
  if (known->count < POLL_BOOK_LEAST)
    known = &book->all;
  return known->count < POLL_BOOK_LEAST ? NULL : known;
}

bool poll_book_survival(const PollBook *book, unsigned class,
                        Survival *survival) {
  const Durations *known = poll_book_known(book, class);
  if (known)
    survival_fill(survival, known);
  return known != NULL;
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
  book->stale[class] = false;
  *outlook = (Outlook){{0}};
  if (!poll_book_survival(book, class, &survival))
    return drop_plan(&book->plans[class]);
  book->planned[class] = now;
  poll_plan_make(&book->plans[class], &survival, book->share);
  outlook_make(outlook, &survival, book->unit);
  return true;
}
