/*
 * The reader of HAProxy's outputs over what 2.6 prints, over the same as 3.0 and 3.5 vary it, and
 * over what is cut, odd or foreign. Every text is put at the very end of a block of its own, so
 * that a sanitizer or valgrind sees a read past its end.
 */
#include "core/shown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "haproxy_outputs.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BACKEND	     "bk_redis_master"

static void read_bytes(struct shown *shown, const char *text, size_t length)
{
	char *block = malloc(length ? length : 1);

	assert_non_null(block);
	memcpy(block, text, length);
	shown_read(shown, block, length);
	free(block);
}

static void read_text(struct shown *shown, const char *text)
{
	read_bytes(shown, text, strlen(text));
}

static const struct shown_server *find(const struct shown *shown, const char *backend,
				       const char *name)
{
	const struct shown_server *server = shown_find(shown, backend, name);

	if (!server)
		fail_msg("%s/%s is not there", backend, name);
	return server;
}

/* ---- HAProxy 2.6 ---- */

static const struct expected_server {
	const char *name, *address;
	int64_t port, weight, initial_weight, admin_state, agent_state, percent;
	const char *status, *check_status;
	enum shown_agent agent;
	bool up, maint, has_agent;
} servers_2_6[] = {
	{ "n1", "127.0.0.1", 6379, 33, 100, 0, 22, 33, "DOWN", "L4CON", SHOWN_AGENT_OPEN, false,
	  false, true },
	{ "n2", "127.0.0.1", 6380, 50, 50, 0, 22, 100, "DOWN (agent)", "", SHOWN_AGENT_CLOSED,
	  false, false, true },
	{ "n3", "::1", 6381, 1, 1, 0, 0, 100, "no check", "", SHOWN_AGENT_NONE, true, false,
	  false },
	{ "n4", "127.0.0.1", 6382, 1, 1, 5, 22, 100, "MAINT", "", SHOWN_AGENT_OPEN, false, true,
	  true },
	{ "n5", "", 0, 1, 1, 0, 0, 100, "no check", "", SHOWN_AGENT_NONE, true, false, false },
};

static void check_2_6(const struct shown *shown)
{
	assert_int_equal(shown->count, COUNT(servers_2_6));
	for (size_t i = 0; i < COUNT(servers_2_6); i++) {
		const struct expected_server *expected = &servers_2_6[i];
		const struct shown_server *is = find(shown, BACKEND, expected->name);

		print_message("%s\n", expected->name);
		assert_true(is->in_stat && is->in_state);
		assert_string_equal(is->backend, BACKEND);
		assert_string_equal(is->address, expected->address);
		assert_int_equal(is->port, expected->port);
		assert_int_equal(is->weight, expected->weight);
		assert_int_equal(is->initial_weight, expected->initial_weight);
		assert_int_equal(is->admin_state, expected->admin_state);
		assert_int_equal(is->agent_state, expected->agent_state);
		assert_int_equal(shown_weight_percent(is), expected->percent);
		assert_string_equal(is->status, expected->status);
		assert_string_equal(is->check_status, expected->check_status);
		assert_int_equal(is->agent, expected->agent);
		assert_int_equal(is->sessions, 0);
		assert_int_equal(shown_is_up(is), expected->up);
		assert_int_equal(shown_is_maint(is), expected->maint);
		assert_int_equal(shown_has_agent(is), expected->has_agent);
		assert_false(shown_is_drain(is));
	}
}

static void check_info_2_6(const struct shown *shown)
{
	assert_string_equal(shown->version, "2.6.12-1+deb12u4");
	assert_true(shown->pid > 0 && shown->start_s > 1700000000);
	assert_false(shown->stopping);
	assert_string_equal(shown->message, "");
}

/* Whatever else stands in the batch: empty lines of `set`, other tables before, the same again. */
static void test_real_output(void **state)
{
	char output[16384];
	struct shown shown;

	(void)state;
	shown_init(&shown);
	assert_null(shown_find(&shown, BACKEND, "n1"));
	snprintf(output, sizeof(output), "\n\n%s%s%s", info_2_6, state_2_6, stat_2_6);
	for (int i = 0; i < 2; i++) {
		read_text(&shown, output);
		check_info_2_6(&shown);
		check_2_6(&shown);
	}
	assert_null(shown_find(&shown, BACKEND, "n9"));
	assert_null(shown_find(&shown, "n1", BACKEND));
	shown_done(&shown);
	assert_int_equal(shown.count, 0);
}

