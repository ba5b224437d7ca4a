/*
 * The agent-check server over real loopback sockets, against clients that are good, slow, silent,
 * greedy, rude or too many.
 */
#include "io/agent_server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent_fixture.h"
#include "base/clock.h"
#include "base/log.h"

#define TRICKLE_MS 6

#define MASTER_LINE  "up # master\n"
#define STANDBY_LINE "stopped # replica of n1\n"

struct query_case {
	bool direct;
	const char *query;
	const char *expected;
	size_t counter; /* offset in agent_server_counts */
};

#define COUNTED(name) offsetof(struct agent_server_counts, name)

static const struct query_case query_cases[] = {
	{ false, "bk/n1\n", MASTER_LINE, COUNTED(answered) },
	{ false, "bk/n2\n", STANDBY_LINE, COUNTED(answered) },
	{ false, "bk/n1\r\n", MASTER_LINE, COUNTED(answered) },
	{ false, "bk/n1 \t \r\n", MASTER_LINE, COUNTED(answered) },
	{ false, "bk/n1\nbk/n2\n", MASTER_LINE, COUNTED(answered) },
	{ false, "bk/n1", MASTER_LINE, COUNTED(answered) }, /* ended by a pause */
	{ false, "agent\n", "up\n", COUNTED(answered) },
	{ false, "agent", "up\n", COUNTED(answered) },
	{ false, "bk/n3\n", "", COUNTED(unknown_name) },
	{ false, "bk/n3", "", COUNTED(unknown_name) },
	{ false, " bk/n1\n", "", COUNTED(unknown_name) },
	{ false, "\x01\xff%s%n\x1b[31m\n", "", COUNTED(unknown_name) },
	{ false, "\n", "", COUNTED(silent) },
	{ false, "", "", COUNTED(silent) },
	{ true, "", STANDBY_LINE, COUNTED(answered) },
	{ true, "\r\n", STANDBY_LINE, COUNTED(answered) },
	{ true, "bk/n1\n", MASTER_LINE, COUNTED(answered) },
	{ true, "nonsense\n", STANDBY_LINE, COUNTED(answered) },
	{ true, "agent\n", "up\n", COUNTED(answered) },
};

static void test_queries(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(query_cases) / sizeof(query_cases[0]); i++) {
		const struct query_case *row = &query_cases[i];
		struct agent_fixture *fixture = agent_fixture_start();
		int client = agent_fixture_ask(row->direct ? &fixture->direct : &fixture->address,
					       row->query);
		uint64_t count;

		agent_fixture_expect(fixture, client, row->expected);
		memcpy(&count, (const char *)agent_fixture_counts(fixture) + row->counter,
		       sizeof(count));
		assert_int_equal(count, 1);
		agent_fixture_finish(fixture);
	}
}

static void test_alive_or_not(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();

	(void)state;
	fixture->alive = false;
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "agent\n"), "");
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n1\n"), MASTER_LINE);
	assert_int_equal(agent_fixture_counts(fixture)->answered, 1);
	agent_fixture_finish(fixture);
}

static void test_silent_verdict(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();

	(void)state;
	agent_fixture_publish(fixture, VERDICT_UP, VERDICT_UNKNOWN);
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n2\n"), "");
	assert_int_equal(agent_fixture_counts(fixture)->no_verdict, 1);
	agent_fixture_finish(fixture);
}

/* Two halves with less than the pause between them are one line. If we were late ourselves, once
 * more. */
static void test_two_halves(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();
	int64_t started_ms;
	int client;

	(void)state;
	for (;;) {
		started_ms = clock_mono_ms();
		client = agent_fixture_ask(&fixture->address, "bk");
		agent_fixture_turn_for(fixture, 3);
		agent_fixture_say(client, "/n2\n", 4);
		if (clock_mono_ms() - started_ms < 8)
			break;
		close(client);
	}
	agent_fixture_expect(fixture, client, STANDBY_LINE);
	agent_fixture_finish(fixture);
}

