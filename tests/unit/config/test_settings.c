/* The loader and the rules between options: what a file becomes, and each error with its line. */
#include "folder.h"

#include <limits.h>
#include <stdlib.h>

#include "base/log.h"
#include "core/answers.h"

#define NODE(name, address)    "{ name = \"" name "\"; address = \"" address "\"; }"
#define SHARD_OF(name, nodes)  "{ name = \"" name "\"; nodes = ( " nodes " ); }"
#define POOL_OF(backend, rest) "{ backend = \"" backend "\"; role = \"master\"; " rest " }"
#define SHARD		       SHARD_OF("main", NODE("a", "a:1"))
#define POOL		       POOL_OF("b", "shard = \"main\";")
#define FILE_OF(shards, pools) "shards = ( " shards " );\npools = ( " pools " );\n"
#define GOOD		       FILE_OF(SHARD, POOL)
#define SHARD_WITH(option) \
	FILE_OF("{ name = \"main\"; nodes = ( " NODE("a", "a:1") " );\n" option " }", POOL)
#define POOL_WITH(option) FILE_OF(SHARD, POOL_OF("b", "shard = \"main\";\n" option))

#define A_NAME	  "a name of 1 to 63 letters, digits, '_', '.', ':' or '-'"
#define AN_IP	  "\"10.0.0.1:8100\" or \"[::1]:8100\""
#define LISTEN	  "a list of addresses, as ( \"127.0.0.1:8100\" ), each one " AN_IP
#define A_GROUPS  "a list of groups, as ( { ... }, { ... } )"
#define TOO_LONG  TEN_NAMES "a"
#define TEN_NAMES "aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaa"

static struct settings *load_good(const char *text)
{
	struct settings_errors errors = { 0 };
	struct settings *settings = NULL;

	folder_write("a.cfg", text);
	(void)!settings_load("a.cfg", &settings, &errors);
	folder_check_errors(&errors, "");
	assert_non_null(settings);
	return settings;
}

static void test_defaults(void **state)
{
	struct settings *settings = load_good(GOOD);
	const struct shard_policy *shard = &settings->shards[0].policy;
	const struct pool_policy *pool = &settings->pools[0].policy;
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	assert_int_equal(shard->interval_ms, 200);
	assert_int_equal(shard->timeout_ms, 500);
	assert_int_equal(shard->transition_interval_ms, 10);
	assert_int_equal(shard->fall, 3);
	assert_int_equal(shard->tilt_ms, 2000);
	assert_int_equal(shard->orphan_confirm_ms, 2000);
	assert_int_equal(shard->link_grace_ms, 5000);
	assert_int_equal(shard->orphan_grace_ms, 60000);
	assert_int_equal(shard->no_master_after_ms, 2000);
	assert_int_equal(shard->start_ms, 0);
	assert_null(settings->shards[0].auth.username);
	assert_null(settings->shards[0].auth.password_file);
	assert_int_equal(pool->role, POOL_MASTER);
	assert_int_equal(pool->standby, STANDBY_DOWN);
	assert_true(pool->weights);
	assert_int_equal(pool->min_readers, 1);
	assert_int_equal(pool->reads_on_master, READS_FALLBACK);
	assert_int_equal(pool->master_weight, 100);
	assert_int_equal(pool->min_weight, 10);
	assert_int_equal(pool->panic, PANIC_LEAST_BAD);
	assert_int_equal(settings->agent_check.listen_count, 1);
	assert_string_equal(address_format(&settings->agent_check.listen[0], text, sizeof(text)),
			    "127.0.0.1:8100");
	assert_int_equal(settings->agent_check.direct_count, 0);
	assert_int_equal(settings->agent_check.allow_count, 0);
	assert_int_equal(settings->agent_check.max_clients, 256);
	assert_int_equal(settings->agent_check.start_hold_ms, 80);
	assert_int_equal(settings->agent_check.handover_wait_ms, ANSWERS_AUTO);
	assert_int_equal(settings->log.level, LOG_LEVEL_INFO);
	settings_free(settings);
}

/* The tests leave the folder that they are run in. */
static char every_option[PATH_MAX];

static struct settings *load_every_option(void)
{
	struct settings_errors errors = { 0 };
	struct settings *settings = NULL;

	assert_int_equal(settings_load(every_option, &settings, &errors), 0);
	settings_errors_done(&errors);
	return settings;
}