static void test_tables_in_any_order(void **state)
{
	static const char *const parts[] = { stat_2_6, "No such server.\n\n", state_2_6, "\n",
					     info_2_6 };
	struct shown shown;

	(void)state;
	shown_init(&shown);
	for (size_t i = 0; i < COUNT(parts); i++)
		read_text(&shown, parts[i]);
	check_info_2_6(&shown);
	check_2_6(&shown);
	shown_done(&shown);
}

/* Some outputs of 2.6 lack the empty line at their end: a header ends the table before it. */
static void test_without_empty_lines(void **state)
{
	char output[16384];
	size_t length = 0;
	struct shown shown;
	const char *c;

	(void)state;
	snprintf(output, sizeof(output), "%s%s", state_2_6, stat_2_6);
	for (c = output; *c; c++)
		if (*c != '\n' || c[1] != '\n')
			output[length++] = *c;
	shown_init(&shown);
	read_bytes(&shown, output, length);
	check_2_6(&shown);
	shown_done(&shown);
}

/* ---- other versions ---- */

/* As 3.0 and later print them: texts with spaces quoted, columns added and moved. */
static void test_quoted(void **state)
{
	static const char output[] =
		"# pxname,svname,type,new_one,scur,status,agent_health,check_status,last_agt,-,\n"
		"b,n1,2,\"a,b\",7,\"no check\",1,,\"up, as \"\"well\"\"\nand more\",-,\n"
		"b,n2,2,,0,\"UP 1/3\",0,\"* L7OK\",\"\",-,\n"
		"b,\"n 3\",2,,,\"DOWN (agent)\",,,plain,-,\n\n"
		"1\n# be_id srv_port be_name srv_name srv_admin_state\n1 6379 b n1 8\n"
		"1 0 b n2 32\n1 0 b n4 4\n\n";
	const struct shown_server *server;
	struct shown shown;

	(void)state;
	shown_init(&shown);
	read_text(&shown, output);
	assert_int_equal(shown.count, 4);
	server = find(&shown, "b", "n1");
	assert_string_equal(server->status, "no check");
	assert_string_equal(server->last_agent, "up, as \"well\" and more");
	assert_int_equal(server->sessions, 7);
	assert_int_equal(server->agent, SHOWN_AGENT_OPEN);
	assert_int_equal(server->port, 6379);
	assert_true(shown_is_up(server) && shown_is_drain(server) && !shown_is_maint(server));
	server = find(&shown, "b", "n2");
	assert_string_equal(server->check_status, "L7OK");
	assert_string_equal(server->last_agent, "");
	assert_int_equal(server->agent, SHOWN_AGENT_CLOSED);
	assert_true(shown_is_up(server) && shown_is_maint(server));
	server = find(&shown, "b", "n 3");
	assert_string_equal(server->status, "DOWN (agent)");
	assert_string_equal(server->last_agent, "plain");
	assert_int_equal(server->agent, SHOWN_AGENT_NONE);
	assert_false(shown_is_up(server));
	assert_int_equal(server->sessions, -1);
	/* Bit 4 stays when a server has left the maintenance that was configured. */
	assert_false(shown_is_maint(find(&shown, "b", "n4")));
	assert_true(shown_has_agent(find(&shown, "b", "n1")));
	assert_string_equal(shown.message, "");
	shown_done(&shown);
}

static void check_unknown(const struct shown_server *server)
{
	assert_string_equal(server->status, "");
	assert_string_equal(server->address, "");
	assert_int_equal(server->agent, SHOWN_AGENT_NONE);
	assert_int_equal(server->sessions, -1);
	assert_int_equal(server->port, -1);
	assert_int_equal(server->weight, -1);
	assert_int_equal(server->initial_weight, -1);
	assert_int_equal(server->admin_state, -1);
	assert_int_equal(server->agent_state, -1);
	assert_int_equal(shown_weight_percent(server), -1);
	assert_false(shown_has_agent(server) || shown_is_up(server));
	assert_false(shown_is_maint(server) || shown_is_drain(server));
}

