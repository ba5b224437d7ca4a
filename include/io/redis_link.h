/* One attempt to reach one address: a libuv stream from connect to close, and the reader of its
 * replies. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "io/redis_conn.h"

struct redis_link;

/** None is called from within a function below. Each may drop the link. */
struct redis_link_events {
	void (*connected)(void *context);
	void (*value)(void *context, const struct redis_value *value);
	void (*reply)(void *context);
	/** It is over and needs no drop; @status as in redis_conn_events.closed. */
	void (*ended)(void *context, int status);
};

/** Begins to connect to @sockaddr; the outcome comes by an event, also when it is immediate. */
struct redis_link *redis_link_connect(uv_loop_t *loop, const struct sockaddr_storage *sockaddr,
				      int64_t dead_after_ms, const struct redis_link_events *events,
				      void *context);

/** A link that ends with @status in the loop's next turn: what failed before there was one. */
struct redis_link *redis_link_fail(uv_loop_t *loop, int status,
				   const struct redis_link_events *events, void *context);

/** Ends it without an event; the memory goes when libuv has let go of it. */
void redis_link_drop(struct redis_link *link);

/** For a connected link. What the kernel does not take at once is copied and sent later; a failure
 * comes as the link's end. */
void redis_link_write(struct redis_link *link, const char *bytes, size_t length);

/** The peer's address; returns 0 or negative errno. */
int redis_link_peer(const struct redis_link *link, struct sockaddr_storage *ret_sockaddr,
		    socklen_t *ret_length) __attribute__((warn_unused_result));
