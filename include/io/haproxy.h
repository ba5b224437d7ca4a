/*
 * One HAProxy's runtime socket. Each batch of commands is one short connection, read to its end: an
 * open session would stay with the old worker after a reload, and from 3.0 on a second line of a
 * non-interactive connection is not even read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/address.h"

/** A batch stays below this: 3.2 and later refuse a line over tune.bufsize (16 kB). */
#define HAPROXY_BATCH_SIZE 8192

struct haproxy;

/**
 * The outcome of a batch: @status 0 and the whole output (no NUL needed, valid during the call), or
 * negative errno: -ECONNREFUSED, -ENOENT, -EACCES, -ETIMEDOUT, -EMSGSIZE (output over 16 MB),
 * -EPIPE and -ECONNRESET (cut: all that HAProxy says ends with a newline), -EINVAL (a name for an
 * address). After one that connected it is not known what of it was carried out; a HAProxy that
 * hung carries it out when it goes on: long after, and several in any order (tried on 2.6, two
 * threads: the older of two won in 30 of 60), so only what is read back counts.
 * It may send the next batch or free the haproxy.
 */
typedef void haproxy_reply(void *context, int status, const char *output, size_t length);

/** @address: ADDRESS_UNIX or ADDRESS_IP. */
struct haproxy *haproxy_new(uv_loop_t *loop, const struct address *address);

/** Batches under way get no reply. NULL is fine. */
void haproxy_free(struct haproxy *haproxy);

/**
 * Sends @commands (joined by ';', without a newline, copied); the reply comes later, always.
 * Batches go one after the other, in the order of sending; @timeout_ms counts from the moment at
 * which its turn comes. With nothing under way it is written to a Unix socket before this returns.
 * A batch may also go to a master's socket (`@!PID …`).
 */
void haproxy_send(struct haproxy *haproxy, const char *commands, int64_t timeout_ms,
		  haproxy_reply *reply, void *context);

/** How many batches wait or are under way. */
size_t haproxy_pending(const struct haproxy *haproxy);

struct haproxy_watch;

/**
 * Something was logged to the ring, or the ring is followed anew after an end, in which time
 * something may have been missed: look. @ended: the stream ended (reload, restart), told once an
 * end; attempts to come back are not told. It may free the watch.
 */
typedef void haproxy_event(void *context, bool ended);

/**
 * Follows `show events RING -w -n` on a connection of its own, opened anew when it ends (after 50
 * ms, then ever slower, up to 1 s). What is in the lines does not matter, but for "Proxy …
 * stopped": a worker that is to go after a reload would keep the stream, and be kept by it.
 */
struct haproxy_watch *haproxy_watch_new(uv_loop_t *loop, const struct address *address,
					const char *ring, haproxy_event *event, void *context);
void haproxy_watch_free(struct haproxy_watch *watch);
