/*
 * What a job writes into the ledger, and when.  Nothing happens for a client
 * without a ledger.  Private to the engine; I/O thread only.
 *
 *   intent    when the job is submitted; durable before its first byte leaves
 *   sent      in libcurl's last moment before the request; durable at once, and
 *             only where the row is still this job's (ledger_permit)
 *   answer    the raw answer to the create, and what it means: durable before
 *             the host hears of it, and before the next request goes out
 *   result    the raw final answer, likewise
 *   the rest  with the next flush
 *
 * While the ledger is down, creates wait; the rest is kept, and written first
 * when it can be.  The host hears at once what came back.  But that a job which
 * has its row was not sent, and cost nothing, is no news before the row says
 * so: of a program that ends before, the next one would send it.
 */
#ifndef GPTIMAGE2_ENGINE_JOB_RECORD_H
#define GPTIMAGE2_ENGINE_JOB_RECORD_H

#include "answer.h"
#include "job.h"

/* All that was intended is durable now. */
void record_confirm_all(Account *account);

/* The id of the n-th send of this job by this program, into `text`. */
#define RECORD_ATTEMPT_MAX 32 /* bytes */
const char *record_attempt_id(const Job *job, unsigned n, char *text);

/* False, with the op's failure set, when the job must not be sent.  A ledger
 * that is down makes it wait, no more. */
bool record_intent(Job *job);

/* True, with the op's failure set, while no create may go out because the
 * ledger is down. */
bool record_must_wait(Job *job);

/* The create is about to be handed to libcurl. */
void record_sending(Job *job, Exchange *exchange);

/* Its create is held until the ledger can be written: job_go_on. */
void record_hold(Job *job);

/* Its create is out, and the host gave it up meanwhile: durable soon, for the
 * answer may never come.  Closing a client gives up nothing. */
void record_cancelled(Job *job);

/* The host gave it up, and had not heard yet that it has ended: where its row
 * is left for recover, that is not wanted any more. */
void record_late_cancel(Job *job);

/* The exchange of a create is over, and provably nothing of it was sent. */
void record_not_sent(Job *job);

/* The exchange of a create is over: the raw answer and what it means, at once.
 */
void record_answer(Job *job, const Exchange *exchange, const Answer *answer);

/* A poll has ended the job: likewise. */
void record_result(Job *job, const Exchange *exchange, const Answer *answer);

/* Tells the ledger news of the job: its own word counts while the row is its
 * own. */
void record_tell(Job *job, const LedgerNews *news);

/* The job ends.  True: the host must not be told before the
 * ledger has it, and record_flush calls job_part. */
bool record_end(Job *job, JobEnd how);

/* Until when that is waited for.  The intent of a job whose client was closed
 * may come as late as its create might have. */
double record_grace(const Job *job);

/* That time is over: whether the ledger says what the host is to hear. */
bool record_is_told(Job *job);

/* The job stops, its exchange still there: a create that has not left will not
 * leave any more, and the ledger says so. */
void record_torn(Job *job);

/* Writes what is to be written, and lets jobs go on that waited for it.  False
 * while the ledger is down: it is to be called again at account->retry_at.
 * `last`: there will be no other time. */
bool record_flush(Account *account, double now, bool last);

#endif
