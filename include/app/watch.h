/*
 * The watch: every shard of the settings, its nodes being probed, its decision after each fact. It
 * is what `run` and `probe` share; it tells nobody but its owner.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "config/settings.h"
#include "core/shard.h"

struct watch;

/** Shard @shard (its index in the settings) was evaluated: ask watch_shard for what changed. */
typedef void watch_update(void *context, size_t shard);

/** Begins to probe at once. @settings must outlive the watch. */
struct watch *watch_new(uv_loop_t *loop, const struct settings *settings, watch_update *update,
			void *context);

/** Its handles close in the loop's next turns. */
void watch_free(struct watch *watch);

/**
 * Node @node of shard @shard is at @address from now on: what was known of it is forgotten. False:
 * it was there already, nothing was done.
 */
bool watch_move(struct watch *watch, size_t shard, size_t node, const struct address *address);

struct shard *watch_shard(const struct watch *watch, size_t shard);

/** The settings' index of each pool of shard @shard, in the order of its picture. */
const size_t *watch_pools(const struct watch *watch, size_t shard);

/** Each shard's picture is complete: each node has answered or was given up once. */
bool watch_is_complete(const struct watch *watch);

/** Rounds end and deadlines are kept: the decision advances. */
bool watch_is_alive(const struct watch *watch);
