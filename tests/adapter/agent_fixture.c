/* One server, its clients, and the proof at the end: the loop drained, each descriptor closed. */
#include "agent_fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static const struct pool_policy policy = { .role = POOL_MASTER };
static const char *const nodes[] = { "n1", "n2" };

size_t agent_fixture_count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void on_pulse(uv_timer_t *timer)
{
	(void)timer;
}

static bool is_alive(void *context)
{
	return ((struct agent_fixture *)context)->alive;
}

static socklen_t address_size(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					      : sizeof(struct sockaddr_in);
}

static int open_listener(const char *ip, struct sockaddr_storage *ret_address)
{
	struct sockaddr_storage address = { .ss_family = strchr(ip, ':') ? AF_INET6 : AF_INET };
	socklen_t size = address_size(&address);
	int descriptor;

	if (address.ss_family == AF_INET6)
		inet_pton(AF_INET6, ip, &((struct sockaddr_in6 *)&address)->sin6_addr);
	else
		inet_pton(AF_INET, ip, &((struct sockaddr_in *)&address)->sin_addr);
	descriptor = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(descriptor >= 0);
	assert_int_equal(bind(descriptor, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(descriptor, 1024), 0);
	assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &size), 0);
	*ret_address = address;
	return descriptor;
}

void agent_fixture_publish(struct agent_fixture *fixture, enum verdict_state n1,
			   enum verdict_state n2)
{
	struct verdict verdicts[] = { { .state = n1, .reason = REASON_MASTER, .peer = -1 },
				      { .state = n2, .reason = REASON_REPLICA, .peer = 0 } };

	answers_publish(fixture->answers, 0, verdicts, clock_mono_ms());
}

void agent_fixture_serve_address(struct agent_fixture *fixture, const char *ip, size_t line,
				 struct sockaddr_storage *ret_address)
{
	int listener = open_listener(ip, ret_address);

	assert_int_equal(agent_server_listen(fixture->server, listener, line), 0);
}

struct agent_fixture *agent_fixture_start_with(const char *allow, bool published)
{
	struct agent_fixture *fixture = calloc(1, sizeof(*fixture));
	struct network network;
	struct agent_server_setup setup = { .max_clients = MAX_CLIENTS,
					    .start_hold_ms = HOLD_MS,
					    .is_alive = is_alive };

	assert_non_null(fixture);
	fixture->descriptors_before = agent_fixture_count_descriptors();
	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	uv_timer_init(&fixture->loop, &fixture->pulse);
	uv_timer_start(&fixture->pulse, on_pulse, 1, 1);
	fixture->answers = answers_new(ANSWERS_AUTO);
	answers_add_pool(fixture->answers, &(struct answers_pool){ .backend = "bk",
								   .policy = &policy,
								   .nodes = nodes,
								   .node_count = 2 });
	if (published)
		agent_fixture_publish(fixture, VERDICT_UP, VERDICT_STANDBY);
	fixture->alive = true;
	setup.loop = &fixture->loop;
	setup.answers = fixture->answers;
	setup.context = fixture;
	if (allow) {
		assert_int_equal(network_parse(allow, &network), 0);
		setup.allow = &network;
		setup.allow_count = 1;
	}
	fixture->server = agent_server_new(&setup);
	agent_fixture_serve_address(fixture, "127.0.0.1", AGENT_SERVER_NO_LINE, &fixture->address);
	agent_fixture_serve_address(fixture, "127.0.0.1", 1, &fixture->direct);
	return fixture;
}

struct agent_fixture *agent_fixture_start(void)
{
	return agent_fixture_start_with(NULL, true);
}

void agent_fixture_finish(struct agent_fixture *fixture)
{
	agent_server_free(fixture->server);
	uv_close((uv_handle_t *)&fixture->pulse, NULL);
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	answers_free(fixture->answers);
	assert_int_equal(agent_fixture_count_descriptors(), fixture->descriptors_before);
	free(fixture);
}

const struct agent_server_counts *agent_fixture_counts(const struct agent_fixture *fixture)
{
	return agent_server_counts(fixture->server);
}

void agent_fixture_turn(struct agent_fixture *fixture)
{
	uv_run(&fixture->loop, UV_RUN_ONCE);
}

void agent_fixture_turn_for(struct agent_fixture *fixture, int64_t duration_ms)
{
	int64_t end_ms = clock_mono_ms() + duration_ms;

	while (clock_mono_ms() < end_ms)
		agent_fixture_turn(fixture);
}

int agent_fixture_dial(const struct sockaddr_storage *address)
{
	int descriptor = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(descriptor >= 0);
	assert_int_equal(
		connect(descriptor, (const struct sockaddr *)address, address_size(address)), 0);
	fcntl(descriptor, F_SETFL, O_NONBLOCK);
	return descriptor;
}

void agent_fixture_say(int descriptor, const char *bytes, size_t length)
{
	assert_int_equal(send(descriptor, bytes, length, MSG_NOSIGNAL), length);
}

int agent_fixture_ask(const struct sockaddr_storage *address, const char *text)
{
	int descriptor = agent_fixture_dial(address);

	if (text[0])
		agent_fixture_say(descriptor, text, strlen(text));
	return descriptor;
}

/* All that comes until the end, which may be a reset. Closes. */
static void hear(struct agent_fixture *fixture, int descriptor, char *ret_text, size_t size)
{
	int64_t end_ms = clock_mono_ms() + LIMIT_MS;
	size_t length = 0;
	ssize_t received;

	while ((received = recv(descriptor, ret_text + length, size - 1 - length, 0)) != 0) {
		if (received > 0)
			length += (size_t)received;
		else if (errno != EAGAIN)
			break;
		if (clock_mono_ms() > end_ms)
			fail_msg("not closed within %d ms", LIMIT_MS);
		agent_fixture_turn(fixture);
	}
	ret_text[length] = '\0';
	close(descriptor);
}

void agent_fixture_expect(struct agent_fixture *fixture, int descriptor, const char *expected)
{
	char text[200];

	hear(fixture, descriptor, text, sizeof(text));
	assert_string_equal(text, expected);
}

void agent_fixture_await_count(struct agent_fixture *fixture, const uint64_t *count,
			       uint64_t expected)
{
	int64_t end_ms = clock_mono_ms() + LIMIT_MS;

	while (*count < expected && clock_mono_ms() < end_ms)
		agent_fixture_turn(fixture);
	assert_int_equal(*count, expected);
}
