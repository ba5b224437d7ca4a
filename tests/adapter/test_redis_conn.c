/* The connection against fakes that lie and against a real redis-server. */
#include "io/redis_conn.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "fake_redis.h"
#include "harness.h"
#include "io/redis_reader.h"

enum reaction { REACT_NOT, REACT_CLOSE, REACT_FREE, REACT_REOPEN };

struct record {
	struct redis_conn *conn;
	size_t connected, closed;
	uint64_t replies;
	int status;
	struct text seen; /* every value */
	char data[2048];
	char peer[64];
	enum reaction on_value, on_closed;
};

static void react(struct record *record, enum reaction reaction)
{
	if (reaction == REACT_CLOSE)
		redis_conn_close(record->conn);
	if (reaction == REACT_REOPEN)
		redis_conn_open(record->conn);
	if (reaction == REACT_FREE) {
		redis_conn_free(record->conn);
		record->conn = NULL;
	}
}

static void on_connected(void *context, struct redis_conn *conn)
{
	struct record *record = context;
	const char *peer = redis_conn_peer(conn);

	record->connected++;
	text_copy(record->peer, sizeof(record->peer), peer, strlen(peer));
	assert_true(redis_conn_is_connected(conn));
}

static void on_value(void *context, struct redis_conn *conn, uint64_t reply,
		     const struct redis_value *value)
{
	static const char types[] = "$+-:_*";
	struct record *record = context;
	int length = value->length < 64 ? (int)value->length : 64;

	(void)conn;
	text_addf(&record->seen, "%d%c", (int)reply, types[value->type]);
	if (value->depth)
		text_addf(&record->seen, "%d.%d", value->depth, value->index);
	if (value->type == REDIS_INTEGER)
		text_addf(&record->seen, "=%lld", (long long)value->integer);
	else if (value->type == REDIS_ARRAY)
		text_addf(&record->seen, "=%zu", value->length);
	else if (value->type != REDIS_NIL)
		text_addf(&record->seen, "=%.*s", length, value->text);
	text_add(&record->seen, " ");
	react(record, record->on_value);
}

static void on_reply(void *context, struct redis_conn *conn, uint64_t reply)
{
	struct record *record = context;

	(void)conn;
	assert_int_equal(reply, record->replies);
	record->replies++;
}

static void on_closed(void *context, struct redis_conn *conn, int status)
{
	struct record *record = context;

	(void)conn;
	record->closed++;
	record->status = status;
	react(record, record->on_closed);
}

static const struct redis_conn_events events = { on_connected, on_value, on_reply, on_closed };

static void record_init(struct record *record, struct harness *harness, const char *address,
			const char *username, const char *password)
{
	struct redis_conn_setup setup = {
		.loop = &harness->loop,
		.username = username,
		.password = password,
		.client_name = password ? "tester" : NULL,
		.events = &events,
		.context = record,
		.dead_after_ms = 1000,
	};

	*record = (struct record){ 0 };
	text_init(&record->seen, record->data, sizeof(record->data));
	assert_int_equal(address_parse(address, &setup.address), 0);
	record->conn = redis_conn_new(&setup);
}

static void record_init_port(struct record *record, struct harness *harness, uint16_t port)
{
	char address[64];

	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	record_init(record, harness, address, NULL, NULL);
}

static void send_command(struct record *record, int argc, const char *const *argv)
{
	char *bytes = NULL;
	size_t length = 0;

	redis_format(&bytes, &length, argc, argv);
	redis_conn_send(record->conn, bytes, length);
	free(bytes);
}

static void send_ping(struct record *record)
{
	send_command(record, 1, (const char *[]){ "PING" });
}

static void test_asks_before_and_after_connecting(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct record record;

	fake_redis_start(&fake, &harness->loop, "127.0.0.1");
	record_init_port(&record, harness, fake.port);
	redis_conn_open(record.conn);
	assert_false(redis_conn_is_connected(record.conn));
	send_ping(&record);
	HARNESS_WAIT(harness, record.replies == 1, 1000);
	send_ping(&record);
	HARNESS_WAIT(harness, record.replies == 2, 1000);
	assert_string_equal(record.data, "0+=PONG 1+=PONG ");
	assert_string_equal(record.peer, "127.0.0.1");
	redis_conn_free(record.conn);
	fake_redis_done(&fake);
}

