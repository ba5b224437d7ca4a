/*
 * The running agent. After each evaluation of a shard the book of answers comes first, then those
 * who wait for an answer, then the log: nothing goes before what HAProxy is told.
 */
#include "app/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "app/push.h"
#include "app/report.h"
#include "app/watch.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/answers.h"
#include "io/agent_server.h"
#include "io/listen.h"
#include "io/service.h"

/* A stop takes no longer, whatever is under way. */
#define STOP_LIMIT_S 1

struct agent {
	uv_loop_t loop;
	const struct settings *settings;
	struct watch *watch;
	struct report *reports; /* one a shard */
	struct answers *answers;
	size_t *first_lines; /* in the book, one for each pool of the settings */
	struct push *push;
	struct agent_server *server;
	uv_timer_t withheld, watchdog;
	uv_signal_t signals[3];
	bool ready, stopping;
};

static void on_withheld(uv_timer_t *timer);

static void arm_withheld(struct agent *agent)
{
	int64_t deadline_ms = answers_deadline_ms(agent->answers);
	int64_t wait_ms = deadline_ms - clock_mono_ms();

	if (deadline_ms == INT64_MAX)
		uv_timer_stop(&agent->withheld);
	else
		uv_timer_start(&agent->withheld, on_withheld, wait_ms > 0 ? (uint64_t)wait_ms : 0,
			       0);
}

static void on_withheld(uv_timer_t *timer)
{
	struct agent *agent = timer->data;

	answers_tick(agent->answers, clock_mono_ms());
	arm_withheld(agent);
}

static void become_ready(struct agent *agent)
{
	agent->ready = true;
	service_ready("Watching; every node has answered or was given up once.");
	log_notice("ready: every node has answered or was given up once");
}

static void on_update(void *context, size_t shard)
{
	struct agent *agent = context;
	const struct shard *it = watch_shard(agent->watch, shard);
	const struct picture *picture = shard_picture(it);
	const size_t *pools = watch_pools(agent->watch, shard);
	const struct shard_change *changes;

	if (shard_changes(it, &changes) > 0) {
		for (size_t p = 0; p < picture->pools; p++) {
			answers_publish(agent->answers, agent->first_lines[pools[p]],
					picture_at(picture, p, 0), clock_mono_ms());
			push_take(agent->push, pools[p], picture_at(picture, p, 0));
		}
		push_send(agent->push, shard);
		agent_server_wake(agent->server);
		arm_withheld(agent);
	}
	report_changes(&agent->reports[shard], it, pools);
	if (!agent->ready && watch_is_complete(agent->watch))
		become_ready(agent);
}

static void on_closed_everywhere(void *context, size_t pool)
{
	struct agent *agent = context;

	answers_confirm(agent->answers, agent->first_lines[pool], clock_mono_ms());
}

static void on_moved(void *context, size_t shard, size_t node, const struct address *address)
{
	struct agent *agent = context;
	const struct settings_shard *it = &agent->settings->shards[shard];
	char text[ADDRESS_TEXT_SIZE];

	if (!watch_move(agent->watch, shard, node, address))
		return;
	log_notice("node_moved shard=%s node=%s address=%s: HAProxy has its server there now",
		   it->name, it->nodes[node].name, address_format(address, text, sizeof(text)));
}

static void fill_book(struct agent *agent)
{
	const struct settings *settings = agent->settings;

	agent->answers = answers_new(settings->agent_check.handover_wait_ms);
	agent->first_lines = mem_calloc(settings->pool_count, sizeof(*agent->first_lines));
	for (size_t p = 0; p < settings->pool_count; p++) {
		const struct settings_pool *pool = &settings->pools[p];
		const struct settings_shard *shard = &settings->shards[pool->shard_index];
		const char **names = mem_calloc(shard->node_count, sizeof(*names));

		for (size_t n = 0; n < shard->node_count; n++)
			names[n] = shard->nodes[n].name;
		agent->first_lines[p] = answers_add_pool(
			agent->answers, &(struct answers_pool){ .backend = pool->backend,
								.policy = &pool->policy,
								.nodes = names,
								.node_count = shard->node_count });
		free(names);
	}
}

static bool is_alive(void *context)
{
	struct agent *agent = context;

	return watch_is_alive(agent->watch);
}

static const char *listen_remedy(int error)
{
	switch (error) {
	case -EADDRINUSE:
		return ": free the address, or choose another in agent_check.listen (--listen)";
	case -EADDRNOTAVAIL:
		return ": this machine has no such address: correct agent_check.listen (--listen)";
	case -EACCES:
		return ": a port below 1024 needs a right (CAP_NET_BIND_SERVICE), or choose "
		       "another";
	default:
		return "";
	}
}

static int listen_on(struct agent *agent, const struct address *address, size_t line,
		     struct listen_inherited *inherited)
{
	char text[ADDRESS_TEXT_SIZE];
	int descriptor = listen_open(address, inherited);
	int result =
		descriptor < 0 ? descriptor : agent_server_listen(agent->server, descriptor, line);

	if (result < 0)
		log_error("cannot listen on %s: %s%s", address_format(address, text, sizeof(text)),
			  strerror(-result), listen_remedy(result));
	return result;
}

