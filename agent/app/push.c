/*
 * The push over all HAProxies. It owns the order among them: closings go out at once, the openings
 * of a master pool wait until every HAProxy that must close has answered, or fence_wait is over.
 * With one HAProxy closing and opening travel in one batch, old first.
 */
#include "app/push.h"

#include <stdlib.h>

#include "app/push_haproxy.h"
#include "base/clock.h"
#include "base/mem.h"

#define RELEASE_LIMIT_MS 500

struct push {
	const struct settings *settings;
	push_closed *closed;
	push_moved *moved;
	void *context;
	struct push_haproxy **haproxies;
	size_t haproxy_count;
	struct push_line *lines; /* by shard, then pool */
	size_t line_count;
	size_t *first_of_shard; /* one more than there are shards */
	size_t *first_of_pool;	/* by the settings' index */
	bool *unconfirmed; /* of each shard: verdicts have come since all was last seen closed */
	int64_t *fence_ms; /* of each shard: others are held up until then; 0: nobody is */
	uv_timer_t fence, release;
	void (*released)(void *context);
	void *released_context;
	size_t open_handles;
};

static void add_pool_lines(struct push *push, size_t pool)
{
	const struct settings_pool *from = &push->settings->pools[pool];
	const struct settings_shard *shard = &push->settings->shards[from->shard_index];

	push->first_of_pool[pool] = push->line_count;
	for (size_t n = 0; n < shard->node_count; n++)
		push->lines[push->line_count++] = (struct push_line){
			.pool = pool,
			.shard = from->shard_index,
			.node = &shard->nodes[n],
			.backend = from->backend,
			.policy = &from->policy,
		};
}

static void add_lines(struct push *push)
{
	const struct settings *settings = push->settings;
	size_t lines = 0;

	for (size_t p = 0; p < settings->pool_count; p++)
		lines += settings->shards[settings->pools[p].shard_index].node_count;
	push->lines = mem_calloc(lines, sizeof(*push->lines));
	push->first_of_pool = mem_calloc(settings->pool_count, sizeof(*push->first_of_pool));
	push->first_of_shard = mem_calloc(settings->shard_count + 1, sizeof(*push->first_of_shard));
	for (size_t s = 0; s < settings->shard_count; s++) {
		push->first_of_shard[s] = push->line_count;
		for (size_t p = 0; p < settings->pool_count; p++)
			if (settings->pools[p].shard_index == s)
				add_pool_lines(push, p);
	}
	push->first_of_shard[settings->shard_count] = push->line_count;
}

static bool is_anybody_closing(const struct push *push, size_t shard)
{
	for (size_t i = 0; i < push->haproxy_count; i++)
		if (push_haproxy_is_closing(push->haproxies[i], shard) ||
		    push_haproxy_must_close(push->haproxies[i], shard))
			return true;
	return false;
}

static void on_fence(uv_timer_t *timer);

static void raise_fence(struct push *push, size_t shard)
{
	int64_t wait_ms = push->settings->push.fence_wait_ms;

	if (push->fence_ms[shard])
		return;
	push->fence_ms[shard] = clock_mono_ms() + wait_ms;
	if (!uv_is_active((uv_handle_t *)&push->fence))
		uv_timer_start(&push->fence, on_fence, (uint64_t)wait_ms, 0);
}

static void tell_closed(struct push *push, size_t shard)
{
	bool reachable = false;

	if (!push->unconfirmed[shard])
		return;
	for (size_t i = 0; i < push->haproxy_count; i++) {
		reachable |= push_haproxy_is_reachable(push->haproxies[i]);
		/* There the agent-checks alone close: their own wait is the right one. */
		if (push_haproxy_refuses(push->haproxies[i], shard))
			return;
	}
	if (!reachable)
		return;
	push->unconfirmed[shard] = false;
	for (size_t p = 0; p < push->settings->pool_count; p++)
		if (push->settings->pools[p].shard_index == shard &&
		    push->settings->pools[p].policy.role == POOL_MASTER)
			push->closed(push->context, p);
}

static void send_to_all(struct push *push, size_t shard, bool may_open)
{
	for (size_t i = 0; i < push->haproxy_count; i++) {
		struct push_haproxy *it = push->haproxies[i];

		push_haproxy_send(it, shard,
				  may_open && (push->haproxy_count == 1 ||
					       !push_haproxy_is_closing(it, shard)));
	}
}

void push_send(struct push *push, size_t shard)
{
	bool closing = is_anybody_closing(push, shard);

	if (push->haproxy_count == 0)
		return;
	if (closing)
		raise_fence(push, shard);
	else
		push->fence_ms[shard] = 0;
	send_to_all(push, shard,
		    !closing || push->haproxy_count == 1 ||
			    clock_mono_ms() >= push->fence_ms[shard]);
	if (!is_anybody_closing(push, shard) ||
	    (push->fence_ms[shard] && clock_mono_ms() >= push->fence_ms[shard]))
		tell_closed(push, shard);
}

static void send_all_shards(struct push *push)
{
	for (size_t s = 0; s < push->settings->shard_count; s++)
		push_send(push, s);
}

