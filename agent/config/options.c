/* The option table. Every name, default, bound and sentence of the configuration stands here and
 * nowhere else; the loader, the sample and the manual's check follow it. The defaults of the
 * decision are those of the design. */
#include "config/options.h"

#include "base/address.h"
#include "base/log.h"
#include "config/settings.h"
#include "core/answers.h"

#define MILLISECONDS INT64_C(1)
#define SECONDS	     INT64_C(1000)

#define MEMBER(type, member) .offset = offsetof(struct type, member)
#define LIST(type, member, count) \
	.offset = offsetof(struct type, member), .count_offset = offsetof(struct type, count)
#define SECTION(list, type)                                    \
	{                                                      \
		.options = (list), .size = sizeof(struct type) \
	}

_Static_assert(ANSWERS_AUTO == -1, "a duration's first word is stored as -1");
_Static_assert(sizeof(enum pool_role) == sizeof(int), "a choice is stored as an int");
_Static_assert(POOL_MASTER == 0 && STANDBY_DOWN == 0 && READS_NEVER == 0 && PANIC_LEAST_BAD == 0,
	       "the words of these choices are numbered from 0");

static const char *const role_words[] = { "master", "replica", NULL };
static const char *const standby_words[] = { "down", "weight", NULL };
static const char *const reads_words[] = { "never", "fallback", "always", NULL };
static const char *const panic_words[] = { "least_bad", "none", NULL };
static const char *const handover_words[] = { "auto", NULL };
static const char *const level_words[] = { "error", "warning", "notice", "info", "debug", NULL };

static const struct option_row node_options[] = {
	{ .name = "name",
	  .type = OPTION_NAME,
	  .example = "tcpapp1|tcpapp2|tcpapp3",
	  .sentence = "The node's name: that of its server lines in HAProxy.",
	  MEMBER(settings_node, name) },
	{ .name = "address",
	  .type = OPTION_ADDRESS,
	  .maximum = ADDRESS_UNIX,
	  .example = "10.10.45.9:6379|10.10.45.11:6379|10.10.45.12:6379",
	  .sentence = "Where the node listens: host:port, [::1]:port or unix:/path.",
	  MEMBER(settings_node, address) },
	{ .name = NULL },
};

static const struct option_section node_section = SECTION(node_options, settings_node);

static const struct option_row auth_options[] = {
	{ .name = "username",
	  .type = OPTION_STRING,
	  .fallback = "",
	  .example = "agent",
	  .sentence = "The ACL user to log in as; without it the default user.",
	  MEMBER(settings_auth, username) },
	{ .name = "password_file",
	  .type = OPTION_STRING,
	  .fallback = "",
	  .example = "/run/credentials/redis-role-agent.service/redis",
	  .sentence = "The file whose first line is the password; without it nobody logs in.",
	  MEMBER(settings_auth, password_file) },
	{ .name = NULL },
};

static const struct option_section auth_section = SECTION(auth_options, settings_auth);

