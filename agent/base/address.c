/* Addresses and networks as text, as struct sockaddr, and compared. Addresses are kept in the
 * kernel's own spelling (inet_ntop), so that equal ones look equal. No name is looked up here. */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/text.h"

#define UNIX_PREFIX "unix:"
#define NAME_LIMIT  253 /* RFC 1035, in text */

static bool is_mapped(const uint8_t bytes[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(bytes, prefix, sizeof(prefix)) == 0;
}

/* Reads a numeric address; IPv4 in IPv6 becomes IPv4. Returns the family, or 0. */
static int read_ip(const char *s, uint8_t ret_bytes[16])
{
	if (inet_pton(AF_INET, s, ret_bytes) == 1)
		return AF_INET;
	if (inet_pton(AF_INET6, s, ret_bytes) != 1)
		return 0;
	if (!is_mapped(ret_bytes))
		return AF_INET6;
	memmove(ret_bytes, ret_bytes + 12, 4);
	return AF_INET;
}

/* A host name as resolvers take it. One whose last label is a number would be an address gone
 * wrong ("10.0.0.300"). */
static bool is_name(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	size_t length = strlen(s);
	const char *dot = strrchr(s, '.');
	const char *last = dot ? dot + 1 : s;

	if (length == 0 || length > NAME_LIMIT || strspn(s, allowed) != length)
		return false;
	if (s[0] == '-' || s[0] == '.' || strstr(s, ".."))
		return false;
	return last[strspn(last, "0123456789")] != '\0' || last[0] == '\0';
}

static int parse_unix(const char *path, struct address *ret_address)
{
	size_t length = strlen(path);

	if (path[0] != '/' || length >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return -EINVAL;
	*ret_address = (struct address){ .kind = ADDRESS_UNIX };
	text_copy(ret_address->host, sizeof(ret_address->host), path, length);
	return 0;
}

static int parse_port(const char *s, uint16_t *ret_port)
{
	int64_t port;

	if (s[0] < '0' || s[0] > '9' || !text_to_int64(s, strlen(s), &port) || port > UINT16_MAX)
		return -EINVAL;
	*ret_port = (uint16_t)port;
	return 0;
}

/* Fills kind and host from the text before the port: `1.2.3.4`, `[::1]` or a name. */
static int parse_host(const char *s, size_t length, struct address *address)
{
	bool brackets = length > 2 && s[0] == '[' && s[length - 1] == ']';
	char host[ADDRESS_HOST_SIZE];
	uint8_t bytes[16];
	int family;

	if (length >= sizeof(host))
		return -EINVAL;
	text_copy(host, sizeof(host), s + brackets, length - (brackets ? 2 : 0));
	if (brackets != (strchr(host, ':') != NULL))
		return -EINVAL;
	family = read_ip(host, bytes);
	if (family) {
		address->kind = ADDRESS_IP;
		return inet_ntop(family, bytes, address->host, sizeof(address->host)) ? 0 : -EINVAL;
	}
	if (!is_name(host))
		return -EINVAL;
	address->kind = ADDRESS_NAME;
	memcpy(address->host, host, sizeof(host));
	return 0;
}

int address_parse(const char *s, struct address *ret_address)
{
	struct address address = { .kind = ADDRESS_NAME };
	const char *colon = strrchr(s, ':');

	if (s[0] == '/')
		return parse_unix(s, ret_address);
	if (strncmp(s, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0 && s[strlen(UNIX_PREFIX)] == '/')
		return parse_unix(s + strlen(UNIX_PREFIX), ret_address);
	if (!colon || parse_port(colon + 1, &address.port) != 0)
		return -EINVAL;
	if (parse_host(s, (size_t)(colon - s), &address) != 0)
		return -EINVAL;
	*ret_address = address;
	return 0;
}

const char *address_format(const struct address *address, char *data, size_t size)
{
	struct text text;

	text_init(&text, data, size);
	if (address->kind == ADDRESS_UNIX)
		text_addf(&text, UNIX_PREFIX "%s", address->host);
	else if (strchr(address->host, ':'))
		text_addf(&text, "[%s]:%u", address->host, address->port);
	else
		text_addf(&text, "%s:%u", address->host, address->port);
	return data;
}

static int to_unix(const struct address *address, struct sockaddr_storage *ret_sockaddr,
		   socklen_t *ret_length)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	size_t length = strlen(address->host);

	if (length >= sizeof(local.sun_path))
		return -EINVAL;
	memcpy(local.sun_path, address->host, length + 1);
	memset(ret_sockaddr, 0, sizeof(*ret_sockaddr));
	memcpy(ret_sockaddr, &local, sizeof(local));
	*ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
	return 0;
}

static int to_inet(const struct address *address, struct sockaddr_storage *ret_sockaddr,
		   socklen_t *ret_length)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(address->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(address->port) };
	uint8_t bytes[16];
	int family = read_ip(address->host, bytes);

	if (!family)
		return -EINVAL;
	memcpy(&four.sin_addr, bytes, sizeof(four.sin_addr));
	memcpy(&six.sin6_addr, bytes, sizeof(six.sin6_addr));
	memset(ret_sockaddr, 0, sizeof(*ret_sockaddr));
	*ret_length = family == AF_INET ? sizeof(four) : sizeof(six);
	memcpy(ret_sockaddr, family == AF_INET ? (void *)&four : (void *)&six, *ret_length);
	return 0;
}

int address_to_sockaddr(const struct address *address, struct sockaddr_storage *ret_sockaddr,
			socklen_t *ret_length)
{
	switch (address->kind) {
	case ADDRESS_IP:
		return to_inet(address, ret_sockaddr, ret_length);
	case ADDRESS_UNIX:
		return to_unix(address, ret_sockaddr, ret_length);
	case ADDRESS_NAME:
		break;
	}
	return -EINVAL;
}

/* The address bytes and port of @sockaddr; IPv4 in IPv6 as IPv4. Returns the family, or 0. */
static int peer_bytes(const struct sockaddr *sockaddr, uint8_t ret_bytes[16], uint16_t *ret_port)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (sockaddr->sa_family == AF_INET) {
		memcpy(&four, sockaddr, sizeof(four));
		memcpy(ret_bytes, &four.sin_addr, sizeof(four.sin_addr));
		*ret_port = ntohs(four.sin_port);
		return AF_INET;
	}
	if (sockaddr->sa_family != AF_INET6)
		return 0;
	memcpy(&six, sockaddr, sizeof(six));
	memcpy(ret_bytes, &six.sin6_addr, sizeof(six.sin6_addr));
	*ret_port = ntohs(six.sin6_port);
	if (!is_mapped(ret_bytes))
		return AF_INET6;
	memmove(ret_bytes, ret_bytes + 12, 4);
	return AF_INET;
}