/* hiredis 0.14 takes arrays nested up to 7 deep, 1.2 up to 1024. */
#define TWO(s)	s s
#define FOUR(s) s s s s

/* What a server says in place of an answer, and what becomes of the connection. */
static const struct lie {
	const char *name, *says, *seen;
	int status; /* 0: stays open */
} lies[] = {
	{ "garbage", "HTTP/1.1 400 Bad Request\r\n", "", -EPROTO },
	{ "no length", "$abc\r\n", "", -EPROTO },
	{ "length below -1", "$-7\r\n", "", -EPROTO },
	{ "nil", "$-1\r\n", "0_ ", 0 },
	{ "nil array", "*-1\r\n", "0_ ", 0 },
	{ "empty array", "*0\r\n", "0*=0 ", 0 },
	{ "nested", "*2\r\n:7\r\n*1\r\n$1\r\nx\r\n", "0*=2 0:1.0=7 0*1.1=1 0$2.0=x ", 0 },
	{ "error", "-BUSY script\r\n", "0-=BUSY script ", 0 },
	{ "two", "+A\r\n+B\r\n", "0+=A 1+=B ", 0 },
	{ "huge header alone", "$2000000000\r\nabc", "", 0 },
	{ "too deep", TWO(FOUR(FOUR(FOUR(FOUR(FOUR("*1\r\n")))))) ":1\r\n", NULL, -EPROTO },
};

static void check_lie(struct harness *harness, const struct lie *lie)
{
	static struct fake_redis fake;
	static struct record record;

	fake_redis_start(&fake, &harness->loop, "127.0.0.1");
	fake.replies[FAKE_PING] = lie->says;
	record_init_port(&record, harness, fake.port);
	redis_conn_open(record.conn);
	send_ping(&record);
	HARNESS_WAIT(harness, fake.seen[FAKE_PING] == 1, 1000);
	if (lie->status)
		HARNESS_WAIT(harness, record.closed == 1, 1000);
	else
		harness_run(harness, 20);
	if (record.status != lie->status || (lie->seen && strcmp(record.data, lie->seen) != 0))
		fail_msg("%s: status %d, wanted %d; saw \"%s\", wanted \"%s\"", lie->name,
			 record.status, lie->status, record.data, lie->seen ? lie->seen : "");
	redis_conn_free(record.conn);
	fake_redis_done(&fake);
}

static void test_lies(void **state)
{
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		check_lie(*state, &lies[i]);
}

static void test_trickled_reply_is_whole(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct record record;

	fake_redis_start(&fake, &harness->loop, "127.0.0.1");
	fake.trickle = true;
	record_init_port(&record, harness, fake.port);
	redis_conn_open(record.conn);
	send_command(&record, 2, (const char *[]){ "INFO", "replication" });
	HARNESS_WAIT(harness, record.replies == 1, 2000);
	assert_string_equal(record.data, "0$=role:master\r\nother:field\r\n ");
	redis_conn_free(record.conn);
	fake_redis_done(&fake);
}

static void test_endless_reply_is_cut(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct record record;
	char *much = mem_calloc((size_t)64 * 1024 + 1, 1);

	memset(much, 'x', (size_t)64 * 1024);
	fake_redis_start(&fake, &harness->loop, "127.0.0.1");
	fake.greeting = "$2000000000\r\n";
	record_init_port(&record, harness, fake.port);
	redis_conn_open(record.conn);
	HARNESS_WAIT(harness, fake.clients, 1000);
	for (int i = 0; i < 24; i++)
		fake_redis_say(&fake, much);
	HARNESS_WAIT(harness, record.closed == 1, 2000);
	assert_int_equal(record.status, -EMSGSIZE);
	redis_conn_free(record.conn);
	fake_redis_done(&fake);
	free(much);
}

