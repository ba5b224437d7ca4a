/* The closed list of reasons: every one has a token that HAProxy's answer can carry, used once. */
#include "core/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz-"

static void test_tokens(void **state)
{
	(void)state;
	for (int a = 0; a < REASON_COUNT; a++) {
		const char *token = reason_token((enum reason)a);
		size_t length = strlen(token);

		if (length == 0 || length > 24 || strspn(token, LETTERS) != length)
			fail_msg("reason %d: the token \"%s\" is not of small letters", a, token);
		for (int b = 0; b < a; b++)
			if (strcmp(token, reason_token((enum reason)b)) == 0)
				fail_msg("\"%s\" is the token of two reasons", token);
	}
}

static void test_sentences(void **state)
{
	(void)state;
	for (int a = 0; a < REASON_COUNT; a++) {
		const char *sentence = reason_sentence((enum reason)a);

		if (strlen(sentence) < 10 || sentence[strlen(sentence) - 1] == '.')
			fail_msg("%s: \"%s\" is no sentence without its full stop",
				 reason_token((enum reason)a), sentence);
		for (int b = 0; b < a; b++)
			if (strcmp(sentence, reason_sentence((enum reason)b)) == 0)
				fail_msg("\"%s\" is said of two reasons", sentence);
		assert_in_range(reason_severity((enum reason)a), SEVERITY_INFO, SEVERITY_ALARM);
	}
	assert_string_equal(reason_token(REASON_MASTER), "master");
	assert_int_equal(reason_severity(REASON_MASTER), SEVERITY_INFO);
	assert_int_equal(reason_severity(REASON_TIE), SEVERITY_ALARM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_sentences),
	};

	return cmocka_run_group_tests_name("core/reason", tests, NULL, NULL);
}
