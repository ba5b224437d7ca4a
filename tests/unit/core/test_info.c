/*
 * The INFO reader over the texts of the servers in the field, and over nonsense. Every text is put
 * at the very end of a block of its own, so that a sanitizer or valgrind sees a read past its end.
 */
#include "core/info.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID_A "4f71f5fef5df380cab1b1b80489f486d26bf27fe"
#define ID_B "9e59b5ba389212a1e31634fd99792126d5c01a87"
#define NONE "0000000000000000000000000000000000000000"
#define U    INFO_UNKNOWN

static int read_bytes(struct info *info, enum info_section section, const char *text, size_t length)
{
	char *block = malloc(length ? length : 1);
	int result;

	assert_non_null(block);
	memcpy(block, text, length);
	result = info_read(info, section, block, length);
	free(block);
	return result;
}

static int read_text(struct info *info, enum info_section section, const char *text)
{
	return read_bytes(info, section, text, strlen(text));
}

/* Real Redis 7.0.15. */
static const char server_7[] =
	"# Server\r\nredis_version:7.0.15\r\nredis_git_sha1:00000000\r\nredis_git_dirty:0\r\n"
	"redis_build_id:ae4d7c971a948f0\r\nredis_mode:standalone\r\nos:Linux 6.18.44 x86_64\r\n"
	"arch_bits:64\r\nmonotonic_clock:POSIX clock_gettime\r\nmultiplexing_api:epoll\r\n"
	"gcc_version:12.2.0\r\nprocess_id:7420\r\nprocess_supervised:no\r\nrun_id:" ID_B "\r\n"
	"tcp_port:17631\r\nserver_time_usec:1795361890202585\r\nuptime_in_seconds:3\r\n"
	"uptime_in_days:0\r\nhz:10\r\nexecutable:/usr/bin/redis-server\r\nconfig_file:\r\n";
static const char persistence_7[] =
	"# Persistence\r\nloading:0\r\nasync_loading:0\r\ncurrent_cow_peak:0\r\n"
	"rdb_changes_since_last_save:1\r\nrdb_last_bgsave_status:ok\r\naof_enabled:0\r\n";
static const char master_7[] =
	"# Replication\r\nrole:master\r\nconnected_slaves:1\r\n"
	"slave0:ip=127.0.0.1,port=17632,state=online,offset=50,lag=0\r\n"
	"master_failover_state:no-failover\r\nmaster_replid:" ID_A "\r\n"
	"master_replid2:" NONE "\r\nmaster_repl_offset:50\r\nsecond_repl_offset:-1\r\n"
	"repl_backlog_active:1\r\nrepl_backlog_size:1048576\r\n"
	"repl_backlog_first_byte_offset:1\r\nrepl_backlog_histlen:50\r\n";
static const char replica_7[] =
	"# Replication\r\nrole:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:17631\r\n"
	"master_link_status:up\r\nmaster_last_io_seconds_ago:1\r\nmaster_sync_in_progress:0\r\n"
	"slave_read_repl_offset:64\r\nslave_repl_offset:50\r\nslave_priority:100\r\n"
	"slave_read_only:1\r\nreplica_announced:1\r\nconnected_slaves:0\r\n"
	"master_failover_state:no-failover\r\nmaster_replid:" ID_A "\r\n"
	"master_replid2:" NONE "\r\nmaster_repl_offset:50\r\nsecond_repl_offset:-1\r\n"
	"repl_backlog_active:1\r\nrepl_backlog_histlen:50\r\n";
static const char orphan_7[] =
	"# Replication\r\nrole:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:17631\r\n"
	"master_link_status:down\r\nmaster_last_io_seconds_ago:-1\r\nmaster_sync_in_progress:0\r\n"
	"slave_read_repl_offset:50\r\nslave_repl_offset:50\r\n"
	"master_link_down_since_seconds:1\r\nslave_priority:100\r\nslave_read_only:1\r\n"
	"replica_announced:1\r\nconnected_slaves:0\r\nmaster_replid:" ID_A "\r\n"
	"master_replid2:" NONE "\r\nmaster_repl_offset:50\r\nsecond_repl_offset:-1\r\n";

