/*
 * The doctor's table: each row a thing to find, its sentence and its remedy. It owns nothing and
 * refuses to know how the facts were gathered. What the sentences say of HAProxy was tried on 2.6,
 * 3.0 and 3.5-dev; a row is there only for what can be seen over the runtime socket.
 */
#include "core/doctor.h"

#include <errno.h>
#include <string.h>

/* ---- the configuration, the nodes ---- */

static bool has_no_haproxy(const struct doctor_facts *facts)
{
	return facts->haproxy_count == 0;
}

static bool is_reason(const struct doctor_facts *facts, enum reason reason)
{
	return facts->verdict && facts->verdict->reason == reason;
}

static bool is_not_let_in(const struct doctor_facts *facts)
{
	return is_reason(facts, REASON_NO_ACCESS);
}

static bool may_not_ping(const struct doctor_facts *facts)
{
	return facts->ping_refused && !is_not_let_in(facts);
}

static bool is_unsupported(const struct doctor_facts *facts)
{
	return is_reason(facts, REASON_UNSUPPORTED);
}

static bool is_unreachable(const struct doctor_facts *facts)
{
	return is_reason(facts, REASON_UNREACHABLE);
}

/* ---- a HAProxy ---- */

static bool is_no_socket(const struct doctor_facts *facts)
{
	return facts->status == -ENOENT;
}

static bool is_socket_forbidden(const struct doctor_facts *facts)
{
	return facts->status == -EACCES || facts->status == -EPERM;
}

static bool is_nobody_there(const struct doctor_facts *facts)
{
	return facts->status == -ECONNREFUSED;
}

static bool is_silent(const struct doctor_facts *facts)
{
	return facts->status < 0 && !is_no_socket(facts) && !is_socket_forbidden(facts) &&
	       !is_nobody_there(facts);
}

static bool is_no_haproxy(const struct doctor_facts *facts)
{
	return facts->status == 0 && !facts->version[0];
}

static bool is_level_too_low(const struct doctor_facts *facts)
{
	return strcmp(facts->level, "operator") == 0 || strcmp(facts->level, "user") == 0;
}

static bool lacks_master_socket(const struct doctor_facts *facts)
{
	return facts->is_worker && !facts->has_master;
}

/* The first three numbers of "2.6.12-1+deb12u4" as 2006012; 3.4-dev5 is 3.4.0. -1: none. */
static int64_t version_number(const char *version)
{
	int64_t number = 0;
	size_t parts = 0;

	if (*version < '0' || *version > '9')
		return -1;
	for (; parts < 3; parts++) {
		int64_t part = 0;

		for (; *version >= '0' && *version <= '9' && part < 1000; version++)
			part = 10 * part + *version - '0';
		number = 1000 * number + part;
		if (*version == '.')
			version++;
	}
	return number;
}

static bool is_version(const struct doctor_facts *facts, int64_t from, int64_t below)
{
	int64_t number = facts->status == 0 ? version_number(facts->version) : -1;

	return number >= from && number < below;
}

/* 24ec94342, issue #1176. */
static bool does_agent_override_check(const struct doctor_facts *facts)
{
	return is_version(facts, 2002000, 2002011);
}

static bool is_untried(const struct doctor_facts *facts)
{
	return is_version(facts, 0, 2006000) && !does_agent_override_check(facts);
}

/* 7aec1e6d9, June 2026; which release of each branch has it first, the date tells. */
static bool does_mark_stay_closed(const struct doctor_facts *facts)
{
	return is_version(facts, 3003000, 3005000) && facts->released < 20260701;
}

/* ---- a pool's backend ---- */

static bool is_backend_nowhere(const struct doctor_facts *facts)
{
	return !facts->present && !facts->elsewhere;
}

static bool is_backend_elsewhere(const struct doctor_facts *facts)
{
	return !facts->present && facts->elsewhere;
}

static bool is_master_pool(const struct doctor_facts *facts)
{
	return facts->policy->role == POOL_MASTER;
}

