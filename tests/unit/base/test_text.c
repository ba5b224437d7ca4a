/* Text: building within bounds, numbers at the edges of int64, durations and sizes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void test_build(void **state)
{
	char data[8];
	struct text text;

	(void)state;
	text_init(&text, data, sizeof(data));
	assert_string_equal(data, "");
	text_add(&text, "abc");
	text_addf(&text, "%d", 1234);
	assert_string_equal(data, "abc1234");
	assert_int_equal(text.length, 7);
	assert_false(text.truncated);
	text_add(&text, "");
	assert_false(text.truncated);
	text_add(&text, "x");
	assert_true(text.truncated);
	assert_string_equal(data, "abc1234");
	assert_int_equal(text.length, 7);
}

static void test_copy(void **state)
{
	char data[4];

	(void)state;
	text_copy(data, sizeof(data), "abcdef", 2);
	assert_string_equal(data, "ab");
	text_copy(data, sizeof(data), "abcdef", 3);
	assert_string_equal(data, "abc");
	text_copy(data, sizeof(data), "abcdef", 6);
	assert_string_equal(data, "abc");
	text_copy(data, sizeof(data), "", 0);
	assert_string_equal(data, "");
}

static void test_equal(void **state)
{
	(void)state;
	assert_true(text_equal("masterful", 6, "master"));
	assert_false(text_equal("master", 5, "master"));
	assert_false(text_equal("master", 6, "mastes"));
	assert_true(text_equal("", 0, ""));
}

static void test_int64(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t value;
	} cases[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "+7", true, 7 },
		{ "007", true, 7 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "99999999999999999999999", false, 0 },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ "+", false, 0 },
		{ "+-1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1a", false, 0 },
		{ "0x1", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t value = 4711;

		if (text_to_int64(cases[i].text, strlen(cases[i].text), &value) != cases[i].good)
			fail_msg("\"%s\": good is %d", cases[i].text, !cases[i].good);
		assert_int_equal(value, cases[i].good ? cases[i].value : 4711);
	}
}

struct unit_case {
	const char *text;
	int result;
	int64_t value;
};

static void check_units(const struct unit_case *cases, size_t count,
			int (*read)(const char *, int64_t *))
{
	for (size_t i = 0; i < count; i++) {
		int64_t value = 4711;
		int result = read(cases[i].text, &value);

		if (result != cases[i].result)
			fail_msg("\"%s\": %d, wanted %d", cases[i].text, result, cases[i].result);
		assert_int_equal(value, result == 0 ? cases[i].value : 4711);
	}
}

static void test_duration(void **state)
{
	static const struct unit_case cases[] = {
		{ "0", 0, 0 },
		{ "0ms", 0, 0 },
		{ "200ms", 0, 200 },
		{ "5s", 0, 5000 },
		{ "10m", 0, 600000 },
		{ "2h", 0, 7200000 },
		{ "1d", 0, 86400000 },
		{ "9223372036854775807ms", 0, INT64_MAX },
		{ "9223372036854775808ms", -ERANGE, 0 },
		{ "9223372036854775807s", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "5", -EINVAL, 0 },
		{ "ms", -EINVAL, 0 },
		{ "-1s", -EINVAL, 0 },
		{ "+1s", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 },
		{ " 1s", -EINVAL, 0 },
		{ "1.5s", -EINVAL, 0 },
		{ "1S", -EINVAL, 0 },
		{ "1ss", -EINVAL, 0 },
		{ "1s ", -EINVAL, 0 },
	};

	(void)state;
	check_units(cases, sizeof(cases) / sizeof(*cases), text_to_duration_ms);
}

static void test_hash(void **state)
{
	/* The vectors of FNV's authors. */
	static const struct {
		const char *text;
		uint64_t hash;
	} cases[] = {
		{ "", 0xcbf29ce484222325U },
		{ "a", 0xaf63dc4c8601ec8cU },
		{ "foobar", 0x85944171f73967e8U },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(text_hash(cases[i].text, strlen(cases[i].text)), cases[i].hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build),	 cmocka_unit_test(test_copy),
		cmocka_unit_test(test_equal),	 cmocka_unit_test(test_int64),
		cmocka_unit_test(test_duration), cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