static const struct option_row shard_options[] = {
	{ .name = "name",
	  .type = OPTION_NAME,
	  .example = "main",
	  .sentence = "The shard's name, which pools and the log use.",
	  MEMBER(settings_shard, name) },
	{ .name = "nodes",
	  .type = OPTION_GROUPS,
	  .minimum = 1,
	  .section = &node_section,
	  .sentence = "The nodes of the shard: one master and its replicas, in any order.",
	  LIST(settings_shard, nodes, node_count) },
	{ .name = "auth",
	  .type = OPTION_GROUP,
	  .section = &auth_section,
	  .sentence = "How to log in to the nodes.",
	  MEMBER(settings_shard, auth) },
	{ .name = "interval",
	  .type = OPTION_DURATION,
	  .fallback = "200ms",
	  .minimum = 10 * MILLISECONDS,
	  .maximum = 60 * SECONDS,
	  .sentence = "The time between two probes of a node.",
	  MEMBER(settings_shard, policy.interval_ms) },
	{ .name = "timeout",
	  .type = OPTION_DURATION,
	  .fallback = "500ms",
	  .minimum = 10 * MILLISECONDS,
	  .maximum = 60 * SECONDS,
	  .sentence = "How long one probe may take, from its start to its last reply.",
	  MEMBER(settings_shard, policy.timeout_ms) },
	{ .name = "transition_interval",
	  .type = OPTION_DURATION,
	  .fallback = "10ms",
	  .minimum = 5 * MILLISECONDS,
	  .maximum = 10 * SECONDS,
	  .sentence = "The time between two probes while something is changing in the shard.",
	  MEMBER(settings_shard, policy.transition_interval_ms) },
	{ .name = "fall",
	  .type = OPTION_INT,
	  .fallback = "3",
	  .minimum = 1,
	  .maximum = 100,
	  .sentence = "How many probes in a row must time out until a node is unreachable; a "
		      "refused connection needs no second one.",
	  MEMBER(settings_shard, policy.fall) },
	{ .name = "tilt",
	  .type = OPTION_DURATION,
	  .fallback = "2s",
	  .minimum = 0,
	  .maximum = 60 * SECONDS,
	  .sentence = "How long all verdicts are held after the agent itself stood still or lost "
		      "sight of several nodes at once.",
	  MEMBER(settings_shard, policy.tilt_ms) },
	{ .name = "orphan_confirm",
	  .type = OPTION_DURATION,
	  .fallback = "2s",
	  .minimum = 0,
	  .maximum = 60 * SECONDS,
	  .sentence = "How long a restarted master must be the only one before it is admitted "
		      "again.",
	  MEMBER(settings_shard, policy.orphan_confirm_ms) },
	{ .name = "link_grace",
	  .type = OPTION_DURATION,
	  .fallback = "5s",
	  .minimum = 0,
	  .maximum = 3600 * SECONDS,
	  .sentence = "How long a replica's link to its living master may be down or silent until "
		      "it gets no new readers.",
	  MEMBER(settings_shard, policy.link_grace_ms) },
	{ .name = "orphan_grace",
	  .type = OPTION_DURATION,
	  .fallback = "60s",
	  .minimum = 0,
	  .maximum = 3600 * SECONDS,
	  .sentence = "The same for a replica whose master is gone.",
	  MEMBER(settings_shard, policy.orphan_grace_ms) },
	{ .name = "no_master_after",
	  .type = OPTION_DURATION,
	  .fallback = "2s",
	  .minimum = 0,
	  .maximum = 3600 * SECONDS,
	  .sentence = "How long no node takes writes until that is an alarm.",
	  MEMBER(settings_shard, policy.no_master_after_ms) },
	{ .name = NULL },
};

static const struct option_section shard_section = SECTION(shard_options, settings_shard);

static const struct option_row pool_options[] = {
	{ .name = "backend",
	  .type = OPTION_NAME,
	  .example = "bk_redis_master|bk_redis_slave",
	  .sentence = "The name of the backend in HAProxy.",
	  MEMBER(settings_pool, backend) },
	{ .name = "shard",
	  .type = OPTION_NAME,
	  .example = "main",
	  .sentence = "The shard whose nodes are the servers of this backend.",
	  MEMBER(settings_pool, shard) },
	{ .name = "role",
	  .type = OPTION_CHOICE,
	  .minimum = POOL_MASTER,
	  .words = role_words,
	  .example = "master|replica",
	  .sentence = "Which nodes it is for: the master (writes), or the replicas (reads).",
	  MEMBER(settings_pool, policy.role) },
	{ .name = "standby",
	  .type = OPTION_CHOICE,
	  .fallback = "down",
	  .minimum = STANDBY_DOWN,
	  .words = standby_words,
	  .sentence = "How HAProxy sees a healthy replica in a master pool: stopped, or up with "
		      "weight 0.",
	  MEMBER(settings_pool, policy.standby) },
	{ .name = "weights",
	  .type = OPTION_BOOL,
	  .fallback = "true",
	  .sentence = "Whether the agent sets the servers' weights (in replica pools, and in "
		      "master pools whose standby is shown by weight); false leaves them to the "
		      "operator.",
	  MEMBER(settings_pool, policy.weights) },
	{ .name = "min_readers",
	  .type = OPTION_INT,
	  .fallback = "1",
	  .minimum = 0,
	  .maximum = 1000,
	  .sentence = "Replica pools: how many servers to keep open while as many could serve.",
	  MEMBER(settings_pool, policy.min_readers) },
	{ .name = "reads_on_master",
	  .type = OPTION_CHOICE,
	  .fallback = "fallback",
	  .minimum = READS_NEVER,
	  .words = reads_words,
	  .sentence = "Replica pools: whether the master serves reads, and when: never, while too "
		      "few replicas are fit, or always.",
	  MEMBER(settings_pool, policy.reads_on_master) },
	{ .name = "master_weight",
	  .type = OPTION_INT,
	  .fallback = "100",
	  .minimum = 1,
	  .maximum = 100,
	  .sentence = "Replica pools: the master's weight there, in percent.",
	  MEMBER(settings_pool, policy.master_weight) },
	{ .name = "min_weight",
	  .type = OPTION_INT,
	  .fallback = "10",
	  .minimum = 1,
	  .maximum = 100,
	  .sentence = "Replica pools: the lowest weight of a server that is open, in percent.",
	  MEMBER(settings_pool, policy.min_weight) },
	{ .name = "panic",
	  .type = OPTION_CHOICE,
	  .fallback = "least_bad",
	  .minimum = PANIC_LEAST_BAD,
	  .words = panic_words,
	  .sentence = "Replica pools: with nothing fit and no master, open the best that is left, "
		      "or nobody.",
	  MEMBER(settings_pool, policy.panic) },
	{ .name = NULL },
};