static void test_every_shard_option(void **state)
{
	struct settings *settings = load_every_option();
	const struct settings_shard *shard = &settings->shards[1];

	(void)state;
	assert_string_equal(shard->name, "s2");
	assert_int_equal(shard->node_count, 2);
	assert_int_equal(shard->nodes[1].address.kind, ADDRESS_UNIX);
	assert_string_equal(shard->auth.username, "u");
	assert_string_equal(shard->auth.password_file, "/p");
	assert_int_equal(shard->policy.interval_ms, 1000);
	assert_int_equal(shard->policy.timeout_ms, 2000);
	assert_int_equal(shard->policy.transition_interval_ms, 20);
	assert_int_equal(shard->policy.fall, 7);
	assert_int_equal(shard->policy.tilt_ms, 0);
	assert_int_equal(shard->policy.orphan_confirm_ms, 4000);
	assert_int_equal(shard->policy.link_grace_ms, 6000);
	assert_int_equal(shard->policy.orphan_grace_ms, 8000);
	assert_int_equal(shard->policy.no_master_after_ms, 9000);
	settings_free(settings);
}

static void test_every_pool_option(void **state)
{
	struct settings *settings = load_every_option();
	const struct settings_pool *pool = &settings->pools[1];

	(void)state;
	assert_int_equal(pool->shard_index, 1);
	assert_int_equal(pool->policy.role, POOL_REPLICA);
	assert_int_equal(pool->policy.standby, STANDBY_WEIGHT);
	assert_false(pool->policy.weights);
	assert_int_equal(pool->policy.min_readers, 2);
	assert_int_equal(pool->policy.reads_on_master, READS_ALWAYS);
	assert_int_equal(pool->policy.master_weight, 50);
	assert_int_equal(pool->policy.min_weight, 5);
	assert_int_equal(pool->policy.panic, PANIC_NONE);
	settings_free(settings);
}

static void test_every_other_option(void **state)
{
	struct settings *settings = load_every_option();
	const struct settings_agent_check *agent_check = &settings->agent_check;

	(void)state;
	assert_int_equal(agent_check->listen_count, 2);
	assert_string_equal(agent_check->listen[1].host, "::1");
	assert_int_equal(agent_check->direct[0].listen.port, 3);
	assert_string_equal(agent_check->direct[0].node, "y");
	assert_int_equal(agent_check->allow[0].bits, 8);
	assert_int_equal(agent_check->max_clients, 9);
	assert_int_equal(agent_check->start_hold_ms, 0);
	assert_int_equal(agent_check->handover_wait_ms, 3000);
	assert_int_equal(settings->log.level, LOG_LEVEL_DEBUG);
	settings_free(settings);
}

static void test_good_files(void **state)
{
	static const char *const cases[] = {
		/* several pools a shard; the same address in two shards; lists without elements */
		FILE_OF(SHARD ", " SHARD_OF("s2", NODE("a", "a:1")),
			POOL ", " POOL_OF("c", "shard = \"main\";")),
		GOOD "agent_check = { allow = ( ); direct = ( ); };",
		GOOD "agent_check = { };\nlog = { };",
		FILE_OF(SHARD_OF(TEN_NAMES, NODE("A_z.0:9-", "a:1")),
			POOL_OF("b", "shard = \"" TEN_NAMES "\";")),
		SHARD_WITH("interval = \"60s\"; timeout = \"10ms\"; fall = 100; tilt = \"1m\";"),
		GOOD "agent_check = { handover_wait = \"10s\"; start_hold = \"1s\"; };",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		settings_free(load_good(cases[i]));
}

struct error_case {
	const char *text, *errors;
};

static void check_cases(const struct error_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		folder_write("a.cfg", cases[i].text);
		folder_check_load(cases[i].errors);
	}
}

#define CHECK_CASES(cases) check_cases((cases), sizeof(cases) / sizeof(*(cases)))

