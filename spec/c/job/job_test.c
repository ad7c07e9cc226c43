/* A job from end to end, with a scripted service at the other end. */
#include "service.h"

#include "engine/engine.h"

#define WAITS(id) "{\"jobId\":\"" id "\",\"status\":\"pending\"}"
#define RUNS(id) "{\"jobId\":\"" id "\",\"status\":\"running\"}"
#define DONE(id)                                                               \
  "{\"jobId\":\"" id "\",\"status\":\"succeeded\",\"results\":[{"              \
  "\"imageUrl\":\"https://example.com/a.png\"}]}"
#define BODY "{\"prompt\":\"a cup\"}"
#define WHOLE_BODY "\r\n\r\n" BODY
#define KEY "key-of-the-job"
#define SECRET "sk-secret"

static Engine *engine;
static Account *account;

static AccountSettings settings_for(const char *url) {
  return (AccountSettings){
      .service.base_url = url,
      .service.api_key = SECRET,
      .service.user_agent = "agent/1",
      .service.connect_timeout = 30,
      .request_timeout = 60,
      .state = {.max_attempts = 1, .poll = {0.01, 0.01, 0.01, 1, NULL}},
      .max_active = 4};
}

static void open_with(const AccountSettings *settings) {
  engine = engine_open();
  account = account_new(settings, NULL);
  assert_non_null(engine);
  assert_non_null(account);
}

static void open_engine(const char *url) {
  AccountSettings settings = settings_for(url);
  open_with(&settings);
}

static void close_engine(void) {
  engine_drop_account(engine, account);
  engine_close(engine);
}

static JobSpec new_job(JobMode mode) {
  bool creates = mode == JOB_MODE_GENERATE || mode == JOB_MODE_CREATE_ONLY;
  return (JobSpec){.mode = mode,
                   .body = creates ? BODY : NULL,
                   .body_length = creates ? sizeof BODY - 1 : 0,
                   .idempotency_key = creates ? KEY : NULL,
                   .service_id = creates ? NULL : "known-1",
                   .timeout = 600};
}

static Op *submit(JobMode mode) {
  JobSpec spec = new_job(mode);
  Op *op = engine_job(engine, account, &spec, 0);
  assert_non_null(op);
  return op;
}

/* Waits as long as it takes: ctest ends a test that hangs. */
static Event *next_event(EventKind kind) {
  Event *event;
  while (!(event = engine_next_event(engine)))
    engine_wait(engine, 1);
  check(event->kind == kind, "event %d, not %d; end %d, %s", event->kind, kind,
        event->end, event->failure.detail ? event->failure.detail : "");
  return event;
}

static void pass(EventKind kind) {
  engine_free_event(engine, next_event(kind));
}

/* The next event is the last, an answer with this body. */
static void assert_answered(JobEnd end, const char *body) {
  Event *event = next_event(EVENT_ENDED);
  assert_int_equal(event->end, end);
  assert_string_equal(event->body, body);
  engine_release(engine, event->op);
}

static void assert_ended(JobEnd end, const char *kind, const char *code) {
  Event *event = next_event(EVENT_ENDED);
  assert_int_equal(event->end, end);
  assert_non_null(event->failure.kind);
  assert_string_equal(event->failure.kind, kind);
  assert_string_equal(event->failure.code, code);
  engine_release(engine, event->op);
}

static bool starts(const char *text, const char *beginning) {
  return strncmp(text, beginning, strlen(beginning)) == 0;
}

