/* Password files: the first line, and each way in which there is none. */
#include "folder.h"

#include "base/mem.h"
#include "config/secret.h"

static void test_good(void **state)
{
	static const struct {
		const char *data, *secret;
	} cases[] = {
		{ "secret", "secret" },
		{ "secret\n", "secret" },
		{ "secret\r\n", "secret" },
		{ "secret\nmore\n", "secret" },
		{ " with spaces \n", " with spaces " },
		{ "\xc3\xa9\n", "\xc3\xa9" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *secret = mem_strdup("old");

		folder_write("p", cases[i].data);
		assert_null(secret_read("p", &secret));
		assert_string_equal(secret, cases[i].secret);
		secret_wipe(&secret);
		assert_null(secret);
	}
}

static void test_limit(void **state)
{
	char data[4097], *secret = NULL;

	(void)state;
	memset(data, 'x', sizeof(data));
	folder_write_bytes("p", data, 4096);
	assert_null(secret_read("p", &secret));
	assert_int_equal(strlen(secret), 4096);
	folder_write_bytes("p", data, 4097);
	assert_string_equal(secret_read("p", &secret),
			    "larger than 4 kB: its first line must be the password");
	assert_int_equal(strlen(secret), 4096);
	secret_wipe(&secret);
}

static void check_errors(const char *path, const char *lines)
{
	struct settings_shard shard = { .name = mem_strdup("main") };
	struct settings settings = { .shards = &shard, .shard_count = 1 };
	struct settings_errors errors = { 0 };

	shard.auth.password_file = mem_strdup(path);
	assert_int_equal(settings_read_secrets(&settings, &errors), -22);
	assert_null(shard.auth.password);
	folder_check_errors(&errors, lines);
	free(shard.auth.password_file);
	free(shard.name);
}

static void test_errors(void **state)
{
	(void)state;
	folder_write("empty", "");
	folder_write("blank", "\nsecret\n");
	folder_write_bytes("nul", "se\0cret\n", 8);
	check_errors("empty", "empty: the password of shard \"main\": its first line is empty: "
			      "write the password there\n");
	check_errors("blank", "blank: the password of shard \"main\": its first line is empty: "
			      "write the password there\n");
	check_errors("nul", "nul: the password of shard \"main\": it holds a NUL byte: write the "
			    "password as text\n");
	check_errors("none", "none: the password of shard \"main\": No such file or directory: "
			     "create it, or correct the path\n");
	check_errors(".", ".: the password of shard \"main\": Is a directory: name a file\n");
	check_errors("/dev/null", "/dev/null: the password of shard \"main\": not a regular file: "
				  "name a file whose first line is the password\n");
}

/* Of two shards' files both are named; a shard without one needs none. */
static void test_every_error(void **state)
{
	struct settings_shard shards[3] = {
		{ .name = (char[]){ "a" }, .auth.password_file = (char[]){ "x" } },
		{ .name = (char[]){ "b" } },
		{ .name = (char[]){ "c" }, .auth.password_file = (char[]){ "y" } },
	};
	struct settings settings = { .shards = shards, .shard_count = 3 };
	struct settings_errors errors = { 0 };

	(void)state;
	assert_int_equal(settings_read_secrets(&settings, &errors), -22);
	assert_int_equal(errors.count, 2);
	settings_errors_done(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_every_error),
	};

	return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