/* On a busy machine a checker may speak long after it connected; the pause is no judge of that. */
static void test_slow_to_speak(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();
	int64_t started_ms;
	int client;

	(void)state;
	for (;;) {
		started_ms = clock_mono_ms();
		client = agent_fixture_dial(&fixture->address);
		agent_fixture_turn_for(fixture, 50);
		agent_fixture_say(client, "bk/n2", 5);
		if (clock_mono_ms() - started_ms < 150)
			break;
		close(client);
	}
	agent_fixture_expect(fixture, client, STANDBY_LINE);
	agent_fixture_finish(fixture);
}

static void test_half_close(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();
	int early = agent_fixture_ask(&fixture->address, "bk/n1"),
	    late = agent_fixture_ask(&fixture->address, "bk/n2");
	int empty = agent_fixture_dial(&fixture->direct);

	(void)state;
	shutdown(early, SHUT_WR);
	shutdown(empty, SHUT_WR);
	agent_fixture_expect(fixture, early, MASTER_LINE);
	shutdown(late, SHUT_WR);
	agent_fixture_expect(fixture, late, STANDBY_LINE);
	agent_fixture_expect(fixture, empty, STANDBY_LINE);
	agent_fixture_finish(fixture);
}

/* One client that never ends its line, until it is cut; meanwhile others are answered. Returns the
 * longest that one of them waited. */
static int64_t trickle(struct agent_fixture *fixture)
{
	uint64_t cut = agent_fixture_counts(fixture)->too_slow +
		       agent_fixture_counts(fixture)->unknown_name + 1;
	int64_t start_ms = clock_mono_ms(), next_ms = start_ms, worst_ms = 0;
	int slow = agent_fixture_dial(&fixture->address);

	while (agent_fixture_counts(fixture)->too_slow +
		       agent_fixture_counts(fixture)->unknown_name <
	       cut) {
		int64_t asked_ms;

		if (clock_mono_ms() >= next_ms) {
			send(slow, "x", 1, MSG_NOSIGNAL);
			next_ms = clock_mono_ms() + TRICKLE_MS;
		}
		asked_ms = clock_mono_ms();
		agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n1\n"),
				     MASTER_LINE);
		if (clock_mono_ms() - asked_ms > worst_ms)
			worst_ms = clock_mono_ms() - asked_ms;
		assert_in_range(clock_mono_ms() - start_ms, 0, 1000);
	}
	agent_fixture_expect(fixture, slow, "");
	return worst_ms;
}

/* Bytes that come faster than the pause would put the end off for ever. On a busy machine one may
 * come later than that and so end the line: then it is tried again. */
static void test_trickle(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();
	int64_t worst_ms = LIMIT_MS;

	(void)state;
	for (int attempt = 0; attempt < 20 && !agent_fixture_counts(fixture)->too_slow; attempt++)
		worst_ms = trickle(fixture);
	assert_int_equal(agent_fixture_counts(fixture)->too_slow, 1);
	assert_in_range(worst_ms, 0, 49);
	agent_fixture_finish(fixture);
}

static void test_never_reads(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();
	int client = agent_fixture_ask(&fixture->address, "bk/n1\n");

	(void)state;
	agent_fixture_await_count(fixture, &agent_fixture_counts(fixture)->answered, 1);
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n2\n"),
			     STANDBY_LINE);
	close(client);
	agent_fixture_finish(fixture);
}

/* @head, then a megabyte as far as the server takes it. */
static int flood(struct agent_fixture *fixture, const char *head, int fill)
{
	static char bytes[1 << 20];
	int client = agent_fixture_ask(&fixture->address, head);
	size_t sent = 0;

	memset(bytes, fill, sizeof(bytes));
	while (sent < sizeof(bytes)) {
		ssize_t part = send(client, bytes + sent, sizeof(bytes) - sent, MSG_NOSIGNAL);

		if (part > 0)
			sent += (size_t)part;
		else if (errno != EAGAIN)
			break;
		agent_fixture_turn(fixture);
	}
	return client;
}

