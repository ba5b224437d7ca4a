/* Takes a stream of RESP apart into values, without building replies: hiredis' reader with reply
 * functions that allocate nothing. */
#pragma once

#include <stddef.h>

#include "io/redis_conn.h"

/** So many bytes may wait for the rest of their reply. */
#define REDIS_READER_MAX_WAITING ((size_t)1024 * 1024)

struct redis_reader;

/** Each returns false to stop reading: its owner is going away. */
struct redis_reader_events {
	bool (*value)(void *context, const struct redis_value *value);
	bool (*reply)(void *context); /* the reply begun last is complete */
};

struct redis_reader *redis_reader_new(const struct redis_reader_events *events, void *context);

/** Not to be called from within an event. NULL is fine. */
void redis_reader_free(struct redis_reader *reader);

/**
 * Reads on with @length more bytes. Returns 0, -EPROTO for what is no RESP, -EMSGSIZE when too much
 * waits for its end, -ECANCELED when an event said stop. After an error only redis_reader_free.
 */
int redis_reader_feed(struct redis_reader *reader, const char *bytes, size_t length)
	__attribute__((warn_unused_result));
