/*
 * Makes facts for the doctor's table out of what was gathered: each node, each HAProxy, each pool's
 * backend there, each of its servers. It tells its caller what is found, and neither prints nor
 * asks anybody.
 */
#include "app/examine.h"

#include <string.h>

#include "app/source.h"

struct examination {
	const struct settings *settings;
	const struct round *round;
	const struct gathered_haproxy *haproxies;
	const char *agent;
	examine_found *found;
	void *context;
};

static void examine(const struct examination *it, struct doctor_facts *facts,
		    enum doctor_scope scope)
{
	const struct doctor_check *check = NULL;

	facts->scope = scope;
	facts->agent = it->agent;
	while ((check = doctor_next(facts, check)))
		it->found(it->context, check, facts);
}

/* ---- nodes ---- */

static const struct verdict *verdict_of(const struct examination *it, size_t pool, size_t node)
{
	size_t shard = it->settings->pools[pool].shard_index;
	const size_t *pools = watch_pools(it->round->watch, shard);
	size_t p = 0;

	while (pools[p] != pool)
		p++;
	return picture_at(shard_picture(watch_shard(it->round->watch, shard)), p, node);
}

/* That which tells of the node itself: others speak of its place in the pool. */
static const struct verdict *telling_verdict(const struct picture *picture, size_t node)
{
	const struct verdict *verdict = NULL;

	for (size_t p = 0; p < picture->pools; p++) {
		verdict = picture_at(picture, p, node);
		if (verdict->reason == REASON_NO_ACCESS || verdict->reason == REASON_UNREACHABLE ||
		    verdict->reason == REASON_UNSUPPORTED)
			return verdict;
	}
	return verdict;
}

static void examine_nodes(const struct examination *it, size_t index)
{
	const struct settings_shard *settings = &it->settings->shards[index];
	const struct shard *shard = watch_shard(it->round->watch, index);
	char address[ADDRESS_TEXT_SIZE];

	for (size_t n = 0; n < settings->node_count; n++) {
		const struct observation *seen = shard_facts(shard, n);
		struct doctor_facts facts = {
			.node = settings->nodes[n].name,
			.address = address_format(&settings->nodes[n].address, address,
						  sizeof(address)),
			.verdict = telling_verdict(shard_picture(shard), n),
			.ping_refused = seen && seen->ping_reply == REPLY_NO_ACCESS,
		};

		examine(it, &facts, DOCTOR_NODE);
	}
}

/* ---- servers ---- */

/* As HAProxy shows it; NULL where that is not known, or there is none. */
static const char *numeric_host(const struct examination *it, size_t shard, size_t node)
{
	const struct address *address = &it->settings->shards[shard].nodes[node].address;
	const struct observation *seen = shard_facts(watch_shard(it->round->watch, shard), node);

	if (address->kind == ADDRESS_IP)
		return address->host;
	return address->kind == ADDRESS_NAME && seen && seen->peer[0] ? seen->peer : NULL;
}

static bool is_at(const struct examination *it, const struct shown_server *server, size_t shard,
		  size_t node)
{
	const char *host = numeric_host(it, shard, node);

	return host && server->port == it->settings->shards[shard].nodes[node].address.port &&
	       strcmp(server->address, host) == 0;
}

static enum doctor_place place_of(const struct examination *it, const struct shown_server *server,
				  size_t shard, size_t node)
{
	size_t nodes = it->settings->shards[shard].node_count;

	if (!server->address[0] || !numeric_host(it, shard, node) || is_at(it, server, shard, node))
		return DOCTOR_PLACE_SAME;
	for (size_t n = 0; n < nodes; n++)
		if (is_at(it, server, shard, n))
			return DOCTOR_PLACE_OTHER_NODE;
	return DOCTOR_PLACE_ELSEWHERE;
}

/* By name, else by address. */
static const struct shown_server *find_server(const struct examination *it,
					      const struct shown *shown, const char *backend,
					      size_t shard, size_t node)
{
	const char *name = it->settings->shards[shard].nodes[node].name;
	const struct shown_server *named = shown_find(shown, backend, name);

	if (named)
		return named;
	for (size_t i = 0; i < shown->count; i++) {
		const struct shown_server *server = &shown->servers[i];

		if (is_at(it, server, shard, node) && strcmp(server->backend, backend) == 0)
			return server;
	}
	return NULL;
}

