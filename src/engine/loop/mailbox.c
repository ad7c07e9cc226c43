/* Messages from one thread to the other: see mailbox.h. */
#include "mailbox.h"

#include "engine/base/platform.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

void list_append(List *list, Link *link) {
  link->next = NULL;
  if (list->first)
    list->last->next = link;
  else
    list->first = link;
  list->last = link;
}

Link *list_shift(List *list) {
  Link *link = list->first;
  if (link)
    list->first = link->next;
  return link;
}

bool mailbox_open(Mailbox *mailbox) {
  int fds[2];
  *mailbox = (Mailbox){.fd = -1, .writing_fd = -1};
  if (!platform_pipe(fds))
    return false;
  mailbox->fd = fds[0];
  mailbox->writing_fd = fds[1];
  pthread_mutex_init(&mailbox->lock, NULL);
  return true;
}

void mailbox_close(Mailbox *mailbox) {
  close(mailbox->fd);
  close(mailbox->writing_fd);
  mailbox->fd = mailbox->writing_fd = -1;
  pthread_mutex_destroy(&mailbox->lock);
}

/* Under the lock: whether a signal must be written now, which the caller then
 * does. */
static bool claim_signal(Mailbox *mailbox, bool wanted) {
  bool due = wanted && !mailbox->signalled;
  mailbox->signalled = mailbox->signalled || due;
  return due;
}

/* Under the lock: whether the reader must be told of what there is. */
static bool wants_waking(const Mailbox *mailbox) {
  return mailbox->list.first && !mailbox->attended;
}

/* Makes the descriptor readable.  Not under the lock, which the reader that
 * this wakes needs at once.  There is hardly ever more than one byte in the
 * pipe; a full one is readable anyway. */
static void write_signal(Mailbox *mailbox) {
  ssize_t written;
  do
    written = write(mailbox->writing_fd, "", 1);
  while (written < 0 && errno == EINTR);
  if (written > 0)
    return;
  pthread_mutex_lock(&mailbox->lock);
  mailbox->signalled = false; /* the next may succeed */
  pthread_mutex_unlock(&mailbox->lock);
}

/* Under the lock.  A signal that was decided on but not yet written stays. */
static void clear_signal(Mailbox *mailbox) {
  char bytes[16];
  ssize_t got;
  if (!mailbox->signalled)
    return;
  do
    got = read(mailbox->fd, bytes, sizeof bytes);
  while (got < 0 && errno == EINTR);
  mailbox->signalled = got < 0;
}

/* Under the lock. */
static void append(Mailbox *mailbox, List *batch) {
  if (!mailbox->list.first) {
    mailbox->list = *batch;
  } else {
    mailbox->list.last->next = batch->first;
    mailbox->list.last = batch->last;
  }
  atomic_store_explicit(&mailbox->full, true, memory_order_release);
  *batch = (List){0};
}

void mailbox_put(Mailbox *mailbox, List *batch) {
  if (!batch->first)
    return;
  pthread_mutex_lock(&mailbox->lock);
  append(mailbox, batch);
  pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_send(Mailbox *mailbox, List *batch) {
  bool due;
  pthread_mutex_lock(&mailbox->lock);
  if (batch->first)
    append(mailbox, batch);
  due = claim_signal(mailbox, wants_waking(mailbox));
  pthread_mutex_unlock(&mailbox->lock);
  if (due)
    write_signal(mailbox);
}

void mailbox_signal(Mailbox *mailbox) {
  bool due;
  pthread_mutex_lock(&mailbox->lock);
  due = claim_signal(mailbox, true);
  pthread_mutex_unlock(&mailbox->lock);
  if (due)
    write_signal(mailbox);
}

void mailbox_attend(Mailbox *mailbox, bool attended) {
  pthread_mutex_lock(&mailbox->lock);
  mailbox->attended = attended;
  pthread_mutex_unlock(&mailbox->lock);
}

List mailbox_take(Mailbox *mailbox) {
  List list;
  if (!atomic_load_explicit(&mailbox->full, memory_order_acquire))
    return (List){0};
  pthread_mutex_lock(&mailbox->lock);
  list = mailbox->list;
  mailbox->list = (List){0};
  clear_signal(mailbox);
  /* A signal still to come is cleared by the next take: it must look. */
  atomic_store_explicit(&mailbox->full, mailbox->signalled,
                        memory_order_relaxed);
  pthread_mutex_unlock(&mailbox->lock);
  return list;
}

void mailbox_quiet(Mailbox *mailbox) {
  pthread_mutex_lock(&mailbox->lock);
  if (!mailbox->list.first)
    clear_signal(mailbox);
  pthread_mutex_unlock(&mailbox->lock);
}
