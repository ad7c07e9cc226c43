/* One connection of the HTTP/2 server: see server.c.  Any of its threads. */
#include "session.h"

#include <ctype.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* Before and behind a job's id. */
#define ANSWER "{\"jobId\":\"%s\",\"status\":"
#define MADE ANSWER "\"pending\"}"
#define DONE                                                                   \
  ANSWER "\"succeeded\",\"results\":[{\"imageUrl\":"                           \
         "\"https://127.0.0.1/a.png\",\"seed\":1}]}"

typedef struct Stream {
  int32_t id;
  bool create;
  char key[256];
  char job[300]; /* its id */
  double due;    /* seconds; when the answer goes out, 0 = not yet */
  char text[512];
  const char *left; /* of the text */
  struct Stream *next;
} Stream;

typedef struct Session {
  int fd;
  gnutls_session_t tls;
  nghttp2_session *h2;
  const Script *script;
  Stream *streams;
} Session;

static gnutls_certificate_credentials_t credentials;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void session_set_up(const Certificate *certificate) {
  gnutls_datum_t chain = {(unsigned char *)certificate->chain,
                          (unsigned)strlen(certificate->chain)};
  gnutls_datum_t key = {(unsigned char *)certificate->key,
                        (unsigned)strlen(certificate->key)};
  if (gnutls_certificate_allocate_credentials(&credentials) < 0 ||
      gnutls_certificate_set_x509_key_mem(credentials, &chain, &key,
                                          GNUTLS_X509_FMT_PEM) < 0)
    abort();
}

static bool wait_for(int fd, short events, int milliseconds) {
  struct pollfd watched = {.fd = fd, .events = events};
  return poll(&watched, 1, milliseconds) > 0;
}

static bool again(ssize_t result) {
  return result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED;
}

static bool send_all(const Session *session, const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    ssize_t sent = gnutls_record_send(session->tls, at, length);
    if (again(sent))
      wait_for(session->fd, POLLOUT, -1);
    else if (sent < 0)
      return false;
    else
      at += sent, length -= (size_t)sent;
  }
  return true;
}

/* A job is known by its key, as by a service that honours keys; by so much of
 * it as stands in a path as it is. */
static void set_id_of_key(char *id, size_t size, const char *key) {
  snprintf(id, size, "job-%s", key);
  for (char *c = id; *c; c++)
    if (!isalnum((unsigned char)*c) && *c != '.')
      *c = '-';
}

/* ... and asked for by the last part of a path. */
static void set_id_of_path(char *id, size_t size, const char *path,
                           size_t length) {
  size_t at = length;
  while (at > 0 && path[at - 1] != '/')
    at--;
  snprintf(id, size, "%.*s", (int)(length - at), path + at);
}

static void set_text(Stream *stream, bool create) {
  snprintf(stream->text, sizeof stream->text, create ? MADE : DONE,
           stream->job);
  stream->left = stream->text;
}

/* ---- HTTP/2 ---- */

