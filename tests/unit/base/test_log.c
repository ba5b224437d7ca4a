/* The log's lines, read back from a pipe in place of standard error, and its rate limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

struct capture {
	int saved, reader;
	char data[8192];
};

static void capture_start(struct capture *capture)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	capture->saved = dup(STDERR_FILENO);
	capture->reader = ends[0];
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
}

static const char *capture_end(struct capture *capture)
{
	ssize_t length;

	assert_int_equal(dup2(capture->saved, STDERR_FILENO), STDERR_FILENO);
	close(capture->saved);
	length = read(capture->reader, capture->data, sizeof(capture->data) - 1);
	assert_true(length >= 0);
	capture->data[length] = '\0';
	close(capture->reader);
	return capture->data;
}

static void test_journal_lines(void **state)
{
	struct capture capture;

	(void)state;
	log_init(LOG_LEVEL_NOTICE, true);
	capture_start(&capture);
	log_error("broken node=%s", "a\nb\x1b[1m\x7f");
	log_notice("fine number=%d", 7);
	log_info("too much");
	assert_string_equal(capture_end(&capture), "<3>broken node=a?b?[1m?\n<5>fine number=7\n");
}

static void test_dated_lines(void **state)
{
	struct tm date = { 0 };
	const char *rest;
	struct capture capture;
	const char *line;

	(void)state;
	log_init(LOG_LEVEL_DEBUG, false);
	capture_start(&capture);
	log_debug("hello");
	line = capture_end(&capture);
	rest = strptime(line, "%Y-%m-%dT%H:%M:%S", &date);
	assert_non_null(rest);
	assert_in_range(date.tm_year, 2020 - 1900, 9999 - 1900);
	assert_int_equal(rest[0], '.');
	assert_int_equal(strspn(rest + 1, "0123456789"), 3);
	assert_string_equal(rest + 4, "Z hello\n");
}

static void test_what_a_peer_may_say(void **state)
{
	static const struct {
		const char *said, *written;
	} cases[] = {
		{ "\xc3\xa9 \xe2\x80\xa6 \xf0\x9f\x98\x80",
		  "\xc3\xa9 \xe2\x80\xa6 \xf0\x9f\x98\x80" },
		{ "\xff\xfe", "??" },
		{ "\xc3", "?" },
		{ "\xc3(", "?(" },
		{ "\xe2\x80", "??" },
		{ "\xe2\x80x", "??x" },
		{ "\xc0\xaf", "??" },
		{ "\xe0\x80\xaf", "???" },
		{ "\xed\xa0\x80", "???" },
		{ "\xf4\x90\x80\x80", "????" },
		{ "\xc2\x9b"
		  "1m",
		  "??1m" },
		{ "x\" level=\"y", "x' level='y" },
	};

	(void)state;
	log_init(LOG_LEVEL_INFO, true);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct capture capture;
		char quotable[64], expected[64];

		snprintf(expected, sizeof(expected), "<6>said=\"%s\"\n", cases[i].written);
		capture_start(&capture);
		log_info("said=\"%s\"", log_quotable(quotable, sizeof(quotable), cases[i].said,
						     strlen(cases[i].said)));
		assert_string_equal(capture_end(&capture), expected);
	}
}

static void test_quotable_is_cut(void **state)
{
	char data[4];

	(void)state;
	assert_string_equal(log_quotable(data, sizeof(data), "a\0\"bcd", 6), "a?'");
	assert_string_equal(log_quotable(data, sizeof(data), "", 0), "");
}

static void test_long_line(void **state)
{
	struct capture capture;
	const char *line;
	char huge[5000];

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	log_init(LOG_LEVEL_INFO, true);
	capture_start(&capture);
	log_info("%s", huge);
	line = capture_end(&capture);
	assert_in_range(strlen(line), 2000, 2048);
	assert_int_equal(line[strlen(line) - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void test_closed_stderr(void **state)
{
	int saved = dup(STDERR_FILENO);

	(void)state;
	log_init(LOG_LEVEL_INFO, true);
	close(STDERR_FILENO);
	log_info("nobody reads this");
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
}

/* A pipe that nobody reads: nothing waits, and what was lost is told. */
static void test_full_pipe(void **state)
{
	char line[1000], *read_back;
	struct capture capture;
	ssize_t length = 0;

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	log_init(LOG_LEVEL_INFO, true);
	capture_start(&capture);
	for (size_t i = 0; i < 200; i++)
		log_info("%s", line);
	read_back = calloc(1, 200 * sizeof(line));
	assert_non_null(read_back);
	length = read(capture.reader, read_back, 200 * sizeof(line));
	assert_in_range(length, 4096, 199 * sizeof(line));
	log_info("read again");
	length = (200 * 1003 - length) / 1003;
	snprintf(line, sizeof(line), "<4>the log was not read: lines lost=%zd\n<6>read again\n",
		 length);
	assert_string_equal(capture_end(&capture), line);
	free(read_back);
}

static void test_to_journal(void **state)
{
	struct stat status;
	char stream[64];

	(void)state;
	unsetenv("JOURNAL_STREAM");
	assert_false(log_to_journal());
	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
		 (unsigned long long)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_true(log_to_journal());
	snprintf(stream, sizeof(stream), "%llu:%llu1", (unsigned long long)status.st_dev,
		 (unsigned long long)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_false(log_to_journal());
	setenv("JOURNAL_STREAM", "nonsense", 1);
	assert_false(log_to_journal());
	unsetenv("JOURNAL_STREAM");
}

static void test_limit(void **state)
{
	struct log_limit limit = { 0 };
	unsigned int suppressed = 99;

	(void)state;
	assert_true(log_limit_pass(&limit, 50000, 2, 1000, &suppressed));
	assert_int_equal(suppressed, 0);
	assert_true(log_limit_pass(&limit, 50001, 2, 1000, &suppressed));
	for (int i = 0; i < 5; i++)
		assert_false(log_limit_pass(&limit, 50002 + i, 2, 1000, &suppressed));
	assert_false(log_limit_pass(&limit, 50999, 2, 1000, &suppressed));
	assert_true(log_limit_pass(&limit, 51000, 2, 1000, &suppressed));
	assert_int_equal(suppressed, 6);
	assert_true(log_limit_pass(&limit, 51001, 2, 1000, &suppressed));
	assert_int_equal(suppressed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_journal_lines),	cmocka_unit_test(test_dated_lines),
		cmocka_unit_test(test_long_line),	cmocka_unit_test(test_closed_stderr),
		cmocka_unit_test(test_full_pipe),	cmocka_unit_test(test_to_journal),
		cmocka_unit_test(test_limit),		cmocka_unit_test(test_what_a_peer_may_say),
		cmocka_unit_test(test_quotable_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
