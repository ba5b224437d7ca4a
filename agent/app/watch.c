/*
 * Shards and prober, wired. It owns the time of the decision: each shard's deadline, and the pulse
 * by which the agent notices that it stood still itself (a stalled loop, a suspended machine).
 */
#include "app/watch.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/probe.h"

/* The pulse is to come each so often; so late, and we stood still. */
#define PULSE_MS 250
#define STALL_MS 500

/* No round has ended, or a deadline is overdue, for so long: the decision does not advance. */
#define DEAD_MS 2000

struct watched_node {
	struct watched_shard *shard;
	size_t index;
	struct address address; /* as configured, or where it was moved to */
	struct probe *probe;
};

struct watched_shard {
	struct watch *watch;
	size_t index;
	struct shard *shard;
	struct watched_node *nodes;
	size_t node_count;
	size_t *pools; /* the settings' index of each of the shard's pools */
	int64_t interval_ms;
	uv_timer_t deadline;
};

struct watch {
	uv_loop_t *loop;
	const struct settings *settings;
	watch_update *update;
	void *context;
	struct prober *prober;
	struct watched_shard *shards;
	size_t shard_count;
	uv_timer_t pulse;
	int64_t pulse_ms;   /* the last one was at */
	int64_t suspend_ms; /* how far CLOCK_BOOTTIME was ahead then */
	int64_t round_ms;   /* the last round ended at */
	int64_t slowest_ms; /* how long a round may take to end, at its most */
	size_t open_handles;
};

static void on_deadline(uv_timer_t *timer);

static void arm_deadline(struct watched_shard *watched)
{
	int64_t deadline_ms = shard_deadline_ms(watched->shard);
	int64_t wait_ms = deadline_ms - clock_mono_ms();

	if (deadline_ms == INT64_MAX)
		uv_timer_stop(&watched->deadline);
	else
		uv_timer_start(&watched->deadline, on_deadline, wait_ms > 0 ? (uint64_t)wait_ms : 0,
			       0);
}

static void set_interval(struct watched_shard *watched)
{
	int64_t interval_ms = shard_probe_interval_ms(watched->shard);

	if (interval_ms == watched->interval_ms)
		return;
	watched->interval_ms = interval_ms;
	for (size_t i = 0; i < watched->node_count; i++)
		probe_set_interval(watched->nodes[i].probe, interval_ms);
}

/* After each evaluation. The owner first: nothing goes before what it tells HAProxy. */
static void publish(struct watched_shard *watched)
{
	watched->watch->update(watched->watch->context, watched->index);
	set_interval(watched);
	arm_deadline(watched);
}

static int64_t suspended_ms(void)
{
	return clock_boot_ms() - clock_mono_ms();
}

static void disturb(struct watch *watch, int64_t now_ms, int64_t late_ms, int64_t slept_ms)
{
	log_warning("the agent stood still: verdicts are held until nodes answer anew late_ms=%lld "
		    "suspended_ms=%lld",
		    (long long)late_ms, (long long)slept_ms);
	for (size_t i = 0; i < watch->shard_count; i++) {
		shard_disturb(watch->shards[i].shard, now_ms);
		publish(&watch->shards[i]);
	}
}

static void take_pulse(struct watch *watch, int64_t now_ms)
{
	int64_t late_ms = now_ms - watch->pulse_ms - PULSE_MS;
	int64_t slept_ms = suspended_ms() - watch->suspend_ms;

	watch->pulse_ms = now_ms;
	watch->suspend_ms += slept_ms;
	if (late_ms >= STALL_MS || slept_ms >= STALL_MS)
		disturb(watch, now_ms, late_ms, slept_ms);
}

static void on_pulse(uv_timer_t *timer)
{
	take_pulse(timer->data, clock_mono_ms());
}

/* After a stall many timers are due at once, in any order: none may judge old facts before the
 * stall is known. */
static void notice_stall(struct watch *watch, int64_t now_ms)
{
	if (now_ms - watch->pulse_ms - PULSE_MS >= STALL_MS)
		take_pulse(watch, now_ms);
}

static void on_deadline(uv_timer_t *timer)
{
	struct watched_shard *watched = timer->data;
	int64_t now_ms = clock_mono_ms();

	notice_stall(watched->watch, now_ms);
	shard_tick(watched->shard, now_ms);
	publish(watched);
}

static void on_observation(void *context, const struct observation *observation)
{
	struct watched_node *node = context;
	struct watched_shard *watched = node->shard;
	int64_t now_ms = clock_mono_ms();

	notice_stall(watched->watch, now_ms);
	watched->watch->round_ms = now_ms;
	shard_observe(watched->shard, node->index, observation, now_ms);
	publish(watched);
}

static const char *host_of(const struct address *address)
{
	return address->kind == ADDRESS_UNIX ? "" : address->host;
}

static size_t count_pools(const struct settings *settings, size_t shard_index)
{
	size_t count = 0;

	for (size_t i = 0; i < settings->pool_count; i++)
		count += settings->pools[i].shard_index == shard_index;
	return count;
}

static struct shard *make_shard(struct watched_shard *watched, const struct settings *settings)
{
	const struct settings_shard *from = &settings->shards[watched->index];
	size_t pool_count = count_pools(settings, watched->index);
	struct shard_node_setup *nodes = mem_calloc(from->node_count, sizeof(*nodes));
	struct pool_policy *pools = mem_calloc(pool_count, sizeof(*pools));
	struct shard_setup setup = {
		.policy = from->policy,
		.nodes = nodes,
		.node_count = from->node_count,
		.pools = pools,
	};
	struct shard *shard;

