/*
 * The engine: the thread, the two mailboxes, and the handing out of work.
 *
 * Fields of Engine marked (host) belong to the host's thread, (I/O) to the I/O
 * thread; the mailboxes are shared.  Before the thread starts and after it is
 * joined everything belongs to the host.
 */
#include "engine.h"

#include "clock.h"
#include "http.h"
#include "work.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#define STACK_SIZE ((size_t)1 << 20)
#define WAIT_MAX 1e6 /* seconds: fits poll()'s milliseconds */

struct Engine {
  Mailbox commands;
  Mailbox events;
  pthread_t thread;
  bool running;         /* (host) the thread was started */
  unsigned generation;  /* (host) see forks */
  List inbox;           /* (host) events taken, not yet given out */
  bool left;            /* (host) the descriptor was set by hand */
  atomic_bool stopping; /* set by the host */
  Loop loop;            /* (I/O) */
  List outbox;          /* (I/O) events of this turn */
  Work *works;          /* (I/O) all that was started and not yet freed */
  size_t work_count;    /* (I/O) */
  uint64_t seed;        /* (I/O) */
};

/* ---- forks: a child has the memory but not the thread ---- */

static atomic_uint forks;

static void count_fork(void) {
  atomic_fetch_add(&forks, 1);
}

static void watch_forks(void) {
  pthread_atfork(NULL, NULL, count_fork);
}

bool engine_is_forked(const Engine *engine) {
  return atomic_load_explicit(&forks, memory_order_relaxed) !=
         engine->generation;
}

/* ---- the I/O thread ---- */

Loop *engine_loop(Engine *engine) {
  return &engine->loop;
}

/* xorshift64*: jitter and file names, nothing secret. */
uint64_t engine_random_bits(Engine *engine) {
  uint64_t x = engine->seed;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  engine->seed = x;
  return x * 2685821657736338717u;
}

double engine_random(Engine *engine) {
  return (double)(engine_random_bits(engine) >> 11) / 9007199254740992.0;
}

static void add_work(Engine *engine, Work *work) {
  work->after = engine->works;
  if (work->after)
    work->after->before = work;
  engine->works = work;
  engine->work_count++;
}

static void free_work(Work *work) {
  Event *last = &work->last;
  work->type->free(work);
  if (work->account)
    account_drop(work->account);
  failure_clear(&last->failure);
  free(last->body);
  free(last->path);
  free(work);
}

static void remove_work(Engine *engine, Work *work) {
  if (work->before)
    work->before->after = work->after;
  else
    engine->works = work->after;
  if (work->after)
    work->after->before = work->before;
  engine->work_count--;
  work->type->stop(work);
  heap_clear(&engine->loop.heap, &work->timer);
  free_work(work);
}

static void start_work(Engine *engine, Work *work) {
  if (work->account)
    account_hold(work->account);
  add_work(engine, work);
  if (heap_reserve(&engine->loop.heap, engine->work_count)) {
    work->type->start(work);
    return;
  }
  failure_set(&work->last.failure, "network", "out_of_memory", "out of memory");
  work->last.end = FLOW_END_FAILED;
  work_end(work);
}

static void obey(Engine *engine, Command *command) {
  Work *work = command->about.work;
  switch (command->kind) {
  case COMMAND_START:
    start_work(engine, work);
    break;
  case COMMAND_AGAIN:
    if (!work->ended)
      work->type->on_verdict(work, FLOW_VERDICT_AGAIN);
    break;
  case COMMAND_FINAL:
    work->released = true;
    if (!work->ended)
      work->type->on_verdict(work, FLOW_VERDICT_FINAL);
    remove_work(engine, work);
    break;
  case COMMAND_CANCEL:
    if (!work->ended)
      work->type->on_cancel(work);
    break;
  case COMMAND_RELEASE:
    remove_work(engine, work);
    break;
  case COMMAND_DROP_ACCOUNT:
    account_drop(command->about.account);
    break;
  }
}

static void obey_all(Engine *engine) {
  List commands = mailbox_take(&engine->commands);
  Link *link;
  while ((link = list_shift(&commands)))
    obey(engine, (Command *)link);
}

Work *work_of_timer(Timer *timer) {
  return (Work *)(void *)((char *)timer - offsetof(Work, timer));
}

static void fire_timers(Engine *engine) {
  double now = clock_monotonic();
  Timer *timer;
  while ((timer = loop_due(&engine->loop, now))) {
    Work *work = work_of_timer(timer);
    if (!work->ended)
      work->type->on_timer(work);
  }
}

static void stop_all(Engine *engine) {
  for (Work *work = engine->works; work; work = work->after)
    work->type->stop(work);
}