/* What a replication section says of a server, as far as the decision asks. */
static const struct replication_case {
	const char *server, *text;
	int result;
	enum info_role role;
	const char *replid, *replid2;
	int64_t offset, second_offset, connected;
	const char *host;
	int64_t port, link_up, last_io, link_down, syncing, replica_offset, priority;
} replication_cases[] = {
	{ "Redis 2.8, master",
	  "# Replication\r\nrole:master\r\nconnected_slaves:1\r\n"
	  "slave0:ip=10.0.0.2,port=6379,state=online,offset=1443,lag=1\r\n"
	  "master_repl_offset:1443\r\nrepl_backlog_active:1\r\nrepl_backlog_size:1048576\r\n"
	  "repl_backlog_first_byte_offset:2\r\nrepl_backlog_histlen:1442\r\n",
	  0, INFO_ROLE_MASTER, "", "", 1443, U, 1, "", U, U, U, U, U, U, U },
	{ "Redis 2.8, replica, syncing",
	  "# Replication\nrole:slave\nmaster_host:10.0.0.1\nmaster_port:6379\n"
	  "master_link_status:down\nmaster_last_io_seconds_ago:-1\nmaster_sync_in_progress:1\n"
	  "slave_repl_offset:1\nmaster_sync_left_bytes:1234\n"
	  "master_sync_last_io_seconds_ago:0\nmaster_link_down_since_seconds:1795361890\n"
	  "slave_priority:100\nslave_read_only:1\nconnected_slaves:0\nmaster_repl_offset:0\n",
	  0, INFO_ROLE_REPLICA, "", "", 0, U, 0, "10.0.0.1", 6379, 0, -1, U, 1, 1, 100 },
	{ "Redis 4, promoted",
	  "# Replication\r\nrole:master\r\nconnected_slaves:0\r\nmaster_replid:" ID_A "\r\n"
	  "master_replid2:" ID_B "\r\nmaster_repl_offset:1500\r\nsecond_repl_offset:1444\r\n",
	  0, INFO_ROLE_MASTER, ID_A, ID_B, 1500, 1444, 0, "", U, U, U, U, U, U, U },
	{ "Redis 6.2, never synced",
	  "# Replication\r\nrole:slave\r\nmaster_host:redis-0.redis.svc\r\nmaster_port:6379\r\n"
	  "master_link_status:down\r\nmaster_last_io_seconds_ago:-1\r\n"
	  "master_sync_in_progress:0\r\nslave_read_repl_offset:1\r\nslave_repl_offset:1\r\n"
	  "master_link_down_since_seconds:-1\r\nslave_priority:0\r\nslave_read_only:1\r\n"
	  "replica_announced:0\r\nconnected_slaves:0\r\nmaster_failover_state:no-failover\r\n"
	  "master_replid:" ID_B "\r\nmaster_replid2:" NONE "\r\nmaster_repl_offset:0\r\n"
	  "second_repl_offset:-1\r\n",
	  0, INFO_ROLE_REPLICA, ID_B, "", 0, -1, 0, "redis-0.redis.svc", 6379, 0, -1, -1, 0, 1, 0 },
	{ "Redis 7.0, master", master_7, 0, INFO_ROLE_MASTER, ID_A, "", 50, -1, 1, "", U, U, U, U,
	  U, U, U },
	{ "Redis 7.0, replica", replica_7, 0, INFO_ROLE_REPLICA, ID_A, "", 50, -1, 0, "127.0.0.1",
	  17631, 1, 1, U, 0, 50, 100 },
	{ "Redis 7.0, its master is dead", orphan_7, 0, INFO_ROLE_REPLICA, ID_A, "", 50, -1, 0,
	  "127.0.0.1", 17631, 0, -1, 1, 0, 50, 100 },
	{ "Redis 8",
	  "# Replication\r\nrole:slave\r\nmaster_host:::1\r\nmaster_port:6379\r\n"
	  "master_link_status:up\r\nmaster_last_io_seconds_ago:0\r\nmaster_sync_in_progress:0\r\n"
	  "slave_read_repl_offset:9000000000\r\nslave_repl_offset:8999999999\r\n"
	  "replica_full_sync_buffer_size:0\r\nreplica_full_sync_buffer_peak:0\r\n"
	  "master_current_sync_attempts:1\r\nmaster_total_sync_attempts:3\r\n"
	  "master_link_up_since_seconds:77\r\ntotal_disconnect_time_sec:2\r\n"
	  "slave_priority:100\r\nslave_read_only:1\r\nreplica_announced:1\r\n"
	  "connected_slaves:0\r\nmaster_failover_state:no-failover\r\nmaster_replid:" ID_A "\r\n"
	  "master_replid2:" NONE "\r\nmaster_repl_offset:8999999999\r\nsecond_repl_offset:-1\r\n",
	  0, INFO_ROLE_REPLICA, ID_A, "", 8999999999, -1, 0, "::1", 6379, 1, 0, U, 0, 8999999999,
	  100 },
	{ "Valkey 8, master",
	  "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n"
	  "slave0:ip=10.0.0.2,port=6379,state=online,offset=99,lag=0,type=replica\r\n"
	  "slave1:ip=10.0.0.3,port=6379,state=bg_transfer,offset=0,lag=0,type=rdb-channel\r\n"
	  "replicas_waiting_psync:0\r\nmaster_failover_state:waiting-for-sync\r\n"
	  "master_replid:" ID_A "\r\nmaster_replid2:" NONE "\r\nmaster_repl_offset:99\r\n"
	  "second_repl_offset:-1\r\nreplicas_repl_buffer_size:0\r\n",
	  0, INFO_ROLE_MASTER, ID_A, "", 99, -1, 2, "", U, U, U, U, U, U, U },
	{ "KeyDB, active replica; what is repeated counts as said last",
	  "# Replication\r\nrole:active-replica\r\nmaster_global_link_status:up\r\n"
	  "connected_masters:2\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\n"
	  "master_link_status:up\r\nmaster_last_io_seconds_ago:0\r\nmaster_sync_in_progress:0\r\n"
	  "slave_repl_offset:10\r\nmaster_1_host:10.0.0.3\r\nmaster_1_port:6379\r\n"
	  "master_1_link_status:up\r\nslave_repl_offset:20\r\nslave_priority:100\r\n"
	  "connected_slaves:1\r\nmaster_replid:" ID_A "\r\nmaster_replid2:" NONE "\r\n"
	  "master_repl_offset:30\r\nsecond_repl_offset:-1\r\n",
	  0, INFO_ROLE_OTHER, ID_A, "", 30, -1, 1, "10.0.0.1", 6379, 1, 0, U, 0, 20, 100 },
	{ "Dragonfly, replica, with its number for never (dragonfly#4884)",
	  "# Replication\r\nrole:replica\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\n"
	  "master_link_status:up\r\nmaster_last_io_seconds_ago:18446744073\r\n"
	  "master_sync_in_progress:0\r\nmaster_replid:" ID_A "\r\nslave_repl_offset:7\r\n"
	  "slave_priority:100\r\nslave_read_only:1\r\n",
	  0, INFO_ROLE_REPLICA, ID_A, "", U, U, U, "10.0.0.1", 6379, 1, U, U, 0, 7, 100 },
	{ "Dragonfly, master",
	  "# Replication\r\nrole:master\r\nconnected_slaves:1\r\n"
	  "slave0:ip=10.0.0.2,port=6379,state=stable_sync,lag=0\r\nmaster_replid:" ID_A "\r\n",
	  0, INFO_ROLE_MASTER, ID_A, "", U, U, 1, "", U, U, U, U, U, U, U },
	{ "a Sentinel's port: the section is empty", "", -EBADMSG, INFO_ROLE_UNKNOWN, "", "", U, U,
	  U, "", U, U, U, U, U, U, U },
	{ "any order, no last newline",
	  "second_repl_offset:5\nmaster_replid2:" ID_B "\nrole:master\nmaster_repl_offset:77", 0,
	  INFO_ROLE_MASTER, "", ID_B, 77, 5, U, "", U, U, U, U, U, U, U },
	{ "nothing but a role", "role:slave", 0, INFO_ROLE_REPLICA, "", "", U, U, U, "", U, U, U, U,
	  U, U, U },
	{ "out of range",
	  "role:slave\r\nmaster_port:65536\r\nmaster_last_io_seconds_ago:-2\r\n"
	  "master_sync_in_progress:2\r\nslave_repl_offset:-1\r\nslave_priority:2147483648\r\n"
	  "connected_slaves:-1\r\nsecond_repl_offset:-2\r\n"
	  "master_link_down_since_seconds:1000000001\r\n",
	  0, INFO_ROLE_REPLICA, "", "", U, U, U, "", U, U, U, U, U, U, U },
	{ "at the edges of the ranges",
	  "role:slave\r\nmaster_port:65535\r\nmaster_last_io_seconds_ago:1000000000\r\n"
	  "master_sync_in_progress:1\r\nslave_repl_offset:9223372036854775807\r\n"
	  "slave_priority:2147483647\r\nconnected_slaves:0\r\nsecond_repl_offset:-1\r\n"
	  "master_link_down_since_seconds:-1\r\nmaster_repl_offset:0\r\n",
	  0, INFO_ROLE_REPLICA, "", "", 0, -1, 0, "", 65535, U, 1000000000, -1, 1, INT64_MAX,
	  2147483647 },
	{ "overflows and no numbers",
	  "role:master\r\nmaster_repl_offset:9223372036854775808\r\nsecond_repl_offset:12x\r\n"
	  "connected_slaves:\r\nslave_priority: "
	  "5\r\nslave_repl_offset:0x10\r\nmaster_port:6379.0\r\n",
	  0, INFO_ROLE_MASTER, "", "", U, U, U, "", U, U, U, U, U, U, U },
	{ "ids of forty-one and of four hundred digits",
	  "role:master\r\nmaster_replid:" ID_A
	  "a\r\nmaster_replid2:" ID_A ID_A ID_A ID_A ID_A ID_A ID_A ID_A ID_A ID_A "\r\n",
	  0, INFO_ROLE_MASTER, "", "", U, U, U, "", U, U, U, U, U, U, U },
	{ "empty values, lines without a colon, empty lines, colons alone",
	  "\r\n\n:\r\n::\r\nrole\r\n#\r\nmaster_replid:\r\nrole:master\r\nmaster_host:"
	  "\r\nslave0\r\n",
	  0, INFO_ROLE_MASTER, "", "", U, U, U, "", U, U, U, U, U, U, U },
	{ "names that only begin or end alike",
	  "xrole:slave\r\nrole:master\r\nroles:slave\r\nrol:slave\r\nmaster_repl_offset2:5\r\n"
	  "Role:slave\r\n role:slave\r\n",
	  0, INFO_ROLE_MASTER, "", "", U, U, U, "", U, U, U, U, U, U, U },
	{ "a word that is almost master", "role:masters\r\n", 0, INFO_ROLE_OTHER, "", "", U, U, U,
	  "", U, U, U, U, U, U, U },
	{ "a role without a word", "role:\r\n", 0, INFO_ROLE_OTHER, "", "", U, U, U, "", U, U, U, U,
	  U, U, U },
	{ "the role said twice: the last word counts", "role:master\r\nrole:slave\r\n", 0,
	  INFO_ROLE_REPLICA, "", "", U, U, U, "", U, U, U, U, U, U, U },
	{ "other sections' fields are none of this one's",
	  "role:master\r\nrun_id:" ID_A "\r\nloading:1\r\ndb0:keys=5\r\n", 0, INFO_ROLE_MASTER, "",
	  "", U, U, U, "", U, U, U, U, U, U, U },
};

