/*
 * One client of the agent-check server, while it is a bare socket: accepting it, reading its line,
 * telling it something, hanging up. Nothing here blocks, allocates or knows of the loop.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define AGENT_PEER_QUERY_MAX 256 /* bytes of a line, without its end */

struct agent_peer {
	int descriptor;
	socklen_t address_length;
	union {
		struct sockaddr any;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
	} address;
	size_t length; /* of the query: what has come, or the line once it has ended */
	bool filled;   /* there may be more to read than fits */
	char query[2 * AGENT_PEER_QUERY_MAX];
};

enum agent_peer_reading {
	AGENT_PEER_NOTHING, /* no new byte */
	AGENT_PEER_SOME,    /* new bytes, no end yet */
	AGENT_PEER_LINE,    /* ended by a newline, or by the end of what the peer sends */
	AGENT_PEER_TOO_LONG,
	AGENT_PEER_BROKEN,
};

/** Accepts one, non-blocking and close-on-exec. Returns 0 or negative errno. */
int agent_peer_accept(int listener, struct agent_peer *ret_peer)
	__attribute__((warn_unused_result));

/** One read. */
enum agent_peer_reading agent_peer_read(struct agent_peer *peer);

/** Takes blanks and carriage returns off the end of the line. */
void agent_peer_trim(struct agent_peer *peer);

/** True if all of @text was taken; a new socket has room for one line. */
bool agent_peer_tell(const struct agent_peer *peer, const char *text, size_t length);

void agent_peer_hang_up(const struct agent_peer *peer);

/** A number made of the peer's IP address alone: each check comes from another port. */
uint64_t agent_peer_source(const struct agent_peer *peer);

/** Address and port as text, into @data or constant. */
const char *agent_peer_name(const struct agent_peer *peer, char *data, size_t size);
