/*
 * One round of watching. It owns the loop, and the patience after which it is over whatever was
 * seen. It tells nobody anything.
 */
#include "app/round.h"

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

/* As long as it takes to give a silent node up. */
static uint64_t patience_ms(const struct settings *settings)
{
	int64_t longest_ms = 0;

	for (size_t i = 0; i < settings->shard_count; i++) {
		const struct shard_policy *policy = &settings->shards[i].policy;
		int64_t give_up_ms = (policy->fall + 1) * policy->timeout_ms;

		if (give_up_ms > longest_ms)
			longest_ms = give_up_ms;
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