static void assert_number(const char *server, const char *field, int64_t is, int64_t expected)
{
	if (is != expected)
		fail_msg("%s: %s is %lld, not %lld", server, field, (long long)is,
			 (long long)expected);
}

static void assert_text(const char *server, const char *field, const char *is, const char *expected)
{
	if (strcmp(is, expected) != 0)
		fail_msg("%s: %s is \"%s\", not \"%s\"", server, field, is, expected);
}

static void check_replication(const struct replication_case *c, const struct info *info)
{
	assert_number(c->server, "role", info->role, c->role);
	assert_text(c->server, "replid", info->replid, c->replid);
	assert_text(c->server, "replid2", info->replid2, c->replid2);
	assert_number(c->server, "offset", info->offset, c->offset);
	assert_number(c->server, "second_offset", info->second_offset, c->second_offset);
	assert_number(c->server, "connected_replicas", info->connected_replicas, c->connected);
	assert_text(c->server, "master_host", info->master_host, c->host);
	assert_number(c->server, "master_port", info->master_port, c->port);
	assert_number(c->server, "link_up", info->link_up, c->link_up);
	assert_number(c->server, "last_io_s", info->last_io_s, c->last_io);
	assert_number(c->server, "link_down_s", info->link_down_s, c->link_down);
	assert_number(c->server, "sync_in_progress", info->sync_in_progress, c->syncing);
	assert_number(c->server, "replica_offset", info->replica_offset, c->replica_offset);
	assert_number(c->server, "priority", info->priority, c->priority);
	assert_text(c->server, "run_id", info->run_id, "");
	assert_number(c->server, "loading", info->loading, U);
	assert_number(c->server, "keys", info->keys, U);
}