static void test_floods(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();

	(void)state;
	close(flood(fixture, "", 'x'));
	agent_fixture_await_count(fixture, &agent_fixture_counts(fixture)->too_long, 1);
	close(flood(fixture, "bk/n1", 0));
	agent_fixture_await_count(fixture, &agent_fixture_counts(fixture)->too_long, 2);
	close(flood(fixture, "bk/n1\n", 'x'));
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n2\n"),
			     STANDBY_LINE);
	agent_fixture_finish(fixture);
}

static void test_line_length(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();
	char query[300];

	(void)state;
	memset(query, 'x', sizeof(query));
	query[256] = '\n';
	query[257] = '\0';
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, query), "");
	assert_int_equal(agent_fixture_counts(fixture)->unknown_name, 1);
	query[256] = 'x';
	query[257] = '\n';
	query[258] = '\0';
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, query), "");
	assert_int_equal(agent_fixture_counts(fixture)->too_long, 1);
	agent_fixture_finish(fixture);
}

static void test_pipelined_garbage_keeps_answer(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();
	char query[3000];

	(void)state;
	memset(query, 'y', sizeof(query));
	memcpy(query, "bk/n1\n", 6);
	query[sizeof(query) - 1] = '\0';
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, query), MASTER_LINE);
	agent_fixture_finish(fixture);
}

static void test_nuls(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();
	int client = agent_fixture_dial(&fixture->address);

	(void)state;
	agent_fixture_say(client, "bk/n1\0\n", 7);
	agent_fixture_expect(fixture, client, "");
	client = agent_fixture_dial(&fixture->address);
	agent_fixture_say(client, "\0\0\0\0", 4);
	agent_fixture_expect(fixture, client, "");
	assert_int_equal(agent_fixture_counts(fixture)->unknown_name, 2);
	agent_fixture_finish(fixture);
}

#define CROWD 400

static void test_crowd(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();
	int clients[CROWD], good;

	(void)state;
	for (size_t i = 0; i < CROWD; i++)
		clients[i] = agent_fixture_dial(&fixture->address);
	good = agent_fixture_ask(&fixture->address, "bk/n1\n");
	agent_fixture_expect(fixture, good, MASTER_LINE);
	/* With the room taken, who asks is served, at once or slowly. */
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n2\n"),
			     STANDBY_LINE);
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n2"), STANDBY_LINE);
	for (size_t i = 0; i < CROWD; i++)
		agent_fixture_expect(fixture, clients[i], "");
	assert_true(agent_fixture_counts(fixture)->too_many > 0);
	assert_true(agent_fixture_counts(fixture)->silent >= MAX_CLIENTS - 2);
	assert_int_equal(agent_fixture_counts(fixture)->silent +
				 agent_fixture_counts(fixture)->too_many,
			 CROWD);
	/* The room is free again. */
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n1"), MASTER_LINE);
	agent_fixture_finish(fixture);
}

