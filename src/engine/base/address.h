/*
 * Which network addresses are public.  Pure.  Used for reference images, which
 * the service could not fetch from a private network, and for image URLs that a
 * service gives: a server that uses this module must not be made to probe its
 * own network.  Any thread.
 */
#ifndef GPTIMAGE2_ENGINE_ADDRESS_H
#define GPTIMAGE2_ENGINE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

struct sockaddr;

/* True when the address is one that anybody on the Internet could reach: not
 * private, loopback, link-local, multicast, reserved, nor an IPv6 form that
 * wraps such an IPv4 address.  Source: the IANA special-purpose registries. */
bool address_is_public(const struct sockaddr *address);

/* The same of an address in words: "10.0.0.1", "::1". */
bool address_is_public_text(const char *text);

/* True for "localhost", 127.0.0.0/8 in dotted form, and ::1. */
bool address_is_loopback_name(const char *host, size_t length);

/* True when the text is an IPv6 address (no brackets, no zone). */
bool address_is_ipv6(const char *text, size_t length);

#endif