static bool is_first_on_master(const struct doctor_facts *facts)
{
	return is_master_pool(facts) && strcmp(facts->algorithm, "first") == 0;
}

static bool owns_weights(const struct pool_policy *policy)
{
	return policy->role == POOL_MASTER ? policy->standby == STANDBY_WEIGHT : policy->weights;
}

static bool is_algorithm(const struct doctor_facts *facts, const char *const *names)
{
	for (; *names; names++)
		if (strncmp(facts->algorithm, *names, strlen(*names)) == 0)
			return true;
	return false;
}

/* `first` takes any weight, and goes by none but 0. A master's weight is 0 or 100 % anyway. */
static bool is_static(const struct doctor_facts *facts)
{
	static const char *const names[] = { "static-rr", "first", NULL };

	return !is_master_pool(facts) && owns_weights(facts->policy) && is_algorithm(facts, names);
}

static bool may_be_static(const struct doctor_facts *facts)
{
	static const char *const names[] = { "source",	   "uri",  "url_param", "hdr",
					     "rdp-cookie", "hash", NULL };

	return !is_master_pool(facts) && owns_weights(facts->policy) && !facts->weighs &&
	       is_algorithm(facts, names);
}

/* ---- a server ---- */

static bool lacks_server(const struct doctor_facts *facts)
{
	return !facts->server && is_master_pool(facts);
}

static bool lacks_reader(const struct doctor_facts *facts)
{
	return !facts->server && !is_master_pool(facts);
}

static bool is_swapped(const struct doctor_facts *facts)
{
	return facts->server && facts->place == DOCTOR_PLACE_OTHER_NODE;
}

static bool is_elsewhere(const struct doctor_facts *facts)
{
	return facts->server && facts->place == DOCTOR_PLACE_ELSEWHERE;
}

static bool lacks_agent_check(const struct doctor_facts *facts)
{
	return facts->server && facts->server->in_state && !shown_has_agent(facts->server);
}

#define AGENT_ENABLED 4	 /* a bit of srv_agent_state */
#define MAINT_BY_DNS  32 /* of srv_admin_state */
#define MAINT_BY_HAND (1 | 2)

static bool is_agent_disabled(const struct doctor_facts *facts)
{
	return facts->server && facts->server->in_state && shown_has_agent(facts->server) &&
	       !(facts->server->agent_state & AGENT_ENABLED);
}

static bool is_wanted_master(const struct doctor_facts *facts)
{
	return is_master_pool(facts) && facts->verdict && facts->verdict->state == VERDICT_UP;
}

static bool is_by_hand(const struct doctor_facts *facts)
{
	return facts->server &&
	       ((facts->server->admin_state > 0 && facts->server->admin_state & MAINT_BY_HAND) ||
		shown_is_drain(facts->server));
}

static bool is_master_by_hand(const struct doctor_facts *facts)
{
	return is_by_hand(facts) && is_wanted_master(facts);
}

static bool is_other_by_hand(const struct doctor_facts *facts)
{
	return is_by_hand(facts) && !is_wanted_master(facts);
}

static bool is_unresolved(const struct doctor_facts *facts)
{
	return facts->server && facts->server->admin_state > 0 &&
	       facts->server->admin_state & MAINT_BY_DNS && !is_by_hand(facts);
}

/* Its mark is open, and the agent would open it: only its own check is left to keep it down. */
static bool is_kept_down(const struct doctor_facts *facts)
{
	const struct shown_server *server = facts->server;

	return server && facts->verdict && facts->verdict->state == VERDICT_UP &&
	       server->agent != SHOWN_AGENT_CLOSED && server->check_status[0] &&
	       strncmp(server->status, "DOWN", 4) == 0;
}

static bool is_master_kept_down(const struct doctor_facts *facts)
{
	return is_kept_down(facts) && is_master_pool(facts);
}

static bool is_fallback_kept_down(const struct doctor_facts *facts)
{
	return is_kept_down(facts) && !is_master_pool(facts) && is_reason(facts, REASON_FALLBACK);
}

