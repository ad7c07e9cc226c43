/*
 * Lists of jobs that wait for the same thing: each job is in one of them at a
 * time for each of its links.  Private to the engine; I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_JOB_LIST_H
#define GPTIMAGE2_ENGINE_JOB_LIST_H

#include <stddef.h>

typedef struct JobLink {
  struct JobLink *before;
  struct JobLink *after;
  struct JobList *list; /* NULL = in none */
} JobLink;

typedef struct JobList {
  JobLink *first;
  JobLink *last;
} JobList;

/* Nothing happens when it is in none. */
static inline void job_list_leave(JobLink *link) {
  JobList *list = link->list;
  if (!list)
    return;
  if (link->before)
    link->before->after = link->after;
  else
    list->first = link->after;
  if (link->after)
    link->after->before = link->before;
  else
    list->last = link->before;
  *link = (JobLink){0};
}

/* Joins the end of the list, and leaves the one before. */
static inline void job_list_join(JobList *list, JobLink *link) {
  job_list_leave(link);
  *link = (JobLink){.before = list->last, .list = list};
  if (list->last)
    list->last->after = link;
  else
    list->first = link;
  list->last = link;
}

#endif
