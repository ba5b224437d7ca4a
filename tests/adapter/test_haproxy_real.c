/* Batches, the ring and the master's lists with the machine's own haproxy, and what a round trip
 * costs. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/old_workers.h"
#include "harness.h"
#include "io/haproxy.h"
#include "real_haproxy.h"

#define LIMIT_MS 10000
#define ROUNDS	 400
#define GOAL_US	 300
#define MANY	 1000

static struct real_haproxy real;
static size_t replies, news, ends;
static int last_status;
static char *output; /* of the last batch, with a NUL */
static size_t output_length;

static void on_reply(void *context, int status, const char *bytes, size_t length)
{
	(void)context;
	last_status = status;
	free(output);
	output = mem_calloc(1, length + 1);
	memcpy(output, bytes ? bytes : "", length);
	output_length = length;
	replies++;
}

static void on_event(void *context, bool ended)
{
	(void)context;
	if (ended)
		ends++;
	else
		news++;
}

static void ask(struct harness *harness, struct haproxy *haproxy, const char *commands)
{
	size_t before = replies;

	haproxy_send(haproxy, commands, LIMIT_MS, on_reply, NULL);
	HARNESS_WAIT(harness, replies > before, LIMIT_MS);
}

static void expect(struct harness *harness, struct haproxy *haproxy, const char *commands,
		   const char *expected)
{
	ask(harness, haproxy, commands);
	assert_int_equal(last_status, 0);
	if (!strstr(output, expected))
		fail_msg("%s: \"%s\" is not in: %s", commands, expected, output);
}

static void test_commands(void **state)
{
	const struct address *const addresses[] = { &real.admin, &real.tcp };
	struct harness *harness = *state;

	for (size_t i = 0; i < 2; i++) {
		struct haproxy *haproxy = haproxy_new(&harness->loop, addresses[i]);

		expect(harness, haproxy,
		       "set server bk_master/a agent down;show stat bk_master 4 -1;show info",
		       "DOWN (agent)");
		assert_non_null(strstr(output, "\nPid: "));
		expect(harness, haproxy, "set server bk_master/a agent up;show stat bk_master 4 -1",
		       "no check");
		expect(harness, haproxy, "nonsense", "Unknown command");
		expect(harness, haproxy, "set server bk_master/zz agent up", "No such server.");
		expect(harness, haproxy, "set server bk_many/s1 agent up", "not enabled");
		haproxy_free(haproxy);
	}
}

static void test_denied(void **state)
{
	struct haproxy *haproxy = haproxy_new(&((struct harness *)*state)->loop, &real.user);

	expect(*state, haproxy, "set server bk_master/a agent down", "Permission denied");
	expect(*state, haproxy, "show info", "Pid: ");
	haproxy_free(haproxy);
}

/* Much output, whole: a row for each of the servers, and the end of the table. */
static void test_much(void **state)
{
	struct haproxy *haproxy = haproxy_new(&((struct harness *)*state)->loop, &real.admin);
	char name[32];

	snprintf(name, sizeof(name), "bk_many,s%d,", MANY);
	expect(*state, haproxy, "show stat bk_many 4 -1;show servers state;show info", name);
	assert_non_null(strstr(output, "\nPid: "));
	assert_true(output_length > 100000);
	haproxy_free(haproxy);
}

static int compare_times(const void *a, const void *b)
{
	const uint64_t *first = a, *second = b;

	return *first < *second ? -1 : *first > *second;
}