static bool is_reader_kept_down(const struct doctor_facts *facts)
{
	return is_kept_down(facts) && !is_master_pool(facts) && !is_reason(facts, REASON_FALLBACK);
}

static bool is_stranger_for_writes(const struct doctor_facts *facts)
{
	return is_master_pool(facts);
}

static bool is_stranger_for_reads(const struct doctor_facts *facts)
{
	return !is_master_pool(facts);
}

/* ---- the table ---- */

#define TO_SOCKET   " | socat stdio {peer}"
#define NODE_LINE   "{ name = \"{server}\"; address = \"{address}\"; }"
#define SERVER_LINE "server {node} {address} agent-send {backend}/{node}\\n"
#define READY_LINE  "echo 'set server {backend}/{server} state ready'" TO_SOCKET
#define STATUS_LINE "echo 'show stat {backend} 4 -1'" TO_SOCKET " | cut -d, -f 2,18,37,57"
#define ADMIN_LINE  "stats socket {haproxy} mode 660 level admin"
#define RIGHTS_LINE "ACL SETUSER agent on >PASSWORD -@all +info +ping +client|setname"
#define UPDATE_LINE "apt-get update && apt-get install --only-upgrade haproxy"

static const struct doctor_check table[] = {
	{ "no-haproxy", DOCTOR_ADVICE, DOCTOR_AGENT, has_no_haproxy,
	  "no HAProxy is configured: nothing is pushed, each hears a change at its next "
	  "agent-check only, and none could be looked at here",
	  "haproxy = ( { socket = \"/run/haproxy/admin.sock\"; } );" },

	{ "no-access", DOCTOR_DANGER, DOCTOR_NODE, is_not_let_in,
	  "the node does not let the agent in: it knows nothing of it, and says nothing",
	  RIGHTS_LINE },
	{ "no-ping", DOCTOR_ADVICE, DOCTOR_NODE, may_not_ping,
	  "the agent's user may not PING: a replica that refuses reads is not seen, and ACL LOG "
	  "fills up",
	  RIGHTS_LINE },
	{ "unsupported", DOCTOR_DANGER, DOCTOR_NODE, is_unsupported,
	  "it is no Redis master or replica (a Sentinel's port?): correct the address",
	  "redis-cli -u redis://{address} INFO replication" },
	{ "unreachable", DOCTOR_ADVICE, DOCTOR_NODE, is_unreachable,
	  "the agent does not reach the node", "redis-cli -u redis://{address} PING" },

	{ "no-socket", DOCTOR_DANGER, DOCTOR_HAPROXY, is_no_socket,
	  "there is no such socket: HAProxy does not run, or has it elsewhere",
	  "global\n    " ADMIN_LINE },
	{ "socket-forbidden", DOCTOR_DANGER, DOCTOR_HAPROXY, is_socket_forbidden,
	  "this user may not open the socket: the agent's has to be in its group",
	  "usermod -a -G haproxy redis-role-agent" },
	{ "nobody-there", DOCTOR_DANGER, DOCTOR_HAPROXY, is_nobody_there,
	  "nobody listens on the socket: HAProxy does not run", "systemctl start haproxy" },
	{ "silent", DOCTOR_DANGER, DOCTOR_HAPROXY, is_silent,
	  "HAProxy cannot be reached, or does not answer in time",
	  "echo 'show info' | socat -t 5 stdio {peer}" },
	{ "not-haproxy", DOCTOR_DANGER, DOCTOR_HAPROXY, is_no_haproxy,
	  "what answers there is no runtime socket of a HAProxy (a master CLI is none)",
	  "global\n    " ADMIN_LINE },
	{ "socket-level", DOCTOR_DANGER, DOCTOR_HAPROXY, is_level_too_low,
	  "the socket's level is below admin: HAProxy refuses all that is pushed",
	  "global\n    " ADMIN_LINE },
	{ "no-master-socket", DOCTOR_ADVICE, DOCTOR_HAPROXY, lacks_master_socket,
	  "a reload leaves an old worker behind, whose sessions on a demoted master nothing ends "
	  "but hard-stop-after: name the master's socket (haproxy -S)",
	  "haproxy = ( { socket = \"{haproxy}\"; master_socket = \"/run/haproxy-master.sock\"; } "
	  ");" },
	{ "version-overrides", DOCTOR_DANGER, DOCTOR_HAPROXY, does_agent_override_check,
	  "HAProxy 2.2 before 2.2.11: the agent's up opens a server whose own check fails",
	  UPDATE_LINE },
	{ "version-untried", DOCTOR_ADVICE, DOCTOR_HAPROXY, is_untried,
	  "HAProxy before 2.6: the agent was never tried with it", UPDATE_LINE },
	{ "version-mark", DOCTOR_ADVICE, DOCTOR_HAPROXY, does_mark_stay_closed,
	  "HAProxy 3.3 and 3.4 before July 2026: without a default-server line, a server whose "
	  "check fails and recovers while no agent answers stays DOWN",
	  UPDATE_LINE },

	{ "no-backend", DOCTOR_DANGER, DOCTOR_BACKEND, is_backend_nowhere,
	  "no HAProxy has this pool's backend: compare the names",
	  "redis-role-agent haproxy-config" },
	{ "backend-elsewhere", DOCTOR_ADVICE, DOCTOR_BACKEND, is_backend_elsewhere,
	  "this HAProxy lacks the backend, another one has it", "redis-role-agent haproxy-config" },
	{ "balance-first", DOCTOR_DANGER, DOCTOR_BACKEND, is_first_on_master,
	  "balance first prefers the lowest id: after a reload, when all servers are UP for a "
	  "moment, all writes go to that node, whichever it is",
	  "backend {backend}\n    balance roundrobin" },
	{ "balance-static", DOCTOR_ADVICE, DOCTOR_BACKEND, is_static,
	  "this balancing goes by no weight but 0: a lagging replica is not spared",
	  "backend {backend}\n    balance roundrobin" },
	{ "balance-hash", DOCTOR_ADVICE, DOCTOR_BACKEND, may_be_static,
	  "this balancing takes no weights but 0 and 100 %, unless its hash-type is consistent, "
	  "which cannot be seen here",
	  "backend {backend}\n    hash-type consistent" },

	{ "no-server", DOCTOR_DANGER, DOCTOR_LINE, lacks_server,
	  "the node has no server in the backend: as a master it would get no writes",
	  "backend {backend}\n    " SERVER_LINE },
	{ "no-reader", DOCTOR_ADVICE, DOCTOR_LINE, lacks_reader,
	  "the node has no server in the backend: it gets no reads",
	  "backend {backend}\n    " SERVER_LINE },
	{ "swapped", DOCTOR_DANGER, DOCTOR_LINE, is_swapped,
	  "the server of this node's name points to another node: verdicts reach the wrong one",
	  "backend {backend}\n    " SERVER_LINE },
	{ "other-address", DOCTOR_ADVICE, DOCTOR_LINE, is_elsewhere,
	  "the server's address is none that the agent watches: is it the same node?",
	  "backend {backend}\n    " SERVER_LINE },
	{ "no-agent-check", DOCTOR_ADVICE, DOCTOR_LINE, lacks_agent_check,
	  "the server has no agent-check: it is closed by its weight only, stays UP to others, and "
	  "hears nothing where the socket fails",
	  "backend {backend}\n    default-server agent-check agent-addr {agent} agent-inter 200ms "
	  "on-marked-down shutdown-sessions\n    " SERVER_LINE },
	{ "agent-disabled", DOCTOR_ADVICE, DOCTOR_LINE, is_agent_disabled,
	  "its agent-check is disabled: the agent has let go of it or does not run, and the "
	  "server's own check alone decides",
	  "systemctl start redis-role-agent" },
	{ "master-set-aside", DOCTOR_DANGER, DOCTOR_LINE, is_master_by_hand,
	  "an operator has put the master's server into maintenance or drain: there are no new "
	  "writes",
	  READY_LINE },
	{ "set-aside", DOCTOR_ADVICE, DOCTOR_LINE, is_other_by_hand,
	  "an operator has put the server into maintenance or drain; the agent leaves it so",
	  READY_LINE },
	{ "unresolved", DOCTOR_ADVICE, DOCTOR_LINE, is_unresolved,
	  "HAProxy cannot resolve the server's name and keeps it in maintenance",
	  "echo 'show resolvers'" TO_SOCKET },
	{ "master-kept-down", DOCTOR_DANGER, DOCTOR_LINE, is_master_kept_down,
	  "the agent has it open, but the server's own check keeps the master down", STATUS_LINE },
	{ "fallback-kept-down", DOCTOR_ADVICE, DOCTOR_LINE, is_fallback_kept_down,
	  "the master is to serve reads, for replicas are missing, but the server's own check "
	  "lets only replicas pass",
	  "backend {backend}\n    tcp-check expect rstring role:(slave|master)" },
	{ "kept-down", DOCTOR_ADVICE, DOCTOR_LINE, is_reader_kept_down,
	  "the agent has it open, but the server's own check keeps it down", STATUS_LINE },
	{ "stranger", DOCTOR_DANGER, DOCTOR_STRANGER, is_stranger_for_writes,
	  "the server is no node of the pool: nobody but its own check keeps writes away from it",
	  NODE_LINE },
	{ "strange-reader", DOCTOR_ADVICE, DOCTOR_STRANGER, is_stranger_for_reads,
	  "the server is no node of the pool: nobody but its own check judges it", NODE_LINE },
};

