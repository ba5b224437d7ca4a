/*
 * A wheel turned by one timer. Owns the timer; it is started anew only when something earlier comes
 * in, and after each turn. Who is due, and what for, it does not know.
 */
#include "io/schedule.h"

static void on_timer(uv_timer_t *timer);

void schedule_init(struct schedule *schedule, uv_loop_t *loop, schedule_due *due)
{
	uv_timer_init(loop, &schedule->timer);
	schedule->timer.data = schedule;
	schedule->due = due;
	schedule->armed_tick = WHEEL_NEVER;
	schedule->turning = false;
	wheel_init(&schedule->wheel, schedule_now_tick(schedule));
}

void schedule_stop(struct schedule *schedule, uv_close_cb closed)
{
	uv_close((uv_handle_t *)&schedule->timer, closed);
}

int64_t schedule_now_tick(const struct schedule *schedule)
{
	return (int64_t)uv_now(schedule->timer.loop) / SCHEDULE_TICK_MS;
}

int64_t schedule_to_ticks(int64_t ms)
{
	return ms <= SCHEDULE_TICK_MS ? 1 : (ms + SCHEDULE_TICK_MS - 1) / SCHEDULE_TICK_MS;
}

static void arm(struct schedule *schedule)
{
	int64_t tick = wheel_next_tick(&schedule->wheel);
	/* A timer of 0 ms started in its own callback would run before anything is read. */
	int64_t least_ms = schedule->turning ? 1 : 0;
	int64_t delay_ms;

	schedule->armed_tick = tick;
	if (tick == WHEEL_NEVER) {
		uv_timer_stop(&schedule->timer);
		return;
	}
	delay_ms = tick * SCHEDULE_TICK_MS - (int64_t)uv_now(schedule->timer.loop);
	uv_timer_start(&schedule->timer, on_timer,
		       (uint64_t)(delay_ms > least_ms ? delay_ms : least_ms), 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct schedule *schedule = timer->data;
	struct wheel_entry *entry;

	schedule->turning = true;
	wheel_turn(&schedule->wheel, schedule_now_tick(schedule));
	while ((entry = wheel_pop(&schedule->wheel)))
		schedule->due(entry);
	if (!uv_is_closing((uv_handle_t *)timer))
		arm(schedule);
	schedule->turning = false;
}

void schedule_put(struct schedule *schedule, struct wheel_entry *entry, int64_t tick)
{
	int64_t now = schedule_now_tick(schedule);

	wheel_put(&schedule->wheel, entry, tick > now ? tick : now);
	if (!schedule->turning && entry->due_tick < schedule->armed_tick)
		arm(schedule);
}
