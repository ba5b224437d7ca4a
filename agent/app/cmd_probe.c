/*
 * `redis-role-agent probe`: watches just long enough to see every node once, and shows what would
 * be said of each. It speaks to no HAProxy.
 */
#include "app/commands.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/round.h"
#include "app/source.h"
#include "base/log.h"

#define EXIT_NO_SERVER	1
#define EXIT_UNREADABLE 2

static const char usage[] =
	"Usage: redis-role-agent probe [--config FILE | --node ADDRESS …] [--json]\n"
	"       redis-role-agent probe --haproxy SOCKET … [--master BACKEND] [--replica BACKEND] "
	"[--json]\n"
	"\n"
	"Asks every node once and shows what the agent would say of it. Ends with 0 when each "
	"pool\n"
	"has a server, 1 when one has none, 2 when a node could not be read.\n"
	"\n"
	"  -c, --config FILE   the configuration (" SOURCE_DEFAULT_FILE ")\n"
	"  -n, --node ADDRESS  without a configuration: a node (see run --help)\n"
	"      --haproxy SOCKET, --master BACKEND, --replica BACKEND\n"
	"                      without a configuration: HAProxy's servers (see run --help)\n"
	"  -j, --json          print JSON\n"
	"  -h, --help          print this, and end\n";

static const char *role_word(const struct observation *facts)
{
	static const char *const words[] = {
		[INFO_ROLE_UNKNOWN] = "none",
		[INFO_ROLE_MASTER] = "master",
		[INFO_ROLE_REPLICA] = "replica",
		[INFO_ROLE_OTHER] = "other",
	};

	return facts ? words[facts->info.role] : "unknown";
}

static const char *link_word(const struct observation *facts)
{
	if (!facts || facts->info.role != INFO_ROLE_REPLICA)
		return "-";
	return facts->info.link_up == 1 ? "up" : "down";
}

static int64_t offset_of(const struct observation *facts)
{
	if (!facts)
		return -1;
	return facts->info.role == INFO_ROLE_REPLICA ? facts->info.replica_offset
						     : facts->info.offset;
}

static const char *master_name(const struct settings_shard *shard, const struct picture *picture)
{
	return picture->incumbent < 0 ? NULL : shard->nodes[picture->incumbent].name;
}

static void print_nodes(const struct settings_shard *settings, const struct shard *shard)
{
	char address[ADDRESS_TEXT_SIZE];

	printf("  %-20s %-24s %-8s %-5s %s\n", "NODE", "ADDRESS", "ROLE", "LINK", "OFFSET");
	for (size_t n = 0; n < settings->node_count; n++) {
		const struct observation *facts = shard_facts(shard, n);

		printf("  %-20s %-24s %-8s %-5s ", settings->nodes[n].name,
		       address_format(&settings->nodes[n].address, address, sizeof(address)),
		       role_word(facts), link_word(facts));
		if (offset_of(facts) >= 0)
			printf("%lld\n", (long long)offset_of(facts));
		else
			puts("-");
	}
}

static void print_table(const struct round *round)
{
	for (size_t s = 0; s < round->settings->shard_count; s++) {
		const struct settings_shard *settings = &round->settings->shards[s];
		const struct shard *shard = watch_shard(round->watch, s);
		const struct picture *picture = shard_picture(shard);
		const char *master = master_name(settings, picture);

		printf("shard %s: master %s\n", settings->name, master ? master : "unknown");
		print_nodes(settings, shard);
		printf("  %-20s %-24s %-8s %s\n", "POOL", "SERVER", "STATE", "REASON");
		for (size_t p = 0; p < picture->pools; p++) {
			size_t pool = watch_pools(round->watch, s)[p];

			for (size_t n = 0; n < picture->nodes; n++) {
				const struct verdict *verdict = picture_at(picture, p, n);

				printf("  %-20s %-24s %-8s %s: %s\n",
				       round->settings->pools[pool].backend,
				       settings->nodes[n].name, verdict_state_name(verdict->state),
				       reason_token(verdict->reason),
				       reason_sentence(verdict->reason));
			}
		}
	}
}