static void test_end_in_mid_reply(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct record record;

	fake_redis_start(&fake, &harness->loop, "127.0.0.1");
	fake.cut_after = 10;
	record_init_port(&record, harness, fake.port);
	redis_conn_open(record.conn);
	send_command(&record, 2, (const char *[]){ "INFO", "replication" });
	HARNESS_WAIT(harness, record.closed == 1, 1000);
	assert_int_equal(record.status, UV_EOF);
	assert_int_equal(record.replies, 0);
	redis_conn_free(record.conn);
	fake_redis_done(&fake);
}

static void test_reset(void **state)
{
	struct harness *harness = *state;
	static struct fake_redis fake;
	static struct record record;

	fake_redis_start(&fake, &harness->loop, "127.0.0.1");
	fake.reset = true;
	record_init_port(&record, harness, fake.port);
	redis_conn_open(record.conn);
	HARNESS_WAIT(harness, record.connected == 1 && fake.clients, 1000);
	fake_redis_hang_up(&fake);
	HARNESS_WAIT(harness, record.closed == 1, 1000);
	assert_int_equal(record.status, -ECONNRESET);
	redis_conn_free(record.conn);
	fake_redis_done(&fake);
}

static void test_refused(void **state)
{
	struct harness *harness = *state;
	char name[64];
	const char *addresses[] = { name, "unix:/nonexistent/redis.sock", "[::1]:1" };
	static struct record record;

	/* A name with two addresses: refused only when each was. */
	snprintf(name, sizeof(name), "localhost:%u", harness_free_port());
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		record_init(&record, harness, addresses[i], NULL, NULL);
		redis_conn_open(record.conn);
		assert_int_equal(record.closed, 0);
		HARNESS_WAIT(harness, record.closed == 1, 2000);
		if (record.status != -ECONNREFUSED)
			fail_msg("%s: %s", addresses[i], uv_strerror(record.status));
		redis_conn_free(record.conn);
	}
}

static void test_failures_without_a_peer(void **state)
{
	static const char *const addresses[] = { "no-such-host.invalid:1", "255.255.255.255:1" };
	struct harness *harness = *state;
	static struct record record;

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		record_init(&record, harness, addresses[i], NULL, NULL);
		redis_conn_open(record.conn);
		assert_int_equal(record.closed, 0);
		HARNESS_WAIT(harness, record.closed == 1, 30000);
		if (record.status == -ECONNREFUSED || record.status >= 0)
			fail_msg("%s: %d", addresses[i], record.status);
		redis_conn_free(record.conn);
	}
}

static void test_dropped_in_mid_look_up(void **state)
{
	struct harness *harness = *state;
	static struct record record;

	record_init(&record, harness, "no-such-host.invalid:1", NULL, NULL);
	redis_conn_open(record.conn);
	redis_conn_open(record.conn);
	redis_conn_free(record.conn);
	harness_run(harness, 10);
	assert_int_equal(record.closed, 0);
}

static void test_name_and_ipv6(void **state)
{
	struct harness *harness = *state;
	char address[64];
	static struct fake_redis fakes[2];
	static struct record record;

	fake_redis_start(&fakes[0], &harness->loop, "127.0.0.1");
	fake_redis_start(&fakes[1], &harness->loop, "::1");
	for (int i = 0; i < 2; i++) {
		snprintf(address, sizeof(address), i ? "[::1]:%u" : "localhost:%u", fakes[i].port);
		record_init(&record, harness, address, NULL, NULL);
		redis_conn_open(record.conn);
		send_ping(&record);
		HARNESS_WAIT(harness, record.replies == 1, 5000);
		assert_string_equal(record.peer, i ? "::1" : "127.0.0.1");
		redis_conn_free(record.conn);
		fake_redis_done(&fakes[i]);
	}
}

static void check_reaction(struct harness *harness, enum reaction on_value_do,
			   enum reaction on_closed_do)
{
	static struct fake_redis fake;
	static struct record record;