#define CHECK_COUNT (sizeof(table) / sizeof(table[0]))

const struct doctor_check *doctor_table(size_t *ret_count)
{
	*ret_count = CHECK_COUNT;
	return table;
}

const struct doctor_check *doctor_next(const struct doctor_facts *facts,
				       const struct doctor_check *previous)
{
	for (size_t i = previous ? (size_t)(previous - table) + 1 : 0; i < CHECK_COUNT; i++)
		if (table[i].scope == facts->scope && table[i].test(facts))
			return &table[i];
	return NULL;
}

/* ---- remedies ---- */

static void write_server_address(struct text *text, const struct shown_server *server)
{
	bool is_ipv6 = strchr(server->address, ':') != NULL;

	text_addf(text, "%s%s%s:%lld", is_ipv6 ? "[" : "", server->address, is_ipv6 ? "]" : "",
		  (long long)server->port);
}

/* A fact that stands in braces in a remedy. False: there is none of that name. */
static bool write_fact(struct text *text, const char *name, size_t length,
		       const struct doctor_facts *facts)
{
	if (text_equal(name, length, "agent"))
		text_add(text, facts->agent);
	else if (text_equal(name, length, "haproxy"))
		text_add(text, facts->haproxy);
	else if (text_equal(name, length, "peer")) /* as socat wants it */
		text_addf(text, "%s%s", facts->haproxy[0] == '/' ? "" : "tcp:", facts->haproxy);
	else if (text_equal(name, length, "backend"))
		text_add(text, facts->backend);
	else if (text_equal(name, length, "node"))
		text_add(text, facts->node);
	else if (text_equal(name, length, "server"))
		text_add(text, facts->server->name);
	else if (!text_equal(name, length, "address"))
		return false;
	else if (facts->address)
		text_add(text, facts->address);
	else
		write_server_address(text, facts->server);
	return true;
}

void doctor_write_remedy(struct text *text, const struct doctor_check *check,
			 const struct doctor_facts *facts)
{
	const char *at = check->remedy;

	while (*at) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		char one[2] = { *at, '\0' };

		if (end && write_fact(text, at + 1, (size_t)(end - at - 1), facts)) {
			at = end + 1;
			continue;
		}
		text_add(text, one);
		at++;
	}
}
