/* The gate in front of libcurl: see gate.h. */
#include "gate.h"

#include "engine/base/shortage.h"

#include <math.h>
#include <stdlib.h>

/* ---- places ---- */

/* What of so many places a part may have that must not have all of them. */
static unsigned three_quarters(unsigned places) {
  return places > 1 ? places * 3 / 4 : 1;
}

unsigned gate_places(const Gate *gate) {
  return gate->limit.max;
}

/* How many connections those inside need. */
static unsigned places_of(const GateOrigin *origin, unsigned creates,
                          unsigned polls) {
  unsigned each = origin->version == GATE_HTTP2 ? origin->streams.current : 1;
  return creates + (polls + each - 1) / each;
}

/* Of a client that asks for `places`: 0 = for none. */
static unsigned *clients_with(Gate *gate, unsigned places) {
  return &gate->clients[places < CONNECTIONS_MAX ? places : CONNECTIONS_MAX];
}

static void recount(Gate *gate, GateOrigin *origin) {
  unsigned places =
      places_of(origin, origin->inside[GATE_CREATE], origin->inside[GATE_POLL]);
  gate->used = gate->used - origin->places + places;
  origin->places = places;
}

/* As many as the one that asks for most; fewer where this machine is short. */
static void set_places(Gate *gate) {
  unsigned most = CONNECTIONS_MAX;
  while (most > 0 && gate->clients[most] == 0)
    most--;
  if (most == 0)
    most = CONNECTIONS_DEFAULT;
  if (gate->limit.current == gate->limit.max || gate->limit.current > most)
    gate->limit.current = most;
  gate->limit.max = most;
}

void gate_init(Gate *gate, void (*begin)(GateLink *link, double now)) {
  *gate = (Gate){.begin = begin};
  adaptive_limit_init(&gate->limit, CONNECTIONS_DEFAULT);
}

/* ---- origins ---- */

static GateOrigin *find_origin(const Gate *gate, uint64_t name) {
  GateOrigin *origin = gate->origins;
  while (origin && origin->name != name)
    origin = origin->next;
  return origin;
}

static GateOrigin *new_origin(Gate *gate, uint64_t name, bool secure) {
  GateOrigin *origin = calloc(1, sizeof *origin);
  if (!origin)
    return NULL;
  origin->name = name;
  origin->version = secure ? GATE_VERSION_UNKNOWN : GATE_HTTP1;
  adaptive_limit_init(&origin->streams, GATE_STREAMS_MAX);
  origin->next = gate->origins;
  gate->origins = origin;
  return origin;
}

GateOrigin *gate_enter(Gate *gate, uint64_t name, bool secure,
                       unsigned places) {
  GateOrigin *origin = find_origin(gate, name);
  if (!origin)
    origin = new_origin(gate, name, secure);
  if (!origin)
    return NULL;
  origin->clients++;
  ++*clients_with(gate, places);
  set_places(gate);
  return origin;
}

void gate_quit(Gate *gate, GateOrigin *origin, unsigned places) {
  GateOrigin **at = &gate->origins;
  --*clients_with(gate, places);
  set_places(gate);
  if (--origin->clients > 0)
    return;
  while (*at != origin)
    at = &(*at)->next;
  *at = origin->next;
  free(origin);
}

void gate_free(Gate *gate) {
  while (gate->origins) {
    GateOrigin *origin = gate->origins;
    gate->origins = origin->next;
    free(origin);
  }
}

/* ---- queues ---- */

static GateLink *waiter(QueueLink *link) {
  return QUEUE_ITEM(link, GateLink, link);
}

/* Behind all that wait for as long: as a rule at the end.  One that had a place
 * already, and got nothing from it, comes back to the front. */
static QueueLink *find_ahead(const Queue *queue, double due) {
  QueueLink *ahead = queue->last;
  if (queue->first && due < waiter(queue->first)->due)
    return NULL;
  while (ahead && waiter(ahead)->due > due)
    ahead = ahead->previous;
  return ahead;
}

void gate_join(GateLink *link, GateOrigin *origin, GateKind kind, double due) {
  Queue *queue = &origin->waiting[kind];
  *link = (GateLink){.origin = origin, .due = due, .kind = kind};
  queue_insert(queue, &link->link, find_ahead(queue, due));
}

void gate_leave(Gate *gate, GateLink *link) {
  GateOrigin *origin = link->origin;
  if (!origin)
    return;
  if (link->inside) {
    origin->inside[link->kind]--;
    recount(gate, origin);
  }
  queue_remove(&link->link);
  *link = (GateLink){0};
}

static void let_in(Gate *gate, GateLink *link) {
  GateOrigin *origin = link->origin;
  unsigned before = origin->places;
  queue_remove(&link->link);
  link->inside = true;
  origin->inside[link->kind]++;
  recount(gate, origin);
  link->fresh = origin->places > before;
}