static const struct option_section pool_section = SECTION(pool_options, settings_pool);

static const struct option_row direct_options[] = {
	{ .name = "listen",
	  .type = OPTION_ADDRESS,
	  .maximum = ADDRESS_IP,
	  .example = "127.0.0.1:8110",
	  .sentence = "The IP address and port of this listener; no other may use it.",
	  MEMBER(settings_direct, listen) },
	{ .name = "backend",
	  .type = OPTION_NAME,
	  .example = "bk_redis_master",
	  .sentence = "The pool for which it answers.",
	  MEMBER(settings_direct, backend) },
	{ .name = "node",
	  .type = OPTION_NAME,
	  .example = "tcpapp1",
	  .sentence = "The node for which it answers.",
	  MEMBER(settings_direct, node) },
	{ .name = NULL },
};

static const struct option_section direct_section = SECTION(direct_options, settings_direct);

static const struct option_row agent_check_options[] = {
	{ .name = "listen",
	  .type = OPTION_ADDRESSES,
	  .fallback = "127.0.0.1:8100",
	  .maximum = ADDRESS_IP,
	  .sentence = "The IP addresses and ports at which HAProxy asks, one line a query: "
		      "backend/server.",
	  LIST(settings_agent_check, listen, listen_count) },
	{ .name = "direct",
	  .type = OPTION_GROUPS,
	  .section = &direct_section,
	  .sentence = "Listeners that speak for one server line each, for clients that send "
		      "nothing.",
	  LIST(settings_agent_check, direct, direct_count) },
	{ .name = "allow",
	  .type = OPTION_NETWORKS,
	  .fallback = "",
	  .example = "10.10.45.0/24",
	  .sentence = "The networks whose clients are answered; without any, everybody.",
	  LIST(settings_agent_check, allow, allow_count) },
	{ .name = "max_clients",
	  .type = OPTION_INT,
	  .fallback = "256",
	  .minimum = 1,
	  .maximum = 65536,
	  .sentence = "How many slow clients are waited for at one time, over all listeners.",
	  MEMBER(settings_agent_check, max_clients) },
	{ .name = "start_hold",
	  .type = OPTION_DURATION,
	  .fallback = "80ms",
	  .minimum = 0,
	  .maximum = 1 * SECONDS,
	  .sentence = "How long an answer may wait for the first probe after the agent's start; "
		      "keep it below HAProxy's agent-inter.",
	  MEMBER(settings_agent_check, start_hold_ms) },
	{ .name = "handover_wait",
	  .type = OPTION_DURATION,
	  .fallback = "auto",
	  .minimum = 0,
	  .maximum = 10 * SECONDS,
	  .words = handover_words,
	  .sentence = "How long a new master's answer is withheld so that nobody sees two open; "
		      "auto measures how often the old one's line is fetched.",
	  MEMBER(settings_agent_check, handover_wait_ms) },
	{ .name = NULL },
};

