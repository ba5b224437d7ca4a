/*
 * Listening sockets, made here or inherited. An inherited one is used only for exactly its own
 * address: what the configuration and the socket unit say must agree.
 */
#include "io/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/mem.h"

#define BACKLOG 1024

static int read_option(int descriptor, int option, int *ret_value)
{
	socklen_t length = sizeof(*ret_value);

	return getsockopt(descriptor, SOL_SOCKET, option, ret_value, &length) < 0 ? -errno : 0;
}

static int set_nonblocking(int descriptor)
{
	int flags = fcntl(descriptor, F_GETFL);

	if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

/* -ENOTSOCK: no socket; -EINVAL: not a listening stream socket. */
static int check_inherited(int descriptor, struct address *ret_address)
{
	struct sockaddr_storage sockaddr;
	socklen_t length = sizeof(sockaddr);
	int type = 0, listening = 0;
	int error = read_option(descriptor, SO_TYPE, &type);

	if (error == 0)
		error = read_option(descriptor, SO_ACCEPTCONN, &listening);
	if (error < 0)
		return error;
	if (type != SOCK_STREAM || !listening)
		return -EINVAL;
	if (getsockname(descriptor, (struct sockaddr *)&sockaddr, &length) < 0)
		return -errno;
	error = set_nonblocking(descriptor);
	if (error < 0)
		return error;
	return address_from_sockaddr((const struct sockaddr *)&sockaddr, length, ret_address);
}

int listen_inherit(struct listen_inherited *ret_inherited)
{
	struct listen_inherited inherited = { .count = 0 };
	int passed = sd_listen_fds(true);
	int error = 0;

	if (passed < 0)
		return passed;
	inherited.descriptors = mem_calloc((size_t)passed, sizeof(*inherited.descriptors));
	inherited.addresses = mem_calloc((size_t)passed, sizeof(*inherited.addresses));
	inherited.count = (size_t)passed;
	for (int i = 0; i < passed; i++) {
		int result = check_inherited(SD_LISTEN_FDS_START + i, &inherited.addresses[i]);

		inherited.descriptors[i] = SD_LISTEN_FDS_START + i;
		if (error == 0)
			error = result;
	}
	if (error < 0)
		listen_inherited_done(&inherited);
	else
		*ret_inherited = inherited;
	return error;
}

void listen_inherited_done(struct listen_inherited *inherited)
{
	for (size_t i = 0; i < inherited->count; i++) {
		if (inherited->descriptors[i] >= 0)
			close(inherited->descriptors[i]);
	}
	free(inherited->descriptors);
	free(inherited->addresses);
	*inherited = (struct listen_inherited){ .count = 0 };
}

/* -1: there is none of that address. */
static int take_inherited(struct listen_inherited *inherited, const struct address *address)
{
	for (size_t i = 0; i < inherited->count; i++) {
		int descriptor = inherited->descriptors[i];

		if (descriptor < 0 || !address_equal(&inherited->addresses[i], address))
			continue;
		inherited->descriptors[i] = -1;
		return descriptor;
	}
	return -1;
}

static int bind_and_listen(int descriptor, const struct sockaddr_storage *sockaddr,
			   socklen_t length)
{
	int on = 1;

	if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(descriptor, (const struct sockaddr *)sockaddr, length) < 0 ||
	    listen(descriptor, BACKLOG) < 0)
		return -errno;
	return 0;
}

int listen_open(const struct address *address, struct listen_inherited *inherited)
{
	struct sockaddr_storage sockaddr;
	socklen_t length;
	int descriptor = take_inherited(inherited, address);
	int error;

	if (descriptor >= 0)
		return descriptor;
	if (address->kind != ADDRESS_IP)
		return -EINVAL;
	error = address_to_sockaddr(address, &sockaddr, &length);
	if (error < 0)
		return error;
	descriptor = socket(sockaddr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return -errno;
	error = bind_and_listen(descriptor, &sockaddr, length);
	if (error < 0) {
		close(descriptor);
		return error;
	}
	return descriptor;
}

const struct address *listen_untaken(const struct listen_inherited *inherited)
{
	for (size_t i = 0; i < inherited->count; i++) {
		if (inherited->descriptors[i] >= 0)
			return &inherited->addresses[i];
	}
	return NULL;
}
