/* Where a peer is: an IP address and port, a host name and port, or a Unix socket's path. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_HOST_SIZE 256
#define ADDRESS_TEXT_SIZE (ADDRESS_HOST_SIZE + 16)

enum address_kind { ADDRESS_IP, ADDRESS_NAME, ADDRESS_UNIX };

struct address {
	enum address_kind kind;
	uint16_t port;		      /* 0 for ADDRESS_UNIX */
	char host[ADDRESS_HOST_SIZE]; /* numeric IP, host name, or path */
};

/**
 * Reads `host:port`, `1.2.3.4:6379`, `[::1]:6379`, `unix:/path` or `/path`. The port is needed. A
 * path must be absolute and fit sockaddr_un. Returns 0, or -EINVAL: @ret_address is then untouched.
 */
int address_parse(const char *s, struct address *ret_address) __attribute__((warn_unused_result));

/** The same text back, into @data (ADDRESS_TEXT_SIZE suffices); returns @data. */
const char *address_format(const struct address *address, char *data, size_t size);

/** For ADDRESS_IP and ADDRESS_UNIX. Returns 0, or -EINVAL for a name, which must be looked up
 * first. */
int address_to_sockaddr(const struct address *address, struct sockaddr_storage *ret_sockaddr,
			socklen_t *ret_length) __attribute__((warn_unused_result));

/** IPv4 in IPv6 (::ffff:1.2.3.4) becomes plain IPv4. Returns 0, or -EAFNOSUPPORT. */
int address_from_sockaddr(const struct sockaddr *sockaddr, socklen_t length,
			  struct address *ret_address) __attribute__((warn_unused_result));

bool address_equal(const struct address *a, const struct address *b);

/** A network in CIDR notation, for allow-lists. */
struct network {
	int family;	   /* AF_INET or AF_INET6 */
	unsigned int bits; /* leading bits that count */
	uint8_t bytes[16];
};

/** Reads `10.0.0.0/8`, `fd00::/8`, or an address alone. Returns 0 or -EINVAL. */
int network_parse(const char *s, struct network *ret_network) __attribute__((warn_unused_result));

/** True if the peer @sockaddr lies in @network; IPv4 in IPv6 counts as IPv4. */
bool network_contains(const struct network *network, const struct sockaddr *sockaddr);
