/*
 * Listening sockets: new ones, and those that a service manager passes from descriptor 3 on. Each
 * test of the latter runs in a child of its own, for the numbers and the environment are the
 * process's.
 */
#include "io/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST_PASSED 3

static struct address make_address(const char *host, unsigned int port)
{
	char text[100];
	struct address address;

	snprintf(text, sizeof(text), "%s:%u", host, port);
	assert_int_equal(address_parse(text, &address), 0);
	return address;
}

/* A bound socket; its port tells. */
static int make_socket(const char *host, int type, bool listening, unsigned int *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int descriptor = socket(AF_INET, type, 0);

	inet_pton(AF_INET, host, &address.sin_addr);
	assert_true(descriptor >= 0);
	assert_int_equal(bind(descriptor, (struct sockaddr *)&address, sizeof(address)), 0);
	if (listening)
		assert_int_equal(listen(descriptor, 5), 0);
	getsockname(descriptor, (struct sockaddr *)&address, &length);
	*ret_port = ntohs(address.sin_port);
	return descriptor;
}

static unsigned int free_port(void)
{
	unsigned int port;

	close(make_socket("127.0.0.1", SOCK_STREAM, false, &port));
	return port;
}

static int option(int descriptor, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	assert_int_equal(getsockopt(descriptor, SOL_SOCKET, name, &value, &length), 0);
	return value;
}

