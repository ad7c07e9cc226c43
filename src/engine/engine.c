/*
 * The engine as the host's thread sees it: starting and ending the thread,
 * sending commands, taking events.  What runs in the thread is in io_thread.c.
 */
#include "engine.h"

#include "io_thread.h"

#include "engine/base/descriptors.h"
#include "engine/base/platform.h"
#include "engine/job/job_gate.h"
#include "engine/ledger/ledger.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE ((size_t)1 << 20)
#define WAIT_MAX 1e6 /* seconds: fits poll()'s milliseconds */

/* Nanoseconds of rest where the system cannot wait for us: a host that waits in
 * a loop must not spin. */
#define WAIT_FAILED 1000000L

/* ---- the thread's end: by engine_close, or by exit() ---- */

/* Any thread: a program's last one may call exit() while another still works
 * with a Lua state of its own. */
static pthread_mutex_t running_lock = PTHREAD_MUTEX_INITIALIZER;
static Engine *running_engines;
static bool ending; /* exit() has stopped them: none starts any more */

/* How often exit() looks for the lock, a millisecond apart: whoever holds it
 * joins a thread.  Longer, and it is the very thread that calls exit(). */
#define LOCK_TRIES 1000

static void rest(void) {
  nanosleep(&(struct timespec){.tv_nsec = 1000000L}, NULL);
}

static void tell_to_stop(Engine *engine) {
  atomic_store(&engine->stopping, true);
  mailbox_signal(&engine->commands);
}

static void join_thread(Engine *engine) {
  pthread_join(engine->thread, NULL);
  engine->running = false;
}

static void stop_thread(Engine *engine) {
  Engine **at = &running_engines;
  pthread_mutex_lock(&running_lock);
  while (*at && *at != engine)
    at = &(*at)->next_running;
  if (*at) {
    *at = engine->next_running;
    tell_to_stop(engine);
    join_thread(engine);
  }
  pthread_mutex_unlock(&running_lock);
}

/* A process may end without closing its Lua states, and at any moment: what
 * the libraries under libcurl free at its end must not be in use then.  Called
 * once or several times by exit(); see curl_lib.h. */
static void stop_threads(void) {
  int tries = 0;
  while (pthread_mutex_trylock(&running_lock) != 0) {
    if (++tries >= LOCK_TRIES)
      return;
    rest();
  }
  ending = true;
  for (Engine *engine = running_engines; engine; engine = engine->next_running)
    tell_to_stop(engine);
  for (Engine *engine = running_engines; engine; engine = engine->next_running)
    join_thread(engine);
  running_engines = NULL;
  pthread_mutex_unlock(&running_lock);
  ledger_end_all();
}

/* ---- forks: a child has the memory but not the threads ---- */

static atomic_uint forks;

/* In the child, which has one thread: nobody holds the lock there, whoever did
 * in the parent, and none of the threads is there to be stopped. */
static void begin_child(void) {
  atomic_fetch_add(&forks, 1);
  pthread_mutex_init(&running_lock, NULL);
  running_engines = NULL;
}

unsigned engine_generation(void) {
  return atomic_load_explicit(&forks, memory_order_relaxed);
}

/* ---- starting ---- */

/* Before there is a thread: exit() may be called as soon as there is one. */
static void watch_process(void) {
  pthread_atfork(NULL, NULL, begin_child);
  curl_lib_at_exit = stop_threads;
  atexit(stop_threads);
}

static bool open_parts(Engine *engine) {
  if (!mailbox_open(&engine->commands))
    return false;
  if (mailbox_open(&engine->events)) {
    if (loop_open(&engine->loop, engine->commands.fd))
      return true;
    mailbox_close(&engine->events);
  }
  mailbox_close(&engine->commands);
  return false;
}

static void close_parts(Engine *engine) {
  loop_close(&engine->loop);
  mailbox_close(&engine->events);
  mailbox_close(&engine->commands);
}

/* Of this process alone: nobody else has its random numbers. */
static bool begin(Engine *engine) {
  engine->generation = engine_generation();
  if (!platform_random(&engine->seed, sizeof engine->seed) || engine->seed == 0)
    engine->seed = 88172645463325252u ^ (uint64_t)getpid();
  descriptors_spare_standard();
  engine->open = open_parts(engine);
  return engine->open;
}

/* In a child, an engine whose thread never ran: there is nothing that it could
 * miss.  The descriptors are the parent's, too, and are left to it. */
static bool begin_anew(Engine *engine) {
  if (engine->open)
    close_parts(engine);
  engine->open = false;
  engine->left = false;
  return begin(engine);
}

bool engine_is_forked(Engine *engine) {
  if (engine->generation == engine_generation() && engine->open)
    return false;
  return engine->running || !begin_anew(engine);
}

Engine *engine_open(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  Engine *engine = calloc(1, sizeof *engine);
  if (!engine)
    return NULL;
  pthread_once(&once, watch_process);
  gate_init(&engine->gate, job_gate_begin);
  if (begin(engine))
    return engine;
  free(engine);
  return NULL;
}

