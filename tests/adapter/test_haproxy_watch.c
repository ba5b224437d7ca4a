/* The follower of a ring against a fake that talks, hangs up, goes away and comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "fake_haproxy.h"
#include "harness.h"
#include "io/haproxy.h"

#define LIMIT_MS 5000

static struct fake_haproxy fake;
static struct haproxy_watch *watch;
static size_t news, ends;
static bool free_at_event;

static void on_event(void *context, bool ended)
{
	assert_ptr_equal(context, &fake);
	if (ended)
		ends++;
	else
		news++;
	if (free_at_event) {
		haproxy_watch_free(watch);
		watch = NULL;
	}
}

static void begin(struct harness *harness, bool tcp)
{
	news = ends = 0;
	free_at_event = false;
	if (tcp)
		fake_haproxy_start_tcp(&fake, &harness->loop);
	else
		fake_haproxy_start_unix(&fake, &harness->loop);
	fake.stay = true;
	fake.reply = "";
	watch = haproxy_watch_new(&harness->loop, &fake.address, "marks", on_event, &fake);
}

static void end(void)
{
	haproxy_watch_free(watch);
	watch = NULL;
	fake_haproxy_done(&fake);
}

static void test_follows(void **state)
{
	struct harness *harness = *state;

	for (int tcp = 0; tcp < 2; tcp++) {
		begin(harness, tcp);
		HARNESS_WAIT(harness, fake.lines == 1, LIMIT_MS);
		assert_string_equal(fake.seen[0], "show events marks -w -n");
		harness_run(harness, 20);
		assert_int_equal(news, 0);
		/* Many lines, one event. */
		for (int i = 0; i < 20; i++)
			fake_haproxy_say(&fake, "<133>Nov 22 haproxy[1]: Server b/a is DOWN.\n");
		HARNESS_WAIT(harness, news > 0, LIMIT_MS);
		harness_run(harness, 20);
		assert_int_equal(news, 1);
		assert_int_equal(ends, 0);
		fake_haproxy_say(&fake, "x");
		HARNESS_WAIT(harness, news == 2, LIMIT_MS);
		end();
	}
}

/* One end; then a new stream, which tells that something may have been missed. */
static void test_ends(void **state)
{
	struct harness *harness = *state;

	begin(harness, false);
	HARNESS_WAIT(harness, fake.lines == 1, LIMIT_MS);
	fake_haproxy_hang_up(&fake);
	HARNESS_WAIT(harness, ends == 1, LIMIT_MS);
	assert_int_equal(news, 0);
	HARNESS_WAIT(harness, fake.lines == 2, LIMIT_MS);
	assert_int_equal(news, 1);
	/* Gone for a while: attempts are no ends. */
	fake_haproxy_stop_listening(&fake);
	fake_haproxy_hang_up(&fake);
	HARNESS_WAIT(harness, ends == 2, LIMIT_MS);
	harness_run(harness, 300);
	assert_int_equal(ends, 2);
	assert_int_equal(news, 1);
	fake_haproxy_listen(&fake);
	HARNESS_WAIT(harness, fake.lines == 3, LIMIT_MS);
	assert_int_equal(news, 2);
	end();
}

/* A worker that stops keeps the stream: its words end it, wherever they are cut. */
static void test_stopped_worker(void **state)
{
	static const char line[] =
		"<133>Nov 22 haproxy[1]: Proxy bk stopped (cumulated conns: FE: 0, "
		"BE: 1).\n";
	struct harness *harness = *state;

	for (size_t cut = 30; cut < 56; cut += 5) {
		char start[sizeof(line)];

		begin(harness, cut % 2);
		HARNESS_WAIT(harness, fake.lines == 1, LIMIT_MS);
		fake_haproxy_say(&fake, "a server stopped  stopped, \n");
		HARNESS_WAIT(harness, news == 1, LIMIT_MS);
		text_copy(start, cut + 1, line, cut);
		fake_haproxy_say(&fake, start);
		HARNESS_WAIT(harness, news + ends == 2, LIMIT_MS);
		fake_haproxy_say(&fake, line + cut);
		HARNESS_WAIT(harness, ends == 1, LIMIT_MS);
		HARNESS_WAIT(harness, fake.lines == 2, LIMIT_MS);
		assert_int_equal(ends, 1);
		end();
	}
}

/* No such ring, or no right to it: sought again ever more slowly. */
static void test_refusing_ring(void **state)
{
	struct harness *harness = *state;

	begin(harness, false);
	fake.stay = false;
	fake.reply = "No such event sink, use 'show events' without arguments to list.\n\n";
	harness_run(harness, 1000);
	/* 50, 100, 200, 400 ms, each up to a quarter less. */
	assert_in_range(fake.lines, 3, 6);
	assert_in_range(ends, fake.lines - 1, fake.lines);
	end();
}

static void test_free_in_event(void **state)
{
	struct harness *harness = *state;

	for (int ended = 0; ended < 2; ended++) {
		begin(harness, false);
		free_at_event = true;
		HARNESS_WAIT(harness, fake.lines == 1, LIMIT_MS);
		if (ended)
			fake_haproxy_hang_up(&fake);
		else
			fake_haproxy_say(&fake, "x\n");
		HARNESS_WAIT(harness, news + ends == 1, LIMIT_MS);
		harness_run(harness, 100);
		assert_int_equal(fake.connections, 1);
		end();
	}
	haproxy_watch_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_follows),	  TEST(test_ends),	    TEST(test_stopped_worker),
		TEST(test_refusing_ring), TEST(test_free_in_event),
	};

	harness_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