static int from_unix(const struct sockaddr *sockaddr, socklen_t length, struct address *ret_address)
{
	size_t start = offsetof(struct sockaddr_un, sun_path);
	const char *path = (const char *)sockaddr + start;
	struct address address = { .kind = ADDRESS_UNIX };

	/* Unnamed and abstract sockets have no path that could be written down. */
	if (length <= start || path[0] != '/')
		return -EAFNOSUPPORT;
	text_copy(address.host, sizeof(address.host), path, strnlen(path, length - start));
	*ret_address = address;
	return 0;
}

int address_from_sockaddr(const struct sockaddr *sockaddr, socklen_t length,
			  struct address *ret_address)
{
	struct address address = { .kind = ADDRESS_IP };
	uint8_t bytes[16];
	int family;

	if (length < sizeof(sockaddr->sa_family))
		return -EAFNOSUPPORT;
	if (sockaddr->sa_family == AF_UNIX)
		return from_unix(sockaddr, length, ret_address);
	if (length < (sockaddr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						      : sizeof(struct sockaddr_in)))
		return -EAFNOSUPPORT;
	family = peer_bytes(sockaddr, bytes, &address.port);
	if (!family || !inet_ntop(family, bytes, address.host, sizeof(address.host)))
		return -EAFNOSUPPORT;
	*ret_address = address;
	return 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
	if (a->kind != b->kind || a->port != b->port)
		return false;
	/* Host names know no case. */
	return a->kind == ADDRESS_NAME ? strcasecmp(a->host, b->host) == 0
				       : strcmp(a->host, b->host) == 0;
}

/* The number after the slash, in @family's bounds. */
static int parse_bits(const char *s, int family, unsigned int *ret_bits)
{
	int64_t limit = family == AF_INET ? 32 : 128, bits;

	if (s[0] < '0' || s[0] > '9' || !text_to_int64(s, strlen(s), &bits) || bits > limit)
		return -EINVAL;
	*ret_bits = (unsigned int)bits;
	return 0;
}

int network_parse(const char *s, struct network *ret_network)
{
	size_t length = strcspn(s, "/");
	struct network network = { 0 };
	char host[INET6_ADDRSTRLEN];

	if (length >= sizeof(host))
		return -EINVAL;
	text_copy(host, sizeof(host), s, length);
	if (inet_pton(AF_INET, host, network.bytes) == 1)
		network.family = AF_INET;
	else if (inet_pton(AF_INET6, host, network.bytes) == 1)
		network.family = AF_INET6;
	else
		return -EINVAL;
	network.bits = network.family == AF_INET ? 32 : 128;
	if (s[length] == '/' && parse_bits(s + length + 1, network.family, &network.bits) != 0)
		return -EINVAL;
	/* Peers are compared as IPv4 where they are: so must be the network. */
	if (network.family == AF_INET6 && network.bits >= 96 && is_mapped(network.bytes)) {
		network.family = AF_INET;
		network.bits -= 96;
		memmove(network.bytes, network.bytes + 12, 4);
	}
	*ret_network = network;
	return 0;
}

bool network_contains(const struct network *network, const struct sockaddr *sockaddr)
{
	unsigned int whole = network->bits / 8, rest = network->bits % 8;
	uint8_t bytes[16] = { 0 };
	uint16_t port;

	if (peer_bytes(sockaddr, bytes, &port) != network->family)
		return false;
	if (memcmp(bytes, network->bytes, whole) != 0)
		return false;
	return rest == 0 || (bytes[whole] ^ network->bytes[whole]) >> (8 - rest) == 0;
}