/* Time is up for those that have not answered: the others are told to open. */
static void on_fence(uv_timer_t *timer)
{
	struct push *push = timer->data;
	int64_t next_ms = INT64_MAX, now_ms = clock_mono_ms();

	send_all_shards(push);
	for (size_t s = 0; s < push->settings->shard_count; s++)
		if (push->fence_ms[s] > now_ms && push->fence_ms[s] < next_ms)
			next_ms = push->fence_ms[s];
	if (next_ms != INT64_MAX)
		uv_timer_start(&push->fence, on_fence, (uint64_t)(next_ms - now_ms), 0);
}

static void finish_release(struct push *push)
{
	void (*released)(void *context) = push->released;

	push->released = NULL;
	uv_timer_stop(&push->release);
	released(push->released_context);
}

static void on_release_limit(uv_timer_t *timer)
{
	finish_release(timer->data);
}

/* One has answered: what is still to be done there; elsewhere only where it was waited for. */
static void go_on(struct push *push, struct push_haproxy *haproxy)
{
	for (size_t s = 0; s < push->settings->shard_count; s++) {
		if (push->fence_ms[s] || push->unconfirmed[s] ||
		    push_haproxy_must_close(haproxy, s))
			push_send(push, s);
		else
			push_haproxy_send(haproxy, s, true);
	}
}

static void on_haproxy(void *context, struct push_haproxy *haproxy)
{
	struct push *push = context;
	size_t pending = 0;

	if (!push->released && haproxy)
		go_on(push, haproxy);
	if (!push->released)
		return;
	for (size_t i = 0; i < push->haproxy_count; i++)
		pending += push_haproxy_pending(push->haproxies[i]);
	if (pending == 0)
		finish_release(push);
}

static void on_moved(void *context, size_t line, const struct address *address)
{
	struct push *push = context;
	const struct push_line *it = &push->lines[line];

	if (!push->released)
		push->moved(push->context, it->shard,
			    (size_t)(it->node - push->settings->shards[it->shard].nodes), address);
}

struct push *push_new(uv_loop_t *loop, const struct settings *settings, push_closed *closed,
		      push_moved *moved, void *context)
{
	struct push *push = mem_calloc(1, sizeof(*push));

	push->settings = settings;
	push->closed = closed;
	push->moved = moved;
	push->context = context;
	add_lines(push);
	push->unconfirmed = mem_calloc(settings->shard_count, sizeof(*push->unconfirmed));
	push->fence_ms = mem_calloc(settings->shard_count, sizeof(*push->fence_ms));
	uv_timer_init(loop, &push->fence);
	uv_timer_init(loop, &push->release);
	push->fence.data = push->release.data = push;
	push->haproxies = mem_calloc(settings->haproxy_count, sizeof(struct push_haproxy *));
	for (; push->haproxy_count < settings->haproxy_count; push->haproxy_count++)
		push->haproxies[push->haproxy_count] =
			push_haproxy_new(&(struct push_haproxy_setup){
				.loop = loop,
				.settings = &settings->haproxies[push->haproxy_count],
				.push = &settings->push,
				.lines = push->lines,
				.line_count = push->line_count,
				.first = push->first_of_shard,
				.done = on_haproxy,
				.moved = moved ? on_moved : NULL,
				.context = push,
			});
	return push;
}

void push_take(struct push *push, size_t pool, const struct verdict *verdicts)
{
	struct push_line *lines = &push->lines[push->first_of_pool[pool]];
	size_t nodes = push->settings->shards[push->settings->pools[pool].shard_index].node_count;

	for (size_t n = 0; n < nodes; n++)
		lines[n].wanted = verdicts[n];
	push->unconfirmed[push->settings->pools[pool].shard_index] = true;
}

bool push_is_settled(const struct push *push)
{
	for (size_t i = 0; i < push->haproxy_count; i++)
		if (!push_haproxy_is_known(push->haproxies[i]))
			return false;
	return true;
}

size_t push_count_unreachable(const struct push *push)
{
	size_t unreachable = 0;

	for (size_t i = 0; i < push->haproxy_count; i++)
		unreachable += !push_haproxy_is_reachable(push->haproxies[i]);
	return unreachable;
}

void push_release(struct push *push, void (*done)(void *context), void *context)
{
	push->released = done;
	push->released_context = context;
	for (size_t i = 0; i < push->haproxy_count; i++)
		push_haproxy_release(push->haproxies[i]);
	uv_timer_start(&push->release, on_release_limit, RELEASE_LIMIT_MS, 0);
	on_haproxy(push, NULL);
}

/* The lines and counts are looked at by the HAProxies no more: they close what they own by
 * themselves. */
static void on_closed(uv_handle_t *handle)
{
	struct push *push = handle->data;

	if (--push->open_handles > 0)
		return;
	free(push->haproxies);
	free(push->lines);
	free(push->first_of_pool);
	free(push->first_of_shard);
	free(push->unconfirmed);
	free(push->fence_ms);
	free(push);
}

void push_free(struct push *push)
{
	if (!push)
		return;
	for (size_t i = 0; i < push->haproxy_count; i++)
		push_haproxy_free(push->haproxies[i]);
	push->open_handles = 2;
	uv_close((uv_handle_t *)&push->fence, on_closed);
	uv_close((uv_handle_t *)&push->release, on_closed);
}
