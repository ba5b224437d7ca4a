/* Where the settings come from: a file, nodes named on the command line, or a running HAProxy. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "app/attach.h"
#include "config/settings.h"

#define SOURCE_DEFAULT_FILE "/etc/redis-role-agent/redis-role-agent.cfg"

/** As the command line says it; `file`, `nodes` and `attach` exclude each other. */
struct source {
	const char *file;   /* NULL: the default one */
	const char **nodes; /* owned array of borrowed strings */
	size_t node_count;
	struct attach attach;
};

/** A subcommand's words: its help, and where the options go that not all have (NULL: it has not).
 */
struct source_words {
	const char *usage;
	const char **listen; /* --listen */
	bool *json;	     /* --json */
	bool may_attach;     /* --haproxy, --master, --replica */
};

/**
 * Reads the command line: --config, --node, --help and what @words has room for. True: go on.
 * False: end with *ret_exit, all is said. source_done in both cases.
 */
bool source_read_words(struct source *source, int argc, char **argv,
		       const struct source_words *words, int *ret_exit);

void source_done(struct source *source);

/**
 * Loads, checks and reads the secrets. Returns the settings (settings_free), or NULL after it has
 * printed every error on standard error.
 */
struct settings *source_load(const struct source *source);

/** Where a HAProxy on this host finds the agent: a wildcard listener is reached over loopback. */
struct address source_agent_address(const struct settings *settings);
