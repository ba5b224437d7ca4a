/* Settings from a file, from the command line or from a running HAProxy, with every error told on
 * standard error. */
#include "app/source.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "base/mem.h"

/* Options without a letter. */
enum { OPTION_HAPROXY = 256, OPTION_MASTER, OPTION_REPLICA };

static void add_node(struct source *source, const char *address)
{
	source->nodes = mem_resize(source->nodes, source->node_count + 1, sizeof(*source->nodes));
	source->nodes[source->node_count++] = address;
}

static void add_haproxy(struct attach *attach, const char *socket)
{
	attach->haproxies = mem_resize(attach->haproxies, attach->haproxy_count + 1,
				       sizeof(*attach->haproxies));
	attach->haproxies[attach->haproxy_count++] = socket;
}

/* False: it is no option of attaching. */
static bool take_attach(struct attach *attach, int option, const char *value)
{
	if (option == OPTION_HAPROXY)
		add_haproxy(attach, value);
	else if (option == OPTION_MASTER)
		attach->master = value;
	else if (option == OPTION_REPLICA)
		attach->replica = value;
	else
		return false;
	return true;
}

static bool refuse(const char *command, const char *what, const char *argument, int *ret_exit)
{
	fprintf(stderr, "redis-role-agent %s: %s%s: see redis-role-agent %s --help\n", command,
		what, argument, command);
	*ret_exit = EXIT_WRONG;
	return false;
}

/* What was typed, as far as getopt tells: an option that other subcommands have comes with its
 * value. */
static const char *typed_option(int option, char **argv)
{
	if (option == 'l')
		return "--listen";
	if (option == OPTION_HAPROXY)
		return "--haproxy";
	if (option == OPTION_MASTER)
		return "--master";
	if (option == OPTION_REPLICA)
		return "--replica";
	return option == 'j' ? "--json" : argv[optind - 1];
}

bool source_read_words(struct source *source, int argc, char **argv,
		       const struct source_words *words, int *ret_exit)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "node", required_argument, NULL, 'n' },
		{ "listen", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "haproxy", required_argument, NULL, OPTION_HAPROXY },
		{ "master", required_argument, NULL, OPTION_MASTER },
		{ "replica", required_argument, NULL, OPTION_REPLICA },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *command = argv[0];
	int option;

	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:n:l:jh", options, NULL)) != -1) {
		if (option == 'c') {
			source->file = optarg;
		} else if (option == 'n') {
			add_node(source, optarg);
		} else if (option == 'l' && words->listen) {
			*words->listen = optarg;
		} else if (option == 'j' && words->json) {
			*words->json = true;
		} else if (words->may_attach && take_attach(&source->attach, option, optarg)) {
			continue;
		} else if (option == 'h') {
			fputs(words->usage, stdout);
			*ret_exit = EXIT_SUCCESS;
			return false;
		} else {
			return refuse(command,
				      option == ':' ? "a value is missing after " : "wrong option ",
				      typed_option(option, argv), ret_exit);
		}
	}
	return optind == argc ||
	       refuse(command, "what is to be done with ", argv[optind], ret_exit);
}

void source_done(struct source *source)
{
	free(source->nodes);
	free(source->attach.haproxies);
}

static int load(const struct source *source, struct settings **ret_settings,
		struct settings_errors *errors)
{
	int result;

	if (source->file && source->node_count > 0) {
		settings_errors_add(errors,
				    "--config and --node exclude each other: name the nodes "
				    "in the file, or leave the file out");
		return -1;
	}
	if (attach_is_asked(&source->attach) && (source->file || source->node_count > 0)) {
		settings_errors_add(errors,
				    "--haproxy, --master and --replica exclude --config and "
				    "--node: HAProxy's servers are the nodes");
		return -1;
	}
	if (attach_is_asked(&source->attach))
		result = attach_load(&source->attach, ret_settings, errors);
	else if (source->node_count > 0)
		result = settings_from_nodes(source->nodes, source->node_count, ret_settings,
					     errors);
	else
		result = settings_load(source->file ? source->file : SOURCE_DEFAULT_FILE,
				       ret_settings, errors);
	return result == 0 ? settings_read_secrets(*ret_settings, errors) : result;
}

struct settings *source_load(const struct source *source)
{
	struct settings_errors errors = { 0 };
	struct settings *settings = NULL;
	int result = load(source, &settings, &errors);

	for (size_t i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.lines[i]);
	settings_errors_done(&errors);
	if (result != 0) {
		settings_free(settings);
		return NULL;
	}
	return settings;
}

struct address source_agent_address(const struct settings *settings)
{
	struct address address = settings->agent_check.listen[0];

	if (strcmp(address.host, "0.0.0.0") == 0)
		strcpy(address.host, "127.0.0.1");
	else if (strcmp(address.host, "::") == 0)
		strcpy(address.host, "::1");
	return address;
}