static void examine_lines(const struct examination *it, const struct gathered_haproxy *haproxy,
			  size_t pool, struct doctor_facts facts)
{
	size_t shard = it->settings->pools[pool].shard_index;
	const struct settings_shard *settings = &it->settings->shards[shard];
	char address[ADDRESS_TEXT_SIZE];

	for (size_t n = 0; n < settings->node_count; n++) {
		facts.node = settings->nodes[n].name;
		facts.address =
			address_format(&settings->nodes[n].address, address, sizeof(address));
		facts.verdict = verdict_of(it, pool, n);
		facts.server = find_server(it, &haproxy->shown, facts.backend, shard, n);
		facts.place =
			facts.server ? place_of(it, facts.server, shard, n) : DOCTOR_PLACE_SAME;
		examine(it, &facts, DOCTOR_LINE);
	}
}

static bool is_stranger(const struct examination *it, const struct gathered_haproxy *haproxy,
			size_t pool, const struct shown_server *server)
{
	const struct settings_pool *settings = &it->settings->pools[pool];
	size_t nodes = it->settings->shards[settings->shard_index].node_count;

	/* The spare servers of a server-template rest in maintenance. */
	if (strcmp(server->backend, settings->backend) != 0 || shown_is_maint(server))
		return false;
	for (size_t n = 0; n < nodes; n++)
		if (find_server(it, &haproxy->shown, settings->backend, settings->shard_index, n) ==
		    server)
			return false;
	return true;
}

static void examine_strangers(const struct examination *it, const struct gathered_haproxy *haproxy,
			      size_t pool, struct doctor_facts facts)
{
	for (size_t i = 0; i < haproxy->shown.count; i++) {
		facts.server = &haproxy->shown.servers[i];
		if (is_stranger(it, haproxy, pool, facts.server))
			examine(it, &facts, DOCTOR_STRANGER);
	}
}

/* ---- HAProxies ---- */

static bool is_elsewhere(const struct examination *it, size_t pool)
{
	for (size_t i = 0; i < it->settings->haproxy_count; i++)
		if (it->haproxies[i].backends[pool].present)
			return true;
	return false;
}

static bool is_weighed(const struct shown *shown, const char *backend)
{
	for (size_t i = 0; i < shown->count; i++) {
		const struct shown_server *server = &shown->servers[i];

		if (strcmp(server->backend, backend) == 0 && server->weight > 0 &&
		    server->weight != server->initial_weight)
			return true;
	}
	return false;
}

static void examine_pool(const struct examination *it, const struct gathered_haproxy *haproxy,
			 size_t pool, struct doctor_facts facts)
{
	facts.backend = it->settings->pools[pool].backend;
	facts.policy = &it->settings->pools[pool].policy;
	facts.present = haproxy->backends[pool].present;
	facts.elsewhere = is_elsewhere(it, pool);
	facts.algorithm = haproxy->backends[pool].algorithm;
	facts.weighs = is_weighed(&haproxy->shown, facts.backend);
	examine(it, &facts, DOCTOR_BACKEND);
	if (!facts.present)
		return;
	examine_lines(it, haproxy, pool, facts);
	examine_strangers(it, haproxy, pool, facts);
}

static void examine_haproxy(const struct examination *it, const struct gathered_haproxy *haproxy)
{
	struct doctor_facts facts = {
		.haproxy = haproxy->name,
		.status = haproxy->status,
		.version = haproxy->shown.version,
		.level = haproxy->level,
		.is_worker = haproxy->is_worker,
		.has_master =
			it->settings->haproxies[haproxy - it->haproxies].master_socket.host[0] !=
			'\0',
		.released = haproxy->released,
	};

	examine(it, &facts, DOCTOR_HAPROXY);
	if (haproxy->status < 0 || !haproxy->shown.version[0])
		return;
	for (size_t p = 0; p < it->settings->pool_count; p++)
		examine_pool(it, haproxy, p, facts);
}

/* As one writes it behind agent-addr. */
static void write_agent(const struct settings *settings, char *data, size_t size)
{
	struct address address = source_agent_address(settings);
	struct text text;

	text_init(&text, data, size);
	text_addf(&text, "%s agent-port %u", address.host, (unsigned int)address.port);
}

void examine_all(const struct round *round, const struct gathered_haproxy *haproxies,
		 examine_found *found, void *context)
{
	const struct settings *settings = round->settings;
	char agent[ADDRESS_TEXT_SIZE + 32];
	struct examination it = {
		.settings = settings,
		.round = round,
		.haproxies = haproxies,
		.agent = agent,
		.found = found,
		.context = context,
	};
	struct doctor_facts facts = { .haproxy_count = settings->haproxy_count };

	write_agent(settings, agent, sizeof(agent));
	examine(&it, &facts, DOCTOR_AGENT);
	for (size_t s = 0; s < settings->shard_count; s++)
		examine_nodes(&it, s);
	for (size_t i = 0; i < settings->haproxy_count; i++)
		examine_haproxy(&it, &haproxies[i]);
}
