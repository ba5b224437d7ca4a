/* One HAProxy as the push sees it: what it shows, what is to be changed there, whether it was done.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "config/settings.h"
#include "core/plan.h"

/** One server line that is governed: a node in a pool, the same for every HAProxy. */
struct push_line {
	size_t pool, shard; /* indices in the settings */
	const struct settings_node *node;
	const char *backend;
	const struct pool_policy *policy;
	struct verdict wanted;
};

struct push_haproxy;

/** It has answered (or failed), and what it shows is known anew. */
typedef void push_haproxy_done(void *context, struct push_haproxy *haproxy);

/** The server of line @line is shown at another address than the one that it had before. */
typedef void push_haproxy_moved(void *context, size_t line, const struct address *address);

struct push_haproxy_setup {
	uv_loop_t *loop;
	const struct settings_haproxy *settings;
	const struct settings_push *push;
	const struct push_line
		*lines; /* the owner's, by shard, then pool; `wanted` changes under way */
	size_t line_count;
	const size_t *first; /* each shard's first line; one more than there are shards */
	push_haproxy_done *done;
	push_haproxy_moved *moved; /* NULL: addresses are not followed */
	void *context;
};

/** Reads it at once, and each reconcile_interval from then on. */
struct push_haproxy *push_haproxy_new(const struct push_haproxy_setup *setup);
void push_haproxy_free(struct push_haproxy *haproxy);

/**
 * Sends what is to be done for the lines of @shard, in one batch: closings first; openings only if
 * @may_open. It reads back what came of it.
 */
void push_haproxy_send(struct push_haproxy *haproxy, size_t shard, bool may_open);

/** A master line of @shard that is to be closed there is not known to be: told and not yet
 * answered. */
bool push_haproxy_is_closing(const struct push_haproxy *haproxy, size_t shard);

/** It was told in vain to close something of @shard in a master pool: its socket's level, mostly.
 */
bool push_haproxy_refuses(const struct push_haproxy *haproxy, size_t shard);

/** Something of @shard in a master pool must be closed there, and it can be reached. */
bool push_haproxy_must_close(const struct push_haproxy *haproxy, size_t shard);

/**
 * Disables the agent's marks, so that the user's own checks decide, but for a node that says master
 * beside the incumbent. It is told nothing after that.
 */
void push_haproxy_release(struct push_haproxy *haproxy);

/** How many batches have no answer yet. */
size_t push_haproxy_pending(const struct push_haproxy *haproxy);

/** Its address, for people. */
const char *push_haproxy_name(const struct push_haproxy *haproxy);

/** It answered last time. */
bool push_haproxy_is_reachable(const struct push_haproxy *haproxy);

/** It was read once, or could not be reached. */
bool push_haproxy_is_known(const struct push_haproxy *haproxy);