/* ---- who goes next ---- */

static unsigned creates_inside(const Gate *gate) {
  unsigned count = 0;
  for (const GateOrigin *origin = gate->origins; origin; origin = origin->next)
    count += origin->inside[GATE_CREATE];
  return count;
}

/* Others need not even wait yet: what says nothing keeps its places for long.
 */
static unsigned share_of(const Gate *gate) {
  unsigned limit = gate->limit.current;
  if (!gate->origins->next) /* there is one alone */
    return limit;
  return three_quarters(limit);
}

/* Creates of a service that says nothing keep their places for long: polls, of
 * jobs that are paid, need some, and so do creates of other origins. */
static bool may_create(const Gate *gate, const GateOrigin *origin) {
  unsigned each = three_quarters(share_of(gate));
  unsigned all = three_quarters(gate->limit.current);
  if (gate->origins->next && origin->inside[GATE_CREATE] == 0)
    return true; /* one of each gets through, whatever others hold */
  if (origin->version != GATE_HTTP1 && each > GATE_CREATES_HTTP2)
    each = GATE_CREATES_HTTP2;
  return origin->inside[GATE_CREATE] < each && creates_inside(gate) < all;
}

static bool has_room(const Gate *gate, const GateOrigin *origin,
                     GateKind kind) {
  unsigned creates = origin->inside[GATE_CREATE] + (kind == GATE_CREATE);
  unsigned polls = origin->inside[GATE_POLL] + (kind == GATE_POLL);
  unsigned places = places_of(origin, creates, polls);
  if (kind == GATE_CREATE && !may_create(gate, origin))
    return false;
  if (places == origin->places) /* on a connection that is there */
    return true;
  return gate->used < gate->limit.current && places <= share_of(gate);
}

/* Who waits longest of those for whom there is room. */
static GateLink *first_of(const Gate *gate, GateKind kind) {
  GateLink *first = NULL;
  for (const GateOrigin *origin = gate->origins; origin;
       origin = origin->next) {
    QueueLink *front = origin->waiting[kind].first;
    GateLink *link = front ? waiter(front) : NULL;
    if (link && (!first || link->due < first->due) &&
        has_room(gate, origin, kind))
      first = link;
  }
  return first;
}

/* Creates go first: but where there is one place, polls would never have it. */
GateLink *gate_next(const Gate *gate, double now) {
  GateLink *create, *poll;
  if (now < gate->closed_until)
    return NULL;
  create = first_of(gate, GATE_CREATE);
  poll = first_of(gate, GATE_POLL);
  if (create && gate->spares_host && create->due + GATE_PATIENCE > now)
    create = NULL;
  if (create && poll && gate->limit.current == 1 &&
      poll->due + GATE_OVERDUE <= now)
    return poll;
  return create ? create : poll;
}

bool gate_advance(Gate *gate, double now) {
  bool any = false;
  GateLink *link;
  if (now >= gate->closed_until)
    gate->closed_until = 0;
  while ((link = gate_next(gate, now))) {
    let_in(gate, link);
    gate->begin(link, now);
    any = true;
  }
  return any;
}

/* Of those whom the places make wait, others that leave remind. */
double gate_at(const Gate *gate) {
  if (gate->closed_until > 0)
    for (const GateOrigin *origin = gate->origins; origin;
         origin = origin->next)
      if (origin->waiting[GATE_CREATE].first ||
          origin->waiting[GATE_POLL].first)
        return gate->closed_until;
  return (double)INFINITY;
}

/* ---- what came of an exchange ---- */

void gate_note_answer(Gate *gate, const GateLink *link, bool http2,
                      double now) {
  GateOrigin *origin = link->origin;
  GateVersion version = http2 ? GATE_HTTP2 : GATE_HTTP1;
  gate->shortages = 0;
  adaptive_limit_on_success(&gate->limit, now);
  if (link->kind == GATE_POLL)
    adaptive_limit_on_success(&origin->streams, now);
  if (version == origin->version)
    return;
  origin->version = version;
  recount(gate, origin);
}

/* Two exchanges on two connections say nothing of a third. */
void gate_note_refused(Gate *gate, const GateLink *link, double now) {
  GateOrigin *origin = link->origin;
  if (origin->version != GATE_HTTP2)
    return;
  adaptive_limit_on_429(&origin->streams, now, 0);
  recount(gate, origin);
}

const char *gate_lacking(const Gate *gate) {
  return gate->shortages > 0 ? gate->lacking : NULL;
}

void gate_note_shortage(Gate *gate, const char *lacking, double now,
                        double random) {
  gate->lacking = lacking;
  adaptive_limit_on_429(&gate->limit, now, 0);
  gate->closed_until = now + shortage_pause(++gate->shortages, random);
}
