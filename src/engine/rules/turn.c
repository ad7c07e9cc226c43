/* Whose turn it is: see turn.h. */
#include "turn.h"

#include <stddef.h>

void turn_join(Turn *turn) {
  Turns *turns = turn->turns;
  turn->waiting = true;
  turn->ahead = turns->last;
  turn->behind = NULL;
  if (turns->last)
    turns->last->behind = turn;
  else
    turns->first = turn;
  turns->last = turn;
}

static void stop_waiting(Turn *turn) {
  Turns *turns = turn->turns;
  if (turn->ahead)
    turn->ahead->behind = turn->behind;
  else
    turns->first = turn->behind;
  if (turn->behind)
    turn->behind->ahead = turn->ahead;
  else
    turns->last = turn->ahead;
  turn->waiting = false;
}

void turn_take(Turn *turn) {
  turn->active = true;
  turn->turns->active++;
}

void turn_leave(Turn *turn) {
  if (turn->waiting)
    stop_waiting(turn);
  if (!turn->active)
    return;
  turn->active = false;
  turn->turns->active--;
}

/* One may end while it begins and come back here: the outer call goes on. */
void turn_advance(Turns *turns) {
  if (turns->advancing)
    return;
  turns->advancing = true;
  while (turns->first && turns->active < turns->pace.limit) {
    Turn *turn = turns->first;
    stop_waiting(turn);
    turn_take(turn);
    turn->begin(turn);
  }
  turns->advancing = false;
}
