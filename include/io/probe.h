/*
 * The prober: one persistent connection a node, INFO replication and PING each interval, sent in
 * batches of 10 ms; a broken connection is made anew and asked at once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/address.h"
#include "core/observation.h"

/** Between two attempts to connect: the interval, doubled each time, up to this or the interval. */
#define PROBE_RETRY_MAX_MS 1000

struct prober;
struct probe;

/** A round of @probe ended. May be called from within probe_add's or another callback's loop turn,
 * never from a call into the prober. */
typedef void probe_observe(void *context, const struct observation *observation);

struct probe_setup {
	struct address address;
	const char *username, *password; /* may be NULL */
	int64_t interval_ms, timeout_ms;
	probe_observe *observe;
	void *context;
};

struct prober *prober_new(uv_loop_t *loop);

/** Frees its probes too; handles close in the loop's next turns. */
void prober_free(struct prober *prober);

/** Adds a node; its first round begins in the loop's next turn. Owned by the prober. */
struct probe *probe_add(struct prober *prober, const struct probe_setup *setup);
void probe_remove(struct probe *probe);

/** Another interval from now on; a shorter one brings the next round forward. */
void probe_set_interval(struct probe *probe, int64_t interval_ms);

/** Connections made so far, for status and tests. */
uint64_t probe_connections(const struct probe *probe);