static ssize_t on_send(nghttp2_session *h2, const uint8_t *bytes, size_t length,
                       int flags, void *user) {
  (void)h2, (void)flags;
  return send_all(user, bytes, length) ? (ssize_t)length
                                       : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_begin_headers(nghttp2_session *h2, const nghttp2_frame *frame,
                            void *user) {
  Session *session = user;
  Stream *stream = calloc(1, sizeof *stream);
  if (!stream)
    abort();
  stream->id = frame->hd.stream_id;
  stream->next = session->streams;
  session->streams = stream;
  return nghttp2_session_set_stream_user_data(h2, stream->id, stream);
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame,
                     const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t length, uint8_t flags,
                     void *user) {
  Stream *stream =
      nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
  (void)flags, (void)user;
  if (name_length == 7 && memcmp(name, ":method", 7) == 0)
    stream->create = length == 4;
  else if (name_length == 15 && memcmp(name, "idempotency-key", 15) == 0)
    snprintf(stream->key, sizeof stream->key, "%.*s", (int)length,
             (const char *)value);
  else if (name_length == 5 && memcmp(name, ":path", 5) == 0)
    set_id_of_path(stream->job, sizeof stream->job, (const char *)value,
                   length);
  return 0;
}

static void reset(Session *session, const Stream *stream, uint32_t error) {
  nghttp2_submit_rst_stream(session->h2, NGHTTP2_FLAG_NONE, stream->id, error);
}

static void take(Session *session, Stream *stream) {
  const Script *script = session->script;
  unsigned n = next_create();
  if (n == script->refuse) {
    reset(session, stream, NGHTTP2_REFUSED_STREAM);
  } else if (n == script->goaway) {
    book("goaway", "");
    nghttp2_submit_goaway(session->h2, NGHTTP2_FLAG_NONE,
                          stream->id > 2 ? stream->id - 2 : 0, NGHTTP2_NO_ERROR,
                          NULL, 0);
  } else if (script->wants_http1) {
    book("http1-wanted", "");
    reset(session, stream, NGHTTP2_HTTP_1_1_REQUIRED);
  } else {
    book("taken", stream->key);
    if (n == script->reset) {
      book("reset", "");
      reset(session, stream, NGHTTP2_INTERNAL_ERROR);
    } else {
      stream->due = now() + script->delay / 1e3;
      set_id_of_key(stream->job, sizeof stream->job, stream->key);
      set_text(stream, true);
    }
  }
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame,
                    void *user) {
  Stream *stream;
  if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) ||
      !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
    return 0;
  stream = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
  if (!stream)
    return 0;
  if (stream->create) {
    take(user, stream);
  } else {
    book("poll", "");
    stream->due = now();
    set_text(stream, false);
  }
  return 0;
}

static int on_frame_sent(nghttp2_session *h2, const nghttp2_frame *frame,
                         void *user) {
  (void)h2, (void)user;
  if (frame->hd.type == NGHTTP2_RST_STREAM &&
      frame->rst_stream.error_code == NGHTTP2_REFUSED_STREAM)
    book("refused", "");
  return 0;
}

static int on_close(nghttp2_session *h2, int32_t id, uint32_t error,
                    void *user) {
  Session *session = user;
  Stream **at = &session->streams;
  (void)h2, (void)error;
  while (*at && (*at)->id != id)
    at = &(*at)->next;
  if (*at) {
    Stream *gone = *at;
    *at = gone->next;
    free(gone);
  }
  return 0;
}

static ssize_t read_answer(nghttp2_session *h2, int32_t id, uint8_t *bytes,
                           size_t size, uint32_t *flags,
                           nghttp2_data_source *source, void *user) {
  Stream *stream = source->ptr;
  size_t length = strlen(stream->left);
  (void)h2, (void)id, (void)user;
  if (length > size)
    length = size;
  memcpy(bytes, stream->left, length);
  stream->left += length;
  if (!*stream->left)
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)length;
}

static void answer(const Session *session, Stream *stream) {
  static uint8_t name[] = ":status", made[] = "202", done[] = "200";
  nghttp2_nv status = {name, stream->create ? made : done, 7, 3, 0};
  nghttp2_data_provider provider = {.source.ptr = stream,
                                    .read_callback = read_answer};
  stream->due = 0;
  nghttp2_submit_response(session->h2, stream->id, &status, 1, &provider);
}

static void send_settings(const Session *session) {
  nghttp2_settings_entry limit = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                  session->script->limit};
  nghttp2_submit_settings(session->h2, NGHTTP2_FLAG_NONE, &limit,
                          session->script->limit ? 1 : 0);
}

/* Does what is due.  Milliseconds until something else is, -1 = never. */
static int work(const Session *session) {
  double time = now(), next = 1e18;
  for (Stream *stream = session->streams; stream; stream = stream->next)
    if (stream->due > 0 && stream->due <= time)
      answer(session, stream);
    else if (stream->due > 0 && stream->due < next)
      next = stream->due;
  return next > 1e17 ? -1 : (int)((next - time) * 1000) + 1;
}

static void open_h2(Session *session) {
  nghttp2_session_callbacks *callbacks;
  if (nghttp2_session_callbacks_new(&callbacks) != 0)
    abort();
  nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks,
                                                          on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks,
                                                       on_frame_sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  if (nghttp2_session_server_new(&session->h2, callbacks, session) != 0)
    abort();
  nghttp2_session_callbacks_del(callbacks);
  /* Before its settings it may not answer anything: it does not read, either.
   */
  poll(NULL, 0, (int)session->script->late);
  send_settings(session);
}

