/*
 * Whose turn it is: at most max_active of an account's jobs are at the service
 * at once (fewer while it says 429: pace.h), the rest wait in the order of
 * their submission.
 *
 * Jobs embed a Turn; nothing here knows more of them.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_TURN_H
#define GPTIMAGE2_ENGINE_TURN_H

#include "pace.h"

#include <stdbool.h>

typedef struct Turn Turn;

/* The queue of one account. */
typedef struct Turns {
  Pace pace;       /* how many may have their turn at once */
  unsigned active; /* how many have their turn now */
  Turn *first;     /* those who wait */
  Turn *last;
  bool advancing; /* inside turn_advance */
} Turns;

struct Turn {
  Turns *turns;
  void (*begin)(Turn *turn); /* its turn has come */
  bool active;
  bool waiting;
  Turn *ahead;
  Turn *behind;
};

/* Joins the end of the queue.  turn_advance then begins what may begin. */
void turn_join(Turn *turn);

/* Counts one that is at the service already, without waiting. */
void turn_take(Turn *turn);

/* Leaves the queue or gives its place back; nothing happens otherwise. */
void turn_leave(Turn *turn);

/* Begins those in front while there is room. */
void turn_advance(Turns *turns);

#endif
