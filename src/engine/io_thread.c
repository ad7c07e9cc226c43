/* The I/O thread's loop: see io_thread.h. */
#include "io_thread.h"

#include "engine/base/clock.h"
#include "engine/base/platform.h"
#include "engine/http/http.h"
#include "engine/job/job_record.h"
#include "io_gate.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

/* Seconds for which the thread looks for further commands by itself once it got
 * some: a host that submits a thousand jobs would have to wake it for each. */
#define ATTENDANCE 0.001

Loop *engine_loop(Engine *engine) {
  return &engine->loop;
}

Downloads *engine_downloads(Engine *engine) {
  return &engine->downloads;
}

Checks *engine_checks(Engine *engine) {
  return &engine->checks;
}

EventCount *engine_event_count(Engine *engine) {
  return &engine->count;
}

Gate *engine_gate(Engine *engine) {
  return &engine->gate;
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

static void add_work(Engine *engine, Op *op) {
  op->started = true;
  queue_insert(&engine->ops, &op->link, NULL);
  engine->work_count++;
}

void io_thread_free_work(Op *op) {
  Event *last = &op->last;
  op->type->free(op);
  if (op->account)
    account_drop(op->account);
  Event *newest = atomic_load(&op->newest);
  if (newest)
    event_free(&op->engine->count, newest);
  failure_clear(&last->failure);
  free(last->body);
  free(last->path);
  free(op);
}

static void remove_work(Engine *engine, Op *op) {
  queue_remove(&op->link);
  engine->work_count--;
  op->type->stop(op);
  heap_clear(&engine->loop.heap, &op->timer);
  io_thread_free_work(op);
}

static void touch_ledger(Engine *engine, Account *account) {
  if (!account->ledger || account->dirty)
    return;
  account->dirty = true;
  account_hold(account);
  list_append(&engine->dirty, &account->dirty_link);
}

void op_touch_ledger(Op *op) {
  touch_ledger(op->engine, op->account);
}

/* Nobody will write to it any more: the next client may have it. */
static void close_ledger(Account *account) {
  ledger_close(account->ledger);
  account->ledger = NULL;
}

static void start_work(Engine *engine, Op *op) {
  if (op->account) {
    account_hold(op->account);
    op->account->unended++;
  }
  add_work(engine, op);
  if (heap_reserve(&engine->loop.heap, engine->work_count) &&
      io_gate_enter(engine, op->account)) {
    op->type->start(op);
    return;
  }
  failure_set(&op->last.failure, "network", "out_of_memory", "out of memory");
  op->last.end = JOB_END_FAILED;
  op_end(op);
}

static void drop(Engine *engine, Account *account) {
  account->limiter.limit = (AdaptiveLimit){0}; /* no waiting job begins now */
  account->dropped = true;
  io_gate_quit(engine, account);
  touch_ledger(engine, account);
  account_drop(account);
}

static void cancel(Op *op) {
  if (!op->ended)
    op->type->on_cancel(op);
  else if (op->type->on_late_cancel)
    op->type->on_late_cancel(op);
}

static void run_command(Engine *engine, Command *command) {
  switch (command->kind) {
  case COMMAND_START:
    start_work(engine, op_of_command(command));
    break;
  case COMMAND_CANCEL:
    cancel(op_of_command(command));
    break;
  case COMMAND_RELEASE:
    remove_work(engine, op_of_command(command));
    break;
  case COMMAND_DROP_ACCOUNT:
    drop(engine, account_of_command(command));
    break;
  }
}

/* False when there were none. */
static bool obey_all(Engine *engine) {
  List commands = mailbox_take(&engine->commands);
  bool any = commands.first != NULL;
  Link *link;
  while ((link = list_shift(&commands)))
    run_command(engine, (Command *)link);
  return any;
}

static void take_commands(Engine *engine, double now) {
  if (obey_all(engine)) {
    if (isinf(engine->attends_until))
      mailbox_attend(&engine->commands, true);
    engine->attends_until = now + ATTENDANCE;
  } else if (now >= engine->attends_until) {
    engine->attends_until = (double)INFINITY;
    mailbox_attend(&engine->commands, false);
    obey_all(engine); /* of these nobody told */
  }
}

Op *op_of_command(Command *command) {
  size_t place = offsetof(Op, starting);
  if (command->kind == COMMAND_CANCEL)
    place = offsetof(Op, cancelling);
  else if (command->kind == COMMAND_RELEASE)
    place = offsetof(Op, releasing);
  return (Op *)(void *)((char *)command - place);
}

Op *op_of_timer(Timer *timer) {
  return (Op *)(void *)((char *)timer - offsetof(Op, timer));
}

static void fire_timers(Engine *engine, double now) {
  Timer *timer;
  while ((timer = loop_due(&engine->loop, now))) {
    Op *op = op_of_timer(timer);
    if (!op->ended)
      op->type->on_timer(op);
  }
}

static Account *account_of_dirty(Link *link) {
  return (Account *)(void *)((char *)link - offsetof(Account, dirty_link));
}

/* Writes the ledger, and closes it when that was the last.  False while it
 * cannot be written. */
static bool flush_ledger(Engine *engine, Account *account, double now) {
  bool last = atomic_load(&engine->stopping);
  bool written, broken;
  if (!account->ledger) /* its last job ended in the flush that closed it */
    return true;
  written = record_flush(account, now, last);
  broken = ledger_is_broken(account->ledger);
  if (!written && !broken && !last)
    return false;
  if (account->dropped && account->unended == 0)
    close_ledger(account);
  return true;
}

/* What is in the ledgers must be durable before the host hears of it, and
 * before libcurl, in its next turn, sends anything.  One that cannot be written
 * stays in the list: jobs wait for it. */
static void flush_ledgers(Engine *engine, double now) {
  List down = {0};
  Link *link;
  engine->ledgers_at = (double)INFINITY;
  while ((link = list_shift(&engine->dirty))) {
    Account *account = account_of_dirty(link);
    account->dirty = false;
    if (!flush_ledger(engine, account, now)) {
      engine->ledgers_at = fmin(engine->ledgers_at, account->retry_at);
      if (account->dirty) /* in the list once more */
        account_drop(account);
      else
        list_append(&down, link);
      continue;
    }
    account_drop(account);
  }
  while ((link = list_shift(&down))) {
    account_of_dirty(link)->dirty = true;
    list_append(&engine->dirty, link);
  }
}

/* Those who may begin, and whom they make room for when they cannot. */
static void advance_gate(Engine *engine, double now) {
  io_gate_look(engine, now);
  while (gate_advance(&engine->gate, now))
    flush_ledgers(engine, now);
}

/* When to be awake at the latest, whatever happens. */
static double next_look(const Engine *engine) {
  double at = fmin(engine->ledgers_at, io_gate_at(engine));
  return fmin(at, fmin(engine->wake_at, engine->attends_until));
}

/* The host finds the events when it looks; one that sleeps is woken, but not
 * for each event when many come. */
static void flush_events(Engine *engine) {
  double now;
  if (isinf(engine->wake_at))
    return; /* nothing was posted since */
  now = clock_monotonic();
  if (now < engine->wake_at) {
    mailbox_put(&engine->events, &engine->outbox);
    return;
  }
  mailbox_send(&engine->events, &engine->outbox);
  engine->woken_at = now;
  engine->wake_at = (double)INFINITY;
}

/* No waiting job, download or look at a reference begins any more. */
static void begin_nothing(Engine *engine) {
  engine->checks.dispatching = true;
  engine->downloads.dispatching = true;
  for (QueueLink *link = engine->ops.first; link; link = link->next) {
    Op *op = QUEUE_ITEM(link, Op, link);
    if (op->account)
      op->account->limiter.limit = (AdaptiveLimit){0};
  }
}

/* Whether the ledgers must hear of it although the thread ends. */
static bool matters(Command *command) {
  const Op *op;
  switch (command->kind) {
  case COMMAND_START:
    op = op_of_command(command);
    return op->account && op->account->ledger && op->type->records &&
           op->type->records(op);
  case COMMAND_CANCEL:
    return op_of_command(command)->started;
  case COMMAND_RELEASE:
  case COMMAND_DROP_ACCOUNT:
    break;
  }
  return false;
}

/* The host has said this much before its end, and the ledgers are to know it: a
 * job that it submitted has its row, and is sent by the next process.  What is
 * left is the engine's to discard. */
static void run_last_commands(Engine *engine) {
  List commands = mailbox_take(&engine->commands);
  List left = {0};
  Link *link;
  begin_nothing(engine);
  while ((link = list_shift(&commands))) {
    Command *command = (Command *)link;
    if (!matters(command)) {
      list_append(&left, link);
      continue;
    }
    if (command->kind == COMMAND_START)
      op_of_command(command)->account->limiter.limit = (AdaptiveLimit){0};
    run_command(engine, command);
  }
  mailbox_put(&engine->commands, &left);
}

static void stop_all(Engine *engine) {
  for (QueueLink *link = engine->ops.first; link; link = link->next) {
    Op *op = QUEUE_ITEM(link, Op, link);
    op->type->stop(op);
  }
}

void *io_thread_run(void *user) {
  Engine *engine = user;
  CURL *easy;
  CURLcode result;
  double now;
  platform_name_thread("gptimage2");
  engine->wake_at = engine->attends_until = (double)INFINITY;
  engine->ledgers_at = (double)INFINITY;
  while (!atomic_load(&engine->stopping)) {
    loop_wait(&engine->loop, next_look(engine));
    while ((easy = loop_finished(&engine->loop, &result)))
      http_finish(easy, result);
    if (engine->loop.broken)
      http_give_up(&engine->loop);
    http_enforce_limits(&engine->loop);
    now = clock_monotonic();
    take_commands(engine, now);
    fire_timers(engine, now);
    flush_ledgers(engine, now);
    advance_gate(engine, now);
    flush_events(engine);
  }
  run_last_commands(engine);
  stop_all(engine);
  flush_ledgers(engine, clock_monotonic());
  return NULL;
}
