/*
 * What an engine is made of.  Private to engine.c and the io_*.c.
 *
 * Fields marked (host) belong to the host's thread, (I/O) to the I/O thread;
 * the mailboxes are shared.  Before the thread starts and after it is joined
 * everything belongs to the host.
 */
#ifndef GPTIMAGE2_ENGINE_IO_STATE_H
#define GPTIMAGE2_ENGINE_IO_STATE_H

#include "engine/core/account.h"
#include "engine/core/event_count.h"
#include "engine/core/op.h"
#include "engine/job/probe.h"
#include "engine/ops/download_host.h"

#include <pthread.h>
#include <stdatomic.h>

struct Engine {
  Mailbox commands;
  Mailbox events;
  pthread_t thread;
  bool running;         /* (host) the thread was started, see engine.c */
  Engine *next_running; /* (host) see engine.c */
  bool open;            /* (host) its mailboxes and its loop are */
  unsigned generation;  /* (host) see forks */
  EventCount count;     /* shared: of its events */
  List inbox;           /* (host) events taken, not yet given out */
  bool left;            /* (host) the descriptor was set by hand */
  bool corked;          /* (host) commands are sent together, later */
  List kept_back;       /* (host) commands not yet sent */
  atomic_bool stopping; /* set by the host */
  Loop loop;            /* (I/O) */
  List dirty;           /* (I/O) accounts whose ledger must be flushed */
  double ledgers_at;    /* (I/O) when to look at those that are down */
  List outbox;          /* (I/O) events of this turn */
  double woken_at;      /* (I/O) when the host was woken last */
  double wake_at;       /* (I/O) when to wake it next, infinite = never */
  double attends_until; /* (I/O) commands are looked for, infinite = not */
  Queue ops;            /* (I/O) all that was started and not yet freed */
  size_t work_count;    /* (I/O) */
  Downloads downloads;  /* (I/O) */
  Checks checks;        /* (I/O) */
  Gate gate;            /* (I/O) */
  unsigned events_back; /* (I/O) events that the host had handled */
  double busy_until;    /* (I/O) the host is at work */
  uint64_t seed;        /* (I/O) */
};

#endif
