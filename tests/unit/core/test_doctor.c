/*
 * The doctor's table: for each check the facts that provoke it and it alone, its remedy as one
 * pastes it, and that nothing is found where all is well.
 */
#include "core/doctor.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct pool_policy masters = { .role = POOL_MASTER };
static const struct pool_policy readers = { .role = POOL_REPLICA, .weights = true };
static const struct pool_policy own_weights = { .role = POOL_REPLICA };

/* What a case changes of facts in which all is well. */
struct stage {
	struct doctor_facts facts;
	struct shown_server server;
	struct verdict verdict;
};

static void set_stage(struct stage *stage, enum doctor_scope scope)
{
	*stage = (struct stage){
		.facts = {
			.scope = scope,
			.agent = "127.0.0.1 agent-port 8100",
			.haproxy_count = 1,
			.haproxy = "/run/haproxy/admin.sock",
			.version = "2.6.12-1+deb12u4",
			.level = "admin",
			.released = 20261017,
			.backend = "bk",
			.policy = &masters,
			.present = true,
			.algorithm = "roundrobin",
			.node = "a",
			.address = "10.0.0.1:6379",
			.verdict = &stage->verdict,
			.server = &stage->server,
		},
		.server = {
			.backend = "bk",
			.name = "a",
			.in_stat = true,
			.in_state = true,
			.status = "UP",
			.agent = SHOWN_AGENT_OPEN,
			.check_status = "L7OK",
			.address = "10.0.0.1",
			.port = 6379,
			.weight = 1,
			.initial_weight = 1,
			.agent_state = 22,
		},
		.verdict = { .state = VERDICT_UP, .reason = REASON_MASTER, .weight = 100 },
	};
}

static void no_haproxy(struct stage *stage)
{
	stage->facts.haproxy_count = 0;
}

static void no_access(struct stage *stage)
{
	stage->verdict.reason = REASON_NO_ACCESS;
	stage->facts.ping_refused = true;
}

static void no_ping(struct stage *stage)
{
	stage->facts.ping_refused = true;
}

static void unsupported(struct stage *stage)
{
	stage->verdict.reason = REASON_UNSUPPORTED;
}

static void unreachable(struct stage *stage)
{
	stage->verdict.reason = REASON_UNREACHABLE;
}

static void no_socket(struct stage *stage)
{
	stage->facts.status = -ENOENT;
	stage->facts.version = stage->facts.level = "";
}

static void socket_forbidden(struct stage *stage)
{
	no_socket(stage);
	stage->facts.status = -EACCES;
}

static void nobody_there(struct stage *stage)
{
	no_socket(stage);
	stage->facts.status = -ECONNREFUSED;
}

static void silent(struct stage *stage)
{
	no_socket(stage);
	stage->facts.status = -ETIMEDOUT;
}

static void not_haproxy(struct stage *stage)
{
	stage->facts.version = stage->facts.level = "";
}

static void socket_operator(struct stage *stage)
{
	stage->facts.level = "operator";
}

static void socket_user(struct stage *stage)
{
	stage->facts.level = "user";
}

static void level_not_known(struct stage *stage)
{
	stage->facts.level = "Unknown command:";
}

static void no_master_socket(struct stage *stage)
{
	stage->facts.is_worker = true;
}

static void master_socket(struct stage *stage)
{
	stage->facts.is_worker = stage->facts.has_master = true;
}

static void version_2_2_10(struct stage *stage)
{
	stage->facts.version = "2.2.10";
}

static void version_2_2_11(struct stage *stage)
{
	stage->facts.version = "2.2.11";
}

static void version_2_4(struct stage *stage)
{
	stage->facts.version = "2.4.22-0ubuntu0";
}

static void version_3_2(struct stage *stage)
{
	stage->facts.version = "3.2.9";
	stage->facts.released = 20260101;
}

static void version_3_3(struct stage *stage)
{
	stage->facts.version = "3.3.0";
	stage->facts.released = -1;
}

static void version_3_4(struct stage *stage)
{
	stage->facts.version = "3.4.0-abcdef";
	stage->facts.released = 20260603;
}

static void version_3_4_mended(struct stage *stage)
{
	stage->facts.version = "3.4.2";
	stage->facts.released = 20260801;
}