static void test_pending_then_woken(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start_with(NULL, false);
	int fast = agent_fixture_ask(&fixture->address, "bk/n1\n"),
	    slow = agent_fixture_ask(&fixture->address, "bk/n2");
	int direct = agent_fixture_dial(&fixture->direct);
	char byte;

	(void)state;
	agent_fixture_turn_for(fixture, 25);
	assert_int_equal(recv(fast, &byte, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
	agent_server_wake(fixture->server); /* nothing new: nobody is told */
	assert_int_equal(recv(fast, &byte, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
	agent_fixture_publish(fixture, VERDICT_UP, VERDICT_STANDBY);
	agent_server_wake(fixture->server);
	assert_int_equal(agent_fixture_counts(fixture)->answered, 3);
	agent_fixture_expect(fixture, fast, MASTER_LINE);
	agent_fixture_expect(fixture, slow, STANDBY_LINE);
	agent_fixture_expect(fixture, direct, STANDBY_LINE);
	agent_fixture_finish(fixture);
}

static void test_pending_then_expired(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start_with(NULL, false);
	int64_t start_ms = clock_mono_ms();

	(void)state;
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n1\n"), "");
	assert_in_range(clock_mono_ms() - start_ms, HOLD_MS - 2, HOLD_MS + 200);
	assert_int_equal(agent_fixture_counts(fixture)->no_verdict, 1);
	/* The reserved query knows no waiting. */
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "agent\n"), "up\n");
	agent_fixture_finish(fixture);
}

static void test_free_with_clients(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start_with(NULL, false);
	int waiting = agent_fixture_ask(&fixture->address, "bk/n1\n"),
	    reading = agent_fixture_ask(&fixture->address, "bk");
	int queued;

	(void)state;
	agent_fixture_turn_for(fixture, 3);
	queued = agent_fixture_ask(&fixture->address, "bk/n1\n");
	agent_server_free(fixture->server);
	fixture->server = NULL;
	agent_fixture_expect(fixture, waiting, "");
	agent_fixture_expect(fixture, reading, "");
	agent_fixture_expect(fixture, queued, "");
	agent_fixture_finish(fixture);
}

static void test_allow_list(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start_with("10.0.0.0/8", true);

	(void)state;
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n1\n"), "");
	assert_int_equal(agent_fixture_counts(fixture)->not_allowed, 1);
	assert_int_equal(agent_fixture_counts(fixture)->answered, 0);
	agent_fixture_finish(fixture);
	fixture = agent_fixture_start_with("127.0.0.0/8", true);
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n1\n"), MASTER_LINE);
	assert_int_equal(agent_fixture_counts(fixture)->not_allowed, 0);
	agent_fixture_finish(fixture);
}

static void test_ipv6(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();
	struct sockaddr_storage address;

	(void)state;
	agent_fixture_serve_address(fixture, "::1", AGENT_SERVER_NO_LINE, &address);
	agent_fixture_expect(fixture, agent_fixture_ask(&address, "bk/n1\n"), MASTER_LINE);
	agent_fixture_expect(fixture, agent_fixture_ask(&address, "bk/n2"), STANDBY_LINE);
	agent_fixture_expect(fixture, agent_fixture_ask(&address, "what?\n"), "");
	agent_fixture_finish(fixture);
}

static void reset(int descriptor)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(descriptor);
}

static void test_reset(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();
	size_t descriptors = agent_fixture_count_descriptors();
	int64_t end_ms = clock_mono_ms() + LIMIT_MS;
	int slow;

	(void)state;
	reset(agent_fixture_ask(&fixture->address, "bk/n1\n")); /* before it is accepted */
	reset(agent_fixture_ask(&fixture->address, ""));
	agent_fixture_turn_for(fixture, 3);
	slow = agent_fixture_ask(&fixture->address, "bk/n");
	agent_fixture_turn_for(fixture, 3);
	reset(slow);
	while (agent_fixture_count_descriptors() != descriptors && clock_mono_ms() < end_ms)
		agent_fixture_turn(fixture);
	assert_int_equal(agent_fixture_count_descriptors(), descriptors);
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n1\n"), MASTER_LINE);
	agent_fixture_finish(fixture);
}

/* Checks come from one address and ever new ports: one asker, whose interval is then known. */
static void test_asker_is_an_address(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();
	int64_t now_ms;

	(void)state;
	for (int i = 0; i < 3; i++) {
		agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n1\n"),
				     MASTER_LINE);
		agent_fixture_turn_for(fixture, 30);
	}
	now_ms = clock_mono_ms();
	agent_fixture_publish(fixture, VERDICT_STANDBY, VERDICT_UP);
	assert_in_range(answers_deadline_ms(fixture->answers), now_ms + 30, now_ms + 1000);
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n2\n"),
			     "stopped # held: handover\n");
	agent_fixture_finish(fixture);
}

