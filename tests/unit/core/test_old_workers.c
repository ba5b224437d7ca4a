/* The master's lists, as haproxy 2.6 printed them, whole and at the very end of a block of their
 * own. */
#include "core/old_workers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD                                                                                 \
	"#<PID>          <type>          <reloads>       <uptime>        <version>      \n"  \
	"23015           master          1 [failed: 0]   0d00h00m02s     2.6.12-1+deb12u4\n" \
	"# workers\n"                                                                        \
	"23098           worker          0               0d00h00m01s     2.6.12-1+deb12u4\n"
#define OLD(pid) pid "           worker          1               0d00h00m01s     2.6.12-1+deb12u4\n"
#define TITLE	 "# old workers\n"
#define TAIL	 "# programs\n\n"

/* A copy without a NUL, so that reading past the end is seen. */
static char *copy_bytes(const char *text, size_t length)
{
	char *block = malloc(length ? length : 1);

	assert_non_null(block);
	for (size_t i = 0; i < length; i++)
		block[i] = text[i];
	return block;
}

static void test_workers(void **state)
{
	static const struct {
		const char *text;
		int64_t pids[3];
	} cases[] = {
		{ "", { 0 } },
		{ "\n", { 0 } },
		{ HEAD TAIL, { 0 } },
		{ HEAD TITLE TAIL, { 0 } },
		{ HEAD TITLE OLD("23036") TAIL, { 23036 } },
		{ HEAD TITLE OLD("23036") OLD("7") TAIL, { 23036, 7 } },
		{ HEAD TITLE OLD("23036") OLD("7"), { 23036, 7 } },
		{ HEAD TITLE "12 worker", { 12 } },
		{ HEAD TITLE "12", { 0 } },
		{ HEAD TITLE "12 program 1\n13 worker 1\n", { 0 } },
		{ HEAD TITLE "-5 worker 1\n", { 0 } },
		{ HEAD TITLE "99999999999999999999 worker 1\n", { 0 } },
		{ HEAD TITLE OLD("5") "\n" OLD("6"), { 5 } },
		{ "Permission denied\n\n", { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t length = strlen(cases[i].text), count = 0;
		char *block = copy_bytes(cases[i].text, length);
		const char *cursor = block;
		int64_t pid = -1;

		while (count < 3 && old_workers_next(&cursor, block + length, &pid)) {
			if (pid != cases[i].pids[count])
				fail_msg("case %zu: %d instead of %d", i, (int)pid,
					 (int)cases[i].pids[count]);
			count++;
		}
		if (count < 3 && cases[i].pids[count] != 0)
			fail_msg("case %zu: only %zu pids", i, count);
		assert_false(old_workers_next(&cursor, block + length, &pid));
		free(block);
	}
}

#define SESSION(id, be, srv)                                              \
	id ": proto=tcpv4 src=127.0.0.1:59906 fe=ft_a be=" be " srv=" srv \
	   " ts=00 epoch=0 age=1s calls=3 rate=1 cpu=0 lat=0 "            \
	   "rq[f=848000h,i=0,an=00h,rx=58s,wx=,ax=]"                      \
	   " scf=[8,0h,fd=14] exp=58s rc=0 c_exp=\n"
#define OWN                                                                                       \
	"0x558dfb41ab60: proto=sockpair src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0 " \
	"age=0s calls=1\n"
#define LONG                                                                                       \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"                                             \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
	"nnn"                                                                                      \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static void test_sessions(void **state)
{
	static const struct {
		const char *text;
		struct old_session expected[2];
	} cases[] = {
		{ "", { { .id = "" } } },
		{ "\n\n", { { .id = "" } } },
		{ OWN "\n", { { .id = "" } } },
		{ SESSION("0x558dfb2fe010", "bk_a", "s1") OWN "\n",
		  { { "0x558dfb2fe010", "bk_a", "s1" } } },
		{ OWN SESSION("0xA", "b:k", "s.1") SESSION("0xb", "c", "d"),
		  { { "0xA", "b:k", "s.1" }, { "0xb", "c", "d" } } },
		{ "0x1: be=b srv=s", { { "0x1", "b", "s" } } },
		{ "0x1: be=b srv=", { { .id = "" } } },
		{ "0x1: be=b", { { .id = "" } } },
		{ "0x1 be=b srv=s\n", { { .id = "" } } },
		{ SESSION("0x", "b", "s"), { { .id = "" } } },
		{ SESSION("558dfb2fe010", "b", "s"), { { .id = "" } } },
		/* An id goes into a command: nothing else may. */
		{ SESSION("0x1;shutdown", "b", "s"), { { .id = "" } } },
		{ SESSION("0x12345678901234567890123456789012", "b", "s"), { { .id = "" } } },
		/* A name that does not fit is never cut short. */
		{ SESSION("0x1", "b", LONG) SESSION("0x2", "b", "s"), { { "0x2", "b", "s" } } },
		{ "0x1: [22/Nov/2026:16:33:22.6] id=0 proto=tcpv4\n  backend=bk_a (id=3)\n",
		  { { .id = "" } } },
		{ "Can't find the target PID matching the prefix '@!99999'\n", { { .id = "" } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t length = strlen(cases[i].text), count = 0;
		char *block = copy_bytes(cases[i].text, length);
		const char *cursor = block;
		struct old_session session;

		while (count < 2 && old_sessions_next(&cursor, block + length, &session)) {
			const struct old_session *expected = &cases[i].expected[count++];

			if (strcmp(session.id, expected->id) != 0 ||
			    strcmp(session.backend, expected->backend) != 0 ||
			    strcmp(session.server, expected->server) != 0)
				fail_msg("case %zu: %s %s/%s instead of %s %s/%s", i, session.id,
					 session.backend, session.server, expected->id,
					 expected->backend, expected->server);
		}
		if (count < 2 && cases[i].expected[count].id[0])
			fail_msg("case %zu: only %zu sessions", i, count);
		assert_false(old_sessions_next(&cursor, block + length, &session));
		free(block);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_workers),
		cmocka_unit_test(test_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
