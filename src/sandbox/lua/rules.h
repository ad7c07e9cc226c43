/*
 * Faults as Lua tables: reads the argument of sandbox:fault, and lists what
 * there is for sandbox.faults. Runs on the thread of the Lua state.
 */
#ifndef GPTIMAGE2_SANDBOX_RULES_H
#define GPTIMAGE2_SANDBOX_RULES_H

#include <lua.h>
#include <stdbool.h>

#include "sandbox/faults/fault.h"

/*
 * Reads the table at stack index 2, and raises on whatever is wrong in it.
 * `tls`: the rule is for a sandbox that speaks TLS. Texts stay the table's.
 */
void rules_read(lua_State *L, bool tls, Fault *rule);

/*
 * Pushes a list of { action=, phases={...}, options={...}, required={...},
 * work=boolean, tls=boolean, about= }, one for each action: the phases it can
 * happen in, its own options, those of them that it needs, whether a create
 * does its work by default, whether it goes with TLS, and a line for people.
 */
void rules_push_kinds(lua_State *L);

#endif
