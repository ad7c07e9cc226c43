/*
 * floor: the bench's plain-C floor: the same jobs as exchange.lua, straight on
 * libcurl's multi interface.  No Lua, no JSON library, no second thread.
 *
 *   floor poll|socket <url> <key> <jobs> <at once> <poll pause in ms>
 *
 * `poll` drives libcurl with curl_multi_poll and curl_multi_perform, `socket`
 * with an epoll set and curl_multi_socket_action.  Prints the CPU seconds, the
 * wall seconds and the number of exchanges.  Easy handles, connections and
 * header lists are used again and again.
 */
#include <curl/curl.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#define SLOTS_MAX 1024
#define REPLY_MAX 4096
#define TEXT_MAX 512
#define BATCH 64

static const char request[] =
    "{\"prompt\":\"A clean studio product photo of a ceramic espresso cup\","
    "\"mode\":\"text-to-image\",\"ratio\":\"1:1\",\"count\":1}";

/* One of the jobs at once: its easy handle serves job after job. */
typedef struct Slot {
  CURL *easy;
  struct curl_slist *post_headers; /* the last one is the idempotency key */
  struct Slot *next;               /* in the queue of resting slots */
  double due;                      /* of the next poll, monotonic seconds */
  bool creating;
  size_t length;
  char url[TEXT_MAX];
  char key[TEXT_MAX];
  char reply[REPLY_MAX];
} Slot;

static Slot slots[SLOTS_MAX];
static Slot *resting;
static CURLM *multi;
static struct curl_slist *get_headers;
static char create_url[TEXT_MAX / 2];
static unsigned long jobs_left, exchanges, active;
static double pause_seconds;
static double curl_at = (double)INFINITY; /* socket mode */
static int epoll_set = -1;                /* socket mode */

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void give_up(const char *why) {
  fprintf(stderr, "floor: %s\n", why);
  exit(1);
}

static size_t on_body(char *bytes, size_t one, size_t length, void *user) {
  Slot *slot = user;
  (void)one; /* always 1 */
  if (slot->length + length >= REPLY_MAX)
    return 0;
  memcpy(slot->reply + slot->length, bytes, length);
  slot->length += length;
  slot->reply[slot->length] = '\0';
  return length;
}

/* ---- jobs ---- */

static void send_slot(Slot *slot) {
  slot->length = 0;
  curl_multi_add_handle(multi, slot->easy);
}

/* The next job, if there is one. */
static void create(Slot *slot) {
  if (jobs_left == 0) {
    active--;
    return;
  }
  snprintf(slot->key, sizeof slot->key, "Idempotency-Key: %032lx", jobs_left--);
  slot->creating = true;
  curl_easy_setopt(slot->easy, CURLOPT_URL, create_url);
  curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, slot->post_headers);
  curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE, (long)sizeof request - 1);
  curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, request);
  send_slot(slot);
}

static void read_id(Slot *slot) {
  const char *id = strstr(slot->reply, "\"jobId\":");
  const char *end = NULL;
  id = id ? strchr(id + 8, '"') : NULL;
  end = id ? strchr(id + 1, '"') : NULL;
  if (!end)
    give_up("a reply without a job id");
  snprintf(slot->url, sizeof slot->url, "%s/%.*s", create_url,
           (int)(end - id - 1), id + 1);
  curl_easy_setopt(slot->easy, CURLOPT_URL, slot->url);
  curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, get_headers);
  curl_easy_setopt(slot->easy, CURLOPT_HTTPGET, 1L);
}

/* The module's own polls are spread by 15 % too: in step with each other they
 * would be cheaper to serve than any real ones. */
static double spread(void) {
  return 0.85 + 0.3 * (double)random() / (double)RAND_MAX;
}

/* Joins the resting slots, which are in the order of `due`. */
static void rest(Slot *slot) {
  Slot **place = &resting;
  slot->due = now() + pause_seconds * spread();
  while (*place && (*place)->due <= slot->due)
    place = &(*place)->next;
  slot->next = *place;
  *place = slot;
}

static void on_done(const CURLMsg *message) {
  CURL *easy = message->easy_handle;
  CURLcode code = message->data.result;
  char *private = NULL;
  long status = 0;
  Slot *slot;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  slot = (Slot *)(void *)private;
  curl_multi_remove_handle(multi, easy);
  if (code != CURLE_OK)
    give_up(curl_easy_strerror(code));
  exchanges++;
  if (slot->creating && status == 202) {
    slot->creating = false;
    read_id(slot);
    send_slot(slot);
  } else if (!slot->creating && status == 202) {
    rest(slot);
  } else if (!slot->creating && status == 200 &&
             strstr(slot->reply, "\"imageUrl\"")) {
    create(slot);
  } else {
    give_up("an unexpected status");
  }
}