static void test_keys(void **state)
{
	static const struct error_case cases[] = {
		{ "", "a.cfg:1: \"shards\" is missing in the file: add it, " A_GROUPS "\n"
		      "a.cfg:1: \"pools\" is missing in the file: add it, " A_GROUPS "\n" },
		{ "shards = ( );\npools = ( );", "a.cfg:1: \"shards\" is empty: add at least one "
						 "{ ... }\n"
						 "a.cfg:2: \"pools\" is empty: add at least one "
						 "{ ... }\n" },
		{ SHARD_WITH("intervall = 1;"),
		  "a.cfg:2: there is no option \"intervall\" here: did you mean \"interval\"?\n" },
		{ SHARD_WITH("fell = 1;"),
		  "a.cfg:2: there is no option \"fell\" here: did you mean \"fall\"?\n" },
		{ GOOD "log = {\ncolour = true; };",
		  "a.cfg:4: there is no option \"colour\" here: remove it, or use one of level\n" },
		{ FILE_OF("{ nodes = ( { }, " NODE("a", "a:1") " ); }", POOL),
		  "a.cfg:1: \"name\" is missing in this section: add it, " A_NAME "\n"
		  "a.cfg:1: \"name\" is missing in this section: add it, " A_NAME "\n"
		  "a.cfg:1: \"address\" is missing in this section: add it, an address, as "
		  "\"10.0.0.1:6379\", \"[::1]:6379\", \"name:6379\" or \"unix:/path\"\n"
		  "a.cfg:2: there is no shard \"main\": correct the name, or add the shard\n" },
		{ FILE_OF("{ name = \"main\"; }", POOL),
		  "a.cfg:1: \"nodes\" is missing in this section: add it, " A_GROUPS "\n" },
		{ GOOD "log = 1;\nlog = 2;", "a.cfg:4: duplicate setting name: the name is used "
					     "twice in its section: remove one\n" },
	};

	(void)state;
	CHECK_CASES(cases);
}

static void test_types(void **state)
{
	static const struct error_case cases[] = {
		{ SHARD_WITH("interval = 200;"),
		  "a.cfg:2: \"interval\" is the number 200: it must be a duration from 10ms to "
		  "60s, as \"200ms\"\n" },
		{ SHARD_WITH("fall = \"3\";"),
		  "a.cfg:2: \"fall\" is \"3\": it must be a whole number from 1 to 100\n" },
		{ SHARD_WITH("fall = 1.5;"),
		  "a.cfg:2: \"fall\" is the fraction 1.5: it must be a whole number from 1 to "
		  "100\n" },
		{ SHARD_WITH("auth = ( );"),
		  "a.cfg:2: \"auth\" is a list ( ): it must be a group, as { ... }\n" },
		{ POOL_WITH("weights = 1;"),
		  "a.cfg:3: \"weights\" is the number 1: it must be true or false\n" },
		{ POOL_WITH("panic = true;"),
		  "a.cfg:3: \"panic\" is true: it must be \"least_bad\" or \"none\"\n" },
		{ POOL_WITH("panic = [ ];"),
		  "a.cfg:3: \"panic\" is an array [ ]: it must be \"least_bad\" or \"none\"\n" },
		{ GOOD "agent_check = { listen = \"127.0.0.1:1\"; };",
		  "a.cfg:3: \"listen\" is \"127.0.0.1:1\": it must be " LISTEN "\n" },
		{ GOOD "agent_check = { listen = ( \"127.0.0.1:1\",\n{ } ); };",
		  "a.cfg:4: \"listen\" is a group { }: it must be " LISTEN "\n" },
		{ "shards = { };\npools = ( " POOL " );",
		  "a.cfg:1: \"shards\" is a group { }: it must be " A_GROUPS "\n"
		  "a.cfg:2: there is no shard \"main\": correct the name, or add the shard\n" },
	};

	(void)state;
	CHECK_CASES(cases);
}

