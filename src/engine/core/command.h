/*
 * What the host's thread tells the I/O thread.
 *
 * Commands travel inside the thing they are about, so that steering an op never
 * needs memory.
 */
#ifndef GPTIMAGE2_ENGINE_COMMAND_H
#define GPTIMAGE2_ENGINE_COMMAND_H

#include "engine/loop/mailbox.h"

typedef enum CommandKind {
  COMMAND_START,
  COMMAND_CANCEL,
  COMMAND_RELEASE,
  COMMAND_DROP_ACCOUNT
} CommandKind;

/* It lies inside what it is about, which its kind tells: see op_of_command and
 * account_of_command. */
typedef struct Command {
  Link link; /* first: a Link * in a mailbox is a Command * */
  CommandKind kind;
} Command;

#endif
