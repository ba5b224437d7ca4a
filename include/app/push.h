/*
 * The push: tells every HAProxy over its runtime socket what the picture wants, sees that it is so,
 * and sets it right again when it is not. Old before new: nobody is told to open a new master
 * before all were told to close the old one, and have answered or had their time to (fence_wait).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "config/settings.h"
#include "core/picture.h"

struct push;

/** Every HAProxy has closed what was to be closed in pool @pool (its index in the settings). */
typedef void push_closed(void *context, size_t pool);

/** A HAProxy now shows node @node of shard @shard at another address. */
typedef void push_moved(void *context, size_t shard, size_t node, const struct address *address);

/**
 * @settings must outlive it. With no HAProxy in the settings it does nothing. @moved may be NULL:
 * addresses are not followed.
 */
struct push *push_new(uv_loop_t *loop, const struct settings *settings, push_closed *closed,
		      push_moved *moved, void *context);

/** Its handles close in the loop's next turns. NULL is fine. */
void push_free(struct push *push);

/** A new picture of a shard: takes the verdicts of pool @pool (index in the settings). Then
 * push_send. */
void push_take(struct push *push, size_t pool, const struct verdict *verdicts);

/** Tells the HAProxies what has changed in shard @shard's pools. */
void push_send(struct push *push, size_t shard);

/** Each HAProxy was read once, or could not be. */
bool push_is_settled(const struct push *push);

/** How many HAProxies could not be reached last time. */
size_t push_count_unreachable(const struct push *push);

/**
 * Lets go: the agent's marks are disabled, so that the user's own checks alone decide; a node that
 * says master beside the incumbent stays closed. @done is called once, when all have answered or
 * had their time.
 */
void push_release(struct push *push, void (*done)(void *context), void *context);