static void a_job_is_created_polled_and_ended(void **state) {
  static const Line script[] = {
      {200, WAITS("id-1"), NULL, true},    {202, WAITS("id-1"), NULL, true},
      {202, RUNS("id-1"), NULL, true},     {202, RUNS("id-1"), NULL, true},
      {200, RUNS("id-1") " ", NULL, true}, {200, DONE("id-1"), NULL, true}};
  FakeService service;
  Event *event;
  (void)state;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  submit(JOB_MODE_GENERATE);
  pass(EVENT_CREATING);
  event = next_event(EVENT_CREATED);
  assert_string_equal(event->body, WAITS("id-1"));
  assert_string_equal(event->id, "id-1");
  assert_string_equal(event->charged, "yes");
  assert_true(event->created && event->sent && !event->running);
  engine_free_event(engine, event);
  event = next_event(EVENT_STATUS); /* the same body twice is told once */
  if (event->polls < 4) {           /* only the newest waits to be taken */
    assert_string_equal(event->body, RUNS("id-1"));
    engine_free_event(engine, event);
    event = next_event(EVENT_STATUS);
  }
  assert_string_equal(event->body, RUNS("id-1") " ");
  assert_int_equal(event->attempts, 1);
  assert_int_equal(event->polls, 4);
  assert_int_equal(event->status, 200);
  assert_true(event->sent && event->running && !event->created);
  engine_free_event(engine, event);
  assert_answered(JOB_END_SUCCEEDED, DONE("id-1"));
  close_engine();
  service_stop(&service);
  assert_int_equal(service.asked, 6);
  assert_true(starts(service.requests[0], "POST /api/generate HTTP/1.1\r\n"));
  assert_true(starts(service.requests[5], "GET /api/generate/id-1 HTTP"));
}

/* What the last event says of an answer: rows of one exchange each. */
static void an_answer_ends_a_job(void **state) {
  static const struct {
    JobMode mode;
    int status;
    const char *body;
    JobEnd end;
    const char *charged, *code, *detail;
  } rows[] = {
      {JOB_MODE_GENERATE, 200, DONE("a"), JOB_END_SUCCEEDED, "yes", NULL, NULL},
      {JOB_MODE_CREATE_ONLY, 202, WAITS("a"), JOB_END_ACCEPTED, "yes", NULL,
       NULL},
      {JOB_MODE_GENERATE, 200,
       "{\"jobId\":\"a\",\"status\":\"failed\",\"error\":\"too\\nbad\"}",
       JOB_END_FAILURE, "refund_expected", "generation_failed", "too\\x0Abad"},
      {JOB_MODE_GENERATE, 200, "{\"jobId\":\"a\",\"status\":\"expired\"}",
       JOB_END_FAILURE, "unknown", "generation_failed", "expired"},
      {JOB_MODE_GENERATE, 200, "{\"jobId\":\"a\",\"status\":\"failed\"}",
       JOB_END_FAILURE, "refund_expected", "generation_failed", NULL},
      {JOB_MODE_GENERATE, 200, "{\"status\":\"pending\"}", JOB_END_UNUSABLE,
       NULL, "job_id_missing", "the service accepted"},
      {JOB_MODE_GENERATE, 200, "<html>", JOB_END_UNUSABLE, NULL,
       "unreadable_reply", "the service's answer to the create"},
      {JOB_MODE_POLL_ONCE, 200, DONE("known-1"), JOB_END_SUCCEEDED, "yes", NULL,
       NULL},
      {JOB_MODE_POLL_ONCE, 202, RUNS("known-1"), JOB_END_ACCEPTED, NULL, NULL,
       NULL},
      {JOB_MODE_POLL_ONCE, 200, DONE("another"), JOB_END_UNUSABLE, NULL,
       "unreadable_reply", "the service's answer to the poll"}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Line script[] = {{rows[i].status, rows[i].body, NULL, false}};
    FakeService service;
    Event *event;
    service_start(&service, script, 1);
    open_engine(service.url);
    submit(rows[i].mode);
    if (rows[i].mode != JOB_MODE_POLL_ONCE)
      pass(EVENT_CREATING);
    event = next_event(EVENT_ENDED);
    check(event->end == rows[i].end, "row %zu: end %d", i, event->end);
    assert_string_equal(event->body, rows[i].body);
    check(!event->charged == !rows[i].charged, "row %zu: charged", i);
    if (rows[i].charged)
      assert_string_equal(event->charged, rows[i].charged);
    check(!event->failure.code == !rows[i].code, "row %zu: code", i);
    if (rows[i].code)
      assert_string_equal(event->failure.code, rows[i].code);
    check(!event->failure.detail == !rows[i].detail, "row %zu: detail", i);
    if (rows[i].detail)
      assert_true(starts(event->failure.detail, rows[i].detail));
    close_engine();
    service_stop(&service);
    assert_int_equal(service.asked, 1);
  }
}

