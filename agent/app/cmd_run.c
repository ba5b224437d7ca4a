/* `redis-role-agent run`: reads the command line and the settings, sets up the log, runs the agent.
 */
#include "app/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/agent.h"
#include "app/source.h"
#include "base/address.h"
#include "base/log.h"
#include "base/mem.h"

static const char usage[] =
	"Usage: redis-role-agent run [--config FILE]\n"
	"       redis-role-agent run --node ADDRESS [--node ADDRESS …] [--listen ADDRESS]\n"
	"       redis-role-agent run --haproxy SOCKET … [--master BACKEND] [--replica BACKEND]\n"
	"\n"
	"Watches Redis nodes and answers HAProxy's agent-checks, in the foreground, until "
	"SIGTERM.\n"
	"\n"
	"  -c, --config FILE     the configuration (" SOURCE_DEFAULT_FILE ")\n"
	"  -n, --node ADDRESS    without a configuration: a node, as HOST:PORT, [IPV6]:PORT or\n"
	"                        unix:/PATH; all of them are one shard `main` with the pools\n"
	"                        `master` and `replica`; a node's server name is its address\n"
	"                        without brackets, a slash made a dash\n"
	"      --haproxy SOCKET  without a configuration: HAProxy's runtime socket, of level "
	"admin,\n"
	"                        as /PATH or IP:PORT; the servers of the backends are the nodes,\n"
	"                        and are followed when their address changes\n"
	"      --master BACKEND  … HAProxy's backend for the master\n"
	"      --replica BACKEND … HAProxy's backend for the replicas\n"
	"  -l, --listen ADDRESS  where to answer, in place of agent_check.listen; with --haproxy\n"
	"                        nobody is answered without it\n"
	"  -h, --help            print this, and end\n";

static int replace_listen(struct settings *settings, const char *text)
{
	struct settings_agent_check *check = &settings->agent_check;
	struct address address;

	if (address_parse(text, &address) != 0 || address.kind != ADDRESS_IP) {
		fprintf(stderr, "redis-role-agent run: --listen wants IP:PORT, not %s\n", text);
		return EXIT_WRONG;
	}
	check->listen = mem_resize(check->listen, 1, sizeof(*check->listen));
	check->listen[0] = address;
	check->listen_count = 1;
	return 0;
}

static int run(const struct source *source, const char *listen)
{
	struct settings *settings = source_load(source);
	int result = settings ? 0 : EXIT_WRONG;

	if (settings && listen)
		result = replace_listen(settings, listen);
	if (result == 0) {
		log_init((enum log_level)settings->log.level, log_to_journal());
		result = agent_run(settings) == 0 ? EXIT_SUCCESS : EXIT_WRONG;
	}
	settings_free(settings);
	return result;
}

int cmd_run(int argc, char **argv)
{
	struct source source = { 0 };
	const char *listen = NULL;
	struct source_words words = { .usage = usage, .listen = &listen, .may_attach = true };
	int result;

	if (source_read_words(&source, argc, argv, &words, &result))
		result = run(&source, listen);
	source_done(&source);
	return result;
}