static void test_replication(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(replication_cases) / sizeof(replication_cases[0]); i++) {
		const struct replication_case *c = &replication_cases[i];
		struct info info;

		info_init(&info);
		assert_number(c->server, "result", read_text(&info, INFO_REPLICATION, c->text),
			      c->result);
		check_replication(c, &info);
	}
}

/* What a former reply said is not believed once a new one says nothing of it. */
static void test_replication_anew(void **state)
{
	struct info info;

	(void)state;
	info_init(&info);
	assert_int_equal(read_text(&info, INFO_SERVER, server_7), 0);
	assert_int_equal(read_text(&info, INFO_PERSISTENCE, "loading:1\r\n"), 0);
	assert_int_equal(read_text(&info, INFO_REPLICATION, replica_7), 0);
	assert_int_equal(read_text(&info, INFO_REPLICATION, "role:master\r\n"), 0);
	assert_int_equal(info.role, INFO_ROLE_MASTER);
	assert_string_equal(info.replid, "");
	assert_string_equal(info.master_host, "");
	assert_true(info.link_up == U && info.replica_offset == U && info.offset == U);
	assert_string_equal(info.run_id, ID_B);
	assert_int_equal(info.loading, 1);
	assert_int_equal(read_text(&info, INFO_REPLICATION, ""), -EBADMSG);
	assert_int_equal(info.role, INFO_ROLE_UNKNOWN);
}