static json_t *nodes_to_json(const struct settings_shard *settings, const struct shard *shard)
{
	json_t *nodes = json_array();
	char address[ADDRESS_TEXT_SIZE];

	for (size_t n = 0; n < settings->node_count; n++) {
		const struct observation *facts = shard_facts(shard, n);
		const char *link = link_word(facts);

		json_array_append_new(
			nodes, json_pack("{ss, ss, ss, so, so}", "name", settings->nodes[n].name,
					 "address",
					 address_format(&settings->nodes[n].address, address,
							sizeof(address)),
					 "role", role_word(facts), "link",
					 link[0] == '-' ? json_null() : json_string(link), "offset",
					 offset_of(facts) < 0 ? json_null()
							      : json_integer(offset_of(facts))));
	}
	return nodes;
}

static json_t *servers_to_json(const struct settings_shard *settings, const struct picture *picture,
			       size_t pool)
{
	json_t *servers = json_array();

	for (size_t n = 0; n < picture->nodes; n++) {
		const struct verdict *verdict = picture_at(picture, pool, n);

		json_array_append_new(
			servers, json_pack("{ss, ss, si, ss, ss}", "name", settings->nodes[n].name,
					   "state", verdict_state_name(verdict->state), "weight",
					   verdict->weight, "reason", reason_token(verdict->reason),
					   "sentence", reason_sentence(verdict->reason)));
	}
	return servers;
}

static json_t *shard_to_json(const struct round *round, size_t index)
{
	const struct settings_shard *settings = &round->settings->shards[index];
	const struct shard *shard = watch_shard(round->watch, index);
	const struct picture *picture = shard_picture(shard);
	json_t *pools = json_array();

	for (size_t p = 0; p < picture->pools; p++) {
		const struct settings_pool *pool =
			&round->settings->pools[watch_pools(round->watch, index)[p]];

		json_array_append_new(
			pools, json_pack("{ss, ss, so}", "backend", pool->backend, "role",
					 pool->policy.role == POOL_MASTER ? "master" : "replica",
					 "servers", servers_to_json(settings, picture, p)));
	}
	return json_pack("{ss, ss?, so, so}", "name", settings->name, "master",
			 master_name(settings, picture), "nodes", nodes_to_json(settings, shard),
			 "pools", pools);
}

static void print_json(const struct round *round)
{
	json_t *shards = json_array();
	json_t *root;

	for (size_t s = 0; s < round->settings->shard_count; s++)
		json_array_append_new(shards, shard_to_json(round, s));
	root = json_pack("{so}", "shards", shards);
	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
}

static bool pool_has_server(const struct picture *picture, size_t pool)
{
	for (size_t n = 0; n < picture->nodes; n++)
		if (picture_at(picture, pool, n)->state == VERDICT_UP)
			return true;
	return false;
}

static int judge(const struct round *round)
{
	bool unreadable = false;

	for (size_t s = 0; s < round->settings->shard_count; s++) {
		const struct shard *shard = watch_shard(round->watch, s);
		const struct picture *picture = shard_picture(shard);

		for (size_t n = 0; n < picture->nodes; n++)
			unreadable |= !shard_facts(shard, n);
		for (size_t p = 0; p < picture->pools; p++)
			if (!pool_has_server(picture, p))
				return EXIT_NO_SERVER;
	}
	return unreadable ? EXIT_UNREADABLE : EXIT_SUCCESS;
}

static int probe(const struct source *source, bool json)
{
	struct settings *settings = source_load(source);
	struct round round;
	int result;

	if (!settings)
		return EXIT_WRONG;
	signal(SIGPIPE, SIG_IGN);
	log_init(LOG_LEVEL_WARNING, false);
	round_run(&round, settings);
	if (json)
		print_json(&round);
	else
		print_table(&round);
	result = judge(&round);
	round_end(&round);
	settings_free(settings);
	return result;
}

int cmd_probe(int argc, char **argv)
{
	struct source source = { 0 };
	bool json = false;
	struct source_words words = { .usage = usage, .json = &json, .may_attach = true };
	int result;

	if (source_read_words(&source, argc, argv, &words, &result))
		result = probe(&source, json);
	source_done(&source);
	return result;
}
