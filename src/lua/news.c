/* News of waiting jobs: see news.h. */
#include "news.h"

/* Numbers wrap: what counts is which one is ahead. */
static bool is_later(unsigned number, unsigned other) {
  return (int)(number - other) > 0;
}

/* Takes over the balance of the reply whose number is given. */
static void take_balance(lua_State *L, int at, const Decoded *reply,
                         unsigned number) {
  LuaJob *job = lua_touserdata(L, at);
  Client *client = job_client(L, at);
  if (!reply->has_balance)
    return;
  job->balance = reply->balance;
  job->has_balance = true;
  if (!is_later(number, client->known))
    return;
  client->balance = job->balance;
  client->has_balance = true;
  client->known = number;
}

void news_take_balance(lua_State *L, int at, const Decoded *reply) {
  LuaJob *job = lua_touserdata(L, at);
  take_balance(L, at, reply, ++job_client(L, at)->replies);
  job->unread = false;
}

bool news_take_status(LuaJob *job, DecodedStatus status) {
  JobStatus now = status == DECODED_RUNNING ? JOB_RUNNING : JOB_PENDING;
  bool news = job->status != now;
  job->status = now;
  return news;
}

static bool holds(const char *bytes, size_t length, const char *piece) {
  return memmem(bytes, length, piece, strlen(piece)) != NULL;
}

/* A look at the bytes: inside a JSON string the quotes would be escaped.  What
 * is written otherwise (with blanks, say) is only read sooner. */
bool news_covers(const char *bytes, size_t length) {
  return holds(bytes, length, "\"balance\":{") &&
         (holds(bytes, length, "\"status\":\"running\"") ||
          holds(bytes, length, "\"status\":\"pending\""));
}

void news_keep(lua_State *L, int at) {
  LuaJob *job = lua_touserdata(L, at);
  job->reply = ++job_client(L, at)->replies;
  job->unread = true;
}

/* The job may have been cancelled since the reply came. */
static bool read_reply(lua_State *L, int at, const Decoded *reply) {
  LuaJob *job = lua_touserdata(L, at);
  take_balance(L, at, reply, job->reply);
  return (reply->status == DECODED_PENDING ||
          reply->status == DECODED_RUNNING) &&
         !job_is_done(job) && news_take_status(job, reply->status);
}

bool news_read(lua_State *L, int at) {
  LuaJob *job = lua_touserdata(L, at);
  Decoded reply;
  const char *bytes;
  size_t length;
  bool news;
  if (!job->unread)
    return false;
  at = compat_absindex(L, at);
  job_get(L, at, JOB_RAW);
  bytes = lua_tolstring(L, -1, &length);
  news = decode_reply(&reply, bytes, length) && read_reply(L, at, &reply);
  lua_pop(L, 1);
  job->unread = false; /* last: what raised is read once more */
  return news;
}

/* Of the object on top, where it is a job of the client. */
static void read_newer(lua_State *L, const Client *client) {
  const LuaJob *job = job_test(L, -1);
  if (job && job->unread && is_later(job->reply, client->known) &&
      job_client(L, -1) == client)
    news_read(L, -1);
}

/* What is unread belongs to jobs at the service, which are few (max_active),
 * and anchored. */
void news_read_all(lua_State *L, int index) {
  Client *client = lua_touserdata(L, index);
  if (client->known == client->replies)
    return;
  anchor_push_all(L);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
    read_newer(L, client);
  lua_pop(L, 1);
  client->known = client->replies;
}

bool news_overtaken(const Decoded *reply) {
  return (reply->status == DECODED_SUCCEEDED ||
          reply->status == DECODED_FAILED) &&
         reply->has_balance;
}