static void test_server(void **state)
{
	struct info info;

	(void)state;
	info_init(&info);
	assert_int_equal(read_text(&info, INFO_SERVER, server_7), 0);
	assert_string_equal(info.run_id, ID_B);
	assert_string_equal(info.mode, "standalone");
	assert_string_equal(info.version, "7.0.15");
	assert_int_equal(info.uptime_s, 3);
	/* A Sentinel, and a version of a length that nobody expected. */
	assert_int_equal(read_text(&info, INFO_SERVER,
				   "redis_mode:sentinel\r\n"
				   "redis_version:255.255.255-with-a-long-suffix\r\n"),
			 0);
	assert_string_equal(info.mode, "sentinel");
	assert_int_equal(strlen(info.version), sizeof(info.version) - 1);
	assert_string_equal(info.run_id, "");
	assert_true(info.uptime_s == U);
	assert_int_equal(read_text(&info, INFO_SERVER, ""), 0);
	assert_string_equal(info.mode, "");
}

static void test_persistence(void **state)
{
	static const struct {
		const char *text;
		int64_t loading, async_loading;
		bool serving;
	} cases[] = {
		{ persistence_7, 0, 0, true },
		{ "loading:1\r\n", 1, U, false },
		{ "loading:0\r\nasync_loading:1\r\n", 0, 1, true },
		{ "loading:2\r\n", U, U, true },
		{ "loading:-1\r\n", U, U, true },
		{ "loading:\r\n", U, U, true },
		{ "", U, U, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct info info;

		info_init(&info);
		assert_int_equal(read_text(&info, INFO_PERSISTENCE, cases[i].text), 0);
		assert_number(cases[i].text, "loading", info.loading, cases[i].loading);
		assert_number(cases[i].text, "async_loading", info.async_loading,
			      cases[i].async_loading);
		assert_number(cases[i].text, "serving", info_is_serving(&info), cases[i].serving);
	}
}

static void test_keyspace(void **state)
{
	static const struct {
		const char *text;
		int64_t keys;
	} cases[] = {
		{ "", 0 },
		{ "# Keyspace\r\n", 0 },
		{ "# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0\r\n", 1 },
		{ "db0:keys=12,expires=0,avg_ttl=0,subexpiry=0\r\ndb15:keys=30", 42 },
		{ "db0:keys=-5\r\ndb1:keys=x\r\ndb2:keys=\r\ndb3:k\r\ndb:keys=7\r\nxx0:keys=7\r\n",
		  0 },
		{ "db0:expires=3,keys=5\r\n", 0 },
		{ "db0:keys=9223372036854775807\r\ndb1:keys=9223372036854775807\r\n", INT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct info info;

		info_init(&info);
		info.keys = 999;
		assert_int_equal(read_text(&info, INFO_KEYSPACE, cases[i].text), 0);
		assert_number(cases[i].text, "keys", info.keys, cases[i].keys);
	}
}

static void test_failover_state(void **state)
{
	static const struct {
		const char *word;
		enum info_failover expected;
	} cases[] = {
		{ "no-failover", INFO_FAILOVER_NONE },
		{ "waiting-for-sync", INFO_FAILOVER_WAITING },
		{ "failover-in-progress", INFO_FAILOVER_IN_PROGRESS },
		{ "something-new", INFO_FAILOVER_NONE },
		{ "", INFO_FAILOVER_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[96];
		struct info info;

		snprintf(text, sizeof(text), "role:master\r\nmaster_failover_state:%s\r\n",
			 cases[i].word);
		info_init(&info);
		assert_int_equal(read_text(&info, INFO_REPLICATION, text), 0);
		assert_number(cases[i].word, "failover", info.failover, cases[i].expected);
	}
}

/* A host name of any length: cut, never past its field. */
static void test_long_host(void **state)
{
	static char text[2000];
	struct info info;

	(void)state;
	(void)snprintf(text, sizeof(text), "role:slave\nmaster_host:");
	for (size_t i = strlen(text); i < sizeof(text) - 1; i++)
		text[i] = 'h';
	info_init(&info);
	info.master_port = 4711;
	assert_int_equal(read_text(&info, INFO_REPLICATION, text), 0);
	assert_int_equal(strlen(info.master_host), INFO_HOST_SIZE - 1);
	assert_true(info.master_port == U);
}

/* A NUL is a byte like any other: it ends no line and hides nothing behind it. */
static void test_embedded_nul(void **state)
{
	static const char text[] = "ro\0le:slave\r\n\0role:slave\r\nmaster_replid:ab\0cd\r\n"
				   "role:master\r\nmaster_repl_offset:1\0002\r\n\0";
	struct info info;

	(void)state;
	info_init(&info);
	assert_int_equal(read_bytes(&info, INFO_REPLICATION, text, sizeof(text) - 1), 0);
	assert_int_equal(info.role, INFO_ROLE_MASTER);
	assert_true(info.offset == U);
	assert_string_equal(info.replid, "ab");
}

/* Cut anywhere, in any section, it reads nothing past the end, and what it found is in range. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof(replica_7); length++) {
		for (int section = 0; section < INFO_SECTIONS; section++) {
			struct info info;
			int result;

			info_init(&info);
			result = read_bytes(&info, (enum info_section)section, replica_7, length);
			assert_true(result == 0 || section == INFO_REPLICATION);
			assert_true(info.master_port == U ||
				    (info.master_port >= 0 && info.master_port <= 65535));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replication), cmocka_unit_test(test_replication_anew),
		cmocka_unit_test(test_server),	    cmocka_unit_test(test_persistence),
		cmocka_unit_test(test_keyspace),    cmocka_unit_test(test_failover_state),
		cmocka_unit_test(test_long_host),   cmocka_unit_test(test_embedded_nul),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests_name("core/info", tests, NULL, NULL);
}
