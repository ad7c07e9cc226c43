/*
 * The numbers of descriptors that belong to the host: 0, 1 and 2.
 *
 * A program may be started with its standard streams closed (a daemon, a cron
 * job).  The next descriptor that anybody opens is then "standard input": what
 * the host prints would go into one of ours, what it reads would be our news,
 * and a picture could get its messages.
 */
#ifndef GPTIMAGE2_ENGINE_DESCRIPTORS_H
#define GPTIMAGE2_ENGINE_DESCRIPTORS_H

/* Takes those of the three that are closed out of use, for as long as the
 * process lives: nothing can be read from them or written to them, as before,
 * but no library opens something under their number.  The host may open them
 * itself with dup2(), or after a close().  Before anything is opened; any
 * thread. */
void descriptors_spare_standard(void);

#endif
