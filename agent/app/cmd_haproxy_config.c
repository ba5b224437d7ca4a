/*
 * `redis-role-agent haproxy-config`: HAProxy's side of a configuration, ready to paste, each line
 * with a word on what it buys. What the lines do was tried on HAProxy 2.6, 3.0 and 3.5-dev.
 */
#include "app/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/source.h"

/* The first frontend's; the others count on. */
#define EXAMPLE_PORT 8000

static const char usage[] =
	"Usage: redis-role-agent haproxy-config [--config FILE | --node ADDRESS …]\n"
	"\n"
	"Prints the lines that HAProxy needs for this configuration: global, frontends, the "
	"server\n"
	"lines with their agent-checks, and the guards for the time when the agent is dead.\n"
	"\n"
	"  -c, --config FILE   the configuration (" SOURCE_DEFAULT_FILE ")\n"
	"  -n, --node ADDRESS  without a configuration: a node (see run --help)\n"
	"  -h, --help          print this, and end\n";

static const char head[] = "# HAProxy's side of redis-role-agent's configuration. Take what you "
			   "lack; your own lines stay.\n"
			   "\n"
			   "global\n"
			   "    # Every agent-check runs at once after a start or reload: until "
			   "its first answer a server is UP.\n"
			   "    max-spread-checks 1ms\n"
			   "    # After a reload, sessions in the old process stay on a demoted "
			   "master; this ends them.\n"
			   "    hard-stop-after 30s\n";

static const char hold[] =
	"    # While not exactly one master is open, new clients wait for it, 250 ms at most;\n"
	"    # two masters are never served.\n"
	"    tcp-request inspect-delay 250ms\n"
	"    tcp-request content accept if { nbsrv(%s) eq 1 }\n"
	"    tcp-request content reject if WAIT_END { nbsrv(%s) gt 1 }\n"
	"    tcp-request content accept if WAIT_END\n";

static const char agent_backend[] =
	"\n"
	"# Asks the agent whether it is alive: a dead agent must not be worse than none.\n"
	"backend be_agent\n"
	"    mode tcp\n"
	"    option tcp-check\n"
	"    tcp-check send agent\\n\n"
	"    tcp-check expect string up\n"
	"    server agent %s check inter 500ms fall 4 rise 1\n";

/* `bk_redis_master` is served by `ft_redis_master`, and has its floor in `bk_floor_redis_master`.
 */
static const char *stem(const char *backend)
{
	return strncmp(backend, "bk_", 3) == 0 && backend[3] ? backend + 3 : backend;
}

static const struct settings_pool *find_master_pool(const struct settings *settings,
						    size_t shard_index)
{
	for (size_t i = 0; i < settings->pool_count; i++)
		if (settings->pools[i].shard_index == shard_index &&
		    settings->pools[i].policy.role == POOL_MASTER)
			return &settings->pools[i];
	return NULL;
}

static void print_frontend(const struct settings *settings, const struct settings_pool *pool)
{
	const struct settings_pool *master = find_master_pool(settings, pool->shard_index);

	printf("\nfrontend ft_%s\n"
	       "    mode tcp\n"
	       "    # Your own address.\n"
	       "    bind 127.0.0.1:%zu\n",
	       stem(pool->backend), EXAMPLE_PORT + (size_t)(pool - settings->pools));
	if (pool->policy.role == POOL_MASTER) {
		printf(hold, pool->backend, pool->backend);
		printf("    # The agent is silent and nobody is open: your own checks alone "
		       "decide.\n"
		       "    use_backend bk_floor_%s if { nbsrv(be_agent) eq 0 } { nbsrv(%s) eq 0 "
		       "}\n",
		       stem(pool->backend), pool->backend);
	} else if (pool->policy.reads_on_master != READS_NEVER && master) {
		printf("    # With no reader open, the master serves reads.\n"
		       "    use_backend %s if { nbsrv(%s) eq 0 }\n",
		       master->backend, pool->backend);
	}
	printf("    default_backend %s\n", pool->backend);
}

static void print_check(const struct settings_pool *pool)
{
	bool master = pool->policy.role == POOL_MASTER;
	bool both = !master && pool->policy.reads_on_master != READS_NEVER;

	printf("    mode tcp\n"
	       "    balance roundrobin\n"
	       "    option tcp-check\n"
	       "    # QUIT in the same send: a wrong role fails at once, not by time-out.\n"
	       "    tcp-check send info\\ replication\\r\\nQUIT\\r\\n\n");
	if (both)
		printf("    # A master passes too: the agent opens it here when it must serve "
		       "reads.\n"
		       "    tcp-check expect rstring role:(slave|master)\n");
	else
		printf("    tcp-check expect string role:%s\n", master ? "master" : "slave");
}

static void print_server_address(const struct settings_node *node)
{
	char text[ADDRESS_TEXT_SIZE];

	if (node->address.kind == ADDRESS_UNIX)
		printf("    server %s unix@%s", node->name, node->address.host);
	else
		printf("    server %s %s", node->name,
		       address_format(&node->address, text, sizeof(text)));
}

static void print_backend(const struct settings *settings, const struct settings_pool *pool)
{
	const struct settings_shard *shard = &settings->shards[pool->shard_index];
	struct address agent = source_agent_address(settings);

	printf("\nbackend %s\n", pool->backend);
	print_check(pool);
	printf("    # agent-check: the agent's verdict vetoes. on-marked-down: a demoted node's "
	       "clients are\n"
	       "    # cut, or they would go on there.\n"
	       "    default-server check inter 1s fall 1 rise 1 agent-check agent-addr %s "
	       "agent-port %u "
	       "agent-inter 200ms on-marked-down shutdown-sessions\n",
	       agent.host, agent.port);
	for (size_t i = 0; i < shard->node_count; i++) {
		print_server_address(&shard->nodes[i]);
		printf(" agent-send %s/%s\\n\n", pool->backend, shard->nodes[i].name);
	}
}

static void print_floor(const struct settings *settings, const struct settings_pool *pool)
{
	const struct settings_shard *shard = &settings->shards[pool->shard_index];

	printf("\n# Your backend as it was before the agent: it serves while the agent is silent "
	       "and nobody is\n"
	       "# open.\n"
	       "backend bk_floor_%s\n",
	       stem(pool->backend));
	print_check(pool);
	printf("    default-server check inter 1s fall 1 rise 1 on-marked-down "
	       "shutdown-sessions\n");
	for (size_t i = 0; i < shard->node_count; i++) {
		print_server_address(&shard->nodes[i]);
		putchar('\n');
	}
}

static void print_all(const struct settings *settings)
{
	struct address agent = source_agent_address(settings);
	char text[ADDRESS_TEXT_SIZE];

	fputs(head, stdout);
	for (size_t i = 0; i < settings->pool_count; i++) {
		const struct settings_pool *pool = &settings->pools[i];

		print_frontend(settings, pool);
		print_backend(settings, pool);
		if (pool->policy.role == POOL_MASTER)
			print_floor(settings, pool);
	}
	printf(agent_backend, address_format(&agent, text, sizeof(text)));
}

static int print_source(const struct source *source)
{
	struct settings *settings = source_load(source);

	if (!settings)
		return EXIT_WRONG;
	print_all(settings);
	settings_free(settings);
	return EXIT_SUCCESS;
}

int cmd_haproxy_config(int argc, char **argv)
{
	struct source source = { 0 };
	struct source_words words = { .usage = usage };
	int result;

	if (source_read_words(&source, argc, argv, &words, &result))
		result = print_source(&source);
	source_done(&source);
	return result;
}