	for (size_t i = 0; i < from->node_count; i++) {
		const struct address *address = &from->nodes[i].address;

		nodes[i] = (struct shard_node_setup){
			.name = from->nodes[i].name,
			.host = host_of(address),
			.port = address->port,
		};
	}
	watched->pools = mem_calloc(pool_count, sizeof(*watched->pools));
	for (size_t i = 0; i < settings->pool_count; i++) {
		if (settings->pools[i].shard_index != watched->index)
			continue;
		watched->pools[setup.pool_count] = i;
		pools[setup.pool_count++] = settings->pools[i].policy;
	}
	shard = shard_new(&setup, clock_mono_ms());
	free(nodes);
	free(pools);
	return shard;
}

static void start_probe(struct watched_node *node)
{
	struct watched_shard *watched = node->shard;
	const struct settings_shard *from = &watched->watch->settings->shards[watched->index];
	struct probe_setup setup = {
		.address = node->address,
		.username = from->auth.username,
		.password = from->auth.password,
		.interval_ms = watched->interval_ms,
		.timeout_ms = from->policy.timeout_ms,
		.observe = on_observation,
		.context = node,
	};

	node->probe = probe_add(watched->watch->prober, &setup);
}

static void add_shard(struct watch *watch, size_t index)
{
	const struct settings_shard *from = &watch->settings->shards[index];
	struct watched_shard *watched = &watch->shards[index];

	watched->watch = watch;
	watched->index = index;
	watched->shard = make_shard(watched, watch->settings);
	watched->interval_ms = from->policy.interval_ms;
	watched->node_count = from->node_count;
	watched->nodes = mem_calloc(from->node_count, sizeof(*watched->nodes));
	uv_timer_init(watch->loop, &watched->deadline);
	watched->deadline.data = watched;
	for (size_t i = 0; i < from->node_count; i++) {
		struct watched_node *node = &watched->nodes[i];

		node->shard = watched;
		node->index = i;
		node->address = from->nodes[i].address;
		start_probe(node);
	}
	if (from->policy.interval_ms + from->policy.timeout_ms > watch->slowest_ms)
		watch->slowest_ms = from->policy.interval_ms + from->policy.timeout_ms;
}

struct watch *watch_new(uv_loop_t *loop, const struct settings *settings, watch_update *update,
			void *context)
{
	struct watch *watch = mem_calloc(1, sizeof(*watch));

	watch->loop = loop;
	watch->settings = settings;
	watch->update = update;
	watch->context = context;
	watch->prober = prober_new(loop);
	watch->shard_count = settings->shard_count;
	watch->shards = mem_calloc(settings->shard_count, sizeof(*watch->shards));
	for (size_t i = 0; i < settings->shard_count; i++)
		add_shard(watch, i);
	watch->pulse_ms = watch->round_ms = clock_mono_ms();
	watch->suspend_ms = suspended_ms();
	uv_timer_init(loop, &watch->pulse);
	watch->pulse.data = watch;
	uv_timer_start(&watch->pulse, on_pulse, PULSE_MS, PULSE_MS);
	return watch;
}

/* The last handle takes all with it. */
static void release(struct watch *watch)
{
	if (--watch->open_handles > 0)
		return;
	for (size_t i = 0; i < watch->shard_count; i++) {
		shard_free(watch->shards[i].shard);
		free(watch->shards[i].nodes);
		free(watch->shards[i].pools);
	}
	free(watch->shards);
	free(watch);
}

static void on_deadline_closed(uv_handle_t *handle)
{
	struct watched_shard *watched = handle->data;

	release(watched->watch);
}

static void on_pulse_closed(uv_handle_t *handle)
{
	release(handle->data);
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	prober_free(watch->prober);
	watch->open_handles = watch->shard_count + 1;
	for (size_t i = 0; i < watch->shard_count; i++)
		uv_close((uv_handle_t *)&watch->shards[i].deadline, on_deadline_closed);
	uv_close((uv_handle_t *)&watch->pulse, on_pulse_closed);
}

bool watch_move(struct watch *watch, size_t shard, size_t node, const struct address *address)
{
	struct watched_shard *watched = &watch->shards[shard];
	struct watched_node *it = &watched->nodes[node];

	if (address_equal(&it->address, address))
		return false;
	it->address = *address;
	probe_remove(it->probe);
	start_probe(it);
	shard_move(watched->shard, node, host_of(address), address->port, clock_mono_ms());
	publish(watched);
	return true;
}

struct shard *watch_shard(const struct watch *watch, size_t shard)
{
	return watch->shards[shard].shard;
}

const size_t *watch_pools(const struct watch *watch, size_t shard)
{
	return watch->shards[shard].pools;
}

bool watch_is_complete(const struct watch *watch)
{
	for (size_t i = 0; i < watch->shard_count; i++)
		if (!shard_picture(watch->shards[i].shard)->complete)
			return false;
	return true;
}

bool watch_is_alive(const struct watch *watch)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms - watch->pulse_ms > DEAD_MS ||
	    now_ms - watch->round_ms > DEAD_MS + 2 * watch->slowest_ms)
		return false;
	for (size_t i = 0; i < watch->shard_count; i++)
		if (now_ms - shard_deadline_ms(watch->shards[i].shard) > DEAD_MS)
			return false;
	return true;
}
