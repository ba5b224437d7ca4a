/* Error replies told apart by their first word, each at the very end of a block of its own. */
#include "core/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum reply_class classify(const char *error)
{
	size_t length = strlen(error);
	char *block = malloc(length ? length : 1);
	enum reply_class class;

	assert_non_null(block);
	for (size_t i = 0; i < length; i++)
		block[i] = error[i];
	class = reply_classify_error(block, length);
	free(block);
	return class;
}

static void test_classify(void **state)
{
	static const struct {
		const char *error;
		enum reply_class expected;
	} cases[] = {
		{ "NOAUTH Authentication required.", REPLY_NO_ACCESS },
		{ "WRONGPASS invalid username-password pair or user is disabled.",
		  REPLY_NO_ACCESS },
		{ "NOPERM this user has no permissions to run the 'info' command",
		  REPLY_NO_ACCESS },
		{ "DENIED Redis is running in protected mode", REPLY_NO_ACCESS },
		{ "ERR max number of clients reached", REPLY_NO_ACCESS },
		{ "LOADING Redis is loading the dataset in memory", REPLY_LOADING },
		{ "BUSY Redis is busy running a script.", REPLY_BUSY },
		{ "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to "
		  "'no'.",
		  REPLY_MASTERDOWN },
		{ "ERR unknown command 'INFO', with args beginning with: ", REPLY_UNKNOWN_COMMAND },
		{ "ERR unknown command `INFO`", REPLY_UNKNOWN_COMMAND },
		{ "ERR unknown subcommand", REPLY_OTHER_ERROR },
		{ "READONLY You can't write against a read only replica.", REPLY_OTHER_ERROR },
		{ "MISCONF Redis is configured to save RDB snapshots", REPLY_OTHER_ERROR },
		{ "NOREPLICAS Not enough good replicas to write.", REPLY_OTHER_ERROR },
		{ "OOM command not allowed when used memory > 'maxmemory'.", REPLY_OTHER_ERROR },
		{ "BUSYGROUP Consumer Group name already exists", REPLY_OTHER_ERROR },
		{ "BUSYKEY Target key name already exists.", REPLY_OTHER_ERROR },
		{ "LOADING", REPLY_LOADING },
		{ "BUSY", REPLY_BUSY },
		{ "BUS", REPLY_OTHER_ERROR },
		{ "busy now", REPLY_OTHER_ERROR },
		{ " BUSY", REPLY_OTHER_ERROR },
		{ "ERR BUSY", REPLY_OTHER_ERROR },
		{ "ERR", REPLY_OTHER_ERROR },
		{ "ERR unknown", REPLY_OTHER_ERROR },
		{ "", REPLY_OTHER_ERROR },
		{ " ", REPLY_OTHER_ERROR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum reply_class is = classify(cases[i].error);

		if (is != cases[i].expected)
			fail_msg("\"%s\" is %d, not %d", cases[i].error, (int)is,
				 (int)cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classify),

	};

	return cmocka_run_group_tests_name("core/reply", tests, NULL, NULL);
}
