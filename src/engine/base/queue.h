/*
 * Doubly linked lists, with the links in what is listed: all that wait for the
 * same thing, all that are under way.  (<sys/queue.h> is not everywhere: musl
 * has none.)  A link knows which queue it is in, so leaving twice is harmless;
 * queues and links that are all zero are empty.  One thread.
 */
#ifndef GPTIMAGE2_ENGINE_QUEUE_H
#define GPTIMAGE2_ENGINE_QUEUE_H

#include <stddef.h>

typedef struct QueueLink {
  struct QueueLink *previous;
  struct QueueLink *next;
  struct Queue *queue; /* NULL = in none */
} QueueLink;

typedef struct Queue {
  QueueLink *first;
  QueueLink *last;
} Queue;

/* What has this link, which is not NULL, as its `member`. */
#define QUEUE_ITEM(link, type, member)                                         \
  ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void queue_remove(QueueLink *link) {
  Queue *queue = link->queue;
  if (!queue)
    return;
  if (link->previous)
    link->previous->next = link->next;
  else
    queue->first = link->next;
  if (link->next)
    link->next->previous = link->previous;
  else
    queue->last = link->previous;
  *link = (QueueLink){0};
}

/* Enters behind `previous`, NULL = at the front; it is in no queue. */
static inline void queue_insert(Queue *queue, QueueLink *link,
                                QueueLink *previous) {
  QueueLink *next = previous ? previous->next : queue->first;
  *link = (QueueLink){previous, next, queue};
  if (previous)
    previous->next = link;
  else
    queue->first = link;
  if (next)
    next->previous = link;
  else
    queue->last = link;
}

/* Enters at the end; one that is in a queue leaves it. */
static inline void queue_append(Queue *queue, QueueLink *link) {
  queue_remove(link);
  queue_insert(queue, link, queue->last);
}

#endif