static void test_bounds(void **state)
{
	static const struct error_case cases[] = {
		{ SHARD_WITH("interval = \"9ms\";"),
		  "a.cfg:2: \"interval\" is \"9ms\": it must be a duration from 10ms to 60s, as "
		  "\"200ms\"\n" },
		{ SHARD_WITH("interval = \"60001ms\";\ntimeout = \"99999999999999999999s\";"),
		  "a.cfg:2: \"interval\" is \"60001ms\": it must be a duration from 10ms to 60s, "
		  "as \"200ms\"\n"
		  "a.cfg:3: \"timeout\" is \"99999999999999999999s\": it must be a duration from "
		  "10ms to 60s, as \"500ms\"\n" },
		{ SHARD_WITH("fall = 0;"),
		  "a.cfg:2: \"fall\" is the number 0: it must be a whole number from 1 to 100\n" },
		{ SHARD_WITH("fall = 101;"),
		  "a.cfg:2: \"fall\" is the number 101: it must be a whole number from 1 to "
		  "100\n" },
		{ POOL_WITH("standby = \"Down\";"),
		  "a.cfg:3: \"standby\" is \"Down\": it must be \"down\" or \"weight\"\n" },
		{ POOL_WITH("reads_on_master = \"\";"),
		  "a.cfg:3: \"reads_on_master\" is \"\": it must be \"never\", \"fallback\" or "
		  "\"always\"\n" },
		{ GOOD "agent_check = { handover_wait = \"11s\"; };",
		  "a.cfg:3: \"handover_wait\" is \"11s\": it must be a duration from 0 to 10s, as "
		  "\"100ms\" or \"auto\"\n" },
		{ GOOD "agent_check = { listen = ( \"localhost:1\", \"unix:/x\",\n\"127.0.0.1:0\" "
		       "); };",
		  "a.cfg:3: \"listen\" is \"localhost:1\": it must be " LISTEN "\n"
		  "a.cfg:3: \"listen\" is \"unix:/x\": it must be " LISTEN "\n"
		  "a.cfg:4: \"listen\" is \"127.0.0.1:0\": it must be " LISTEN "\n"
		  "a.cfg:3: nobody could ask the agent: give it an address to listen at\n" },
		{ GOOD "agent_check = { allow = ( \"10.0.0.0/33\" ); };",
		  "a.cfg:3: \"allow\" is \"10.0.0.0/33\": it must be a list of networks, as ( "
		  "\"10.0.0.0/8\", \"fd00::/8\" )\n" },
		{ SHARD_WITH("auth = { username = \"\"; };"),
		  "a.cfg:2: \"username\" is \"\": it must be a string that is not empty\n" },
	};

	(void)state;
	CHECK_CASES(cases);
}

static void test_names(void **state)
{
	static const char too_long[] = TEN_NAMES "a";
	static const char *const bad[] = { "",	   "a b",	 "a/b",	  "\xc3\xa9",
					   "a\\n", "[::1]:6379", too_long };
	char text[1024], wanted[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text),
			 "shards = ( { name = \"main\"; nodes = ( " NODE(
				 "%s", "a:1") " ); } );\n"
					      "pools = ( " POOL " );\n",
			 bad[i]);
		snprintf(wanted, sizeof(wanted),
			 "a.cfg:1: \"name\" is \"%s\": it must be " A_NAME "\n",
			 strcmp(bad[i], "a\\n") == 0 ? "a\n" : bad[i]);
		folder_write("a.cfg", text);
		folder_check_load(wanted);
	}
}

static void test_rules(void **state)
{
	static const struct error_case cases[] = {
		{ FILE_OF(SHARD ",\n" SHARD, POOL),
		  "a.cfg:2: two shards are named \"main\": give each its own name\n" },
		{ FILE_OF(SHARD_OF("main", NODE("a", "a:1") ",\n" NODE("a", "a:2")), POOL),
		  "a.cfg:2: the shard has two nodes named \"a\": give each its own name\n" },
		{ FILE_OF(SHARD_OF("main", NODE("a", "[::1]:1") ",\n" NODE("b", "[0::1]:1")), POOL),
		  "a.cfg:2: the address [::1]:1 is that of node \"a\" too: give each node its "
		  "own\n" },
		{ FILE_OF(SHARD, POOL ",\n" POOL),
		  "a.cfg:3: two pools are for the backend \"b\": remove one of them\n" },
		{ FILE_OF(SHARD, POOL_OF("b", "\nshard = \"mein\";")),
		  "a.cfg:3: there is no shard \"mein\": correct the name, or add the shard\n" },
		{ SHARD_WITH("auth = {\nusername = \"u\"; };"),
		  "a.cfg:3: the user \"u\" has no password file: name one, or remove the user\n" },
		{ GOOD "agent_check = { listen = ( \"127.0.0.1:1\", \"127.0.0.1:1\" );\n"
		       "direct = ( { listen = \"127.0.0.1:1\"; backend = \"b\"; node = \"a\"; },\n"
		       "{ listen = \"127.0.0.1:2\"; backend = \"x\"; node = \"a\"; },\n"
		       "{ listen = \"127.0.0.1:2\"; backend = \"b\"; node = \"x\"; } ); };",
		  "a.cfg:3: two listeners share the address 127.0.0.1:1: give each its own port\n"
		  "a.cfg:4: two listeners share the address 127.0.0.1:1: give each its own port\n"
		  "a.cfg:5: there is no pool for the backend \"x\": correct the name, or add the "
		  "pool\n"
		  "a.cfg:6: two listeners share the address 127.0.0.1:2: give each its own port\n"
		  "a.cfg:6: the shard \"main\" has no node \"x\": correct the name, or add the "
		  "node\n" },
		/* one listener on the default address, one that wants the same */
		{ GOOD "agent_check = { direct = (\n"
		       "{ listen = \"127.0.0.1:8100\"; backend = \"b\"; node = \"a\"; } ); };",
		  "a.cfg:4: two listeners share the address 127.0.0.1:8100: give each its own "
		  "port\n" },
		{ GOOD "agent_check = {\nlisten = ( ); };",
		  "a.cfg:4: nobody could ask the agent: give it an address to listen at\n" },
	};

	(void)state;
	CHECK_CASES(cases);
}

