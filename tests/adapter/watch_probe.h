/* A probe under test, and what it told. */
#pragma once

#include "fake_redis.h"
#include "harness.h"
#include "io/probe.h"

#define FAR_MS	   10000 /* an interval that never comes up within a test */
#define TIMEOUT_MS 100

struct watch {
	struct probe *probe;
	struct prober *prober;
	size_t answered, refused, missed, reconnected;
	struct observation last;
	int64_t set_interval_ms; /* done within the next observation, if not 0 */
	bool remove, free;	 /* likewise */
};

size_t watch_count(const struct watch *watch);

/** Adds a probe; @watch is filled anew. */
void watch_add(struct watch *watch, struct prober *prober, const char *address,
	       const char *password, int64_t interval_ms, int64_t timeout_ms);

/** A prober of its own with one probe of 127.0.0.1:@port and a time-out of TIMEOUT_MS. */
void watch_start(struct watch *watch, struct harness *harness, uint16_t port, int64_t interval_ms);

/** The same, of a fake that is started. */
void watch_start_with_fake(struct watch *watch, struct fake_redis *fake, struct harness *harness,
			   int64_t interval_ms);