	fake_redis_start(&fake, &harness->loop, "127.0.0.1");
	fake.replies[FAKE_PING] = "*3\r\n:1\r\n:2\r\n:3\r\n+next\r\n";
	fake.cut_after = 12;
	record_init_port(&record, harness, fake.port);
	record.on_value = on_value_do;
	record.on_closed = on_closed_do;
	redis_conn_open(record.conn);
	send_ping(&record);
	HARNESS_WAIT(harness, fake.seen[FAKE_PING] == 1, 1000);
	harness_run(harness, 30);
	if (on_value_do != REACT_NOT)
		assert_string_equal(record.data, "0*=3 ");
	if (on_closed_do == REACT_REOPEN)
		assert_int_equal(fake.connections, 2);
	redis_conn_free(record.conn);
	fake_redis_done(&fake);
}

static void test_ended_from_within_events(void **state)
{
	check_reaction(*state, REACT_CLOSE, REACT_NOT);
	check_reaction(*state, REACT_FREE, REACT_NOT);
	check_reaction(*state, REACT_REOPEN, REACT_NOT);
	check_reaction(*state, REACT_NOT, REACT_FREE);
	check_reaction(*state, REACT_NOT, REACT_REOPEN);
}

static void test_what_the_kernel_does_not_take_is_sent_later(void **state)
{
	struct harness *harness = *state;
	size_t size = (size_t)8 * 1024 * 1024;
	struct real_redis redis;
	char *large = mem_calloc(size + 1, 1);
	static struct record record;

	memset(large, 'v', size);
	real_redis_start(&redis, NULL);
	record_init_port(&record, harness, redis.port);
	redis_conn_open(record.conn);
	HARNESS_WAIT(harness, record.connected == 1, 1000);
	send_command(&record, 3, (const char *[]){ "SET", "key", large });
	send_command(&record, 2, (const char *[]){ "STRLEN", "key" });
	HARNESS_WAIT(harness, record.replies == 2, 10000);
	assert_string_equal(record.data, "0+=OK 1:=8388608 ");
	redis_conn_free(record.conn);
	real_redis_stop(&redis);
	free(large);
}

static void check_login(struct harness *harness, const struct real_redis *redis,
			const char *username, const char *password, const char *begins)
{
	static struct record record;
	char address[ADDRESS_TEXT_SIZE];
	unsigned int replies;

	snprintf(address, sizeof(address), "unix:%s", redis->socket);
	record_init(&record, harness, address, username, password);
	redis_conn_open(record.conn);
	replies = redis_conn_login(record.conn);
	assert_int_equal(replies, password ? 2 : 0);
	send_ping(&record);
	HARNESS_WAIT(harness, record.replies == replies + 1, 2000);
	if (strncmp(record.data, begins, strlen(begins)) != 0)
		fail_msg("%s: saw \"%s\", wanted \"%s…\"", username ? username : "-", record.data,
			 begins);
	assert_string_equal(record.peer, "");
	redis_conn_free(record.conn);
}

static void test_login_on_a_unix_socket(void **state)
{
	static const char *const options[] = { "--requirepass", "right", "--user", "agent", "on",
					       ">word",		"+@all", "~*",	   NULL };
	struct harness *harness = *state;
	struct real_redis redis;

	real_redis_start(&redis, options);
	check_login(harness, &redis, NULL, NULL, "0-=NOAUTH");
	check_login(harness, &redis, NULL, "right", "0+=OK 1+=OK 2+=PONG");
	check_login(harness, &redis, NULL, "wrong", "0-=WRONGPASS");
	check_login(harness, &redis, "agent", "word", "0+=OK 1+=OK 2+=PONG");
	check_login(harness, &redis, "agent", "right", "0-=WRONGPASS");
	real_redis_stop(&redis);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_asks_before_and_after_connecting),
		CASE(test_lies),
		CASE(test_trickled_reply_is_whole),
		CASE(test_endless_reply_is_cut),
		CASE(test_end_in_mid_reply),
		CASE(test_reset),
		CASE(test_refused),
		CASE(test_failures_without_a_peer),
		CASE(test_dropped_in_mid_look_up),
		CASE(test_name_and_ipv6),
		CASE(test_ended_from_within_events),
		CASE(test_what_the_kernel_does_not_take_is_sent_later),
		CASE(test_login_on_a_unix_socket),
	};

	harness_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
