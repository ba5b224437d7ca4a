/*
 * `redis-role-agent doctor`: looks once at every node and every HAProxy, and prints what is wrong
 * or missing, each with a remedy to paste. It changes nothing, and need not run where the agent
 * runs, but as its user: what that one may not do is a finding.
 */
#include "app/commands.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/gather.h"
#include "app/round.h"
#include "app/source.h"
#include "base/log.h"
#include "core/doctor.h"

#define EXIT_ADVICE 1
#define EXIT_DANGER 2

static const char usage[] =
	"Usage: redis-role-agent doctor [--config FILE | --node ADDRESS …] [--json]\n"
	"\n"
	"Looks at every node and every HAProxy of the configuration and prints what is wrong or\n"
	"missing, one finding a line, with a remedy to paste. Run it as the agent's user. Ends\n"
	"with 0 when there is nothing, 1 when there is advice, 2 when there is danger (or wrong\n"
	"words on the command line).\n"
	"\n"
	"What HAProxy does not show over its runtime socket is not checked: hard-stop-after and\n"
	"the master CLI, max-spread-checks, agent-inter, agent-send, on-marked-down, the rules of\n"
	"the frontends, what a tcp-check sends. `haproxy-config` prints those lines.\n"
	"\n"
	"  -c, --config FILE   the configuration (" SOURCE_DEFAULT_FILE ")\n"
	"  -n, --node ADDRESS  without a configuration: a node (see run --help)\n"
	"  -j, --json          print JSON\n"
	"  -h, --help          print this, and end\n";

struct examination {
	const struct settings *settings;
	struct round round;
	struct gathered_haproxy *haproxies;
	char agent[ADDRESS_TEXT_SIZE + 32];
	size_t findings;
	int exit_code;
	json_t *json; /* an array, or NULL: for people */
};

/* ---- findings ---- */

static void write_server(struct text *text, const struct doctor_facts *facts)
{
	if (facts->backend)
		text_add(text, facts->backend);
	if (facts->server)
		text_addf(text, "/%s", facts->server->name);
	else if (facts->backend && facts->node)
		text_addf(text, "/%s", facts->node);
}

static void print_finding(const struct doctor_check *check, const struct doctor_facts *facts,
			  const char *server, const char *remedy)
{
	printf("%-6s ", check->severity == DOCTOR_DANGER ? "danger" : "advice");
	if (facts->haproxy)
		printf(" haproxy=%s", facts->haproxy);
	if (server[0])
		printf(" %s=%s", facts->scope == DOCTOR_BACKEND ? "backend" : "server", server);
	else if (facts->node)
		printf(" node=%s", facts->node);
	printf(" %s: %s\n", check->id, check->sentence);
	for (;; remedy++) {
		size_t length = strcspn(remedy, "\n");

		printf("        %.*s\n", (int)length, remedy);
		remedy += length;
		if (!*remedy)
			return;
	}
}

static json_t *finding_to_json(const struct doctor_check *check, const struct doctor_facts *facts,
			       const char *remedy)
{
	return json_pack("{ss, ss, ss?, ss?, ss?, ss?, ss, ss}", "severity",
			 check->severity == DOCTOR_DANGER ? "danger" : "advice", "id", check->id,
			 "haproxy", facts->haproxy, "backend", facts->backend, "server",
			 facts->server ? facts->server->name : NULL, "node", facts->node,
			 "sentence", check->sentence, "remedy", remedy);
}

static void examine(struct examination *it, struct doctor_facts *facts, enum doctor_scope scope)
{
	const struct doctor_check *check = NULL;
	char remedy_data[2048], server_data[2 * SHOWN_NAME_SIZE + 2];

	facts->scope = scope;
	facts->agent = it->agent;
	while ((check = doctor_next(facts, check))) {
		int exit_code = check->severity == DOCTOR_DANGER ? EXIT_DANGER : EXIT_ADVICE;
		struct text remedy, server;

		text_init(&remedy, remedy_data, sizeof(remedy_data));
		text_init(&server, server_data, sizeof(server_data));
		doctor_write_remedy(&remedy, check, facts);
		write_server(&server, facts);
		if (it->json)
			json_array_append_new(it->json, finding_to_json(check, facts, remedy.data));
		else
			print_finding(check, facts, server.data, remedy.data);
		it->findings++;
		if (exit_code > it->exit_code)
			it->exit_code = exit_code;
	}
}

