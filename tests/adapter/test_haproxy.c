/* Batches over a runtime socket against a fake that answers, stalls, cuts, floods and hangs up. */
#include "io/haproxy.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_haproxy.h"
#include "harness.h"

#define LIMIT_MS 5000

static struct fake_haproxy fake;
static struct haproxy *haproxy;
static uv_timer_t *ticker;

/* What the last reply said, and how many there were. */
static struct {
	size_t replies;
	int status[8];
	void *context[8];
	size_t length;
	char output[512]; /* its start */
} told;

static void on_reply(void *context, int status, const char *output, size_t length)
{
	size_t index = told.replies % 8;

	told.status[index] = status;
	told.context[index] = context;
	told.length = length;
	snprintf(told.output, sizeof(told.output), "%.*s",
		 length < sizeof(told.output) ? (int)length : 0, output ? output : "");
	told.replies++;
}

/* libuv before 1.45 runs due timers and then waits in the same turn; so the turns are kept short.
 */
static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

static void on_ticker_closed(uv_handle_t *handle)
{
	free(handle);
}

static void begin(struct harness *harness, bool tcp)
{
	ticker = mem_calloc(1, sizeof(*ticker));
	uv_timer_init(&harness->loop, ticker);
	uv_timer_start(ticker, on_tick, 2, 2);
	memset(&told, 0, sizeof(told));
	if (tcp)
		fake_haproxy_start_tcp(&fake, &harness->loop);
	else
		fake_haproxy_start_unix(&fake, &harness->loop);
	haproxy = haproxy_new(&harness->loop, &fake.address);
}

static void end(void)
{
	uv_close((uv_handle_t *)ticker, on_ticker_closed);
	haproxy_free(haproxy);
	haproxy = NULL;
	fake_haproxy_done(&fake);
}

static void check_one(struct harness *harness, int64_t timeout_ms, int expected)
{
	size_t before = told.replies;

	haproxy_send(haproxy, "show info", timeout_ms, on_reply, NULL);
	assert_int_equal(told.replies, before);
	assert_int_equal(haproxy_pending(haproxy), 1);
	HARNESS_WAIT(harness, told.replies > before, LIMIT_MS);
	assert_int_equal(told.replies, before + 1);
	assert_int_equal(told.status[before % 8], expected);
	assert_int_equal(haproxy_pending(haproxy), 0);
}

/* A listener of the test's own in the fake's place, so that the loop may stand still. */
static int listen_instead(int backlog)
{
	struct sockaddr_storage sockaddr;
	socklen_t length;
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	fake_haproxy_stop_listening(&fake);
	unlink(fake.address.host);
	assert_int_equal(address_to_sockaddr(&fake.address, &sockaddr, &length), 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sockaddr, length), 0);
	assert_int_equal(listen(listener, backlog), 0);
	return listener;
}

/* Takes a call, reads the line and answers it. */
static void answer_instead(int listener, const char *expected, const char *reply)
{
	int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	char bytes[64] = "";

	assert_true(descriptor >= 0);
	assert_int_equal(recv(descriptor, bytes, sizeof(bytes) - 1, 0), strlen(expected));
	assert_string_equal(bytes, expected);
	assert_int_equal(send(descriptor, reply, strlen(reply), MSG_NOSIGNAL), strlen(reply));
	close(descriptor);
}

/* What HAProxies of several versions say comes back as it is. */
static void test_framings(void **state)
{
	static const char *const replies[] = {
		"\n",
		"\n\n\n",
		/* 2.6 to 2.x: some messages lack the empty line. */
		"agent checks are not enabled on this server.\n\n",
		"Can't find the target PID matching the prefix '@!99999'\n",
		"Permission denied\n\n",
		"Name: HAProxy\nVersion: 3.0.11\nPid: 7\n\n# pxname,svname,\nbk,a,\n\n",
		/* 3.2: quoted fields, a prompt never. */
		"\n\n# pxname,svname,status,last_agt,\nbk,a,\"DOWN (agent)\",\"by, us\",\n\n",
		"The command line is too big for the buffer size (16384).\n\n",
	};

	for (int tcp = 0; tcp < 2; tcp++) {
		begin(*state, tcp);
		for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
			fake.reply = replies[i];
			fake.trickle = i % 2;
			check_one(*state, LIMIT_MS, 0);
			assert_int_equal(told.length, strlen(replies[i]));
			assert_string_equal(told.output, replies[i]);
		}
		assert_int_equal(fake.most_callers, 1);
		assert_string_equal(fake.seen[0], "show info");
		end();
	}
}