static void read_messages(void) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(multi, &left)))
    if (message->msg == CURLMSG_DONE)
      on_done(message);
}

static void poll_due(void) {
  double time = resting ? now() : 0;
  while (resting && resting->due <= time) {
    Slot *slot = resting;
    resting = slot->next;
    send_slot(slot);
  }
}

/* Milliseconds until the first resting slot is due, or until `at`. */
static int time_left(double at) {
  if (resting && resting->due < at)
    at = resting->due;
  at = ceil((at - now()) * 1000);
  if (at <= 0)
    return 0;
  return at < 1000 ? (int)at : 1000;
}

/* ---- the two ways to drive libcurl ---- */

static void run_poll(void) {
  int running;
  while (active > 0) {
    curl_multi_perform(multi, &running);
    read_messages();
    poll_due();
    if (active > 0)
      curl_multi_poll(multi, NULL, 0, time_left((double)INFINITY), NULL);
  }
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user,
                     void *known) {
  struct epoll_event event = {.data.fd = fd};
  (void)easy, (void)user;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(epoll_set, EPOLL_CTL_DEL, fd, &event);
    return 0;
  }
  event.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0u) |
                 (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0u);
  epoll_ctl(epoll_set, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  if (!known)
    curl_multi_assign(multi, fd, multi);
  return 0;
}

static int on_timer(CURLM *handle, long milliseconds, void *user) {
  (void)handle, (void)user;
  curl_at =
      milliseconds < 0 ? (double)INFINITY : now() + (double)milliseconds / 1000;
  return 0;
}

static int to_curl_events(uint32_t events) {
  return (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
         (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
         (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
}

static void run_socket(void) {
  struct epoll_event events[BATCH];
  int running;
  while (active > 0) {
    int count = epoll_wait(epoll_set, events, BATCH, time_left(curl_at));
    for (int i = 0; i < count; i++)
      curl_multi_socket_action(multi, events[i].data.fd,
                               to_curl_events(events[i].events), &running);
    if (now() >= curl_at) {
      curl_at = (double)INFINITY;
      curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    read_messages();
    poll_due();
  }
}

/* ---- setting up ---- */

static struct curl_slist *append(struct curl_slist *list, const char *line) {
  list = curl_slist_append(list, line);
  if (!list)
    give_up("out of memory");
  return list;
}

static void open_slot(Slot *slot, const char *authorization) {
  struct curl_slist *last;
  slot->easy = curl_easy_init();
  if (!slot->easy)
    give_up("out of memory");
  slot->post_headers = append(NULL, authorization);
  append(slot->post_headers, "Content-Type: application/json");
  append(slot->post_headers, "-");
  for (last = slot->post_headers; last->next;)
    last = last->next;
  free(last->data);
  last->data = slot->key;
  curl_easy_setopt(slot->easy, CURLOPT_PRIVATE, slot);
  curl_easy_setopt(slot->easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(slot->easy, CURLOPT_PROXY, "");
  curl_easy_setopt(slot->easy, CURLOPT_TIMEOUT_MS, 60000L);
  curl_easy_setopt(slot->easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(slot->easy, CURLOPT_WRITEDATA, slot);
}

static void open_multi(bool socket_mode) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  multi = curl_multi_init();
  if (!multi)
    give_up("out of memory");
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 128L);
  if (!socket_mode)
    return;
  epoll_set = epoll_create1(EPOLL_CLOEXEC);
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
}

static void run(bool socket_mode) {
  if (socket_mode)
    run_socket();
  else
    run_poll();
}

int main(int argc, char **argv) {
  bool socket_mode = argc > 1 && strcmp(argv[1], "socket") == 0;
  char authorization[TEXT_MAX];
  double cpu_began, began;
  if (argc != 7)
    give_up("poll|socket <url> <key> <jobs> <at once> <pause in ms>");
  jobs_left = strtoul(argv[4], NULL, 10);
  active = strtoul(argv[5], NULL, 10);
  pause_seconds = strtod(argv[6], NULL) / 1000;
  if (active < 1 || active > SLOTS_MAX || jobs_left < active)
    give_up("from 1 to 1024 at once, and no more than there are jobs");
  snprintf(create_url, sizeof create_url, "%s/api/generate", argv[2]);
  snprintf(authorization, sizeof authorization, "Authorization: Bearer %s",
           argv[3]);
  open_multi(socket_mode);
  get_headers = append(NULL, authorization);
  for (unsigned long i = 0; i < active; i++)
    open_slot(&slots[i], authorization);
  cpu_began = cpu();
  began = now();
  for (unsigned long i = 0, count = active; i < count; i++)
    create(&slots[i]);
  run(socket_mode);
  printf("cpu %.6f\nwall %.6f\nexchanges %lu\n", cpu() - cpu_began,
         now() - began, exchanges);
  return 0;
}
