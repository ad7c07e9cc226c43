/*
 * gptimage2.Transfer: a download, a written file, or a sleep.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_TRANSFER_H
#define GPTIMAGE2_LUA_TRANSFER_H

#include "lua/core.h"

#include <stdbool.h>

#define TRANSFER_TYPE "gptimage2.Transfer"

typedef struct Transfer {
  Op *op;
  Handle handle;
  bool awaited;
  bool quiet; /* a sleep: not counted as pending */
  bool done;
} Transfer;

void transfer_open(lua_State *L);
Transfer *transfer_test(lua_State *L, int index);
/* Handles the last event of the transfer on top of the stack. */
void transfer_handle(lua_State *L, Core *core, Transfer *transfer,
                     Event *event);
/* Ends the transfer on top without memory. */
void transfer_abandon(lua_State *L, Core *core, Transfer *transfer);
int transfer_download(lua_State *L);
int transfer_write(lua_State *L);
int transfer_sleep(lua_State *L);
void transfer_cancel(lua_State *L, Transfer *transfer);
/* Pushes the client of the transfer at `index`, or nil. */
void transfer_push_client(lua_State *L, int index);

/* core.note(client, key, {state=, charged=, job_id=, n=, path=}) */
int transfer_note(lua_State *L);
/* core.change_tenant(client, name, {budget=, weight=}) */
int transfer_tenant(lua_State *L);

#endif
