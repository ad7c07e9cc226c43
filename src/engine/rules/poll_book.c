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

static void add(PollSheet *sheet, Duration one) {
  durations_add(&sheet->durations, one);
  sheet->stale = true;
}

/* Others may go by it, too. */
void poll_book_add(PollBook *book, unsigned class, Duration took) {
  Duration one = {.began = took.began / book->unit,
                  .low = (float)((double)took.low / book->unit),
                  .high = (float)((double)took.high / book->unit)};
  PollSheet *own, *mode;
  if (!is_class(class) || !open_sheets(book, class))
    return;
  own = book->classes[class];
  mode = book->modes[mode_of(class)];
  add(own, one);
  if (mode != own)
    add(mode, one);
  if (book->all != mode)
    add(book->all, one);
  for (unsigned i = 0; i < POLL_CLASSES; i++)
    book->stale[i] = true;
}

/* ---- what follows from them ---- */

/* The sheet on which enough is known, and how much; NULL = none is. */
static PollSheet *known_of(const PollBook *book, unsigned class, double now,
                           unsigned *ripe) {
  PollSheet *const own[] = {book->classes[class], book->modes[mode_of(class)],
                            book->all};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (own[i] && (*ripe = durations_ripe(&own[i]->durations,
                                          now / book->unit)) >= POLL_BOOK_LEAST)
      return own[i];
  return NULL;
}

static void fill(const PollSheet *sheet, unsigned ripe, Survival *survival) {
  Durations known = sheet->durations;
  known.count = ripe;
  survival_fill(survival, &known);
}

bool poll_book_survival(const PollBook *book, unsigned class, double now,
                        Survival *survival) {
  unsigned ripe = 0;
  const PollSheet *sheet =
      is_class(class) ? known_of(book, class, now, &ripe) : NULL;
  if (sheet)
    fill(sheet, ripe, survival);
  return sheet != NULL;
}

/* For all the classes that go by it. */
static void plan(const PollBook *book, PollSheet *sheet, unsigned ripe,
                 double now) {
  Survival survival;
  if (!sheet->stale || now < sheet->planned + PLAN_EVERY * book->unit)
    return;
  fill(sheet, ripe, &survival);
  poll_plan_make(&sheet->plan, &survival, book->share);
  outlook_make(&sheet->outlook, &survival, book->unit);
  sheet->planned = now;
  sheet->stale = ripe < sheet->durations.count; /* more will be known soon */
}

bool poll_book_plan(PollBook *book, unsigned class, double now,
                    Outlook *outlook) {
  unsigned ripe = 0;
  PollSheet *sheet;
  if (!is_class(class) || !book->stale[class] ||
      now < book->planned[class] + PLAN_EVERY * book->unit)
    return false;
  *outlook = (Outlook){{0}};
  sheet = known_of(book, class, now, &ripe);
  if (!sheet) {
    bool had = book->plans[class] != NULL;
    book->plans[class] = NULL;
    return had;
  }
  plan(book, sheet, ripe, now);
  book->plans[class] = &sheet->plan;
  book->planned[class] = now;
  book->stale[class] = sheet->stale;
  *outlook = sheet->outlook;
  return true;
}
