/*
 * The rules by which the sandbox misbehaves. Each rule is one block with its
 * texts behind it, counted by reference; runs under the server's lock.
 */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

static size_t text_size(const char *text) {
  return text ? strlen(text) + 1 : 0;
}

static size_t texts_size(const Fault *rule) {
  size_t size = text_size(rule->location) + text_size(rule->error) +
                text_size(rule->line);
  size += rule->body ? rule->body_size + 1 : 0;
  for (size_t i = 0; i < rule->header_count; i++) {
    size += text_size(rule->headers[i].name);
    size += text_size(rule->headers[i].value);
  }
  return size;
}

static void move_text(const char **text, size_t size, char **to) {
  if (*text) {
    memcpy(*to, *text, size);
    *text = *to;
    *to += size;
  }
}

bool fault_add(FaultList *list, const Fault *rule) {
  Fault *fault = calloc(1, sizeof *fault + texts_size(rule));
  if (!fault)
    return false;
  *fault = *rule;
  fault->next = NULL;
  fault->references = 1;
  char *to = (char *)(fault + 1);
  move_text(&fault->location, text_size(fault->location), &to);
  move_text(&fault->error, text_size(fault->error), &to);
  move_text(&fault->line, text_size(fault->line), &to);
  for (size_t i = 0; i < fault->header_count; i++) {
    FaultHeader *header = &fault->headers[i];
    move_text(&header->name, text_size(header->name), &to);
    move_text(&header->value, text_size(header->value), &to);
  }
  if (fault->body) { /* may hold NULs; calloc ended it with one */
    memcpy(to, fault->body, fault->body_size);
    fault->body = to;
  }
  if (!list->last)
    list->first = fault;
  else
    list->last->next = fault;
  list->last = fault;
  return true;
}

static bool matches(const Fault *fault, FaultOn on, bool repeated) {
  if (fault->action == FAULT_CONFLICT && !repeated)
    return false;
  return fault->on == on || (fault->on == ON_ANY && on != ON_JOB);
}

static void unlink_fault(FaultList *list, Fault *fault, Fault *before) {
  if (!before)
    list->first = fault->next;
  else
    before->next = fault->next;
  if (list->last == fault)
    list->last = before;
}

Fault *fault_take(FaultList *list, FaultOn on, bool repeated) {
  Fault *before = NULL;
  for (Fault *fault = list->first; fault; fault = fault->next) {
    bool hit = matches(fault, on, repeated);
    if (hit && fault->after > 0) {
      fault->after--;
    } else if (hit) {
      if (fault->times != FAULT_ALWAYS && --fault->times == 0)
        unlink_fault(list, fault, before); /* the list's hold goes over */
      else
        fault->references++;
      return fault;
    }
    before = fault;
  }
  return NULL;
}

void fault_release(Fault *fault) {
  if (fault && --fault->references == 0)
    free(fault);
}

void fault_clear(FaultList *list) {
  for (Fault *fault = list->first; fault;) {
    Fault *next = fault->next;
    fault_release(fault);
    fault = next;
  }
  *list = (FaultList){0};
}