static void measure(struct harness *harness, const struct address *address, const char *name)
{
	static uint64_t times_us[ROUNDS];
	struct haproxy *haproxy = haproxy_new(&harness->loop, address);

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = uv_hrtime();

		ask(harness, haproxy,
		    i % 2 ? "set server bk_master/a agent up"
			  : "set server bk_master/a agent down");
		times_us[i] = (uv_hrtime() - start) / 1000;
		assert_int_equal(last_status, 0);
	}
	qsort(times_us, ROUNDS, sizeof(times_us[0]), compare_times);
	printf("round trip of a mark, %s: median %d us, p99 %d us, longest %d us\n", name,
	       (int)times_us[ROUNDS / 2], (int)times_us[ROUNDS * 99 / 100],
	       (int)times_us[ROUNDS - 1]);
	/* Valgrind makes all slower. */
	if (!getenv("LD_PRELOAD"))
		assert_in_range(times_us[ROUNDS / 2], 1, GOAL_US * 10);
	haproxy_free(haproxy);
}

static void test_round_trip(void **state)
{
	measure(*state, &real.admin, "Unix");
	measure(*state, &real.tcp, "TCP");
}

static void test_ring(void **state)
{
	struct harness *harness = *state;
	struct haproxy *haproxy = haproxy_new(&harness->loop, &real.admin);
	struct haproxy_watch *watch =
		haproxy_watch_new(&harness->loop, &real.admin, "marks", on_event, NULL);

	news = ends = 0;
	/* When HAProxy has begun to follow is not to be seen. */
	for (int i = 0; i < 100 && news == 0; i++) {
		ask(harness, haproxy,
		    i % 2 ? "set server bk_master/a agent up"
			  : "set server bk_master/a agent down");
		harness_run(harness, 20);
	}
	assert_true(news > 0);
	assert_int_equal(ends, 0);
	ask(harness, haproxy, "set server bk_master/a agent up");
	haproxy_watch_free(watch);
	haproxy_free(haproxy);
}

static int64_t ask_pid(struct harness *harness, struct haproxy *haproxy)
{
	expect(harness, haproxy, "show info", "\nPid: ");
	return strtol(strstr(output, "\nPid: ") + 6, NULL, 10);
}

/* A signal takes its time: the process goes on until the kernel says that it has stopped. */
static bool is_stopped(pid_t pid)
{
	char path[64], stat[512] = "";
	const char *state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	(void)!fread(stat, 1, sizeof(stat) - 1, file);
	fclose(file);
	state = strrchr(stat, ')');
	return state && state[1] == ' ' && state[2] == 'T';
}

/* A worker that hangs: each batch takes its own time and no more, and all is well when it is back.
 */
static void test_hung(void **state)
{
	struct harness *harness = *state;
	struct haproxy *haproxy = haproxy_new(&harness->loop, &real.admin);
	pid_t pid = (pid_t)ask_pid(harness, haproxy);
	size_t before = replies;
	uint64_t start, took_ms;
	int status;

	assert_int_equal(kill(pid, SIGSTOP), 0);
	for (int i = 0; i < LIMIT_MS && !is_stopped(pid); i++)
		harness_run(harness, 1);
	start = uv_hrtime();
	haproxy_send(haproxy, "set server bk_master/a agent down", 100, on_reply, NULL);
	haproxy_send(haproxy, "set server bk_master/a agent up", 100, on_reply, NULL);
	harness_begin_limit(harness, LIMIT_MS);
	while (replies < before + 2 && harness_turn(harness))
		;
	harness_end_limit(harness);
	status = last_status;
	took_ms = (uv_hrtime() - start) / 1000000;
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(replies, before + 2);
	assert_int_equal(status, -ETIMEDOUT);
	assert_in_range(took_ms, 198, 2000);
	/* What waited in the listener's queue is carried out after all, in any order and at any
	 * time: only what is sent and read back later counts. */
	for (int i = 0; i < 50 && (i < 2 || !strstr(output, "no check")); i++) {
		harness_run(harness, 20);
		ask(harness, haproxy, "set server bk_master/a agent up;show stat bk_master 4 -1");
	}
	assert_non_null(strstr(output, "no check"));
	haproxy_free(haproxy);
}

