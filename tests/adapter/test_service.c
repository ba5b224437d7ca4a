/* The messages to the service manager, as a datagram socket in a temporary folder receives them. */
#include "io/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct manager {
	char folder[64];
	struct sockaddr_un address;
	int descriptor;
};

static int start_manager(void **state)
{
	static struct manager manager;

	strcpy(manager.folder, "/tmp/test_service.XXXXXX");
	if (!mkdtemp(manager.folder))
		return -1;
	manager.address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(manager.address.sun_path, sizeof(manager.address.sun_path), "%s/notify",
		 manager.folder);
	manager.descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setenv("NOTIFY_SOCKET", manager.address.sun_path, 1);
	*state = &manager;
	return bind(manager.descriptor, (struct sockaddr *)&manager.address,
		    sizeof(manager.address));
}

static int stop_manager(void **state)
{
	struct manager *manager = *state;

	unsetenv("NOTIFY_SOCKET");
	close(manager->descriptor);
	unlink(manager->address.sun_path);
	rmdir(manager->folder);
	return 0;
}

/* Sent and received in one thread: what was sent is there. */
static void expect(const struct manager *manager, const char *expected)
{
	char text[200] = "";
	ssize_t length = recv(manager->descriptor, text, sizeof(text) - 1, 0);

	assert_int_equal(length, strlen(expected));
	assert_string_equal(text, expected);
}

static void test_messages(void **state)
{
	struct manager *manager = *state;

	service_ready("2 shards");
	expect(manager, "READY=1\nSTATUS=2 shards");
	service_ready("100% of %s");
	expect(manager, "READY=1\nSTATUS=100% of %s");
	service_feed_watchdog();
	expect(manager, "WATCHDOG=1");
	service_stopping();
	expect(manager, "STOPPING=1");
}

static void test_no_manager(void **state)
{
	struct manager *manager = *state;
	char byte;

	unsetenv("NOTIFY_SOCKET");
	service_ready("alone");
	service_feed_watchdog();
	setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
	service_stopping();
	assert_int_equal(recv(manager->descriptor, &byte, 1, 0), -1);
}

struct watchdog_case {
	const char *usec;
	bool for_us;
	int64_t expected_ms;
};

static const struct watchdog_case watchdog_cases[] = {
	{ NULL, true, 0 }, { "10000000", true, 5000 }, { "10000000", false, 0 }, { "3", true, 1 },
	{ "0", true, 0 },  { "soon", true, 0 },	       { "2000", true, 1 }
};

static void test_watchdog(void **state)
{
	char pid[32];

	(void)state;
	for (size_t i = 0; i < sizeof(watchdog_cases) / sizeof(watchdog_cases[0]); i++) {
		const struct watchdog_case *row = &watchdog_cases[i];

		unsetenv("WATCHDOG_USEC");
		if (row->usec)
			setenv("WATCHDOG_USEC", row->usec, 1);
		snprintf(pid, sizeof(pid), "%d", (int)getpid() + (row->for_us ? 0 : 1));
		setenv("WATCHDOG_PID", pid, 1);
		assert_int_equal(service_watchdog_ms(), row->expected_ms);
	}
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_messages, start_manager, stop_manager),
		cmocka_unit_test_setup_teardown(test_no_manager, start_manager, stop_manager),
		cmocka_unit_test(test_watchdog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