static int listen_on_all(struct agent *agent, struct listen_inherited *inherited)
{
	const struct settings_agent_check *check = &agent->settings->agent_check;
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < check->listen_count; i++)
		if (listen_on(agent, &check->listen[i], AGENT_SERVER_NO_LINE, inherited) < 0)
			return -1;
	for (size_t i = 0; i < check->direct_count; i++) {
		const struct settings_direct *direct = &check->direct[i];
		char query[256];
		size_t line = AGENT_SERVER_NO_LINE;

		snprintf(query, sizeof(query), "%s/%s", direct->backend, direct->node);
		if (!answers_find(agent->answers, query, strlen(query), &line) ||
		    listen_on(agent, &direct->listen, line, inherited) < 0)
			return -1;
	}
	if (listen_untaken(inherited)) {
		log_error("the service manager passed a socket on %s that agent_check.listen does "
			  "not name: make the socket unit and the configuration agree",
			  address_format(listen_untaken(inherited), text, sizeof(text)));
		return -1;
	}
	return 0;
}

static int inherit(struct listen_inherited *ret_inherited)
{
	int result = listen_inherit(ret_inherited);

	if (result < 0)
		log_error("cannot use the sockets that the service manager passed: %s: pass "
			  "listening TCP sockets",
			  strerror(-result));
	return result;
}

static int start_server(struct agent *agent, struct listen_inherited *inherited)
{
	const struct settings_agent_check *check = &agent->settings->agent_check;

	agent->server = agent_server_new(&(struct agent_server_setup){
		.loop = &agent->loop,
		.answers = agent->answers,
		.allow = check->allow,
		.allow_count = check->allow_count,
		.max_clients = (size_t)check->max_clients,
		.start_hold_ms = check->start_hold_ms,
		.is_alive = is_alive,
		.context = agent,
	});
	return listen_on_all(agent, inherited);
}

static void on_watchdog(uv_timer_t *timer)
{
	struct agent *agent = timer->data;

	if (watch_is_alive(agent->watch))
		service_feed_watchdog();
}

/* Mirrors start. The loop then runs on until every handle has closed. */
static void close_all(void *context)
{
	struct agent *agent = context;

	for (size_t i = 0; i < sizeof(agent->signals) / sizeof(agent->signals[0]); i++)
		uv_close((uv_handle_t *)&agent->signals[i], NULL);
	uv_close((uv_handle_t *)&agent->watchdog, NULL);
	uv_close((uv_handle_t *)&agent->withheld, NULL);
	push_free(agent->push);
	watch_free(agent->watch);
	agent_server_free(agent->server);
}

/* The last act is to let go of the HAProxies. */
static void stop(struct agent *agent)
{
	if (agent->stopping)
		return;
	agent->stopping = true;
	service_stopping();
	if (agent->push)
		push_release(agent->push, close_all, agent);
	else
		close_all(agent);
}

static void leave(int number)
{
	(void)number;
	_exit(EXIT_SUCCESS);
}

/* A name being looked up in a thread cannot be called off, and the loop would wait for it for as
 * long as the resolver does. All that matters is closed by then. */
static void limit_stop(void)
{
	signal(SIGALRM, leave);
	alarm(STOP_LIMIT_S);
}

static void on_signal(uv_signal_t *handle, int number)
{
	if (number == SIGHUP) {
		log_notice("SIGHUP: a changed configuration is taken at a restart only");
		return;
	}
	log_notice("stopping on %s", strsignal(number));
	limit_stop();
	stop(handle->data);
}

static void start_handles(struct agent *agent)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	uint64_t watchdog_ms = (uint64_t)service_watchdog_ms();

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uv_signal_init(&agent->loop, &agent->signals[i]);
		agent->signals[i].data = agent;
		uv_signal_start(&agent->signals[i], on_signal, numbers[i]);
	}
	uv_timer_init(&agent->loop, &agent->withheld);
	agent->withheld.data = agent;
	uv_timer_init(&agent->loop, &agent->watchdog);
	agent->watchdog.data = agent;
	if (watchdog_ms > 0)
		uv_timer_start(&agent->watchdog, on_watchdog, watchdog_ms, watchdog_ms);
}

/* Thousands of nodes want more descriptors than the usual soft limit. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void start_push(struct agent *agent)
{
	if (agent->settings->haproxy_count > 0)
		answers_withhold_silently(agent->answers);
	agent->push = push_new(&agent->loop, agent->settings, on_closed_everywhere,
			       agent->settings->attached ? on_moved : NULL, agent);
}

static void start_watch(struct agent *agent)
{
	size_t shards = agent->settings->shard_count;

	agent->reports = mem_calloc(shards, sizeof(*agent->reports));
	for (size_t i = 0; i < shards; i++)
		report_init(&agent->reports[i], agent->settings, i);
	agent->watch = watch_new(&agent->loop, agent->settings, on_update, agent);
}

static int run_loop(struct agent *agent, struct listen_inherited *inherited)
{
	int result = uv_loop_init(&agent->loop);

	if (result < 0) {
		log_error("cannot start the event loop: %s", uv_strerror(result));
		return result;
	}
	fill_book(agent);
	start_handles(agent);
	result = start_server(agent, inherited);
	if (result == 0) {
		start_push(agent);
		start_watch(agent);
	} else {
		stop(agent);
	}
	uv_run(&agent->loop, UV_RUN_DEFAULT);
	uv_loop_close(&agent->loop);
	answers_free(agent->answers);
	free(agent->first_lines);
	free(agent->reports);
	return result;
}

int agent_run(const struct settings *settings)
{
	struct agent agent = { .settings = settings };
	struct listen_inherited inherited;
	int result;

	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	/* Before anything is opened: the numbers of what was passed are not to be those of ours. */
	if (inherit(&inherited) < 0)
		return -1;
	result = run_loop(&agent, &inherited);
	listen_inherited_done(&inherited);
	return result == 0 ? 0 : -1;
}