static void *run(void *user) {
  Engine *engine = user;
  CURL *easy;
  CURLcode result;
  while (!atomic_load(&engine->stopping)) {
    loop_wait(&engine->loop);
    while ((easy = loop_finished(&engine->loop, &result)))
      http_finish(easy, result);
    obey_all(engine);
    fire_timers(engine);
    mailbox_put(&engine->events, &engine->outbox);
  }
  stop_all(engine);
  return NULL;
}

Event *work_event(EventKind kind) {
  Event *event = calloc(1, sizeof *event);
  if (!event)
    return NULL;
  event->kind = kind;
  event->delay = -1;
  return event;
}

void work_post(Work *work, Event *event) {
  event->work = work;
  event->owner = work->owner;
  event->time = clock_wall();
  list_append(&work->engine->outbox, &event->link);
}

void work_end(Work *work) {
  work->ended = true;
  heap_clear(&work->engine->loop.heap, &work->timer);
  if (work->released)
    return;
  work->last.kind = EVENT_ENDED;
  work->last.embedded = true;
  work_post(work, &work->last);
}

/* ---- the host's thread ---- */

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

Engine *engine_open(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  Engine *engine = calloc(1, sizeof *engine);
  if (!engine)
    return NULL;
  pthread_once(&once, watch_forks);
  engine->generation = atomic_load(&forks);
  if (getrandom(&engine->seed, sizeof engine->seed, 0) !=
          (ssize_t)sizeof engine->seed ||
      engine->seed == 0)
    engine->seed = 88172645463325252u;
  if (open_parts(engine))
    return engine;
  free(engine);
  return NULL;
}

/* Every signal stays with the host's threads. */
static bool start_thread(Engine *engine) {
  pthread_attr_t attributes;
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  engine->running =
      pthread_create(&engine->thread, &attributes, run, engine) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return engine->running;
}

void engine_send(Engine *engine, Command *command, CommandKind kind) {
  List one = {0};
  command->kind = kind;
  list_append(&one, &command->link);
  mailbox_put(&engine->commands, &one);
}

Work *engine_start_work(Engine *engine, Work *work, const WorkType *type,
                        Account *account, void *owner) {
  work->type = type;
  work->engine = engine;
  work->account = account;
  work->owner = owner;
  work->call.about.work = work;
  work->cancelling.about.work = work;
  work->last.delay = -1;
  if (!engine->running && !start_thread(engine)) {
    work->account = NULL; /* not held yet */
    free_work(work);
    return NULL;
  }
  engine_send(engine, &work->call, COMMAND_START);
  return work;
}

void engine_cancel(Engine *engine, Work *work) {
  if (work->cancelled)
    return;
  work->cancelled = true;
  engine_send(engine, &work->cancelling, COMMAND_CANCEL);
}

void engine_release(Engine *engine, Work *work) {
  engine_send(engine, &work->call, COMMAND_RELEASE);
}

void engine_drop_account(Engine *engine, Account *account) {
  if (!engine->running) {
    account_drop(account);
    return;
  }
  account->dropping.about.account = account;
  engine_send(engine, &account->dropping, COMMAND_DROP_ACCOUNT);
}

void engine_free_event(Event *event) {
  if (event->embedded) /* freed with its work */
    return;
  failure_clear(&event->failure);
  free(event->body);
  free(event->path);
  free(event);
}

Event *engine_next_event(Engine *engine) {
  if (!engine->inbox.first) {
    engine->inbox = mailbox_take(&engine->events);
    if (!engine->inbox.first && engine->left) {
      engine->left = false;
      mailbox_quiet(&engine->events);
    }
  }
  return (Event *)list_shift(&engine->inbox);
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
  poll(&readable, 1, (int)ceil(seconds * 1000));
}

/* Commands nobody will obey any more. */
static void discard_commands(Engine *engine) {
  List commands = mailbox_take(&engine->commands);
  Link *link;
  while ((link = list_shift(&commands))) {
    Command *command = (Command *)link;
    if (command->kind == COMMAND_START) {
      command->about.work->account = NULL; /* not held yet */
      free_work(command->about.work);
    } else if (command->kind == COMMAND_DROP_ACCOUNT) {
      account_drop(command->about.account);
    }
  }
}

static void discard_events(List *events) {
  Link *link;
  while ((link = list_shift(events)))
    engine_free_event((Event *)link);
}

void engine_close(Engine *engine) {
  List arrived;
  if (engine_is_forked(engine))
    return; /* another process's thread and locks: leave them alone */
  atomic_store(&engine->stopping, true);
  if (engine->running) {
    mailbox_signal(&engine->commands);
    pthread_join(engine->thread, NULL);
  }
  arrived = mailbox_take(&engine->events);
  discard_events(&engine->inbox);
  discard_events(&arrived);
  discard_events(&engine->outbox);
  discard_commands(engine);
  while (engine->works) {
    Work *work = engine->works;
    engine->works = work->after;
    free_work(work);
  }
  loop_close(&engine->loop);
  mailbox_close(&engine->events);
  mailbox_close(&engine->commands);
  free(engine);
}
