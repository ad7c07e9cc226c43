/* A job from end to end, with a scripted service at the other end. */
#include "service.h"

#include "engine/engine.h"

#define BODY "{\"prompt\":\"a cup\"}"
#define WHOLE_BODY "\r\n\r\n" BODY
#define KEY "key-of-the-job"
#define SECRET "sk-secret"

static Engine *engine;
static Account *account;

static AccountSettings settings_for(const char *url) {
  return (AccountSettings){
      .base_url = url,
      .api_key = SECRET,
      .user_agent = "agent/1",
      .connect_timeout = 30,
      .request_timeout = 60,
      .flow = {.max_attempts = 1, .poll = {0.01, 0.01, 0.01}},
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

static JobSpec new_job(FlowMode mode) {
  bool creates = mode == FLOW_GENERATE || mode == FLOW_CREATE_ONLY;
  return (JobSpec){.mode = mode,
                   .body = creates ? BODY : NULL,
                   .body_length = creates ? sizeof BODY - 1 : 0,
                   .key = creates ? KEY : NULL,
                   .service_id = creates ? NULL : "known-1",
                   .timeout = 600};
}

static Work *submit(FlowMode mode) {
  JobSpec spec = new_job(mode);
  Work *work = engine_job(engine, account, &spec, 0);
  assert_non_null(work);
  return work;
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

/* The next event is a reply with this body; judges it. */
static bool judge(const char *body, FlowVerdict verdict, const char *id) {
  Event *event = next_event(EVENT_REPLY);
  Work *work = event->work;
  assert_string_equal(event->body, body);
  engine_free_event(engine, event);
  return engine_judge(engine, work, verdict, id, &(JobNote){0});
}

static void assert_ended(FlowEnd end, const char *kind, const char *code) {
  Event *event = next_event(EVENT_ENDED);
  assert_int_equal(event->end, end);
  assert_non_null(event->failure.kind);
  assert_string_equal(event->failure.kind, kind);
  assert_string_equal(event->failure.code, code);
  engine_release(engine, event->work);
}

static bool starts(const char *text, const char *beginning) {
  return strncmp(text, beginning, strlen(beginning)) == 0;
}

static void a_job_is_created_polled_and_judged(void **state) {
  static const Line script[] = {{200, "{1}", NULL, true},
                                {202, "{2}", NULL, true},
                                {202, "{2}", NULL, true},
                                {202, "{3}", NULL, true},
                                {200, "{4}", NULL, true}};
  Service service;
  Event *event;
  (void)state;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  submit(FLOW_GENERATE);
  pass(EVENT_CREATING);
  assert_false(judge("{1}", FLOW_VERDICT_AGAIN, "id-1"));
  event = next_event(EVENT_STATUS); /* the same body twice is told once */
  if (event->polls < 3) {           /* only the newest waits to be taken */
    assert_string_equal(event->body, "{2}");
    engine_free_event(engine, event);
    event = next_event(EVENT_STATUS);
  }
  assert_string_equal(event->body, "{3}");
  assert_int_equal(event->attempts, 1);
  assert_int_equal(event->polls, 3);
  assert_int_equal(event->status, 202);
  assert_true(event->sent);
  engine_free_event(engine, event);
  assert_true(judge("{4}", FLOW_VERDICT_FINAL, NULL));
  close_engine();
  service_stop(&service);
  assert_int_equal(service.asked, 5);
  assert_true(starts(service.requests[0], "POST /api/generate HTTP/1.1\r\n"));
  assert_true(starts(service.requests[4], "GET /api/generate/id-1 HTTP"));
}

/* Nobody has to judge an answer that says no more than that the job waits. */
static void a_job_that_waits_is_polled_without_a_verdict(void **state) {
  static const char waits[] = "{\"jobId\":\"id-1\",\"status\":\"pending\"}";
  static const Line script[] = {{202, waits, NULL, true},
                                {202, waits, NULL, true},
                                {200, "{2}", NULL, true}};
  Service service;
  Event *event;
  (void)state;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  submit(FLOW_GENERATE);
  pass(EVENT_CREATING);
  event = next_event(EVENT_CREATED);
  assert_string_equal(event->body, waits);
  assert_string_equal(event->id, "id-1");
  assert_int_equal(event->status, 202);
  assert_true(event->sent);
  engine_free_event(engine, event);
  event = next_event(EVENT_REPLY); /* the same body again is no news */
  assert_string_equal(event->body, "{2}");
  assert_string_equal(event->id, "id-1");
  assert_false(event->created);
  assert_true(engine_judge(engine, event->work, FLOW_VERDICT_FINAL, NULL,
                           &(JobNote){0}));
  engine_free_event(engine, event);
  close_engine();
  service_stop(&service);
  assert_int_equal(service.asked, 3);
  assert_true(starts(service.requests[1], "GET /api/generate/id-1 HTTP"));
  assert_true(starts(service.requests[2], "GET /api/generate/id-1 HTTP"));
}

/* Each job whose poll is answered with 200 waits for the slowest verdict, so
 * that all of them look as if they were about to end. */
static void polls_that_only_look_final_do_not_let_all_jobs_begin(void **state) {
  static const Line running = {200, "{}", NULL, false};
  Line script[SERVICE_REQUESTS];
  Work *asking[SERVICE_REQUESTS];
  AccountSettings settings;
  Service service;
  unsigned begun = 0, waiting = 0;
  (void)state;
  for (unsigned i = 0; i < SERVICE_REQUESTS; i++)
    script[i] = running;
  service_start(&service, script, SERVICE_REQUESTS);
  settings = settings_for(service.url);
  settings.max_active = 1;
  open_with(&settings);
  for (int i = 0; i < 8; i++)
    submit(FLOW_GENERATE);
  for (unsigned polled = 0; polled < 9;) {
    Event *event = engine_next_event(engine);
    if (!event) {
      engine_wait(engine, 1);
      continue;
    }
    if (event->kind == EVENT_CREATING) {
      begun++;
    } else if (event->created) {
      engine_judge(engine, event->work, FLOW_VERDICT_AGAIN, "id-1",
                   &(JobNote){0});
    } else {
      assert_int_equal(event->kind, EVENT_REPLY);
      asking[waiting++] = event->work;
      polled++;
    }
    engine_free_event(engine, event);
    if (waiting < begun)
      continue;
    while (waiting > 0)
      engine_judge(engine, asking[--waiting], FLOW_VERDICT_AGAIN, NULL,
                   &(JobNote){0});
  }
  assert_int_equal(begun, 2); /* the first was believed once */
  close_engine();
  service_stop(&service);
}

/* Answers wait for the host, and no more jobs are begun meanwhile than may be
 * at the service at once. */
static void
a_host_that_does_not_listen_does_not_let_all_jobs_begin(void **state) {
  static const char waits[] = "{\"jobId\":\"id-1\"}";
  static const Line script[] = {{202, waits, NULL, false},
                                {200, "{1}", NULL, false},
                                {202, waits, NULL, false},
                                {200, "{2}", NULL, false},
                                {202, waits, NULL, false}};
  AccountSettings settings;
  Service service;
  Work *first;
  (void)state;
  service_start(&service, script, COUNT(script));
  settings = settings_for(service.url);
  settings.max_active = 1;
  open_with(&settings);
  first = submit(FLOW_GENERATE);
  submit(FLOW_GENERATE);
  submit(FLOW_GENERATE);
  for (int i = 0; i < 2; i++) {
    pass(EVENT_CREATING);
    pass(EVENT_CREATED);
    pass(EVENT_REPLY);
  }
  assert_null(
      engine_next_event(engine)); /* it would have come with the reply */
  assert_true(
      engine_judge(engine, first, FLOW_VERDICT_FINAL, NULL, &(JobNote){0}));
  pass(EVENT_CREATING);
  pass(EVENT_CREATED);
  close_engine();
  service_stop(&service);
}

static void a_reply_that_the_host_could_not_read_is_lost(void **state) {
  static const Line script[] = {{200, "{1}", NULL, true}};
  Service service;
  (void)state;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  submit(FLOW_GENERATE);
  pass(EVENT_CREATING);
  assert_false(judge("{1}", FLOW_VERDICT_AGAIN, NULL)); /* no id to poll */
  assert_ended(FLOW_END_LOST, "lost", "reply_not_read");
  close_engine();
  service_stop(&service);
  assert_int_equal(service.asked, 1);
}

static void requests_carry_what_they_must_and_nothing_more(void **state) {
  static const Line script[] = {{200, "{1}", NULL, true},
                                {200, "{2}", NULL, true}};
  static const char *const both[] = {"\r\nAuthorization: Bearer " SECRET "\r\n",
                                     "\r\nUser-Agent: agent/1\r\n"};
  static const char *const post[] = {"\r\nIdempotency-Key: " KEY "\r\n",
                                     "\r\nContent-Type: application/json\r\n",
                                     WHOLE_BODY};
  Service service;
  (void)state;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  submit(FLOW_GENERATE);
  pass(EVENT_CREATING);
  judge("{1}", FLOW_VERDICT_AGAIN, "id-1");
  judge("{2}", FLOW_VERDICT_FINAL, NULL);
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
  static const Line script[] = {{200, "{1}", NULL, true}, {0, "", NULL, false}};
  Service service;
  Event *event;
  (void)state;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  submit(FLOW_CREATE_ONLY);
  pass(EVENT_CREATING);
  assert_true(judge("{1}", FLOW_VERDICT_FINAL, NULL));
  submit(FLOW_CREATE_ONLY);
  pass(EVENT_CREATING);
  event = next_event(EVENT_ENDED);
  assert_int_equal(event->end, FLOW_END_LOST);
  assert_string_equal(event->failure.kind, "lost");
  assert_true(event->sent);
  assert_int_equal(event->attempts, 1);
  close_engine();
  service_stop(&service);
  assert_int_equal(service.asked, 2);
}

static void a_lost_create_is_not_repeated(void **state) {
  static const Line script[] = {{0, "", NULL, false}, {200, "{}", NULL, false}};
  Service service;
  AccountSettings settings;
  (void)state;
  service_start(&service, script, COUNT(script));
  settings = settings_for(service.url);
  settings.flow.max_attempts = 4;
  open_with(&settings);
  submit(FLOW_GENERATE);
  pass(EVENT_CREATING);
  assert_ended(FLOW_END_LOST, "lost", "connection_lost");
  close_engine();
  service_stop(&service);
  assert_int_equal(service.asked, 1);
}

static void a_refused_create_keeps_status_body_and_wish(void **state) {
  static const Line script[] = {
      {429, "{\"error\":\"slow\"}", "Retry-After: 7\r\n", false}};
  Service service;
  Event *event;
  (void)state;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  submit(FLOW_GENERATE);
  pass(EVENT_CREATING);
  event = next_event(EVENT_ENDED);
  assert_int_equal(event->end, FLOW_END_REFUSED);
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
  Service service;
  Event *event;
  (void)state;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  submit(FLOW_CREATE_ONLY);
  pass(EVENT_CREATING);
  event = next_event(EVENT_ENDED);
  assert_int_equal(event->status, 307);
  submit(FLOW_POLL_ONCE);
  event = next_event(EVENT_ENDED);
  assert_int_equal(event->status, 302);
  close_engine();
  service_stop(&service);
  assert_int_equal(service.asked, 2);
}

static void a_known_job_is_polled_through_trouble(void **state) {
  static const Line script[] = {{0, "", NULL, false},
                                {200, "{1}", NULL, false}};
  Service service;
  Event *event;
  JobSpec spec = new_job(FLOW_RESUME);
  (void)state;
  spec.narrate = true;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  engine_job(engine, account, &spec, 0);
  pass(EVENT_QUEUED);
  event = next_event(EVENT_RETRY);
  assert_string_equal(event->failure.kind, "network");
  assert_true(event->delay > 0 && event->delay <= 1);
  assert_int_equal(event->polls, 1);
  engine_free_event(engine, event);
  assert_true(judge("{1}", FLOW_VERDICT_FINAL, NULL));
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
  submit(FLOW_GENERATE);
  pass(EVENT_CREATING);
  event = next_event(EVENT_ENDED);
  assert_int_equal(event->end, FLOW_END_FAILED);
  assert_string_equal(event->failure.kind, "network");
  assert_string_equal(event->failure.code, "connect_failed");
  assert_false(event->sent);
  close_engine();
  close(fd);
}

/* A cancel before the verdict: the last event comes, whatever the verdict. */
static void a_cancel_meets_a_verdict(void **state) {
  static const Line script[] = {{200, "{1}", NULL, true},
                                {200, "{2}", NULL, true}};
  Service service;
  (void)state;
  service_start(&service, script, COUNT(script));
  open_engine(service.url);
  for (unsigned i = 0; i < COUNT(script); i++) {
    Work *work = submit(FLOW_GENERATE);
    Event *event;
    pass(EVENT_CREATING);
    event = next_event(EVENT_REPLY);
    engine_free_event(engine, event);
    engine_cancel(engine, work);
    assert_false(engine_judge(engine, work,
                              i ? FLOW_VERDICT_FINAL : FLOW_VERDICT_AGAIN,
                              "id-1", &(JobNote){0}));
    assert_ended(FLOW_END_CANCELLED, "cancelled", "cancelled");
  }
  close_engine();
  service_stop(&service);
  assert_int_equal(service.asked, 2);
}

/* A service that accepts connections and never says a word. */
typedef struct Silence {
  Service service;
  Work *first;
  Work *second;
} Silence;

static void enter_silence(Silence *silence, double second_timeout) {
  AccountSettings settings;
  JobSpec spec = new_job(FLOW_GENERATE);
  service_listen(&silence->service);
  settings = settings_for(silence->service.url);
  settings.max_active = 1;
  settings.request_timeout = 600;
  open_with(&settings);
  silence->first = submit(FLOW_GENERATE);
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
  assert_ptr_equal(event->work, silence.second);
  assert_int_equal(event->end, FLOW_END_CANCELLED);
  assert_int_equal(event->attempts, 0);
  leave_silence(&silence);
}

static void a_waiting_job_ends_at_its_deadline_without_a_request(void **state) {
  Silence silence;
  Event *event;
  (void)state;
  enter_silence(&silence, 0.05);
  event = next_event(EVENT_ENDED);
  assert_ptr_equal(event->work, silence.second);
  assert_int_equal(event->end, FLOW_END_TIMEOUT);
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
  assert_ptr_equal(event->work, silence.second);
  submit(FLOW_CREATE_ONLY);
  close(fd);
  event = next_event(EVENT_ENDED);
  assert_ptr_equal(event->work, silence.first);
  assert_int_equal(event->end, FLOW_END_LOST);
  assert_true(event->sent);
  pass(EVENT_CREATING);
  leave_silence(&silence); /* with the last one on its way */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_job_is_created_polled_and_judged),
      cmocka_unit_test(a_job_that_waits_is_polled_without_a_verdict),
      cmocka_unit_test(polls_that_only_look_final_do_not_let_all_jobs_begin),
      cmocka_unit_test(a_host_that_does_not_listen_does_not_let_all_jobs_begin),
      cmocka_unit_test(a_reply_that_the_host_could_not_read_is_lost),
      cmocka_unit_test(requests_carry_what_they_must_and_nothing_more),
      cmocka_unit_test(a_create_whose_connection_dies_is_sent_once),
      cmocka_unit_test(a_lost_create_is_not_repeated),
      cmocka_unit_test(a_refused_create_keeps_status_body_and_wish),
      cmocka_unit_test(redirects_are_not_followed),
      cmocka_unit_test(a_known_job_is_polled_through_trouble),
      cmocka_unit_test(a_create_that_finds_nobody_was_not_sent),
      cmocka_unit_test(a_cancel_meets_a_verdict),
      cmocka_unit_test(a_waiting_job_ends_by_cancel_without_a_request),
      cmocka_unit_test(a_waiting_job_ends_at_its_deadline_without_a_request),
      cmocka_unit_test(a_cancelled_create_is_awaited),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
