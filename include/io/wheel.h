/* Things due on a grid of 10 ms, for any number of them one timer of the loop: what is due together
 * is called together, and the timer sleeps until something is due. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "io/wheel_ring.h"

#define WHEEL_TICK_MS 10

/** May change the wheel, and stop it. @entry is in no wheel any more. */
typedef void wheel_due(struct wheel_entry *entry);

struct wheel {
	uv_timer_t timer;
	struct wheel_ring ring;
	wheel_due *due;
	int64_t armed_tick; /* when the timer fires, or WHEEL_NEVER */
	bool turning;	    /* inside the timer's callback */
};

void wheel_init(struct wheel *wheel, uv_loop_t *loop, wheel_due *due);

/** The memory may go when @closed is called; every entry must be out before. */
void wheel_stop(struct wheel *wheel, uv_close_cb closed);

/** The loop's time in ticks. */
int64_t wheel_now_tick(const struct wheel *wheel);

/** So many ticks hold @ms; at least 1. */
int64_t wheel_to_ticks(int64_t ms);

/** Calls @entry at @tick, or in the loop's next turn if that is not later than now. It may be in
 * the wheel already; out it goes with wheel_ring_remove. */
void wheel_put(struct wheel *wheel, struct wheel_entry *entry, int64_t tick);