static void version_3_5(struct stage *stage)
{
	stage->facts.version = "3.5-dev5";
	stage->facts.released = 20260603;
}

static void no_backend(struct stage *stage)
{
	stage->facts.present = false;
	stage->facts.algorithm = "";
}

static void backend_elsewhere(struct stage *stage)
{
	no_backend(stage);
	stage->facts.elsewhere = true;
}

static void balance_first(struct stage *stage)
{
	stage->facts.algorithm = "first";
}

static void read_first(struct stage *stage)
{
	stage->facts.algorithm = "first";
	stage->facts.policy = &readers;
}

static void read_static(struct stage *stage)
{
	stage->facts.algorithm = "static-rr";
	stage->facts.policy = &readers;
}

static void read_static_own_weights(struct stage *stage)
{
	stage->facts.algorithm = "static-rr";
	stage->facts.policy = &own_weights;
}

static void read_source(struct stage *stage)
{
	stage->facts.algorithm = "source";
	stage->facts.policy = &readers;
}

static void read_source_weighed(struct stage *stage)
{
	read_source(stage);
	stage->facts.weighs = true;
}

static void read_leastconn(struct stage *stage)
{
	stage->facts.algorithm = "leastconn";
	stage->facts.policy = &readers;
}

static void write_static(struct stage *stage)
{
	stage->facts.algorithm = "static-rr";
}

static void no_server(struct stage *stage)
{
	stage->facts.server = NULL;
}

static void no_reader(struct stage *stage)
{
	stage->facts.server = NULL;
	stage->facts.policy = &readers;
}

static void swapped(struct stage *stage)
{
	stage->facts.place = DOCTOR_PLACE_OTHER_NODE;
}

static void other_address(struct stage *stage)
{
	stage->facts.place = DOCTOR_PLACE_ELSEWHERE;
}

static void no_agent_check(struct stage *stage)
{
	stage->server.agent = SHOWN_AGENT_NONE;
	stage->server.agent_state = 0;
}

static void agent_disabled(struct stage *stage)
{
	stage->server.agent = SHOWN_AGENT_NONE;
	stage->server.agent_state = 18;
}

static void master_maint(struct stage *stage)
{
	stage->server.admin_state = 1;
}

static void master_drain(struct stage *stage)
{
	stage->server.admin_state = 8;
}

static void standby_maint(struct stage *stage)
{
	stage->server.admin_state = 1;
	stage->verdict.state = VERDICT_STANDBY;
}

static void reader_drain(struct stage *stage)
{
	stage->server.admin_state = 8;
	stage->facts.policy = &readers;
}

static void left_config_maint(struct stage *stage)
{
	stage->server.admin_state = 4;
}

static void admin_not_known(struct stage *stage)
{
	stage->server.admin_state = -1;
}

static void unresolved(struct stage *stage)
{
	stage->server.admin_state = 32;
}

static void master_kept_down(struct stage *stage)
{
	strcpy(stage->server.status, "DOWN");
	strcpy(stage->server.check_status, "L7TOUT");
}

static void reader_kept_down(struct stage *stage)
{
	master_kept_down(stage);
	stage->facts.policy = &readers;
	stage->verdict.reason = REASON_FRESH;
}

static void fallback_kept_down(struct stage *stage)
{
	reader_kept_down(stage);
	stage->verdict.reason = REASON_FALLBACK;
}

static void closed_by_mark(struct stage *stage)
{
	master_kept_down(stage);
	stage->server.agent = SHOWN_AGENT_CLOSED;
}

static void down_as_wanted(struct stage *stage)
{
	master_kept_down(stage);
	stage->verdict.state = VERDICT_DOWN;
}

static void stranger(struct stage *stage)
{
	stage->facts.node = stage->facts.address = NULL;
	stage->facts.verdict = NULL;
}

static void strange_reader(struct stage *stage)
{
	stranger(stage);
	stage->facts.policy = &readers;
	strcpy(stage->server.address, "::1");
}