/* A client of the frontend, and the server that it reaches, both left open. */
static void open_session(int ret_descriptors[3])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(real.server_port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 5), 0);
	address.sin_port = htons(real.port);
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	ret_descriptors[0] = client;
	ret_descriptors[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ret_descriptors[2] = listener;
	assert_true(ret_descriptors[1] >= 0);
}

/* Cuts the sessions of an old worker on bk_master/a; returns how many. */
static int cut_old(struct harness *harness, struct haproxy *master, int64_t pid)
{
	struct old_session session;
	char commands[128], *text;
	const char *cursor, *end;
	int count = 0;

	snprintf(commands, sizeof(commands), "@!%d show sess", (int)pid);
	expect(harness, master, commands, "0x");
	text = mem_strdup(output);
	cursor = text;
	end = text + strlen(text);
	while (old_sessions_next(&cursor, end, &session)) {
		assert_string_equal(session.backend, "bk_master");
		assert_string_equal(session.server, "a");
		snprintf(commands, sizeof(commands), "@!%d shutdown session %s", (int)pid,
			 session.id);
		ask(harness, master, commands);
		assert_int_equal(last_status, 0);
		count++;
	}
	free(text);
	return count;
}

static void find_old(struct harness *harness, struct haproxy *master, int64_t *ret_pid)
{
	const char *cursor = output;

	ask(harness, master, "show proc");
	cursor = output;
	if (last_status != 0 || !old_workers_next(&cursor, output + output_length, ret_pid))
		*ret_pid = 0;
}

static void test_reload(void **state)
{
	struct harness *harness = *state;
	struct haproxy *haproxy = haproxy_new(&harness->loop, &real.admin);
	struct haproxy *master = haproxy_new(&harness->loop, &real.master);
	struct haproxy_watch *watch =
		haproxy_watch_new(&harness->loop, &real.admin, "marks", on_event, NULL);
	int64_t pid = ask_pid(harness, haproxy), old = 0;
	int descriptors[3];
	uint64_t start_ms;

	open_session(descriptors);
	harness_run(harness, 100);
	find_old(harness, master, &old);
	assert_int_equal(old, 0);
	news = ends = 0;
	real_haproxy_reload(&real);
	HARNESS_WAIT(harness, ends > 0, LIMIT_MS);
	start_ms = uv_hrtime() / 1000000;
	assert_true(ask_pid(harness, haproxy) != pid);
	/* The new stream is with the new worker: it tells of the new worker's marks. */
	HARNESS_WAIT(harness, news > 0, LIMIT_MS);
	news = 0;
	for (int i = 0; i < 100 && news == 0; i++) {
		ask(harness, haproxy,
		    i % 2 ? "set server bk_master/a agent up"
			  : "set server bk_master/a agent down");
		harness_run(harness, 20);
	}
	printf("reload: news from the new worker %d ms after the end of the old stream, %d ends\n",
	       (int)(uv_hrtime() / 1000000 - start_ms), (int)ends);
	assert_true(news > 0);
	assert_int_equal(ends, 1);
	for (int i = 0; i < 50 && old == 0; i++)
		find_old(harness, master, &old);
	assert_int_equal(old, pid);
	assert_int_equal(cut_old(harness, master, old), 1);
	/* Its last session cut and our stream gone, the old worker ends. */
	for (int i = 0; i < 500 && old != 0; i++) {
		harness_run(harness, 10);
		find_old(harness, master, &old);
	}
	assert_int_equal(old, 0);
	for (int i = 0; i < 3; i++)
		close(descriptors[i]);
	haproxy_watch_free(watch);
	haproxy_free(master);
	haproxy_free(haproxy);
}

static int setup_group(void **state)
{
	(void)state;
	real_haproxy_start(&real, MANY);
	return 0;
}

static int teardown_group(void **state)
{
	(void)state;
	real_haproxy_stop(&real);
	free(output);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_commands), TEST(test_denied), TEST(test_much),   TEST(test_round_trip),
		TEST(test_ring),     TEST(test_hung),	TEST(test_reload),
	};

	harness_start();
	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
