/* What was learned of durations: see poll_book.h. */
#include "poll_book.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

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

/* One that several share is freed once: with the last of them. */
void poll_book_free(PollBook *book) {
  for (unsigned i = 1; i < POLL_CLASSES; i++)
    if (book->classes[i] != book->modes[mode_of(i)])
      free(book->classes[i]);
  for (unsigned i = 0; i < 2; i++)
    if (book->modes[i] != book->all)
      free(book->modes[i]);
  free(book->all);
  *book = (PollBook){0};
}

/* ---- its sheets ---- */

static PollSheet *new_sheet(const PollSheet *like) {
  PollSheet *sheet = calloc(1, sizeof *sheet);
  if (sheet && like)
    *sheet = *like;
  if (sheet && !like)
    sheet->planned = (double)-INFINITY;
  return sheet;
}

/* A class of a mode that was not seen: what is known of all is no longer that
 * of the other mode alone. */
static bool open_mode(PollBook *book, unsigned class) {
  size_t mode = mode_of(class);
  bool apart = book->all && book->all == book->modes[1 - mode];
  PollSheet *own = new_sheet(NULL), *all = apart ? new_sheet(book->all) : own;
  if (!own || !all) {
    free(own);
    if (apart)
      free(all);
    return false;
  }
  if (apart || !book->all)
    book->all = all;
  book->modes[mode] = book->classes[class] = own;
  return true;
}

/* Whether the sheet is one class's, too. */
static bool is_class_sheet(const PollBook *book, const PollSheet *sheet) {
  for (unsigned i = 1; i < POLL_CLASSES; i++)
    if (book->classes[i] == sheet)
      return true;
  return false;
}

/* The same of a mode that was: what is known of it is no longer that of the
 * other class alone. */
static bool open_class(PollBook *book, unsigned class) {
  PollSheet **mode = &book->modes[mode_of(class)], *old = *mode;
  bool apart = is_class_sheet(book, old);
  PollSheet *own = new_sheet(NULL), *like = apart ? new_sheet(old) : old;
  if (!own || !like) {
    free(own);
    if (apart)
      free(like);
    return false;
  }
  if (book->all == old)
    book->all = like;
  *mode = like;
  book->classes[class] = own;
  return true;
}

static bool open_sheets(PollBook *book, unsigned class) {
  if (book->classes[class])
    return true;
  return book->modes[mode_of(class)] ? open_class(book, class)
                                     : open_mode(book, class);
}

typedef void Change(Durations *durations, Duration one);

static void change_sheet(PollSheet *sheet, Change *change, Duration one) {
  change(&sheet->durations, one);
  sheet->stale = true;
}

static Duration in_units(const PollBook *book, Duration one) {
  return (Duration){.began = one.began / book->unit,
                    .low = (float)((double)one.low / book->unit),
                    .high = (float)((double)one.high / book->unit)};
}

/* Others may go by it, too. */
static void change_sheets(PollBook *book, unsigned class, Change *change,
                          Duration one) {
  PollSheet *own = book->classes[class], *mode = book->modes[mode_of(class)];
  change_sheet(own, change, one);
  if (mode != own)
    change_sheet(mode, change, one);
  if (book->all != mode)
    change_sheet(book->all, change, one);
  for (unsigned i = 0; i < POLL_CLASSES; i++)
    book->stale[i] = true;
}

void poll_book_add(PollBook *book, unsigned class, Duration one) {
  if (is_class(class) && open_sheets(book, class))
    change_sheets(book, class, durations_add, in_units(book, one));
}

void poll_book_update(PollBook *book, unsigned class, Duration one) {
  if (is_class(class) && book->classes[class])
    change_sheets(book, class, durations_update, in_units(book, one));
}

/* ---- what follows from them ---- */

static bool is_known(const PollSheet *sheet) {
  return sheet && durations_ended(&sheet->durations) >= POLL_BOOK_LEAST;
}

/* The sheet on which enough is known; NULL = none is. */
static PollSheet *known_of(const PollBook *book, unsigned class) {
  if (is_known(book->classes[class]))
    return book->classes[class];
  if (is_known(book->modes[mode_of(class)]))
    return book->modes[mode_of(class)];
  return is_known(book->all) ? book->all : NULL;
}

bool poll_book_survival(const PollBook *book, unsigned class,
                        Survival *survival) {
  const PollSheet *sheet = is_class(class) ? known_of(book, class) : NULL;
  if (sheet)
    survival_fill(survival, &sheet->durations);
  return sheet != NULL;
}

static bool is_due(const PollBook *book, const PollSheet *sheet, double now) {
  return sheet && sheet->stale &&
         now >= sheet->planned + PLAN_EVERY * book->unit;
}

/* The one that is known, once what a change has made untrue is apart. */
static PollSheet *renew(PollBook *book, unsigned class, double now) {
  PollSheet *const own[] = {book->classes[class], book->modes[mode_of(class)],
                            book->all};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (is_due(book, own[i], now))
      durations_part(&own[i]->durations);
  return known_of(book, class);
}

/* For all the classes that go by it. */
static void plan(const PollBook *book, PollSheet *sheet, double now) {
  Survival survival;
  if (!is_due(book, sheet, now))
    return;
  survival_fill(&survival, &sheet->durations);
  poll_plan_make(&sheet->plan, &survival, book->share);
  outlook_make(&sheet->outlook, &survival, book->unit);
  sheet->planned = now;
  sheet->stale = false;
}

bool poll_book_plan(PollBook *book, unsigned class, double now,
                    Outlook *outlook) {
  PollSheet *sheet;
  if (!is_class(class) || !book->stale[class] ||
      now < book->planned[class] + PLAN_EVERY * book->unit)
    return false;
  *outlook = (Outlook){{0}};
  sheet = renew(book, class, now);
  if (!sheet) {
    bool had = book->plans[class] != NULL;
    book->plans[class] = NULL;
    return had;
  }
  plan(book, sheet, now);
  book->plans[class] = &sheet->plan;
  book->planned[class] = now;
  book->stale[class] = sheet->stale;
  *outlook = sheet->outlook;
  return true;
}
