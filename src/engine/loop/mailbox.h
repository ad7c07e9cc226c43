/*
 * A mailbox: messages from one thread to the other, with a descriptor that
 * wakes the reader.
 *
 * Two of them join the two sides: commands go down to the I/O thread, events
 * come up to the host's.  A message embeds a Link and belongs to the mailbox
 * from put to take.  Any thread may put; one thread takes.
 */
#ifndef GPTIMAGE2_ENGINE_MAILBOX_H
#define GPTIMAGE2_ENGINE_MAILBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct Link {
  struct Link *next;
} Link;

/* A list in order of arrival; `last` is meaningless while `first` is NULL. */
typedef struct List {
  Link *first;
  Link *last;
} List;

void list_append(List *list, Link *link);
/* Takes the first link out, or gives NULL. */
Link *list_shift(List *list);

typedef struct Mailbox {
  pthread_mutex_t lock;
  List list;        /* under the lock */
  bool signalled;   /* under the lock: `fd` is readable, or will be at once */
  bool attended;    /* under the lock: the reader comes by itself */
  atomic_bool full; /* a hint that can be read without the lock */
  int fd;           /* of a pipe: the end that is read from */
  int writing_fd;   /* its other end */
} Mailbox;

/* False when the system gives no descriptor. */
bool mailbox_open(Mailbox *mailbox);

/* Closes the descriptor.  The mailbox must be empty and out of use. */
void mailbox_close(Mailbox *mailbox);

/* Puts all of `batch` at the end and empties it.  The reader finds it there;
 * one that sleeps is not woken. */
void mailbox_put(Mailbox *mailbox, List *batch);

/* The same, and makes the descriptor readable if there is anything to take now,
 * unless the mailbox is attended. */
void mailbox_send(Mailbox *mailbox, List *batch);

/* The reader says that it will look again soon by itself, or that from now on
 * it wants to be woken: what was put before nobody told of, so it takes once
 * more then. */
void mailbox_attend(Mailbox *mailbox, bool attended);

/* Takes everything: one atomic load when there is nothing. */
List mailbox_take(Mailbox *mailbox);

/* Makes the descriptor readable although nothing was put, and undoes that.  For
 * a reader that took more than it handled. */
void mailbox_signal(Mailbox *mailbox);
void mailbox_quiet(Mailbox *mailbox);

#endif