static void test_missing_columns(void **state)
{
	struct shown shown;

	(void)state;
	shown_init(&shown);
	read_text(&shown, "1\n# be_id be_name srv_name\n1 b n1\n1 b\n1\n\n"
			  "# pxname,svname\nb,n1,more,cells\nb,n2\n,n3\nb,\nb\n\"\",n4\n");
	assert_int_equal(shown.count, 2);
	check_unknown(find(&shown, "b", "n1"));
	check_unknown(find(&shown, "b", "n2"));
	assert_true(find(&shown, "b", "n1")->in_state && find(&shown, "b", "n1")->in_stat);
	assert_false(find(&shown, "b", "n2")->in_state);
	read_text(&shown, "# pxname,scur\nb,3\n\n# be_id srv_name\n1 n4\n\n");
	assert_int_equal(shown.count, 2);
	shown_done(&shown);
}

/* ---- newer over older ---- */

static void test_update(void **state)
{
	const struct shown_server *server;
	struct shown shown;

	(void)state;
	shown_init(&shown);
	read_text(&shown, "# pxname,svname,status,scur,agent_health,last_agt\n"
			  "b,n1,UP,12,1,up\n\n"
			  "1\n# be_id be_name srv_name srv_addr srv_uweight\n1 b n1 10.0.0.1 7\n\n"
			  "Name: HAProxy\nPid: 10\nStart_time_sec: 100\nStopping: 0\n\n");
	read_text(&shown, "No such server.\n\n# pxname,svname,status,scur,agent_health,last_agt\n"
			  "b,n1,DOWN (agent),,,\n\nName: HAProxy\nPid: 11\nStopping: 1\n");
	server = find(&shown, "b", "n1");
	assert_int_equal(shown.count, 1);
	assert_string_equal(server->status, "DOWN (agent)");
	assert_int_equal(server->sessions, -1);
	assert_int_equal(server->agent, SHOWN_AGENT_NONE);
	assert_string_equal(server->last_agent, "");
	assert_string_equal(server->address, "10.0.0.1");
	assert_int_equal(server->weight, 7);
	assert_int_equal(shown.pid, 11);
	assert_int_equal(shown.start_s, 100);
	assert_true(shown.stopping);
	assert_string_equal(shown.message, "No such server.");
	read_text(&shown, "# pxname,svname,uweight\nb,n1,0\n\n");
	assert_int_equal(find(&shown, "b", "n1")->weight, 0);
	read_text(&shown, "\n");
	assert_string_equal(shown.message, "");
	shown_done(&shown);
}

/* ---- messages ---- */

static void test_messages(void **state)
{
	static const struct {
		const char *output, *message;
	} cases[] = {
		{ "", "" },
		{ "\n\n\n", "" },
		{ "Permission denied\n\n", "Permission denied" },
		{ "\nNo such backend.\n\nNo such server.\n", "No such backend." },
		{ "Proxy is disabled.", "Proxy is disabled." },
		{ "Unknown command: 'x', but maybe one of:\n  show cache : y\n\n",
		  "Unknown command: 'x', but maybe one of:" },
		{ "1\n# be_id be_name srv_name\n1 b n1\n\n\nNo such server.\n", "No such server." },
		{ "Name: HAProxy\nPid: 1\nno colon\nUptime: 2\n\n", "no colon" },
		{ "Name: HAProxy\nPid: 1\n\nPid: 2\n", "Pid: 2" },
		{ "Pid:\n", "Pid:" },
		{ "a\tb\x7f"
		  "c\r\n",
		  "a b c " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct shown shown;

		shown_init(&shown);
		read_text(&shown, cases[i].output);
		assert_string_equal(shown.message, cases[i].message);
		shown_done(&shown);
	}
}

/* ---- too long, cut short, too many ---- */

static void read_row_of(struct shown *shown, size_t name, size_t text)
{
	char names[400], texts[400], output[2000];

	memset(names, 'n', name);
	names[name] = '\0';
	memset(texts, 't', text);
	texts[text] = '\0';
	snprintf(output, sizeof(output),
		 "%s\n\n# pxname,svname,status,last_agt,scur\nb,%s,%s,\"%s\",5\n", texts, names,
		 texts, texts);
	read_text(shown, output);
}

static void test_long_texts(void **state)
{
	static const size_t lengths[] = { 1, 31, 32, 126, 127, 128, 129, 300 };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		size_t length = lengths[i];
		struct shown shown;

		shown_init(&shown);
		read_row_of(&shown, 1, length);
		assert_int_equal(shown.count, 1);
		assert_int_equal(strlen(shown.message), length < 127 ? length : 127);
		assert_int_equal(strlen(shown.servers[0].status), length < 31 ? length : 31);
		assert_int_equal(strlen(shown.servers[0].last_agent), length < 127 ? length : 127);
		assert_int_equal(shown.servers[0].sessions, 5);
		shown_done(&shown);
	}
}