/* Nothing waits for the host: its jobs go on, one after the other. */
static void a_host_that_does_not_listen_holds_up_no_job(void **state) {
  static const Line script[] = {
      {202, WAITS("id-1"), NULL, false}, {200, DONE("id-1"), NULL, false},
      {202, WAITS("id-2"), NULL, false}, {200, DONE("id-2"), NULL, false},
      {202, WAITS("id-3"), NULL, false}, {200, DONE("id-3"), NULL, false}};
  AccountSettings settings;
  FakeService service;
  (void)state;
  service_start(&service, script, COUNT(script));
  settings = settings_for(service.url);
  settings.max_active = 1;
  open_with(&settings);
  for (int i = 0; i < 3; i++)
    submit(JOB_MODE_GENERATE);
  service_await(&service);
  assert_int_equal(service.asked, COUNT(script));
  for (int i = 0; i < 3; i++) {
    Event *event;
    pass(EVENT_CREATING);
    pass(EVENT_CREATED);
    event = next_event(EVENT_ENDED);
    assert_int_equal(event->end, JOB_END_SUCCEEDED);
    assert_int_equal(event->polls, 1);
    engine_release(engine, event->op);
  }
  close_engine();
  service_stop(&service);
}

static void requests_carry_what_they_must_and_nothing_more(void **state) {
  static const Line script[] = {{200, WAITS("id-1"), NULL, true},
                                {200, DONE("id-1"), NULL, true}};
  static const char *const both[] = {"\r\nAuthorization: Bearer " SECRET "\r\n",
                                     "\r\nUser-Agent: agent/1\r\n"};
  static const char *const post[] = {"\r\nIdempotency-Key: " KEY "\r\n",
                                     "\r\nContent-Type: application/json\r\n",
                                     WHOLE_BODY};
  FakeService service;
  (void)state;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  submit(JOB_MODE_GENERATE);
  pass(EVENT_CREATING);
  pass(EVENT_CREATED);
  assert_answered(JOB_END_SUCCEEDED, DONE("id-1"));
  close_engine();
  service_stop(&service);
  for (size_t i = 0; i < COUNT(both); i++) {
    check(strstr(service.requests[0], both[i]) != NULL, "POST: %s", both[i]);
    check(strstr(service.requests[1], both[i]) != NULL, "GET: %s", both[i]);
  }
  for (size_t i = 0; i < COUNT(post); i++) {
    check(strstr(service.requests[0], post[i]) != NULL, "POST: %s", post[i]);
    check(strstr(service.requests[1], post[i]) == NULL, "GET: %s", post[i]);
  }
  assert_null(strcasestr(service.requests[0], "\r\nAccept")); /* -Encoding: */
  assert_null(strcasestr(service.requests[0], "\r\nExpect:"));
}

/* The second create goes out on the kept connection, which then dies: libcurl
 * would like to send it again. */
static void a_create_whose_connection_dies_is_sent_once(void **state) {
  static const Line script[] = {{202, WAITS("id-1"), NULL, true},
                                {0, "", NULL, false}};
  FakeService service;
  Event *event;
  (void)state;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  submit(JOB_MODE_CREATE_ONLY);
  pass(EVENT_CREATING);
  assert_answered(JOB_END_ACCEPTED, WAITS("id-1"));
  submit(JOB_MODE_CREATE_ONLY);
  pass(EVENT_CREATING);
  event = next_event(EVENT_ENDED);
  assert_int_equal(event->end, JOB_END_LOST);
  assert_string_equal(event->failure.kind, "lost");
  assert_true(event->sent);
  assert_int_equal(event->attempts, 1);
  close_engine();
  service_stop(&service);
  assert_int_equal(service.asked, 2);
}