static const struct {
	const char *id; /* NULL: nothing is found */
	enum doctor_scope scope;
	void (*change)(struct stage *stage);
	const char *remedy; /* what must be in it */
} cases[] = {
	{ "no-haproxy", DOCTOR_AGENT, no_haproxy, "socket = \"/run/haproxy/admin.sock\"; }" },
	{ "no-access", DOCTOR_NODE, no_access, "+info" },
	{ "no-ping", DOCTOR_NODE, no_ping, "+ping" },
	{ "unsupported", DOCTOR_NODE, unsupported, "redis://10.0.0.1:6379 INFO" },
	{ "unreachable", DOCTOR_NODE, unreachable, "redis://10.0.0.1:6379 PING" },
	{ "no-socket", DOCTOR_HAPROXY, no_socket, "stats socket /run/haproxy/admin.sock" },
	{ "socket-forbidden", DOCTOR_HAPROXY, socket_forbidden, "usermod" },
	{ "nobody-there", DOCTOR_HAPROXY, nobody_there, "systemctl start haproxy" },
	{ "silent", DOCTOR_HAPROXY, silent, "stdio /run/haproxy/admin.sock" },
	{ "not-haproxy", DOCTOR_HAPROXY, not_haproxy, "stats socket" },
	{ "socket-level", DOCTOR_HAPROXY, socket_operator, "level admin" },
	{ "socket-level", DOCTOR_HAPROXY, socket_user, "level admin" },
	{ NULL, DOCTOR_HAPROXY, level_not_known, NULL },
	{ "no-master-socket", DOCTOR_HAPROXY, no_master_socket, "{ socket = \"/run/haproxy/admin" },
	{ NULL, DOCTOR_HAPROXY, master_socket, NULL },
	{ "version-overrides", DOCTOR_HAPROXY, version_2_2_10, "haproxy" },
	{ "version-untried", DOCTOR_HAPROXY, version_2_2_11, "haproxy" },
	{ "version-untried", DOCTOR_HAPROXY, version_2_4, "haproxy" },
	{ NULL, DOCTOR_HAPROXY, version_3_2, NULL },
	{ "version-mark", DOCTOR_HAPROXY, version_3_3, "haproxy" },
	{ "version-mark", DOCTOR_HAPROXY, version_3_4, "haproxy" },
	{ NULL, DOCTOR_HAPROXY, version_3_4_mended, NULL },
	{ NULL, DOCTOR_HAPROXY, version_3_5, NULL },
	{ "no-backend", DOCTOR_BACKEND, no_backend, "haproxy-config" },
	{ "backend-elsewhere", DOCTOR_BACKEND, backend_elsewhere, "haproxy-config" },
	{ "balance-first", DOCTOR_BACKEND, balance_first, "backend bk\n    balance roundrobin" },
	{ "balance-static", DOCTOR_BACKEND, read_first, "backend bk\n    balance roundrobin" },
	{ "balance-static", DOCTOR_BACKEND, read_static, "balance roundrobin" },
	{ NULL, DOCTOR_BACKEND, read_static_own_weights, NULL },
	{ "balance-hash", DOCTOR_BACKEND, read_source, "hash-type consistent" },
	{ NULL, DOCTOR_BACKEND, read_source_weighed, NULL },
	{ NULL, DOCTOR_BACKEND, read_leastconn, NULL },
	{ NULL, DOCTOR_BACKEND, write_static, NULL },
	{ "no-server", DOCTOR_LINE, no_server, "server a 10.0.0.1:6379 agent-send bk/a\\n" },
	{ "no-reader", DOCTOR_LINE, no_reader, "server a 10.0.0.1:6379 agent-send bk/a\\n" },
	{ "swapped", DOCTOR_LINE, swapped, "server a 10.0.0.1:6379" },
	{ "other-address", DOCTOR_LINE, other_address, "server a 10.0.0.1:6379" },
	{ "no-agent-check", DOCTOR_LINE, no_agent_check,
	  "agent-check agent-addr 127.0.0.1 agent-port 8100 agent-inter" },
	{ "agent-disabled", DOCTOR_LINE, agent_disabled, "systemctl start redis-role-agent" },
	{ "master-set-aside", DOCTOR_LINE, master_maint,
	  "echo 'set server bk/a state ready' | socat stdio /run/haproxy/admin.sock" },
	{ "master-set-aside", DOCTOR_LINE, master_drain, "set server bk/a state ready" },
	{ "set-aside", DOCTOR_LINE, standby_maint, "set server bk/a state ready" },
	{ "set-aside", DOCTOR_LINE, reader_drain, "set server bk/a state ready" },
	{ NULL, DOCTOR_LINE, left_config_maint, NULL },
	{ NULL, DOCTOR_LINE, admin_not_known, NULL },
	{ "unresolved", DOCTOR_LINE, unresolved, "show resolvers" },
	{ "master-kept-down", DOCTOR_LINE, master_kept_down, "show stat bk 4 -1" },
	{ "kept-down", DOCTOR_LINE, reader_kept_down, "show stat bk 4 -1" },
	{ "fallback-kept-down", DOCTOR_LINE, fallback_kept_down, "role:(slave|master)" },
	{ NULL, DOCTOR_LINE, closed_by_mark, NULL },
	{ NULL, DOCTOR_LINE, down_as_wanted, NULL },
	{ "stranger", DOCTOR_STRANGER, stranger, "{ name = \"a\"; address = \"10.0.0.1:6379\"; }" },
	{ "strange-reader", DOCTOR_STRANGER, strange_reader, "address = \"[::1]:6379\"" },
};

