/*
 * Attaching to HAProxies that are there: reads the servers of one or two backends over the runtime
 * sockets and makes settings of them, as if somebody had written a file. It owns that reading; what
 * becomes of the servers later is the push's.
 */
#include "app/attach.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/mem.h"
#include "io/haproxy.h"

#define REPLY_TIMEOUT_MS 2000

struct attaching {
	const struct attach *attach;
	struct settings *settings;
	struct settings_errors *errors;
	struct settings_errors unreached; /* borne if another was reached */
	size_t reached;
};

/* One question to one HAProxy. */
struct reading {
	struct shown shown;
	int status;
	bool done;
};

bool attach_is_asked(const struct attach *attach)
{
	return attach->haproxy_count > 0 || attach->master || attach->replica;
}

bool attach_read_address(const struct shown_server *server, struct address *ret_address)
{
	char text[ADDRESS_TEXT_SIZE];
	struct in6_addr bytes;
	bool is_ipv6 = inet_pton(AF_INET6, server->address, &bytes) == 1;

	if (!server->in_state || server->port <= 0 || server->port > UINT16_MAX ||
	    (!is_ipv6 && inet_pton(AF_INET, server->address, &bytes) != 1) ||
	    strcmp(server->address, "0.0.0.0") == 0 || strcmp(server->address, "::") == 0)
		return false;
	snprintf(text, sizeof(text), is_ipv6 ? "[%s]:%d" : "%s:%d", server->address,
		 (int)server->port);
	return address_parse(text, ret_address) == 0;
}

static void on_reply(void *context, int status, const char *output, size_t length)
{
	struct reading *reading = context;

	reading->status = status;
	reading->done = true;
	if (status == 0)
		shown_read(&reading->shown, output, length);
}

static void ask(const struct address *socket, const char *backend, struct reading *ret_reading)
{
	char command[SHOWN_NAME_SIZE + 32];
	struct haproxy *haproxy;
	uv_loop_t loop;
	int result = uv_loop_init(&loop);

	*ret_reading = (struct reading){ .status = result };
	shown_init(&ret_reading->shown);
	if (result < 0)
		return;
	snprintf(command, sizeof(command), "show servers state %s", backend);
	haproxy = haproxy_new(&loop, socket);
	haproxy_send(haproxy, command, REPLY_TIMEOUT_MS, on_reply, ret_reading);
	while (!ret_reading->done)
		uv_run(&loop, UV_RUN_ONCE);
	haproxy_free(haproxy);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
}

static const char *remedy(int status)
{
	switch (status) {
	case -ENOENT:
		return "check the path, and that haproxy.cfg has a line `stats socket` with it";
	case -EACCES:
	case -EPERM:
		return "run the agent as a user (or in the group) that may write to this socket";
	case -ECONNREFUSED:
		return "start HAProxy";
	default:
		return "check that it is HAProxy's runtime socket";
	}
}

static struct settings_node *find_node(struct settings_shard *shard, const char *name)
{
	for (size_t i = 0; i < shard->node_count; i++)
		if (strcmp(shard->nodes[i].name, name) == 0)
			return &shard->nodes[i];
	return NULL;
}

static void check_address(struct attaching *it, const char *name, const struct address *address)
{
	const struct settings_shard *shard = &it->settings->shards[0];
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < shard->node_count; i++)
		if (address_equal(&shard->nodes[i].address, address))
			settings_errors_add(
				it->errors,
				"servers %s and %s are one node, at %s: give the server the "
				"same name everywhere",
				shard->nodes[i].name, name,
				address_format(address, text, sizeof(text)));
}

static void add_server(struct attaching *it, const struct shown_server *server)
{
	struct settings_shard *shard = &it->settings->shards[0];
	struct settings_node *node = find_node(shard, server->name);
	char texts[2][ADDRESS_TEXT_SIZE];
	struct address address;

	if (!attach_read_address(server, &address)) {
		fprintf(stderr,
			"server %s/%s has no IP address (yet), and is left out: start the agent "
			"anew when it has one\n",
			server->backend, server->name);
		return;
	}
	if (node && !address_equal(&node->address, &address)) {
		settings_errors_add(
			it->errors,
			"server %s has two addresses, %s and, in %s, %s: one name must "
			"be one node",
			server->name, address_format(&node->address, texts[0], sizeof(texts[0])),
			server->backend, address_format(&address, texts[1], sizeof(texts[1])));
		return;
	}
	if (node)
		return;
	check_address(it, server->name, &address);
	shard->nodes = mem_resize(shard->nodes, shard->node_count + 1, sizeof(*shard->nodes));
	shard->nodes[shard->node_count++] = (struct settings_node){
		.name = mem_strdup(server->name),
		.address = address,
	};
}