static void check_flags(int descriptor)
{
	assert_true(fcntl(descriptor, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(descriptor, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(option(descriptor, SO_ACCEPTCONN), 1);
}

static void open_and_check(const char *host)
{
	struct listen_inherited none = { .count = 0 };
	struct address address = make_address(host, free_port());
	int descriptor = listen_open(&address, &none);

	assert_true(descriptor >= 0);
	check_flags(descriptor);
	assert_int_equal(option(descriptor, SO_REUSEADDR), 1);
	assert_int_equal(listen_open(&address, &none), -EADDRINUSE);
	close(descriptor);
	listen_inherited_done(&none);
}

static void test_open(void **state)
{
	struct listen_inherited none = { .count = 0 };
	struct address name = make_address("localhost", 1),
		       elsewhere = make_address("192.0.2.1", 1);
	struct address local;

	(void)state;
	open_and_check("127.0.0.1");
	open_and_check("[::1]");
	open_and_check("0.0.0.0");
	assert_int_equal(listen_open(&name, &none), -EINVAL);
	assert_int_equal(listen_open(&elsewhere, &none), -EADDRNOTAVAIL);
	assert_int_equal(address_parse("unix:/tmp/x", &local), 0);
	assert_int_equal(listen_open(&local, &none), -EINVAL);
}

static void test_nothing_inherited(void **state)
{
	struct listen_inherited inherited;

	(void)state;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	assert_int_equal(listen_inherit(&inherited), 0);
	assert_int_equal(inherited.count, 0);
	assert_null(listen_untaken(&inherited));
	listen_inherited_done(&inherited);
}

/* Moves @descriptors to 3, 4, … as the service manager would. */
static void pass(const int *descriptors, int count)
{
	char text[32];
	int high[8];

	for (int i = 0; i < count; i++)
		high[i] = fcntl(descriptors[i], F_DUPFD, 100);
	for (int i = 0; i < count; i++)
		dup2(high[i], FIRST_PASSED + i);
	for (int i = 0; i < count; i++)
		close(high[i]);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
	snprintf(text, sizeof(text), "%d", count);
	setenv("LISTEN_FDS", text, 1);
}

/* In the child: what does not hold ends it with the line's number. */
#define HOLDS(condition) holds(condition, #condition, __LINE__)
static void holds(bool condition, const char *text, int line)
{
	if (condition)
		return;
	fprintf(stderr, "line %d: %s\n", line, text);
	_exit(1);
}

static void child_takes(const unsigned int *ports)
{
	struct listen_inherited inherited;
	struct address first = make_address("127.0.0.1", ports[0]);
	struct address second = make_address("0.0.0.0", ports[1]);
	struct address similar = make_address("127.0.0.1", ports[1]);
	int descriptor;

	HOLDS(listen_inherit(&inherited) == 0);
	HOLDS(!getenv("LISTEN_FDS"));
	HOLDS(inherited.count == 2);
	HOLDS(address_equal(listen_untaken(&inherited), &first));
	/* The wildcard is not the loopback address: a mismatch, not a match. */
	HOLDS(listen_open(&similar, &inherited) == -EADDRINUSE);
	HOLDS(listen_open(&second, &inherited) == FIRST_PASSED + 1);
	HOLDS(address_equal(listen_untaken(&inherited), &first));
	descriptor = listen_open(&first, &inherited);
	HOLDS(descriptor == FIRST_PASSED);
	HOLDS((fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0);
	HOLDS((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
	HOLDS(!listen_untaken(&inherited));
	HOLDS(listen_open(&first, &inherited) == -EADDRINUSE);
	listen_inherited_done(&inherited);
	HOLDS(fcntl(descriptor, F_GETFD) >= 0); /* what was taken is the taker's */
}

static void child_takes_none(const unsigned int *ports)
{
	struct listen_inherited inherited;

	(void)ports;
	HOLDS(listen_inherit(&inherited) == 0);
	HOLDS(listen_untaken(&inherited) != NULL);
	listen_inherited_done(&inherited);
	HOLDS(fcntl(FIRST_PASSED, F_GETFD) < 0);
	HOLDS(fcntl(FIRST_PASSED + 1, F_GETFD) < 0);
}

static void child_gets_no_socket(const unsigned int *ports)
{
	struct listen_inherited inherited;

	(void)ports;
	HOLDS(listen_inherit(&inherited) == -ENOTSOCK);
	HOLDS(fcntl(FIRST_PASSED, F_GETFD) < 0);
	HOLDS(fcntl(FIRST_PASSED + 1, F_GETFD) < 0);
}

static void child_gets_wrong_socket(const unsigned int *ports)
{
	struct listen_inherited inherited;

	(void)ports;
	HOLDS(listen_inherit(&inherited) == -EINVAL);
}

static void child_gets_nonsense(const unsigned int *ports)
{
	struct listen_inherited inherited;

	(void)ports;
	setenv("LISTEN_FDS", "many", 1);
	HOLDS(listen_inherit(&inherited) < 0);
}

static void in_child(const int *descriptors, void (*check)(const unsigned int *ports),
		     const unsigned int *ports)
{
	pid_t child = fork();
	int status = -1;

	assert_true(child >= 0);
	if (child == 0) {
		pass(descriptors, 2);
		check(ports);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(descriptors[0]);
	close(descriptors[1]);
}

static void test_inherited(void **state)
{
	unsigned int ports[2];
	int descriptors[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		descriptors[0] = make_socket("127.0.0.1", SOCK_STREAM, true, &ports[0]);
		descriptors[1] = make_socket("0.0.0.0", SOCK_STREAM, true, &ports[1]);
		in_child(descriptors, i ? child_takes_none : child_takes, ports);
	}
}

static void test_inherited_is_wrong(void **state)
{
	unsigned int ports[2];
	int descriptors[2];

	(void)state;
	descriptors[0] = make_socket("127.0.0.1", SOCK_STREAM, true, &ports[0]);
	descriptors[1] = open("/dev/null", O_RDONLY);
	in_child(descriptors, child_gets_no_socket, ports);
	descriptors[0] = make_socket("127.0.0.1", SOCK_STREAM, false, &ports[0]);
	descriptors[1] = make_socket("127.0.0.1", SOCK_STREAM, true, &ports[1]);
	in_child(descriptors, child_gets_wrong_socket, ports);
	descriptors[0] = make_socket("127.0.0.1", SOCK_STREAM, true, &ports[0]);
	descriptors[1] = make_socket("127.0.0.1", SOCK_DGRAM, false, &ports[1]);
	in_child(descriptors, child_gets_wrong_socket, ports);
	descriptors[0] = make_socket("127.0.0.1", SOCK_STREAM, true, &ports[0]);
	descriptors[1] = make_socket("127.0.0.1", SOCK_STREAM, true, &ports[1]);
	in_child(descriptors, child_gets_nonsense, ports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_nothing_inherited),
		cmocka_unit_test(test_inherited),
		cmocka_unit_test(test_inherited_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