/* Cut, a name could be another server's: the row is left out. */
static void test_long_names(void **state)
{
	struct shown shown;

	(void)state;
	shown_init(&shown);
	read_row_of(&shown, 128, 1);
	read_row_of(&shown, 300, 1);
	assert_int_equal(shown.count, 0);
	read_row_of(&shown, 127, 1);
	assert_int_equal(shown.count, 1);
	shown_done(&shown);
}

/* After each byte of it: no read past the end, nothing but the servers that are there. */
static void test_cut_short(void **state)
{
	char output[16384];
	size_t length;

	(void)state;
	snprintf(output, sizeof(output), "\n%s%s%s", info_2_6, state_2_6, stat_2_6);
	length = strlen(output);
	for (size_t cut = 0; cut <= length; cut++) {
		struct shown shown;

		shown_init(&shown);
		read_bytes(&shown, output, cut);
		assert_true(shown.count <= COUNT(servers_2_6) + 1);
		shown_done(&shown);
	}
}

/* Of `show stat` without a filter: frontends, backends and listeners are no servers. */
static void test_other_rows(void **state)
{
	struct shown shown;

	(void)state;
	shown_init(&shown);
	read_text(&shown, "# pxname,svname,type\nf,FRONTEND,0\nf,sock-1,3\nb,n1,2\nb,BACKEND,1\n");
	assert_int_equal(shown.count, 1);
	assert_non_null(shown_find(&shown, "b", "n1"));
	shown_done(&shown);
}

static void test_odd_numbers(void **state)
{
	const struct shown_server *server;
	struct shown shown;

	(void)state;
	shown_init(&shown);
	read_text(&shown, "# be_id be_name srv_name srv_port srv_uweight srv_iweight\n"
			  "1 b n1 -5 9223372036854775807 9223372036854775808\n"
			  "1 b n2 x 5 9223372036854775807\n1 b n3  0 0\n1 b n4 1 16 50\n");
	server = find(&shown, "b", "n1");
	assert_int_equal(server->port, -1);
	assert_int_equal(server->weight, INT64_MAX);
	assert_int_equal(server->initial_weight, -1);
	assert_int_equal(shown_weight_percent(server), -1);
	assert_int_equal(find(&shown, "b", "n2")->port, -1);
	assert_int_equal(shown_weight_percent(find(&shown, "b", "n2")), -1);
	assert_int_equal(shown_weight_percent(find(&shown, "b", "n3")), -1);
	assert_int_equal(shown_weight_percent(find(&shown, "b", "n4")), 32);
	shown_done(&shown);
}

/* All are found again, by both names, through all growths of the table. */
static void test_many_servers(void **state)
{
	enum { COUNT_OF_SERVERS = 3000 };
	size_t size = 64 + COUNT_OF_SERVERS * 32, length;
	char *output = malloc(size), backend[16], name[16];
	struct shown shown;

	(void)state;
	assert_non_null(output);
	length = (size_t)snprintf(output, size, "# be_id be_name srv_name srv_port\n");
	for (int i = 0; i < COUNT_OF_SERVERS; i++)
		length += (size_t)snprintf(output + length, size - length, "1 b%d n%d %d\n", i % 10,
					   i / 10, i);
	shown_init(&shown);
	read_bytes(&shown, output, length);
	read_bytes(&shown, output, length);
	free(output);
	assert_int_equal(shown.count, COUNT_OF_SERVERS);
	for (int i = 0; i < COUNT_OF_SERVERS; i++) {
		snprintf(backend, sizeof(backend), "b%d", i % 10);
		snprintf(name, sizeof(name), "n%d", i / 10);
		assert_int_equal(find(&shown, backend, name)->port, i);
	}
	assert_null(shown_find(&shown, "b10", "n1"));
	shown_done(&shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_output),
		cmocka_unit_test(test_tables_in_any_order),
		cmocka_unit_test(test_without_empty_lines),
		cmocka_unit_test(test_quoted),
		cmocka_unit_test(test_missing_columns),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_other_rows),
		cmocka_unit_test(test_odd_numbers),
		cmocka_unit_test(test_many_servers),
	};

	return cmocka_run_group_tests_name("core/shown", tests, NULL, NULL);
}
