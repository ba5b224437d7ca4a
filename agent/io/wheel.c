/*
 * The ring turned by one timer. Owns the timer; it is started anew only when something earlier
 * comes in, and after each turn. Who is due, and what for, it does not know.
 */
#include "io/wheel.h"

static void on_timer(uv_timer_t *timer);

void wheel_init(struct wheel *wheel, uv_loop_t *loop, wheel_due *due)
{
	uv_timer_init(loop, &wheel->timer);
	wheel->timer.data = wheel;
	wheel->due = due;
	wheel->armed_tick = WHEEL_NEVER;
	wheel->turning = false;
	wheel_ring_init(&wheel->ring, wheel_now_tick(wheel));
}

void wheel_stop(struct wheel *wheel, uv_close_cb closed)
{
	uv_close((uv_handle_t *)&wheel->timer, closed);
}

int64_t wheel_now_tick(const struct wheel *wheel)
{
	return (int64_t)uv_now(wheel->timer.loop) / WHEEL_TICK_MS;
}

int64_t wheel_to_ticks(int64_t ms)
{
	return ms <= WHEEL_TICK_MS ? 1 : (ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;
}

static void arm(struct wheel *wheel)
{
	int64_t tick = wheel_ring_next_tick(&wheel->ring);
	/* A timer of 0 ms started in its own callback would run before anything is read. */
	int64_t least_ms = wheel->turning ? 1 : 0;
	int64_t delay_ms;

	wheel->armed_tick = tick;
	if (tick == WHEEL_NEVER) {
		uv_timer_stop(&wheel->timer);
		return;
	}
	delay_ms = tick * WHEEL_TICK_MS - (int64_t)uv_now(wheel->timer.loop);
	uv_timer_start(&wheel->timer, on_timer,
		       (uint64_t)(delay_ms > least_ms ? delay_ms : least_ms), 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct wheel *wheel = timer->data;
	struct wheel_entry *entry;

	wheel->turning = true;
	wheel_ring_turn(&wheel->ring, wheel_now_tick(wheel));
	while ((entry = wheel_ring_pop(&wheel->ring)))
		wheel->due(entry);
	if (!uv_is_closing((uv_handle_t *)timer))
		arm(wheel);
	wheel->turning = false;
}

void wheel_put(struct wheel *wheel, struct wheel_entry *entry, int64_t tick)
{
	int64_t now = wheel_now_tick(wheel);

	wheel_ring_put(&wheel->ring, entry, tick > now ? tick : now);
	if (!wheel->turning && entry->due_tick < wheel->armed_tick)
		arm(wheel);
}