/* Every signal stays with the host's threads. */
static bool create_thread(Engine *engine) {
  pthread_attr_t attributes;
  sigset_t all, before;
  bool created;
  sigfillset(&all);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  created =
      pthread_create(&engine->thread, &attributes, io_thread_run, engine) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return created;
}

static bool start_thread(Engine *engine) {
  pthread_mutex_lock(&running_lock);
  if (!ending && create_thread(engine)) {
    engine->next_running = running_engines;
    running_engines = engine;
    engine->running = true;
  }
  pthread_mutex_unlock(&running_lock);
  return engine->running;
}

void engine_cork(Engine *engine) {
  engine->corked = true;
}

void engine_uncork(Engine *engine) {
  engine->corked = false;
  if (engine->kept_back.first)
    mailbox_send(&engine->commands, &engine->kept_back);
}

void engine_send(Engine *engine, Command *command, CommandKind kind) {
  command->kind = kind;
  list_append(&engine->kept_back, &command->link);
  if (!engine->corked)
    mailbox_send(&engine->commands, &engine->kept_back);
}

Op *engine_start_op(Engine *engine, Op *op, const OpType *type,
                    Account *account, uintptr_t owner) {
  op->type = type;
  op->engine = engine;
  op->account = account;
  op->owner = owner;
  op->last.delay = -1;
  if (!engine->running && !start_thread(engine)) {
    op->account = NULL; /* not held yet */
    io_thread_free_work(op);
    return NULL;
  }
  engine_send(engine, &op->starting, COMMAND_START);
  return op;
}

void engine_cancel(Engine *engine, Op *op) {
  if (op->cancelled)
    return;
  op->cancelled = true;
  engine_send(engine, &op->cancelling, COMMAND_CANCEL);
}

void engine_detach(Engine *engine, Op *op) {
  if (op->cancelled)
    return;
  op->detached = true;
  engine_cancel(engine, op);
}

void engine_release(Engine *engine, Op *op) {
  engine_send(engine, &op->releasing, COMMAND_RELEASE);
}

void engine_drop_account(Engine *engine, Account *account) {
  if (!engine->running) {
    account_drop(account);
    return;
  }
  engine_send(engine, &account->dropping, COMMAND_DROP_ACCOUNT);
}

void engine_free_event(Engine *engine, Event *event) {
  if (!event->embedded) /* which is freed with its op */
    event_free(&engine->count, event);
}

Event *op_take_newest(Engine *engine, Event *event) {
  Event *newest;
  if (!event || event->kind != EVENT_STATUS)
    return event;
  newest =
      atomic_exchange_explicit(&event->op->newest, NULL, memory_order_acq_rel);
  event_free(&engine->count, event);
  return newest;
}

Event *engine_next_event(Engine *engine) {
  if (!engine->inbox.first) {
    engine->inbox = mailbox_take(&engine->events);
    if (!engine->inbox.first && engine->left) {
      engine->left = false;
      mailbox_quiet(&engine->events);
    }
  }
  return op_take_newest(engine, (Event *)list_shift(&engine->inbox));
}

void engine_stay_readable(Engine *engine) {
  engine->left = true;
  mailbox_signal(&engine->events);
}

int engine_fd(const Engine *engine) {
  return engine->events.fd;
}

void engine_wait(Engine *engine, double seconds) {
  struct pollfd readable = {.fd = engine->events.fd, .events = POLLIN};
  if (engine->inbox.first)
    return;
  if (seconds > WAIT_MAX)
    seconds = WAIT_MAX;
  if (poll(&readable, 1, (int)ceil(seconds * 1000)) < 0 && errno != EINTR)
    nanosleep(&(struct timespec){.tv_nsec = WAIT_FAILED}, NULL);
}

/* Commands nobody will obey any more.  An op that never started is freed with
 * the others: its cancel, which lies inside it, may still be in the list. */
static void discard_commands(Engine *engine) {
  List commands;
  Link *link;
  mailbox_put(&engine->commands, &engine->kept_back);
  commands = mailbox_take(&engine->commands);
  while ((link = list_shift(&commands))) {
    Command *command = (Command *)link;
    if (command->kind == COMMAND_START) {
      Op *op = op_of_command(command);
      op->account = NULL; /* not held yet */
      queue_insert(&engine->ops, &op->link, NULL);
    } else if (command->kind == COMMAND_DROP_ACCOUNT) {
      account_drop(account_of_command(command));
    }
  }
}

static void discard_events(Engine *engine, List *events) {
  Link *link;
  while ((link = list_shift(events)))
    engine_free_event(engine, (Event *)link);
}

void engine_close(Engine *engine) {
  List arrived;
  if (engine_is_forked(engine))
    return; /* another process's thread and locks: leave them alone */
  stop_thread(engine);
  arrived = mailbox_take(&engine->events);
  discard_events(engine, &engine->inbox);
  discard_events(engine, &arrived);
  discard_events(engine, &engine->outbox);
  discard_commands(engine);
  while (engine->ops.first) {
    Op *op = QUEUE_ITEM(engine->ops.first, Op, link);
    queue_remove(&op->link);
    io_thread_free_work(op);
  }
  gate_free(&engine->gate);
  close_parts(engine);
  free(engine);
}
