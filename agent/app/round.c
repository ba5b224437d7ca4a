/*
 * One round of watching. It owns the loop, and the patience after which it is over whatever was
 * seen. It tells nobody anything.
 */
#include "app/round.h"

#include "io/probe.h"

#define SLACK_MS 200 /* for each attempt */

static bool is_settled(const struct round *round)
{
	for (size_t i = 0; i < round->settings->shard_count; i++)
		if (shard_picture(watch_shard(round->watch, i))->incumbent < 0)
			return false;
	return watch_is_complete(round->watch);
}

static void on_update(void *context, size_t shard)
{
	struct round *round = context;

	(void)shard;
	round->over |= is_settled(round);
}

static void on_patience(uv_timer_t *timer)
{
	struct round *round = timer->data;

	round->over = true;
}

/* As long as it takes to give a silent node up: `fall` time-outs, and the waits between the
 * attempts to connect (io/probe.c: doubled each time), after the start. */
static int64_t give_up_ms(const struct shard_policy *policy)
{
	int64_t total_ms = policy->start_ms;
	int64_t wait_ms = policy->interval_ms;
	int64_t wait_max_ms = wait_ms > PROBE_RETRY_MAX_MS ? wait_ms : PROBE_RETRY_MAX_MS;

	for (int64_t i = 0; i < policy->fall; i++) {
		total_ms += policy->timeout_ms + SLACK_MS;
		if (i == 0)
			continue;
		total_ms += wait_ms;
		wait_ms = 2 * wait_ms < wait_max_ms ? 2 * wait_ms : wait_max_ms;
	}
	return total_ms;
}

static uint64_t patience_ms(const struct settings *settings)
{
	int64_t longest_ms = 0;

	for (size_t i = 0; i < settings->shard_count; i++) {
		int64_t shard_ms = give_up_ms(&settings->shards[i].policy);

		if (shard_ms > longest_ms)
			longest_ms = shard_ms;
	}
	return (uint64_t)longest_ms;
}

void round_run(struct round *round, const struct settings *settings)
{
	*round = (struct round){ .settings = settings };
	uv_loop_init(&round->loop);
	uv_timer_init(&round->loop, &round->patience);
	round->patience.data = round;
	uv_timer_start(&round->patience, on_patience, patience_ms(settings), 0);
	round->watch = watch_new(&round->loop, settings, on_update, round);
	while (!round->over)
		uv_run(&round->loop, UV_RUN_ONCE);
}

void round_end(struct round *round)
{
	watch_free(round->watch);
	uv_close((uv_handle_t *)&round->patience, NULL);
	uv_run(&round->loop, UV_RUN_DEFAULT);
	uv_loop_close(&round->loop);
}
