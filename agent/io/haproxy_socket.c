/*
 * Sockets to a HAProxy. Plain ones instead of libuv's streams: those connect and write one loop
 * turn later, and a push is to be with HAProxy before the call returns. It knows no deadline and no
 * loop.
 */
#include "io/haproxy_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEAD_AFTER_S 15

/* A peer that has gone without a word is noticed; a Unix socket's peer cannot go so. */
static void set_keepalive(int descriptor)
{
	int on = 1, idle_s = DEAD_AFTER_S / 3, interval_s = DEAD_AFTER_S / 3, count = 2;

	(void)setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	(void)setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
	(void)setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	(void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int haproxy_socket_connect(const struct address *address)
{
	struct sockaddr_storage sockaddr;
	socklen_t length;
	int error = address_to_sockaddr(address, &sockaddr, &length);
	int descriptor;

	if (error < 0)
		return error;
	descriptor = socket(sockaddr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return -errno;
	if (sockaddr.ss_family != AF_UNIX)
		set_keepalive(descriptor);
	if (connect(descriptor, (const struct sockaddr *)&sockaddr, length) == 0 ||
	    errno == EINPROGRESS || errno == EINTR)
		return descriptor;
	error = -errno;
	close(descriptor);
	return error;
}

int haproxy_socket_write(int descriptor, const char *bytes, size_t length, size_t *sent)
{
	while (*sent < length) {
		ssize_t count = send(descriptor, bytes + *sent, length - *sent, MSG_NOSIGNAL);

		if (count >= 0)
			*sent += (size_t)count;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			return -EAGAIN;
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}
