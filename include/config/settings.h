/* The whole configuration, as plain values. Made by the loader or from the command line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "core/policy.h"

struct settings_auth {
	char *username;	     /* NULL: the default user */
	char *password_file; /* NULL: no password. The file's first line */
	char *password;	     /* read from it by settings_read_secrets */
};

struct settings_node {
	char *name;
	struct address address;
};

struct settings_shard {
	char *name;
	struct settings_node *nodes;
	size_t node_count;
	struct settings_auth auth;
	struct shard_policy policy;
};

struct settings_pool {
	char *backend;
	char *shard;
	size_t shard_index; /* of `shard` in settings.shards */
	struct pool_policy policy;
};

/** A listener that speaks for one server line, for clients that send nothing. */
struct settings_direct {
	struct address listen;
	char *backend;
	char *node;
};

struct settings_agent_check {
	struct address *listen;
	size_t listen_count;
	struct settings_direct *direct;
	size_t direct_count;
	struct network *allow; /* none: everybody */
	size_t allow_count;
	int64_t max_clients; /* slow ones, waited for at one time */
	int64_t start_hold_ms;
	int64_t handover_wait_ms; /* ANSWERS_AUTO for "auto" */
};

struct settings_haproxy {
	struct address socket;	      /* ADDRESS_UNIX or ADDRESS_IP */
	struct address master_socket; /* of the master CLI; an empty host: none */
	char *events;		      /* name of a ring, or NULL */
};

struct settings_push {
	int64_t reconcile_interval_ms;
	int64_t fence_wait_ms;
};

struct settings_log {
	int level; /* enum log_level */
};

struct settings {
	struct settings_shard *shards;
	size_t shard_count;
	struct settings_pool *pools;
	size_t pool_count;
	struct settings_agent_check agent_check;
	struct settings_haproxy *haproxies;
	size_t haproxy_count;
	struct settings_push push;
	struct settings_log log;
	bool attached; /* no option: the nodes are HAProxy's servers, and move with them */
};

/** Every error found, one sentence a line ("file:line: sentence"), for people. */
struct settings_errors {
	char **lines;
	size_t count;
};

void settings_errors_add(struct settings_errors *errors, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void settings_errors_done(struct settings_errors *errors);

/**
 * Loads @path (libconfig). Returns 0 and the settings (to be freed with settings_free), or -EINVAL
 * with at least one error: of syntax errors the first, of all others every one.
 */
int settings_load(const char *path, struct settings **ret_settings, struct settings_errors *errors)
	__attribute__((warn_unused_result));

/**
 * Settings for `run --node A --node B`: one shard `main` of these addresses, pools `master` and
 * `replica`, all else default. A node's name is its address without brackets, a slash made a dash:
 * HAProxy takes neither in a server's name. Errors as above.
 */
int settings_from_nodes(const char *const *addresses, size_t count, struct settings **ret_settings,
			struct settings_errors *errors) __attribute__((warn_unused_result));

/**
 * Settings for a caller that fills in the nodes and the sockets of @haproxy_count HAProxies itself:
 * one shard `main`, pools of it with these backends (NULL: none), all else default.
 */
struct settings *settings_new_main(const char *master, const char *replica, size_t haproxy_count);

/** Reads the password files. Returns 0, or -EINVAL with an error for each that cannot be read. */
int settings_read_secrets(struct settings *settings, struct settings_errors *errors)
	__attribute__((warn_unused_result));

/** NULL is fine. Passwords are wiped. */
void settings_free(struct settings *settings);
