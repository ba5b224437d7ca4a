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

#include "app/examine.h"
#include "app/gather.h"
#include "app/round.h"
#include "app/source.h"
#include "base/log.h"
#include "core/doctor.h"

#define EXIT_ADVICE 1
#define EXIT_DANGER 2

#define REMEDY_SIZE 2048

static const char usage[] =
	"Usage: redis-role-agent doctor [--config FILE | --node ADDRESS …] [--json]\n"
	"\n"
	"Looks at every node and every HAProxy of the configuration and prints what is wrong or\n"
	"missing, one finding a line, with a remedy to paste. Run it as the agent's user. Ends\n"
	"with 0 when there is nothing, 1 when there is advice, 2 when there is danger (or wrong\n"
	"words on the command line).\n"
	"\n"
	"What HAProxy does not show over its runtime socket is not checked: hard-stop-after,\n"
	"max-spread-checks, agent-inter, agent-send, on-marked-down, the rules of the frontends,\n"
	"what a tcp-check sends; nor whether master_socket works. `haproxy-config` prints those\n"
	"lines.\n"
	"\n"
	"  -c, --config FILE   the configuration (" SOURCE_DEFAULT_FILE ")\n"
	"  -n, --node ADDRESS  without a configuration: a node (see run --help)\n"
	"  -j, --json          print JSON\n"
	"  -h, --help          print this, and end\n";

struct result {
	size_t findings;
	int exit_code;
	json_t *json; /* an array, or NULL: for people */
};

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

static void on_found(void *context, const struct doctor_check *check,
		     const struct doctor_facts *facts)
{
	struct result *result = context;
	int exit_code = check->severity == DOCTOR_DANGER ? EXIT_DANGER : EXIT_ADVICE;
	char remedy_data[REMEDY_SIZE], server_data[2 * SHOWN_NAME_SIZE + 2];
	struct text remedy, server;

	text_init(&remedy, remedy_data, sizeof(remedy_data));
	text_init(&server, server_data, sizeof(server_data));
	doctor_write_remedy(&remedy, check, facts);
	write_server(&server, facts);
	if (result->json)
		json_array_append_new(result->json, finding_to_json(check, facts, remedy.data));
	else
		print_finding(check, facts, server.data, remedy.data);
	result->findings++;
	if (exit_code > result->exit_code)
		result->exit_code = exit_code;
}

static void print_end(const struct result *result)
{
	static const char *const words[] = { "clean", "advice", "danger" };

	if (result->json) {
		json_t *root = json_pack("{ss, sO}", "result", words[result->exit_code], "findings",
					 result->json);

		json_dumpf(root, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(root);
		return;
	}
	if (result->findings == 0)
		puts("nothing found; what HAProxy does not show is listed by "
		     "redis-role-agent doctor --help");
}

static int doctor(const struct source *source, bool json)
{
	struct settings *settings = source_load(source);
	struct result result = { 0 };
	struct gathered_haproxy *haproxies;
	struct round round;

	if (!settings)
		return EXIT_WRONG;
	signal(SIGPIPE, SIG_IGN);
	log_init(LOG_LEVEL_ERROR, false);
	result.json = json ? json_array() : NULL;
	round_run(&round, settings);
	haproxies = gather_run(&round.loop, settings);
	examine_all(&round, haproxies, on_found, &result);
	print_end(&result);
	round_end(&round);
	gather_free(haproxies, settings);
	json_decref(result.json);
	settings_free(settings);
	return result.exit_code;
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