static void take_servers(struct attaching *it, const char *haproxy, const char *backend,
			 const struct shown *shown)
{
	if (shown->count == 0 && shown->message[0])
		settings_errors_add(it->errors,
				    "--haproxy %s: it has no backend %s that it would show (it "
				    "says: %s): check the name",
				    haproxy, backend, shown->message);
	else if (shown->count == 0)
		settings_errors_add(
			it->errors,
			"--haproxy %s: its backend %s has no servers: name one that has", haproxy,
			backend);
	for (size_t i = 0; i < shown->count; i++)
		add_server(it, &shown->servers[i]);
}

/* False: it is not to be asked for more. */
static bool read_backend(struct attaching *it, size_t haproxy, const char *backend)
{
	const char *name = it->attach->haproxies[haproxy];
	struct reading reading;

	ask(&it->settings->haproxies[haproxy].socket, backend, &reading);
	if (reading.status == 0)
		take_servers(it, name, backend, &reading.shown);
	else
		settings_errors_add(&it->unreached, "--haproxy %s: %s: %s", name,
				    strerror(-reading.status), remedy(reading.status));
	shown_done(&reading.shown);
	return reading.status == 0;
}

static void read_haproxies(struct attaching *it)
{
	for (size_t h = 0; h < it->settings->haproxy_count; h++) {
		bool goes_on = true;

		for (size_t p = 0; goes_on && p < it->settings->pool_count; p++)
			goes_on = read_backend(it, h, it->settings->pools[p].backend);
		it->reached += goes_on;
	}
}

/* One that is away is told when it is back, as long as another shows who the nodes are. */
static void judge(struct attaching *it)
{
	for (size_t i = 0; i < it->unreached.count; i++) {
		if (it->reached > 0)
			fprintf(stderr, "%s\n", it->unreached.lines[i]);
		else
			settings_errors_add(it->errors, "%s", it->unreached.lines[i]);
	}
	settings_errors_done(&it->unreached);
	if (it->errors->count == 0 && it->settings->shards[0].node_count == 0)
		settings_errors_add(it->errors,
				    "no server of these backends has an IP address: there is "
				    "no node to watch");
}

static void check_backend(const char *option, const char *name, struct settings_errors *errors)
{
	bool good = name[0] && strlen(name) < SHOWN_NAME_SIZE;

	for (const char *c = name; *c; c++)
		good = good && (isalnum((unsigned char)*c) || strchr("_.:-", *c));
	if (!good)
		settings_errors_add(errors,
				    "%s %s: this is no name of a backend: letters, digits and "
				    "_ . : - make one",
				    option, name);
}

static void read_sockets(const struct attach *attach, struct settings *settings,
			 struct settings_errors *errors)
{
	for (size_t i = 0; i < attach->haproxy_count; i++) {
		struct address *address = &settings->haproxies[i].socket;

		if (address_parse(attach->haproxies[i], address) != 0 ||
		    address->kind == ADDRESS_NAME)
			settings_errors_add(errors,
					    "--haproxy %s: this is no runtime socket: write "
					    "/path, or ip:port",
					    attach->haproxies[i]);
	}
}

static void check_words(const struct attach *attach, struct settings_errors *errors)
{
	if (attach->haproxy_count == 0)
		settings_errors_add(errors, "--master and --replica name backends of a HAProxy: "
					    "name its runtime socket with --haproxy");
	if (!attach->master && !attach->replica)
		settings_errors_add(errors, "--haproxy needs the backends that are to be governed: "
					    "name them with --master and --replica");
	if (attach->master)
		check_backend("--master", attach->master, errors);
	if (attach->replica)
		check_backend("--replica", attach->replica, errors);
	if (attach->master && attach->replica && strcmp(attach->master, attach->replica) == 0)
		settings_errors_add(errors,
				    "--master and --replica are the same backend %s: name two, or "
				    "leave one out",
				    attach->master);
}

static struct settings *make_settings(const struct attach *attach)
{
	struct settings *settings =
		settings_new_main(attach->master, attach->replica, attach->haproxy_count);

	settings->attached = true;
	/* HAProxy's servers need not ask anybody here, and the port may be taken. */
	free(settings->agent_check.listen);
	settings->agent_check.listen = NULL;
	settings->agent_check.listen_count = 0;
	return settings;
}

int attach_load(const struct attach *attach, struct settings **ret_settings,
		struct settings_errors *errors)
{
	struct attaching it = { .attach = attach, .errors = errors };
	size_t before = errors->count;

	check_words(attach, errors);
	if (errors->count != before)
		return -EINVAL;
	signal(SIGPIPE, SIG_IGN);
	it.settings = make_settings(attach);
	read_sockets(attach, it.settings, errors);
	if (errors->count == before) {
		read_haproxies(&it);
		judge(&it);
	}
	if (errors->count != before) {
		settings_free(it.settings);
		return -EINVAL;
	}
	*ret_settings = it.settings;
	return 0;
}