static void a_lost_create_is_not_repeated(void **state) {
  static const Line script[] = {{0, "", NULL, false}, {200, "{}", NULL, false}};
  FakeService service;
  AccountSettings settings;
  (void)state;
  service_start(&service, script, COUNT(script));
  settings = settings_for(service.url);
  settings.state.max_attempts = 4;
  open_with(&settings);
  submit(JOB_MODE_GENERATE);
  pass(EVENT_CREATING);
  assert_ended(JOB_END_LOST, "lost", "connection_lost");
  close_engine();
  service_stop(&service);
  assert_int_equal(service.asked, 1);
}

static void a_refused_create_keeps_status_body_and_wish(void **state) {
  static const Line script[] = {
      {429, "{\"error\":\"slow\"}", "Retry-After: 7\r\n", false}};
  FakeService service;
  Event *event;
  (void)state;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  submit(JOB_MODE_GENERATE);
  pass(EVENT_CREATING);
  event = next_event(EVENT_ENDED);
  assert_int_equal(event->end, JOB_END_REFUSED);
  assert_int_equal(event->status, 429);
  assert_string_equal(event->body, "{\"error\":\"slow\"}");
  assert_true(event->delay == 7);
  close_engine();
  service_stop(&service);
  assert_int_equal(service.asked, 1);
}

static void redirects_are_not_followed(void **state) {
  static const Line script[] = {{307, "{}", "Location: /elsewhere\r\n", false},
                                {302, "{}", "Location: /elsewhere\r\n", false}};
  FakeService service;
  Event *event;
  (void)state;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  submit(JOB_MODE_CREATE_ONLY);
  pass(EVENT_CREATING);
  event = next_event(EVENT_ENDED);
  assert_int_equal(event->status, 307);
  submit(JOB_MODE_POLL_ONCE);
  event = next_event(EVENT_ENDED);
  assert_int_equal(event->status, 302);
  close_engine();
  service_stop(&service);
  assert_int_equal(service.asked, 2);
}

static void a_known_job_is_polled_through_trouble(void **state) {
  static const Line script[] = {{0, "", NULL, false},
                                {200, DONE("known-1"), NULL, false}};
  FakeService service;
  Event *event;
  JobSpec spec = new_job(JOB_MODE_RESUME);
  (void)state;
  spec.has_listener = true;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  engine_job(engine, account, &spec, 0);
  pass(EVENT_QUEUED);
  event = next_event(EVENT_RETRY);
  assert_string_equal(event->failure.kind, "network");
  assert_true(event->delay > 0 && event->delay <= 1);
  assert_int_equal(event->polls, 1);
  engine_free_event(engine, event);
  assert_answered(JOB_END_SUCCEEDED, DONE("known-1"));
  close_engine();
  service_stop(&service);
  assert_true(starts(service.requests[1], "GET /api/generate/known-1 HTTP"));
}

/* Nobody listens on the port of a socket that is only bound. */
static void a_create_that_finds_nobody_was_not_sent(void **state) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  char url[64];
  Event *event;
  (void)state;
  assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
  getsockname(fd, (struct sockaddr *)&address, &size);
  snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(address.sin_port));
  open_engine(url);
  submit(JOB_MODE_GENERATE);
  pass(EVENT_CREATING);
  event = next_event(EVENT_ENDED);
  assert_int_equal(event->end, JOB_END_FAILED);
  assert_string_equal(event->failure.kind, "network");
  assert_string_equal(event->failure.code, "connect_failed");
  assert_false(event->sent);
  close_engine();
  close(fd);
}

/* The end that was on its way when the host cancelled is the only one. */
static void a_cancel_meets_the_end(void **state) {
  static const Line script[] = {{200, DONE("id-1"), NULL, true}};
  FakeService service;
  Op *op;
  Event *event;
  (void)state;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  op = submit(JOB_MODE_GENERATE);
  pass(EVENT_CREATING);
  event = next_event(EVENT_ENDED);
  engine_cancel(engine, op);
  assert_int_equal(event->end, JOB_END_SUCCEEDED);
  engine_release(engine, op);
  submit(JOB_MODE_GENERATE); /* the next one has its turn: nobody answers it */
  pass(EVENT_CREATING);
  close_engine();
  service_stop(&service);
}