/* Takes every descriptor that is left; returns how many are in @ret_taken. */
static size_t take_all_descriptors(int *ret_taken, size_t size)
{
	size_t count = 0;

	while (count < size) {
		int descriptor = dup(STDERR_FILENO);

		if (descriptor < 0)
			break;
		ret_taken[count++] = descriptor;
	}
	return count;
}

#define FEW 8

static void test_out_of_descriptors(void **state)
{
	static int taken[1024];
	struct agent_fixture *fixture = agent_fixture_start();
	struct rlimit old, low;
	int clients[FEW];
	size_t count, turns = 0;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &old);
	low = (struct rlimit){ .rlim_cur = 512, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (size_t i = 0; i < FEW; i++)
		clients[i] = agent_fixture_ask(&fixture->address, "bk/n1\n");
	count = take_all_descriptors(taken, sizeof(taken) / sizeof(taken[0]));
	/* Nobody is left in the queue, and the loop did not spin on it. */
	for (size_t before = 0; before < agent_fixture_counts(fixture)->too_many || turns < 10;
	     turns++) {
		before = agent_fixture_counts(fixture)->too_many;
		agent_fixture_turn(fixture);
	}
	for (size_t i = 0; i < count; i++)
		close(taken[i]);
	/* Under valgrind half of them end inside accept4, which it then lets fail. */
	assert_in_range(agent_fixture_counts(fixture)->too_many, FEW / 2, FEW);
	assert_in_range(turns, 1, 100);
	for (size_t i = 0; i < FEW; i++)
		agent_fixture_expect(fixture, clients[i], "");
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n1\n"), MASTER_LINE);
	setrlimit(RLIMIT_NOFILE, &old);
	agent_fixture_finish(fixture);
}

/* Where even the spare one is lost, the listener rests instead of spinning, and comes back. */
static void test_out_of_descriptors_and_spare(void **state)
{
	struct agent_fixture *fixture = agent_fixture_start();
	struct rlimit old, none;
	int client = agent_fixture_ask(&fixture->address, "bk/n1\n");
	size_t turns = 0;
	int64_t end_ms;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &old);
	none = (struct rlimit){ .rlim_cur = 3, .rlim_max = old.rlim_max };
	/* Below the numbers in use: giving one up gains nothing. */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (end_ms = clock_mono_ms() + 40; clock_mono_ms() < end_ms; turns++)
		agent_fixture_turn(fixture);
	setrlimit(RLIMIT_NOFILE, &old);
	assert_int_equal(agent_fixture_counts(fixture)->answered, 0);
	assert_in_range(agent_fixture_counts(fixture)->too_many, 1, 3);
	agent_fixture_expect(fixture, agent_fixture_ask(&fixture->address, "bk/n1\n"), MASTER_LINE);
	close(client);
	agent_fixture_finish(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_alive_or_not),
		cmocka_unit_test(test_silent_verdict),
		cmocka_unit_test(test_two_halves),
		cmocka_unit_test(test_slow_to_speak),
		cmocka_unit_test(test_half_close),
		cmocka_unit_test(test_trickle),
		cmocka_unit_test(test_never_reads),
		cmocka_unit_test(test_floods),
		cmocka_unit_test(test_line_length),
		cmocka_unit_test(test_pipelined_garbage_keeps_answer),
		cmocka_unit_test(test_nuls),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_pending_then_woken),
		cmocka_unit_test(test_pending_then_expired),
		cmocka_unit_test(test_free_with_clients),
		cmocka_unit_test(test_allow_list),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_asker_is_an_address),
		cmocka_unit_test(test_out_of_descriptors),
		cmocka_unit_test(test_out_of_descriptors_and_spare),
	};
	uv_loop_t warm_up; /* libuv opens descriptors for the whole process at the first loop */

	log_init(LOG_LEVEL_ERROR, false);
	if (uv_loop_init(&warm_up) < 0 || uv_loop_close(&warm_up) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
