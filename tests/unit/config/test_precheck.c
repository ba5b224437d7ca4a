/* What is found before libconfig sees the files: includes that it could not bear, numbers that it
 * would wrap, comments that would swallow the rest. */
#include "folder.h"

#define GOOD                                                                                     \
	"shards = ( { name = \"main\"; nodes = ( { name = \"a\"; address = \"a:1\"; } ); } );\n" \
	"pools = ( { backend = \"b\"; shard = \"main\"; role = \"master\"; } );\n"

struct precheck_case {
	const char *text;   /* of a.cfg */
	const char *errors; /* all of them */
};

static void test_errors(void **state)
{
	static const struct precheck_case cases[] = {
		{ "@include \"sub\"\n",
		  "a.cfg:1: @include \"./sub\": this is a folder; name a file\n" },
		{ "# one\n\n @include\t\"none.cfg\"",
		  "a.cfg:3: @include \"./none.cfg\": there is no such file; create it or correct "
		  "the path\n" },
		{ "@include \"\"",
		  "a.cfg:1: @include names no file: write one between the quotes\n" },
		{ "@include \"a.cfg\"", "a.cfg:1: @include \"./a.cfg\": the file includes itself; "
					"remove one of the includes\n" },
		{ "@include \"sub/loop.cfg\"",
		  "./sub/loop.cfg:2: @include \"./a.cfg\": the file includes itself; remove one "
		  "of the includes\n" },
		{ "@include \"/etc/passwd\"",
		  "a.cfg:1: @include \"/etc/passwd\": write the path relative to .\n" },
		{ "@include \"fifo\"",
		  "a.cfg:1: @include \"./fifo\": this is no regular file; name a file\n" },
		{ "@include \"nul.cfg\"", "a.cfg:1: @include \"./nul.cfg\": it holds a NUL byte; a "
					  "configuration is a text file\n" },
		{ "x = 1; @include \"sub\"",
		  "a.cfg:1: @include must be the first on its line: begin a new one\n"
		  "a.cfg:1: @include \"./sub\": this is a folder; name a file\n" },
		{ "@include \"x\\\"y\"",
		  "a.cfg:1: the path after @include has a backslash: rename the file\n" },
		{ "@include \"x\n\"sub\"", "a.cfg:1: @include has no closing quote: add it\n" },
		{ "\n/* x\n@include \"sub\"\n",
		  "a.cfg:2: the comment that begins here has no end: add \"*/\"\n" },
		{ "x = \"a\n\\\"", "a.cfg:1: the string that begins here has no closing quote: add "
				   "it\n" },
		{ "/* 1\n2 */ @include \"sub\"\n@include \"sub\"",
		  "a.cfg:2: @include must be the first on its line: begin a new one\n"
		  "a.cfg:2: @include \"./sub\": this is a folder; name a file\n"
		  "a.cfg:3: @include \"./sub\": this is a folder; name a file\n" },
	};

	(void)state;
	assert_int_equal(mkdir("sub", 0700), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	folder_write("sub/loop.cfg", "\n@include \"a.cfg\"\n");
	folder_write_bytes("nul.cfg", "x = 1;\0", 7);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		folder_write("a.cfg", cases[i].text);
		folder_check_load(cases[i].errors);
	}
}

