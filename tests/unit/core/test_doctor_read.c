/* What the doctor reads by itself out of HAProxy's output. */
#include "core/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_read_release(void **state)
{
	static const struct {
		const char *output;
		int64_t expected;
	} rows[] = {
		{ "Name: HAProxy\nVersion: 2.6\nRelease_date: 2026/10/17\nPid: 1\n", 20261017 },
		{ "Release_date: 2026/10/17", 20261017 },
		{ "Name: HAProxy\nNot Release_date: 2026/10/17\n", -1 },
		{ "Release_date: 2026/10/1", -1 },
		{ "Release_date: 2026-10-17\n", -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t date = doctor_read_release(rows[i].output, strlen(rows[i].output));

		if (date != rows[i].expected)
			fail_msg("row %zu: %lld, expected %lld", i, (long long)date,
				 (long long)rows[i].expected);
	}
}

static void test_read_backend(void **state)
{
	static const struct {
		const char *output;
		bool present;
		const char *algorithm;
	} rows[] = {
		{ "# pxname,svname,qcur,algo,x,\nbk,BACKEND,0,roundrobin,1,\n\n", true,
		  "roundrobin" },
		{ "# pxname,svname,qcur,algo,x,\nbk,BACKEND,0,,1,\n\n", true, "" },
		{ "# pxname,svname,qcur,algo\nbk,BACKEND,0,first", true, "first" },
		{ "# pxname,svname,qcur,\nbk,BACKEND,0,\n", true, "" },
		{ "# pxname,svname,qcur,algo,\nft,FRONTEND,0,,\n", false, "" },
		{ "# pxname,svname,qcur,algo,\n\n", false, "" },
		{ "No such proxy.\n\n", false, "" },
		{ "", false, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char algorithm[32] = "?";
		bool present = doctor_read_backend(rows[i].output, strlen(rows[i].output),
						   algorithm, sizeof(algorithm));

		if (present != rows[i].present || strcmp(algorithm, rows[i].algorithm) != 0)
			fail_msg("row %zu: %d \"%s\", expected %d \"%s\"", i, present, algorithm,
				 rows[i].present, rows[i].algorithm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_release),
		cmocka_unit_test(test_read_backend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