static void serve_h2(Session *session) {
  unsigned char bytes[16384];
  open_h2(session);
  for (;;) {
    int pause = work(session);
    ssize_t got;
    if (nghttp2_session_send(session->h2) != 0)
      break;
    if (gnutls_record_check_pending(session->tls) == 0)
      wait_for(session->fd, POLLIN, pause);
    got = gnutls_record_recv(session->tls, bytes, sizeof bytes);
    if (!again(got) && (got <= 0 || nghttp2_session_mem_recv(session->h2, bytes,
                                                             (size_t)got) < 0))
      break;
  }
  nghttp2_session_del(session->h2);
  while (session->streams)
    on_close(NULL, session->streams->id, 0, session);
}

/* ---- HTTP/1.1 ---- */

/* True when all of a request is in `text`. */
static bool is_whole(const char *text) {
  const char *end = strstr(text, "\r\n\r\n");
  const char *length = strcasestr(text, "\r\ncontent-length:");
  return end && (!length || length > end ||
                 strlen(end + 4) >= strtoul(length + 17, NULL, 10));
}

static bool answer_h1(const Session *session, const char *text) {
  const char *key = strcasestr(text, "\r\nidempotency-key: ");
  const char *path = strchr(text, ' ');
  Stream stream = {.create = strncmp(text, "POST", 4) == 0};
  char head[256];
  if (key)
    snprintf(stream.key, sizeof stream.key, "%.*s",
             (int)strcspn(key + 19, "\r"), key + 19);
  if (stream.create)
    set_id_of_key(stream.job, sizeof stream.job, stream.key);
  else if (path)
    set_id_of_path(stream.job, sizeof stream.job, path + 1,
                   strcspn(path + 1, " \r"));
  set_text(&stream, stream.create);
  book(stream.create ? "taken" : "poll", stream.key);
  snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n",
           stream.create ? 202 : 200, strlen(stream.text));
  return send_all(session, head, strlen(head)) &&
         send_all(session, stream.text, strlen(stream.text));
}

static void serve_h1(const Session *session) {
  char text[65536];
  size_t length = 0;
  for (;;) {
    ssize_t got;
    if (gnutls_record_check_pending(session->tls) == 0)
      wait_for(session->fd, POLLIN, -1);
    got = gnutls_record_recv(session->tls, text + length,
                             sizeof text - 1 - length);
    if (again(got))
      continue;
    if (got <= 0)
      return;
    length += (size_t)got;
    text[length] = '\0';
    if (!is_whole(text))
      continue;
    length = 0;
    if (!answer_h1(session, text))
      return;
  }
}

/* ---- the connection ---- */

static bool shake_hands(const Session *session) {
  static unsigned char h2[] = "h2", h1[] = "http/1.1";
  gnutls_datum_t offers[] = {{h1, 8}, {h2, 2}};
  int result;
  gnutls_alpn_set_protocols(session->tls, offers,
                            session->script->only_http1 ? 1 : 2, 0);
  gnutls_credentials_set(session->tls, GNUTLS_CRD_CERTIFICATE, credentials);
  gnutls_transport_set_int(session->tls, session->fd);
  while ((result = gnutls_handshake(session->tls)) < 0) {
    if (gnutls_error_is_fatal(result))
      return false;
    wait_for(session->fd, POLLIN, -1);
  }
  return true;
}

void session_serve(int fd, const Script *script) {
  Session session = {.fd = fd, .script = script};
  gnutls_datum_t chosen = {NULL, 0};
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  if (gnutls_init(&session.tls, GNUTLS_SERVER | GNUTLS_NONBLOCK) < 0)
    return;
  if (gnutls_priority_set_direct(session.tls, script->priority, NULL) == 0 &&
      shake_hands(&session)) {
    gnutls_alpn_get_selected_protocol(session.tls, &chosen);
    if (chosen.size == 2)
      serve_h2(&session);
    else
      serve_h1(&session);
  }
  gnutls_deinit(session.tls);
}