/* ---- nodes ---- */

static const struct verdict *verdict_of(const struct examination *it, size_t pool, size_t node)
{
	size_t shard = it->settings->pools[pool].shard_index;
	const size_t *pools = watch_pools(it->round.watch, shard);
	size_t p = 0;

	while (pools[p] != pool)
		p++;
	return picture_at(shard_picture(watch_shard(it->round.watch, shard)), p, node);
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

static void examine_nodes(struct examination *it, size_t index)
{
	const struct settings_shard *settings = &it->settings->shards[index];
	const struct shard *shard = watch_shard(it->round.watch, index);
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
	const struct observation *seen = shard_facts(watch_shard(it->round.watch, shard), node);

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

	if (!server || !server->address[0] || !numeric_host(it, shard, node) ||
	    is_at(it, server, shard, node))
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
	const struct shown_server *found = shown_find(shown, backend, name);

	for (size_t i = 0; !found && i < shown->count; i++)
		if (strcmp(shown->servers[i].backend, backend) == 0 &&
		    is_at(it, &shown->servers[i], shard, node))
			found = &shown->servers[i];
	return found;
}

static void examine_lines(struct examination *it, const struct gathered_haproxy *haproxy,
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
		facts.place = place_of(it, facts.server, shard, n);
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

static void examine_strangers(struct examination *it, const struct gathered_haproxy *haproxy,
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

static void examine_pool(struct examination *it, const struct gathered_haproxy *haproxy,
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

static void examine_haproxy(struct examination *it, const struct gathered_haproxy *haproxy)
{
	struct doctor_facts facts = {
		.haproxy = haproxy->name,
		.status = haproxy->status,
		.version = haproxy->shown.version,
		.level = haproxy->level,
		.released = haproxy->released,
	};

	examine(it, &facts, DOCTOR_HAPROXY);
	if (haproxy->status < 0 || !haproxy->shown.version[0])
		return;
	for (size_t p = 0; p < it->settings->pool_count; p++)
		examine_pool(it, haproxy, p, facts);
}

/* ---- the whole ---- */

static void examine_all(struct examination *it)
{
	struct doctor_facts facts = { .haproxy_count = it->settings->haproxy_count };

	examine(it, &facts, DOCTOR_AGENT);
	for (size_t s = 0; s < it->settings->shard_count; s++)
		examine_nodes(it, s);
	for (size_t i = 0; i < it->settings->haproxy_count; i++)
		examine_haproxy(it, &it->haproxies[i]);
}

static void print_end(const struct examination *it)
{
	static const char *const words[] = { "clean", "advice", "danger" };

	if (it->json) {
		json_t *root =
			json_pack("{ss, sO}", "result", words[it->exit_code], "findings", it->json);

		json_dumpf(root, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(root);
		return;
	}
	if (it->findings == 0)
		puts("nothing found; what HAProxy does not show is listed by "
		     "redis-role-agent doctor --help");
}

static void write_agent(struct examination *it)
{
	struct address address = source_agent_address(it->settings);
	struct text text;

	text_init(&text, it->agent, sizeof(it->agent));
	text_addf(&text, "%s agent-port %u", address.host, (unsigned int)address.port);
}

static int doctor(const struct source *source, bool json)
{
	struct settings *settings = source_load(source);
	struct examination it = { .settings = settings };

	if (!settings)
		return EXIT_WRONG;
	signal(SIGPIPE, SIG_IGN);
	log_init(LOG_LEVEL_ERROR, false);
	it.json = json ? json_array() : NULL;
	write_agent(&it);
	round_run(&it.round, settings);
	it.haproxies = gather_run(&it.round.loop, settings);
	examine_all(&it);
	print_end(&it);
	round_end(&it.round);
	gather_free(it.haproxies, settings);
	json_decref(it.json);
	settings_free(settings);
	return it.exit_code;
}

int cmd_doctor(int argc, char **argv)
{
	struct source source = { 0 };
	bool json = false;
	struct source_words words = { .usage = usage, .json = &json };
	int result;

	if (source_read_words(&source, argc, argv, &words, &result))
		result = doctor(&source, json);
	source_done(&source);
	return result;
}