static void test_main_file(void **state)
{
	static const struct {
		const char *path, *error;
	} cases[] = {
		{ "sub", "sub: this is a folder; name a file\n" },
		{ "none.cfg", "none.cfg: there is no such file; create it or correct the path\n" },
		{ "/dev/null", "/dev/null: this is no regular file; name a file\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct settings_errors errors = { 0 };
		struct settings *settings;

		assert_int_equal(settings_load(cases[i].path, &settings, &errors), -22);
		folder_check_errors(&errors, cases[i].error);
	}
}

/* libconfig 1.5 reads all of these as numbers within an int. */
static void test_large_numbers(void **state)
{
	static const struct {
		const char *number;
		bool good;
	} cases[] = {
		{ "3", true },
		{ "0000000000000003", true },
		{ "0x5", true },
		{ "0x0000000005", true },
		{ "4294967299", false },
		{ "18446744073709551619", false },
		{ "0x100000003", false },
		{ "4294967299L", false },
		{ "99999999999999999999999999999999999999999999999999", false },
	};
	char text[1024], wanted[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct settings_errors errors = { 0 };
		struct settings *settings = NULL;
		int result;

		snprintf(text, sizeof(text), GOOD "agent_check = {\nmax_clients = %s; };",
			 cases[i].number);
		folder_write("a.cfg", text);
		result = settings_load("a.cfg", &settings, &errors);
		assert_int_equal(result, cases[i].good ? 0 : -22);
		if (cases[i].good) {
			folder_check_errors(&errors, "");
			settings_free(settings);
			continue;
		}
		snprintf(wanted, sizeof(wanted),
			 "a.cfg:4: the number %.40s is too large: no option takes so many digits",
			 cases[i].number);
		assert_string_equal(errors.lines[0], wanted);
		settings_errors_done(&errors);
	}
}

static void test_good_includes(void **state)
{
	struct settings_errors errors = { 0 };
	struct settings *settings = NULL;

	(void)state;
	folder_write("a.cfg", "// @include \"sub\"\n# @include \"sub\"\n/*\n@include \"sub\"\n*/\n"
			      "shards = (\n@include \"sub/shard.cfg\"\n);\n"
			      "pools = (\n\t@include \"sub/pool.cfg\"\n);\n");
	folder_write("sub/shard.cfg",
		     "{ name = \"x\"; nodes = (\n@include \"sub/node.cfg\"\n); }\n");
	folder_write("sub/node.cfg",
		     "{ name = \"n4294967299\"; address = \"unix:/99999999999\"; }");
	folder_write("sub/pool.cfg", "{ backend = \"b\"; shard = \"x\"; role = \"replica\"; }");
	assert_int_equal(settings_load("a.cfg", &settings, &errors), 0);
	assert_string_equal(settings->shards[0].nodes[0].name, "n4294967299");
	settings_free(settings);
	folder_check_errors(&errors, "");
}

static void test_error_in_included_file(void **state)
{
	(void)state;
	folder_write("a.cfg", "shards = (\n@include \"sub/shard.cfg\"\n);\npools = (\n1\n);");
	folder_write("sub/shard.cfg", "\n{ name = \"x\";\n nodes = ( { name = \"n\";\n"
				      " address = \"1\"; } ); }\n");
	folder_check_load("./sub/shard.cfg:4: \"address\" is \"1\": it must be an address, as "
			  "\"10.0.0.1:6379\", \"[::1]:6379\", \"name:6379\" or \"unix:/path\"\n"
			  "a.cfg:5: \"pools\" is the number 1: it must be a list of groups, as "
			  "( { ... }, { ... } )\n");
	folder_write("sub/shard.cfg", "\n\nname name");
	folder_check_load("./sub/shard.cfg:3: syntax error: look here and just before for a "
			  "missing \";\", quote or bracket, or a comma after the last element\n");
}

/* libconfig's own limit must not be reached first: its words do not say which file. */
static void test_depth(void **state)
{
	struct settings_errors errors = { 0 };
	struct settings *settings;
	char name[32], text[64];

	(void)state;
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "deep%d.cfg", i);
		snprintf(text, sizeof(text), "@include \"deep%d.cfg\"\n", i + 1);
		folder_write(name, text);
	}
	assert_int_equal(settings_load("deep0.cfg", &settings, &errors), -22);
	folder_check_errors(&errors, "./deep10.cfg:1: @include \"./deep11.cfg\": files include "
				     "each other more than 10 deep; include them from one file\n");
	folder_write("deep10.cfg", GOOD);
	assert_int_equal(settings_load("deep0.cfg", &settings, &errors), 0);
	settings_free(settings);
	folder_check_errors(&errors, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_main_file),
		cmocka_unit_test(test_large_numbers),
		cmocka_unit_test(test_good_includes),
		cmocka_unit_test(test_error_in_included_file),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
