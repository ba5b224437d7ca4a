/* Things due on a grid of 10 ms, for any number of them one timer of the loop: what is due together
 * is called together, and the timer sleeps until something is due. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "io/wheel.h"

#define SCHEDULE_TICK_MS 10

/** May change the schedule, and stop it. @entry is in no wheel any more. */
typedef void schedule_due(struct wheel_entry *entry);

struct schedule {
	uv_timer_t timer;
	struct wheel wheel;
	schedule_due *due;
	int64_t armed_tick; /* when the timer fires, or WHEEL_NEVER */
	bool turning;	    /* inside the timer's callback */
};

void schedule_init(struct schedule *schedule, uv_loop_t *loop, schedule_due *due);

/** The memory may go when @closed is called; every entry must be out before. */
void schedule_stop(struct schedule *schedule, uv_close_cb closed);

/** The loop's time in ticks. */
int64_t schedule_now_tick(const struct schedule *schedule);

/** So many ticks hold @ms; at least 1. */
int64_t schedule_to_ticks(int64_t ms);

/** Calls @entry at @tick, or in the loop's next turn if that is not later than now. It may be in
 * the schedule already. */
void schedule_put(struct schedule *schedule, struct wheel_entry *entry, int64_t tick);
