/* The option table itself: each row is whole, each default is good, and the sample that is printed
 * from it loads. */
#include "folder.h"

#include "config/options.h"
#include "config/value.h"

static void check_scalar(const struct option_row *option)
{
	assert_true(option->example || option->fallback);
	if (option->type == OPTION_INT || option->type == OPTION_DURATION)
		assert_true(option->minimum < option->maximum);
	if (option->type == OPTION_CHOICE)
		assert_non_null(option->words);
	if (option->fallback && !option->fallback[0])
		assert_non_null(option->example);
}

static void check_section(const struct option_section *section)
{
	for (const struct option_row *option = section->options; option->name; option++) {
		bool nested = option->type == OPTION_GROUP || option->type == OPTION_GROUPS;

		if (strspn(option->name, "abcdefghijklmnopqrstuvwxyz_") != strlen(option->name))
			fail_msg("the name %s", option->name);
		assert_non_null(option->sentence);
		if (option->sentence[strlen(option->sentence) - 1] != '.')
			fail_msg("no full stop: %s", option->sentence);
		if (option->offset >= section->size || option->count_offset >= section->size)
			fail_msg("%s lies outside its struct", option->name);
		assert_int_equal(nested, option->section != NULL);
		if (option->section)
			check_section(option->section);
		else
			check_scalar(option);
	}
}

static void test_rows(void **state)
{
	(void)state;
	check_section(&options_root);
}

/* Reads every default, also of the sections that a file may leave out, as a file's value. */
static void check_defaults(const struct option_section *section)
{
	void *base = calloc(1, section->size);

	value_set_defaults(section, base);
	value_free_all(section, base);
	free(base);
	for (const struct option_row *option = section->options; option->name; option++) {
		if (option->section)
			check_defaults(option->section);
	}
}

static void test_defaults(void **state)
{
	(void)state;
	check_defaults(&options_root);
}

static char *print_sample(void)
{
	FILE *stream;
	size_t size;
	char *text;

	stream = open_memstream(&text, &size);
	assert_non_null(stream);
	options_print_sample(stream);
	fclose(stream);
	return text;
}

static void test_sample_loads(void **state)
{
	struct settings_errors errors = { 0 };
	struct settings *settings = NULL;
	char *text = print_sample();

	(void)state;
	folder_write("a.cfg", text);
	free(text);
	(void)!settings_load("a.cfg", &settings, &errors);
	folder_check_errors(&errors, "");
	assert_int_equal(settings->shards[0].node_count, 3);
	assert_string_equal(settings->shards[0].nodes[2].name, "tcpapp3");
	assert_string_equal(settings->pools[1].backend, "bk_redis_slave");
	assert_int_equal(settings->pools[1].policy.role, POOL_REPLICA);
	settings_free(settings);
}

/* Every option that the sample shows is good as it stands: all at once, without their #. */
static void test_sample_uncommented(void **state)
{
	struct settings_errors errors = { 0 };
	struct settings *settings = NULL;
	char *text = print_sample(), *out = text;

	(void)state;
	for (const char *in = text; *in; in++) {
		if (*in != '#' || in[1] == ' ' || in[1] == '#')
			*out++ = *in;
	}
	*out = '\0';
	folder_write("a.cfg", text);
	free(text);
	(void)!settings_load("a.cfg", &settings, &errors);
	folder_check_errors(&errors, "");
	assert_string_equal(settings->shards[0].auth.username, "agent");
	assert_int_equal(settings->agent_check.direct_count, 1);
	assert_int_equal(settings->agent_check.allow_count, 1);
	settings_free(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_sample_loads),
		cmocka_unit_test(test_sample_uncommented),
	};

	return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