/* A service that accepts connections and never says a word. */
typedef struct Silence {
  FakeService service;
  Op *first;
  Op *second;
} Silence;

static void enter_silence(Silence *silence, double second_timeout) {
  AccountSettings settings;
  JobSpec spec = new_job(JOB_MODE_GENERATE);
  service_listen(&silence->service);
  settings = settings_for(silence->service.url);
  settings.max_active = 1;
  settings.request_timeout = 600;
  open_with(&settings);
  silence->first = submit(JOB_MODE_GENERATE);
  pass(EVENT_CREATING);
  spec.timeout = second_timeout;
  silence->second = engine_job(engine, account, &spec, 0);
}

static void leave_silence(Silence *silence) {
  close_engine();
  close(silence->service.listener);
}

static void a_waiting_job_ends_by_cancel_without_a_request(void **state) {
  Silence silence;
  Event *event;
  (void)state;
  enter_silence(&silence, 600);
  engine_cancel(engine, silence.second);
  event = next_event(EVENT_ENDED);
  assert_ptr_equal(event->op, silence.second);
  assert_int_equal(event->end, JOB_END_CANCELLED);
  assert_int_equal(event->attempts, 0);
  leave_silence(&silence);
}

static void a_waiting_job_ends_at_its_deadline_without_a_request(void **state) {
  Silence silence;
  Event *event;
  (void)state;
  enter_silence(&silence, 0.05);
  event = next_event(EVENT_ENDED);
  assert_ptr_equal(event->op, silence.second);
  assert_int_equal(event->end, JOB_END_TIMEOUT);
  assert_string_equal(event->failure.code, "deadline_passed");
  assert_int_equal(event->attempts, 0);
  leave_silence(&silence);
}

/* The cancelled create is not torn: its end tells that it was sent.  Then the
 * next one has its turn. */
static void a_cancelled_create_is_awaited(void **state) {
  Silence silence;
  Event *event;
  char request[4096];
  int fd;
  (void)state;
  enter_silence(&silence, 600);
  fd = accept(silence.service.listener, NULL, NULL);
  assert_true(service_read(fd, request, sizeof request));
  engine_cancel(engine, silence.first);
  engine_cancel(engine, silence.second); /* seen after the first cancel */
  event = next_event(EVENT_ENDED);
  assert_ptr_equal(event->op, silence.second);
  submit(JOB_MODE_CREATE_ONLY);
  close(fd);
  event = next_event(EVENT_ENDED);
  assert_ptr_equal(event->op, silence.first);
  assert_int_equal(event->end, JOB_END_LOST);
  assert_true(event->sent);
  pass(EVENT_CREATING);
  leave_silence(&silence); /* with the last one on its way */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_job_is_created_polled_and_ended),
      cmocka_unit_test(an_answer_ends_a_job),
      cmocka_unit_test(a_host_that_does_not_listen_holds_up_no_job),
      cmocka_unit_test(requests_carry_what_they_must_and_nothing_more),
      cmocka_unit_test(a_create_whose_connection_dies_is_sent_once),
      cmocka_unit_test(a_lost_create_is_not_repeated),
      cmocka_unit_test(a_refused_create_keeps_status_body_and_wish),
      cmocka_unit_test(redirects_are_not_followed),
      cmocka_unit_test(a_known_job_is_polled_through_trouble),
      cmocka_unit_test(a_create_that_finds_nobody_was_not_sent),
      cmocka_unit_test(a_cancel_meets_the_end),
      cmocka_unit_test(a_waiting_job_ends_by_cancel_without_a_request),
      cmocka_unit_test(a_waiting_job_ends_at_its_deadline_without_a_request),
      cmocka_unit_test(a_cancelled_create_is_awaited),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
