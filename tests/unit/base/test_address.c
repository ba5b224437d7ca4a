/* Addresses and networks: what is read, what is refused, and the way to a sockaddr and back. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/address.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		enum address_kind kind;
		const char *host;
		uint16_t port;
		const char *again; /* NULL: as it was written */
	} cases[] = {
		{ "10.0.0.1:6379", ADDRESS_IP, "10.0.0.1", 6379, NULL },
		{ "0.0.0.0:65535", ADDRESS_IP, "0.0.0.0", 65535, NULL },
		{ "127.0.0.1:0", ADDRESS_IP, "127.0.0.1", 0, NULL },
		{ "[::1]:6379", ADDRESS_IP, "::1", 6379, NULL },
		{ "[FD00:0::1]:1", ADDRESS_IP, "fd00::1", 1, "[fd00::1]:1" },
		{ "[::ffff:1.2.3.4]:80", ADDRESS_IP, "1.2.3.4", 80, "1.2.3.4:80" },
		{ "redis-1.example.org:6379", ADDRESS_NAME, "redis-1.example.org", 6379, NULL },
		{ "redis_1:6379", ADDRESS_NAME, "redis_1", 6379, NULL },
		{ "example.org.:1", ADDRESS_NAME, "example.org.", 1, NULL },
		{ "unix:1", ADDRESS_NAME, "unix", 1, NULL },
		{ "unix:/run/redis.sock", ADDRESS_UNIX, "/run/redis.sock", 0, NULL },
	};
	char data[ADDRESS_TEXT_SIZE];
	struct address address;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (address_parse(cases[i].text, &address) != 0)
			fail_msg("%s is refused", cases[i].text);
		assert_int_equal(address.kind, cases[i].kind);
		assert_string_equal(address.host, cases[i].host);
		assert_int_equal(address.port, cases[i].port);
		assert_string_equal(address_format(&address, data, sizeof(data)),
				    cases[i].again ? cases[i].again : cases[i].text);
	}
}

static void test_parse_refuses(void **state)
{
	static const char *const cases[] = {
		"",
		":",
		":6379",
		"10.0.0.1",
		"10.0.0.1:",
		"10.0.0.1:x",
		"1.2.3.4:-1",
		"1.2.3.4:+1",
		"1.2.3.4:65536",
		"::1:6379",
		"[::1]",
		"[]:1",
		"[1.2.3.4]:1",
		"[::1:6379",
		"10.0.0.300:1",
		"1.2.3:1",
		"12:1",
		"a b:1",
		"a/b:1",
		"-a:1",
		".a:1",
		"a..b:1",
		"unix:",
		"unix:run/x",
		"[name]:1",
		"10.0.0.1:1 ",
		" a:1",
		"[::1]x:1",
		"[::1%lo]:1",
		"1.2.3.4:99999999999999999999",
	};
	struct address address = { .port = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (address_parse(cases[i], &address) != -EINVAL)
			fail_msg("%s is taken", cases[i]);
		assert_int_equal(address.port, 7);
	}
}

static void test_parse_lengths(void **state)
{
	size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path);
	char path[256] = "unix:/", name[300];
	struct sockaddr_storage sockaddr;
	struct address address;
	socklen_t length;

	(void)state;
	memset(path + 6, 'p', room - 2);
	assert_int_equal(address_parse(path, &address), 0);
	assert_int_equal(strlen(address.host), room - 1);
	assert_int_equal(address_to_sockaddr(&address, &sockaddr, &length), 0);
	path[6 + room - 2] = 'p';
	assert_int_equal(address_parse(path, &address), -EINVAL);

	memset(name, 'n', sizeof(name));
	memcpy(name + 253, ":1", 3);
	assert_int_equal(address_parse(name, &address), 0);
	memcpy(name + 253, "n:1", 4);
	assert_int_equal(address_parse(name, &address), -EINVAL);
	memset(name, 'n', sizeof(name));
	memcpy(name + 290, ":1", 3);
	assert_int_equal(address_parse(name, &address), -EINVAL);
}

static void test_sockaddr_round_trip(void **state)
{
	static const char *const cases[] = { "10.0.0.1:6379", "[fd00::7]:1", "unix:/run/a.sock" };
	struct sockaddr_storage sockaddr;
	struct address address, again;
	socklen_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(address_parse(cases[i], &address), 0);
		assert_int_equal(address_to_sockaddr(&address, &sockaddr, &length), 0);
		assert_int_equal(
			address_from_sockaddr((struct sockaddr *)&sockaddr, length, &again), 0);
		if (!address_equal(&address, &again))
			fail_msg("%s came back as %s", address.host, again.host);
	}
	assert_int_equal(address_parse("a.example:1", &address), 0);
	assert_int_equal(address_to_sockaddr(&address, &sockaddr, &length), -EINVAL);
}

