/*
 * The bare socket of an agent-check client. Four system calls serve one whose line is there:
 * accept4, recv, send, close.
 */
#include "io/agent_peer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "base/text.h"

int agent_peer_accept(int listener, struct agent_peer *ret_peer)
{
	socklen_t length = sizeof(ret_peer->address);
	int descriptor =
		accept4(listener, &ret_peer->address.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (descriptor < 0)
		return -errno;
	ret_peer->descriptor = descriptor;
	ret_peer->address_length = length;
	ret_peer->length = 0;
	ret_peer->filled = false;
	return 0;
}

enum agent_peer_reading agent_peer_read(struct agent_peer *peer)
{
	char *at = peer->query + peer->length;
	size_t room = sizeof(peer->query) - peer->length;
	ssize_t received = recv(peer->descriptor, at, room, 0);
	const char *end;

	if (received < 0)
		return errno == EAGAIN || errno == EINTR ? AGENT_PEER_NOTHING : AGENT_PEER_BROKEN;
	if (received == 0)
		return AGENT_PEER_LINE;
	peer->filled = (size_t)received == room;
	end = memchr(at, '\n', (size_t)received);
	peer->length = end ? (size_t)(end - peer->query) : peer->length + (size_t)received;
	if (peer->length > AGENT_PEER_QUERY_MAX)
		return AGENT_PEER_TOO_LONG;
	return end ? AGENT_PEER_LINE : AGENT_PEER_SOME;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

void agent_peer_trim(struct agent_peer *peer)
{
	while (peer->length > 0 && is_blank(peer->query[peer->length - 1]))
		peer->length--;
}

bool agent_peer_tell(const struct agent_peer *peer, const char *text, size_t length)
{
	return send(peer->descriptor, text, length, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length;
}

/* Closing with unread bytes makes the kernel send RST, which can overtake the answer. */
void agent_peer_hang_up(const struct agent_peer *peer)
{
	if (peer->filled) {
		char rest[4096];

		(void)!recv(peer->descriptor, rest, sizeof(rest), 0);
	}
	close(peer->descriptor);
}

uint64_t agent_peer_source(const struct agent_peer *peer)
{
	if (peer->address.any.sa_family == AF_INET)
		return text_hash(&peer->address.ipv4.sin_addr, sizeof(peer->address.ipv4.sin_addr));
	if (peer->address.any.sa_family == AF_INET6)
		return text_hash(&peer->address.ipv6.sin6_addr,
				 sizeof(peer->address.ipv6.sin6_addr));
	return text_hash("", 0);
}

const char *agent_peer_name(const struct agent_peer *peer, char *data, size_t size)
{
	struct address address;

	if (address_from_sockaddr(&peer->address.any, peer->address_length, &address) < 0)
		return "?";
	return address_format(&address, data, size);
}
