/* Listening sockets: made here, or inherited from systemd's socket activation and matched by
 * address. */
#pragma once

#include <stddef.h>

#include "base/address.h"

/** The sockets that the service manager passed (sd_listen_fds(3)), close-on-exec. */
struct listen_inherited {
	int *descriptors;
	struct address *addresses;
	size_t count; /* those not yet taken have a descriptor of 0 or more */
};

/** Reads and clears the environment. Returns 0 or negative errno. */
int listen_inherit(struct listen_inherited *ret_inherited) __attribute__((warn_unused_result));

/** Closes what nobody took, and frees. */
void listen_inherited_done(struct listen_inherited *inherited);

/**
 * A non-blocking, close-on-exec listening TCP socket for @address: the inherited one of that
 * address, or a new one (SO_REUSEADDR, backlog 1024). Returns the descriptor, or negative errno
 * (-EADDRINUSE, …).
 */
int listen_open(const struct address *address, struct listen_inherited *inherited);

/** The address of an inherited socket that nobody took, or NULL: a mismatch that is an error. */
const struct address *listen_untaken(const struct listen_inherited *inherited);