static void test_from_sockaddr(void **state)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(99) };
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct sockaddr other = { .sa_family = AF_APPLETALK };
	struct address address;

	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.1.2.3", &six.sin6_addr), 1);
	assert_int_equal(address_from_sockaddr((struct sockaddr *)&six, sizeof(six), &address), 0);
	assert_string_equal(address.host, "10.1.2.3");
	assert_int_equal(address.port, 99);
	assert_int_equal(address_from_sockaddr((struct sockaddr *)&six, 8, &address),
			 -EAFNOSUPPORT);
	assert_int_equal(address_from_sockaddr(&other, sizeof(other), &address), -EAFNOSUPPORT);
	assert_int_equal(address_from_sockaddr((struct sockaddr *)&local,
					       offsetof(struct sockaddr_un, sun_path), &address),
			 -EAFNOSUPPORT);
	assert_int_equal(address_from_sockaddr(&other, 0, &address), -EAFNOSUPPORT);
}

static void test_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "10.0.0.1:1", "10.0.0.1:1", true },
		{ "10.0.0.1:1", "10.0.0.1:2", false },
		{ "10.0.0.1:1", "10.0.0.2:1", false },
		{ "[::1]:1", "[0:0::1]:1", true },
		{ "Node.Example:1", "node.example:1", true },
		{ "unix:/A", "unix:/a", false },
		{ "[::ffff:10.0.0.1]:1", "10.0.0.1:1", true },
	};
	struct address a, b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(address_parse(cases[i].a, &a), 0);
		assert_int_equal(address_parse(cases[i].b, &b), 0);
		if (address_equal(&a, &b) != cases[i].equal)
			fail_msg("%s and %s: equal is %d", cases[i].a, cases[i].b, !cases[i].equal);
	}
}

static void test_network(void **state)
{
	static const struct {
		const char *network, *peer;
		bool inside;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.0.1:1", true },
		{ "10.0.0.0/8", "11.0.0.1:1", false },
		{ "10.0.0.1", "10.0.0.1:1", true },
		{ "10.0.0.1", "10.0.0.2:1", false },
		{ "10.0.0.0/31", "10.0.0.1:1", true },
		{ "10.0.0.0/31", "10.0.0.2:1", false },
		{ "10.1.128.0/17", "10.1.127.1:1", false },
		{ "10.1.128.0/17", "10.1.200.1:1", true },
		{ "0.0.0.0/0", "200.1.1.1:1", true },
		{ "0.0.0.0/0", "[::1]:1", false },
		{ "::/0", "[fd00::1]:1", true },
		{ "fd00::/8", "[fdff::1]:1", true },
		{ "fd00::/8", "[fe80::1]:1", false },
		{ "::ffff:10.0.0.0/104", "10.9.9.9:1", true },
		{ "10.9.9.9/8", "10.1.1.1:1", true },
	};
	struct sockaddr_storage sockaddr;
	struct network network;
	struct address peer;
	socklen_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(network_parse(cases[i].network, &network), 0);
		assert_int_equal(address_parse(cases[i].peer, &peer), 0);
		assert_int_equal(address_to_sockaddr(&peer, &sockaddr, &length), 0);
		if (network_contains(&network, (struct sockaddr *)&sockaddr) != cases[i].inside)
			fail_msg("%s in %s: %d", cases[i].peer, cases[i].network, !cases[i].inside);
	}
}

static void test_network_mapped_peer(void **state)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct network network;

	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.1.2.3", &six.sin6_addr), 1);
	assert_int_equal(network_parse("10.0.0.0/8", &network), 0);
	assert_true(network_contains(&network, (struct sockaddr *)&six));
}

static void test_network_refuses(void **state)
{
	static const char *const cases[] = {
		"",	"/8",	      "10.0.0.0/",    "10.0.0.0/33", "fd00::/129", "10.0.0.0/-1",
		"10.0", "10.0.0.0/x", "10.0.0.0/8/8", "example/8",
	};
	struct network network;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (network_parse(cases[i], &network) != -EINVAL)
			fail_msg("%s is taken", cases[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_parse_lengths),	cmocka_unit_test(test_sockaddr_round_trip),
		cmocka_unit_test(test_from_sockaddr),	cmocka_unit_test(test_equal),
		cmocka_unit_test(test_network),		cmocka_unit_test(test_network_mapped_peer),
		cmocka_unit_test(test_network_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