static void test_from_nodes(void **state)
{
	const char *const good[] = { "127.0.0.1:6379", "[::1]:6379", "unix:/run/r.sock" };
	const char *const bad[] = { "127.0.0.1", "a:1", "A:1", "a:0" };
	struct settings_errors errors = { 0 };
	struct settings *settings = NULL;

	(void)state;
	assert_int_equal(settings_from_nodes(good, 3, &settings, &errors), 0);
	assert_int_equal(settings->shard_count, 1);
	assert_string_equal(settings->shards[0].name, "main");
	assert_int_equal(settings->shards[0].node_count, 3);
	assert_string_equal(settings->shards[0].nodes[1].name, "::1:6379");
	assert_string_equal(settings->shards[0].nodes[2].name, "unix:-run-r.sock");
	assert_int_equal(settings->shards[0].policy.interval_ms, 200);
	assert_int_equal(settings->pool_count, 2);
	assert_string_equal(settings->pools[0].backend, "master");
	assert_int_equal(settings->pools[0].policy.role, POOL_MASTER);
	assert_string_equal(settings->pools[1].backend, "replica");
	assert_int_equal(settings->pools[1].policy.role, POOL_REPLICA);
	assert_int_equal(settings->pools[1].policy.min_readers, 1);
	assert_int_equal(settings->agent_check.listen[0].port, 8100);
	settings_free(settings);

	assert_int_equal(settings_from_nodes(bad, 4, &settings, &errors), -22);
	folder_check_errors(&errors,
			    "--node 127.0.0.1: this is no address: write host:port, [::1]:port or "
			    "unix:/path\n"
			    "--node A:1: this node is named twice: once is enough\n"
			    "--node a:0: this is no address: write host:port, [::1]:port or "
			    "unix:/path\n");
	assert_int_equal(settings_from_nodes(NULL, 0, &settings, &errors), -22);
	folder_check_errors(&errors, "there is no node to watch: name one with --node\n");
}

static void test_free_nothing(void **state)
{
	struct settings_errors errors = { 0 };

	(void)state;
	settings_free(NULL);
	settings_errors_done(&errors);
}

static void test_new_main(void **state)
{
	struct settings *settings = settings_new_main(NULL, "bk_reads", 2);

	(void)state;
	assert_int_equal(settings->shard_count, 1);
	assert_string_equal(settings->shards[0].name, "main");
	assert_int_equal(settings->shards[0].policy.interval_ms, 200);
	assert_int_equal(settings->pool_count, 1);
	assert_string_equal(settings->pools[0].backend, "bk_reads");
	assert_int_equal(settings->pools[0].policy.role, POOL_REPLICA);
	assert_int_equal(settings->haproxy_count, 2);
	assert_false(settings->attached);
	settings_free(settings);
	settings_free(settings_new_main("w", "r", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_every_shard_option),
		cmocka_unit_test(test_every_pool_option),
		cmocka_unit_test(test_every_other_option),
		cmocka_unit_test(test_good_files),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_from_nodes),
		cmocka_unit_test(test_free_nothing),
		cmocka_unit_test(test_new_main),
	};

	if (!realpath("tests/unit/config/every-option.cfg", every_option))
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
