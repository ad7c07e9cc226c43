/*
 * What a client has learned of how long its jobs take, and the plans that
 * follow from it.
 *
 * A class of jobs is their mode and their number of images; the service is the
 * client's.  A class of which too few durations are known goes by those of its
 * mode, else by those of all.  What is known is kept on sheets, one for each
 * class, each mode and all, that are allocated when first needed; as long as
 * they would say the same (no other class was seen) they are one.
 * Bounded: there are no more classes.  One thread at a time.
 */
#ifndef GPTIMAGE2_ENGINE_POLL_BOOK_H
#define GPTIMAGE2_ENGINE_POLL_BOOK_H

#include "outlook.h"
#include "poll_plan.h"

#include <stdbool.h>

#define POLL_COUNTS 4 /* images of one job, at most */
#define POLL_CLASSES (1 + 2 * POLL_COUNTS)

/* Durations from which something follows. */
#define POLL_BOOK_LEAST 4

/* The class of a job whose like is not known: it has no plan, no outlook. */
#define POLL_CLASS_NONE 0

typedef struct PollSheet {
  Durations durations;
  PollPlan plan; /* what followed from them when it was made */
  Outlook outlook;
  double planned; /* when, in monotonic seconds */
  bool stale;     /* more is known by now */
} PollSheet;

/* NULL = nothing is known. */
typedef struct PollBook {
  double unit;  /* seconds: what all times are measured in */
  double share; /* of the polls that the documented loop needs */
  PollSheet *all;
  PollSheet *modes[2];
  PollSheet *classes[POLL_CLASSES];
  const PollPlan *plans[POLL_CLASSES];
  double planned[POLL_CLASSES]; /* when, in monotonic seconds */
  bool stale[POLL_CLASSES];     /* more is known by now */
} PollBook;

/* `images`: whether the job has reference images. */
unsigned poll_class(bool images, int count);

/* An empty book. */
void poll_book_init(PollBook *book, double unit, double share);
void poll_book_free(PollBook *book);

/* A job of that class has begun, or has taken so long.  Without memory it is
 * left out. */
void poll_book_add(PollBook *book, unsigned class, Duration one);

/* More is known of the one of that class that began then. */
void poll_book_update(PollBook *book, unsigned class, Duration one);

/* The survival that follows for the class; false = too little is known. */
bool poll_book_survival(const PollBook *book, unsigned class,
                        Survival *survival);

/* Brings the plan of the class up to date, at most once a second: true when it
 * is another one, or none any more, and `outlook` is filled. */
bool poll_book_plan(PollBook *book, unsigned class, double now,
                    Outlook *outlook);

#endif