/* A master's socket answers line after line until its caller has closed its side. */
static void test_master_socket(void **state)
{
	begin(*state, false);
	fake.wait_for_end = true;
	fake.reply = "# old workers\n\n";
	check_one(*state, LIMIT_MS, 0);
	assert_string_equal(told.output, "# old workers\n\n");
	end();
}

/* Written before the call returns: seen by a plain socket while the loop stands still. */
static void test_written_at_once(void **state)
{
	struct harness *harness = *state;
	int listener;

	begin(harness, false);
	listener = listen_instead(4);
	haproxy_send(haproxy, "set server b/s agent down", LIMIT_MS, on_reply, NULL);
	answer_instead(listener, "set server b/s agent down\n", "\n");
	close(listener);
	HARNESS_WAIT(harness, told.replies == 1, LIMIT_MS);
	assert_int_equal(told.status[0], 0);
	end();
}

/* A listener whose queue is full takes no connection; it is tried until the deadline. */
static void test_full_queue(void **state)
{
	struct harness *harness = *state;
	struct sockaddr_storage sockaddr;
	socklen_t length;
	int listener, fillers[2];

	begin(harness, false);
	listener = listen_instead(0);
	assert_int_equal(address_to_sockaddr(&fake.address, &sockaddr, &length), 0);
	for (int i = 0; i < 2; i++) {
		fillers[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&sockaddr, length);
	}
	check_one(harness, 40, -ETIMEDOUT);
	haproxy_send(haproxy, "show info", LIMIT_MS, on_reply, NULL);
	harness_run(harness, 20);
	assert_int_equal(told.replies, 1);
	close(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	harness_run(harness, 20);
	answer_instead(listener, "show info\n", "ok\n");
	HARNESS_WAIT(harness, told.replies == 2, LIMIT_MS);
	assert_int_equal(told.status[1], 0);
	assert_string_equal(told.output, "ok\n");
	for (int i = 0; i < 2; i++)
		close(fillers[i]);
	close(listener);
	end();
}

static void test_refused(void **state)
{
	struct address name = { .kind = ADDRESS_NAME, .host = "localhost", .port = 1 };

	begin(*state, true);
	fake_haproxy_stop_listening(&fake);
	check_one(*state, LIMIT_MS, -ECONNREFUSED);
	end();
	begin(*state, false);
	fake_haproxy_stop_listening(&fake);
	/* libuv takes the path away with the listener. */
	check_one(*state, LIMIT_MS, -ENOENT);
	close(listen_instead(1));
	check_one(*state, LIMIT_MS, -ECONNREFUSED);
	end();
	begin(*state, false);
	haproxy_free(haproxy);
	haproxy = haproxy_new(&((struct harness *)*state)->loop, &name);
	check_one(*state, LIMIT_MS, -EINVAL);
	end();
}

static void test_failures(void **state)
{
	static const struct {
		const char *name, *reply;
		size_t reset_after;
		bool close_unread;
		int expected[2]; /* Unix, TCP */
	} cases[] = {
		{ "closed unread", "\n", 0, true, { -EPIPE, -EPIPE } },
		{ "closed without a word", "", 0, false, { -EPIPE, -EPIPE } },
		{ "cut within a line", "Name: HAPr", 0, false, { -EPIPE, -EPIPE } },
		{ "reset within",
		  "Name: HAProxy\nVersion: 3\n",
		  16,
		  false,
		  { -EPIPE, -ECONNRESET } },
	};
	const size_t count = sizeof(cases) / sizeof(cases[0]);

	for (size_t i = 0; i < count * 2; i++) {
		size_t row = i / 2, tcp = i % 2;

		begin(*state, tcp);
		fake.reply = cases[row].reply;
		fake.reset_after = cases[row].reset_after;
		fake.close_unread = cases[row].close_unread;
		haproxy_send(haproxy, "show info", LIMIT_MS, on_reply, NULL);
		HARNESS_WAIT((struct harness *)*state, told.replies == 1, LIMIT_MS);
		/* What was not read before the close is a reset to the kernel. */
		if (told.status[0] != cases[row].expected[tcp] &&
		    !(cases[row].close_unread && told.status[0] == -ECONNRESET))
			fail_msg("%s, tcp %zu: %d instead of %d", cases[row].name, tcp,
				 told.status[0], cases[row].expected[tcp]);
		assert_int_equal(told.length, 0);
		end();
	}
}

static void test_timeouts(void **state)
{
	struct harness *harness = *state;
	uint64_t start;

	begin(harness, false);
	fake.stall = true;
	start = uv_hrtime();
	check_one(harness, 60, -ETIMEDOUT);
	assert_in_range((uv_hrtime() - start) / 1000000, 58, 2000);
	/* One deadline, whatever trickles in meanwhile. */
	fake_haproxy_hang_up(&fake);
	fake.stall = false;
	fake.trickle = true;
	fake.reply =
		"the first line\nand another line that goes on and on and on and on and on and on "
		"and on and on and on and on\n";
	check_one(harness, 40, -ETIMEDOUT);
	/* Never ends: the end of the stream is what counts. */
	fake.trickle = false;
	fake.stay = true;
	fake.reply = "all is said\n\n";
	check_one(harness, 40, -ETIMEDOUT);
	fake.stay = false;
	check_one(harness, LIMIT_MS, 0);
	end();
}

/* Where this process itself was away, what has come in time is still heard. */
static void test_stalled_self(void **state)
{
	struct harness *harness = *state;
	int listener;

	begin(harness, false);
	listener = listen_instead(4);
	haproxy_send(haproxy, "show info", 20, on_reply, NULL);
	answer_instead(listener, "show info\n", "in time\n");
	close(listener);
	usleep(50000);
	HARNESS_WAIT(harness, told.replies == 1, LIMIT_MS);
	assert_int_equal(told.status[0], 0);
	assert_string_equal(told.output, "in time\n");
	/* Nor does such a pause shorten the next batch's time. */
	fake_haproxy_listen(&fake);
	usleep(50000);
	check_one(harness, 30, 0);
	end();
}

static void test_sizes(void **state)
{
	struct harness *harness = *state;
	const size_t most = 16 * 1024 * 1024;

	for (int tcp = 0; tcp < 2; tcp++) {
		begin(harness, tcp);
		fake.flood = most - 2;
		check_one(harness, LIMIT_MS * 2, 0);
		assert_int_equal(told.length, most - 1);
		fake.flood = most - 1;
		check_one(harness, LIMIT_MS * 2, 0);
		assert_int_equal(told.length, most);
		fake.flood = most;
		check_one(harness, LIMIT_MS * 2, -EMSGSIZE);
		fake.flood = SIZE_MAX;
		check_one(harness, LIMIT_MS * 2, -EMSGSIZE);
		fake.flood = 0;
		check_one(harness, LIMIT_MS, 0);
		assert_string_equal(told.output, "\n");
		end();
	}
}

/* One at a time, in order; one that fails holds up no other longer than its time. */
static void test_queue(void **state)
{
	struct harness *harness = *state;
	int marks[4];

	begin(harness, false);
	fake.stall = true;
	for (int i = 0; i < 4; i++) {
		char commands[32];

		snprintf(commands, sizeof(commands), "batch %d;show info", i);
		haproxy_send(haproxy, commands, i == 0 ? 40 : LIMIT_MS, on_reply, &marks[i]);
	}
	assert_int_equal(haproxy_pending(haproxy), 4);
	HARNESS_WAIT(harness, told.replies == 1, LIMIT_MS);
	assert_int_equal(told.status[0], -ETIMEDOUT);
	HARNESS_WAIT(harness, fake.lines == 2, LIMIT_MS);
	fake_haproxy_release(&fake);
	HARNESS_WAIT(harness, told.replies == 4, LIMIT_MS);
	for (int i = 0; i < 4; i++) {
		char commands[32];

		snprintf(commands, sizeof(commands), "batch %d;show info", i);
		assert_ptr_equal(told.context[i], &marks[i]);
		assert_string_equal(fake.seen[i], commands);
		assert_int_equal(told.status[i], i == 0 ? -ETIMEDOUT : 0);
	}
	/* The fake keeps the caller that went away until it notices: two at most. */
	assert_in_range(fake.most_callers, 1, 2);
	end();
}

/* Each of several waiting batches is told that nobody is there, without any waiting. */
static void test_queue_refused(void **state)
{
	struct harness *harness = *state;
	uint64_t start = uv_hrtime();

	begin(harness, true);
	fake_haproxy_stop_listening(&fake);
	for (int i = 0; i < 5; i++)
		haproxy_send(haproxy, "show info", LIMIT_MS, on_reply, NULL);
	assert_int_equal(told.replies, 0);
	HARNESS_WAIT(harness, told.replies == 5, LIMIT_MS);
	for (int i = 0; i < 5; i++)
		assert_int_equal(told.status[i], -ECONNREFUSED);
	assert_in_range((uv_hrtime() - start) / 1000000, 0, 1000);
	end();
}

static void on_reply_send(void *context, int status, const char *output, size_t length)
{
	on_reply(context, status, output, length);
	haproxy_send(haproxy, "second", LIMIT_MS, on_reply, NULL);
	/* The output is still there to be read. */
	assert_true(status < 0 || output[length - 1] == '\n');
}

static void on_reply_free(void *context, int status, const char *output, size_t length)
{
	haproxy_free(haproxy);
	haproxy = NULL;
	on_reply(context, status, output, length);
}

static void test_reply_sends_and_frees(void **state)
{
	struct harness *harness = *state;

	for (int refused = 0; refused < 2; refused++) {
		begin(harness, false);
		if (refused)
			fake_haproxy_stop_listening(&fake);
		haproxy_send(haproxy, "first", LIMIT_MS, on_reply_send, NULL);
		HARNESS_WAIT(harness, told.replies == 2, LIMIT_MS);
		haproxy_send(haproxy, "third", LIMIT_MS, on_reply_free, NULL);
		haproxy_send(haproxy, "fourth", LIMIT_MS, on_reply, NULL);
		HARNESS_WAIT(harness, told.replies == 3, LIMIT_MS);
		harness_run(harness, 20);
		assert_int_equal(told.replies, 3);
		assert_null(haproxy);
		end();
	}
}

static void test_free_early(void **state)
{
	struct harness *harness = *state;

	/* Turns of the loop before it is freed. */
	for (int turns = 0; turns < 6; turns++) {
		begin(harness, turns % 2);
		fake.flood = SIZE_MAX;
		haproxy_send(haproxy, "first", LIMIT_MS, on_reply_free, NULL);
		haproxy_send(haproxy, "second", LIMIT_MS, on_reply_free, NULL);
		for (int i = 0; i < turns; i++)
			uv_run(&harness->loop, UV_RUN_NOWAIT);
		end();
		harness_run(harness, 5);
		assert_int_equal(told.replies, 0);
	}
	haproxy_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_framings),   TEST(test_master_socket), TEST(test_written_at_once),
		TEST(test_full_queue), TEST(test_refused),	 TEST(test_failures),
		TEST(test_timeouts),   TEST(test_stalled_self),	 TEST(test_sizes),
		TEST(test_queue),      TEST(test_queue_refused), TEST(test_reply_sends_and_frees),
		TEST(test_free_early),
	};

	harness_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