static void expect_case(size_t i)
{
	const struct doctor_check *check, *more;
	struct stage stage;

	set_stage(&stage, cases[i].scope);
	cases[i].change(&stage);
	check = doctor_next(&stage.facts, NULL);
	if (!check || !cases[i].id) {
		if (check || cases[i].id)
			fail_msg("case %zu: found %s, expected %s", i,
				 check ? check->id : "nothing",
				 cases[i].id ? cases[i].id : "nothing");
		return;
	}
	if (strcmp(check->id, cases[i].id) != 0)
		fail_msg("case %zu: found %s, expected %s", i, check->id, cases[i].id);
	more = doctor_next(&stage.facts, check);
	if (more)
		fail_msg("case %zu: %s is found beside %s", i, more->id, check->id);
}

static void test_each_check_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_case(i);
}

static void test_remedies_are_filled_in(void **state)
{
	char data[1024];
	struct text text;
	struct stage stage;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (!cases[i].id)
			continue;
		set_stage(&stage, cases[i].scope);
		cases[i].change(&stage);
		text_init(&text, data, sizeof(data));
		doctor_write_remedy(&text, doctor_next(&stage.facts, NULL), &stage.facts);
		if (!strstr(data, cases[i].remedy) || text.truncated)
			fail_msg("%s: remedy is \"%s\", expected \"%s\" in it", cases[i].id, data,
				 cases[i].remedy);
	}
}

static void test_tcp_socket_for_socat(void **state)
{
	char data[1024];
	struct text text;
	struct stage stage;

	(void)state;
	set_stage(&stage, DOCTOR_LINE);
	master_maint(&stage);
	stage.facts.haproxy = "10.0.0.9:9999";
	text_init(&text, data, sizeof(data));
	doctor_write_remedy(&text, doctor_next(&stage.facts, NULL), &stage.facts);
	assert_string_equal(data, "echo 'set server bk/a state ready' | socat stdio "
				  "tcp:10.0.0.9:9999");
}

/* Every row is provoked by a case, so that none is there that cannot be found. */
static void test_every_check_has_a_case(void **state)
{
	size_t count;
	const struct doctor_check *table = doctor_table(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		bool found = false;

		for (size_t c = 0; c < COUNT(cases); c++)
			found |= cases[c].id && strcmp(cases[c].id, table[i].id) == 0;
		if (!found)
			fail_msg("no case for %s", table[i].id);
	}
}

static void test_well(void **state)
{
	struct stage stage;

	(void)state;
	for (int scope = DOCTOR_AGENT; scope <= DOCTOR_LINE; scope++) {
		const struct doctor_check *check;

		set_stage(&stage, (enum doctor_scope)scope);
		check = doctor_next(&stage.facts, NULL);
		if (check)
			fail_msg("scope %d: found %s, expected nothing", scope, check->id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well),
		cmocka_unit_test(test_each_check_alone),
		cmocka_unit_test(test_every_check_has_a_case),
		cmocka_unit_test(test_remedies_are_filled_in),
		cmocka_unit_test(test_tcp_socket_for_socat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
