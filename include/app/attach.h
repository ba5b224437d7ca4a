/* The settings read out of a running HAProxy: its servers are the nodes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "config/settings.h"
#include "core/shown.h"

/** As the command line says it; nothing is owned but the array. */
struct attach {
	const char **haproxies; /* runtime sockets */
	size_t haproxy_count;
	const char *master, *replica; /* backends; NULL: none */
};

/** Something of it was said. */
bool attach_is_asked(const struct attach *attach);

/**
 * Asks each HAProxy for the servers of the backends, on a loop of its own, and makes settings of
 * them: one shard `main`, a node for each server name, no listener. Returns 0, or -EINVAL with at
 * least one error. A HAProxy that cannot be reached, beside one that can, and a server without an
 * address are told of on standard error and borne.
 */
int attach_load(const struct attach *attach, struct settings **ret_settings,
		struct settings_errors *errors) __attribute__((warn_unused_result));

/** The server's address as HAProxy shows it. False: it has none (yet), or a Unix socket's. */
bool attach_read_address(const struct shown_server *server, struct address *ret_address);
