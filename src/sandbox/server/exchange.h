/*
 * One HTTP exchange, as MHD calls for it: takes the request in, lets the
 * service work, applies the fault that hits it. Runs on the daemon's thread;
 * `cls` is the Server.
 */
#ifndef GPTIMAGE2_SANDBOX_EXCHANGE_H
#define GPTIMAGE2_SANDBOX_EXCHANGE_H

#include <microhttpd.h>
#include <stddef.h>

/* MHD_AccessHandlerCallback. */
enum MHD_Result exchange_handle(void *cls, struct MHD_Connection *connection,
                                const char *url, const char *method,
                                const char *version, const char *data,
                                size_t *size, void **state);

/* MHD_RequestCompletedCallback: frees what the request held. */
void exchange_completed(void *cls, struct MHD_Connection *connection,
                        void **state, enum MHD_RequestTerminationCode how);

/* MHD_NotifyConnectionCallback: counts the accepted ones. */
void exchange_connection(void *cls, struct MHD_Connection *connection,
                         void **socket_context,
                         enum MHD_ConnectionNotificationCode what);

#endif
