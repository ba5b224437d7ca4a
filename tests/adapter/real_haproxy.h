/* A haproxy of our own in a temporary folder, in master-worker mode. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/address.h"

struct real_haproxy {
	pid_t pid; /* of the master */
	char folder[64];
	struct address admin, user, tcp, master; /* its sockets; user: of that level */
	uint16_t port;				 /* of its frontend */
	uint16_t server_port;			 /* where its server bk_master/a is sought */
};

/** Starts one with @servers servers in bk_many, and waits until it answers. */
void real_haproxy_start(struct real_haproxy *haproxy, unsigned int servers);
void real_haproxy_stop(struct real_haproxy *haproxy);

/** Asks the master to reload. */
void real_haproxy_reload(const struct real_haproxy *haproxy);
