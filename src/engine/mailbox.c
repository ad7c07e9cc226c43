/* Messages from one thread to the other: see mailbox.h. */
#include "mailbox.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
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
  *mailbox = (Mailbox){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (mailbox->fd < 0)
    return false;
  pthread_mutex_init(&mailbox->lock, NULL);
  return true;
}

void mailbox_close(Mailbox *mailbox) {
  close(mailbox->fd);
  mailbox->fd = -1;
  pthread_mutex_destroy(&mailbox->lock);
}

/* Under the lock, like clear_signal: a reader that empties the box also clears
 * the signal.  An eventfd takes a write of 8 bytes whole or, when its counter
 * is at the limit and it is readable anyway, not at all. */
static void set_signal(Mailbox *mailbox) {
  uint64_t one = 1;
  ssize_t written;
  if (mailbox->signalled)
    return;
  mailbox->signalled = true;
  do
    written = write(mailbox->fd, &one, sizeof one);
  while (written < 0 && errno == EINTR);
}

static void clear_signal(Mailbox *mailbox) {
  uint64_t count;
  ssize_t got;
  if (!mailbox->signalled)
    return;
  mailbox->signalled = false;
  do
    got = read(mailbox->fd, &count, sizeof count);
  while (got < 0 && errno == EINTR);
}

void mailbox_signal(Mailbox *mailbox) {
  pthread_mutex_lock(&mailbox->lock);
  set_signal(mailbox);
  pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_put(Mailbox *mailbox, List *batch) {
  if (!batch->first)
    return;
  pthread_mutex_lock(&mailbox->lock);
  if (!mailbox->list.first) {
    mailbox->list = *batch;
  } else {
    mailbox->list.last->next = batch->first;
    mailbox->list.last = batch->last;
  }
  atomic_store_explicit(&mailbox->full, true, memory_order_release);
  pthread_mutex_unlock(&mailbox->lock);
  *batch = (List){0};
}

void mailbox_wake(Mailbox *mailbox) {
  pthread_mutex_lock(&mailbox->lock);
  if (mailbox->list.first)
    set_signal(mailbox);
  pthread_mutex_unlock(&mailbox->lock);
}

List mailbox_take(Mailbox *mailbox) {
  List list;
  if (!atomic_load_explicit(&mailbox->full, memory_order_acquire))
    return (List){0};
  pthread_mutex_lock(&mailbox->lock);
  list = mailbox->list;
  mailbox->list = (List){0};
  atomic_store_explicit(&mailbox->full, false, memory_order_relaxed);
  clear_signal(mailbox);
  pthread_mutex_unlock(&mailbox->lock);
  return list;
}

void mailbox_quiet(Mailbox *mailbox) {
  pthread_mutex_lock(&mailbox->lock);
  if (!mailbox->list.first)
    clear_signal(mailbox);
  pthread_mutex_unlock(&mailbox->lock);
}