static const struct option_section agent_check_section =
	SECTION(agent_check_options, settings_agent_check);

static const struct option_row haproxy_options[] = {
	{ .name = "socket",
	  .type = OPTION_ADDRESS,
	  .maximum = ADDRESS_UNIX,
	  .example = "/run/haproxy/admin.sock",
	  .sentence = "Its runtime socket, of level admin: a path, or an IP address and port.",
	  MEMBER(settings_haproxy, socket) },
	{ .name = "master_socket",
	  .type = OPTION_ADDRESS,
	  .fallback = "",
	  .maximum = ADDRESS_UNIX,
	  .example = "/run/haproxy-master.sock",
	  .sentence =
		  "The socket of its master process (haproxy -S), through which sessions that old "
		  "workers hold on a demoted master are cut.",
	  MEMBER(settings_haproxy, master_socket) },
	{ .name = "events",
	  .type = OPTION_STRING,
	  .fallback = "",
	  .example = "servers",
	  .sentence =
		  "The name of a ring that HAProxy logs its servers' changes to; the agent then "
		  "knows of a reload at once.",
	  MEMBER(settings_haproxy, events) },
	{ .name = NULL },
};

static const struct option_section haproxy_section = SECTION(haproxy_options, settings_haproxy);

static const struct option_row push_options[] = {
	{ .name = "reconcile_interval",
	  .type = OPTION_DURATION,
	  .fallback = "1s",
	  .minimum = 50,
	  .maximum = 60 * SECONDS,
	  .sentence = "How often each HAProxy is read and set right.",
	  MEMBER(settings_push, reconcile_interval_ms) },
	{ .name = "fence_wait",
	  .type = OPTION_DURATION,
	  .fallback = "100ms",
	  .minimum = 0,
	  .maximum = 10 * SECONDS,
	  .sentence = "How long a HAProxy that does not answer holds up the others when the master "
		      "changes.",
	  MEMBER(settings_push, fence_wait_ms) },
	{ .name = NULL },
};

static const struct option_section push_section = SECTION(push_options, settings_push);

static const struct option_row log_options[] = {
	{ .name = "level",
	  .type = OPTION_CHOICE,
	  .fallback = "info",
	  .minimum = LOG_LEVEL_ERROR,
	  .words = level_words,
	  .sentence = "The least important lines that are still written.",
	  MEMBER(settings_log, level) },
	{ .name = NULL },
};

static const struct option_section log_section = SECTION(log_options, settings_log);

static const struct option_row root_options[] = {
	{ .name = "shards",
	  .type = OPTION_GROUPS,
	  .minimum = 1,
	  .section = &shard_section,
	  .sentence = "The groups of Redis nodes to watch, each one master and its replicas.",
	  LIST(settings, shards, shard_count) },
	{ .name = "pools",
	  .type = OPTION_GROUPS,
	  .minimum = 1,
	  .section = &pool_section,
	  .sentence = "The backends of HAProxy, each served from a shard.",
	  LIST(settings, pools, pool_count) },
	{ .name = "agent_check",
	  .type = OPTION_GROUP,
	  .section = &agent_check_section,
	  .sentence = "The answers to HAProxy's agent-checks.",
	  MEMBER(settings, agent_check) },
	{ .name = "haproxy",
	  .type = OPTION_GROUPS,
	  .section = &haproxy_section,
	  .sentence = "The HAProxies whose runtime socket is told of each change at once; without "
		      "any, their agent-checks alone are answered.",
	  LIST(settings, haproxies, haproxy_count) },
	{ .name = "push",
	  .type = OPTION_GROUP,
	  .section = &push_section,
	  .sentence = "How the HAProxies are told.",
	  MEMBER(settings, push) },
	{ .name = "log",
	  .type = OPTION_GROUP,
	  .section = &log_section,
	  .sentence = "The log on standard error.",
	  MEMBER(settings, log) },
	{ .name = NULL },
};

const struct option_section options_root = SECTION(root_options, settings);
