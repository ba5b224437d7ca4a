/* The rules between options. Quadratic where it compares all with all: a configuration is read
 * once, and ten thousand names take a moment only. */
#include "config/check.h"

#include <string.h>

#define NOWHERE SIZE_MAX

struct check {
	struct settings *settings;
	const struct places *places;
	struct settings_errors *errors;
};

#define REPORT(check, member, ...) \
	places_report((check)->places, (member), (check)->errors, __VA_ARGS__)

/* Names that could not be read are NULL, and equal to nothing. */
static bool same_name(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static bool same_address(const struct address *a, const struct address *b)
{
	return a->host[0] && address_equal(a, b);
}

static size_t find_shard(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->shard_count; i++) {
		if (same_name(settings->shards[i].name, name))
			return i;
	}
	return NOWHERE;
}

static const struct settings_pool *find_pool(const struct settings *settings, const char *backend)
{
	for (size_t i = 0; i < settings->pool_count; i++) {
		if (same_name(settings->pools[i].backend, backend))
			return &settings->pools[i];
	}
	return NULL;
}

static bool has_node(const struct settings_shard *shard, const char *name)
{
	for (size_t i = 0; i < shard->node_count; i++) {
		if (same_name(shard->nodes[i].name, name))
			return true;
	}
	return false;
}

static void check_node(struct check *check, const struct settings_shard *shard, size_t index)
{
	const struct settings_node *node = &shard->nodes[index];
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < index; i++) {
		const struct settings_node *other = &shard->nodes[i];

		if (same_name(node->name, other->name))
			REPORT(check, &node->name,
			       "the shard has two nodes named \"%s\": give each its own name",
			       node->name);
		if (same_address(&node->address, &other->address))
			REPORT(check, &node->address,
			       "the address %s is that of node \"%s\" too: give each node its own",
			       address_format(&node->address, text, sizeof(text)),
			       other->name ? other->name : "");
	}
}

static void check_shard(struct check *check, size_t index)
{
	const struct settings_shard *shard = &check->settings->shards[index];

	if (shard->name && find_shard(check->settings, shard->name) != index)
		REPORT(check, &shard->name, "two shards are named \"%s\": give each its own name",
		       shard->name);
	for (size_t i = 0; i < shard->node_count; i++)
		check_node(check, shard, i);
	if (shard->auth.username && !shard->auth.password_file)
		REPORT(check, &shard->auth.username,
		       "the user \"%s\" has no password file: name one, or remove the user",
		       shard->auth.username);
}

static void check_pool(struct check *check, size_t index)
{
	struct settings_pool *pool = &check->settings->pools[index];
	size_t shard = find_shard(check->settings, pool->shard);

	if (pool->backend && find_pool(check->settings, pool->backend) != pool)
		REPORT(check, &pool->backend,
		       "two pools are for the backend \"%s\": remove one of them", pool->backend);
	if (pool->shard && shard == NOWHERE)
		REPORT(check, &pool->shard,
		       "there is no shard \"%s\": correct the name, or add the shard", pool->shard);
	pool->shard_index = shard == NOWHERE ? 0 : shard;
}

/* Whether its shard is known cannot be told where the pool names none. */
static void check_direct_names(struct check *check, const struct settings_direct *direct)
{
	const struct settings *settings = check->settings;
	const struct settings_pool *pool = find_pool(settings, direct->backend);
	size_t shard = pool ? find_shard(settings, pool->shard) : NOWHERE;

	if (direct->backend && !pool)
		REPORT(check, &direct->backend,
		       "there is no pool for the backend \"%s\": correct the name, or add the pool",
		       direct->backend);
	if (direct->node && shard != NOWHERE && !has_node(&settings->shards[shard], direct->node))
		REPORT(check, &direct->node,
		       "the shard \"%s\" has no node \"%s\": correct the name, or add the node",
		       pool->shard, direct->node);
}

static void report_listener(struct check *check, const struct address *listen)
{
	char text[ADDRESS_TEXT_SIZE];

	REPORT(check, listen, "two listeners share the address %s: give each its own port",
	       address_format(listen, text, sizeof(text)));
}

static bool is_listened(const struct address *listen, size_t count, const struct address *address)
{
	for (size_t i = 0; i < count; i++) {
		if (same_address(address, &listen[i]))
			return true;
	}
	return false;
}

static void check_agent_check(struct check *check)
{
	const struct settings_agent_check *agent_check = &check->settings->agent_check;
	const struct address *listen = agent_check->listen;

	for (size_t i = 0; i < agent_check->listen_count; i++) {
		if (is_listened(listen, i, &listen[i]))
			report_listener(check, &listen[i]);
	}
	for (size_t i = 0; i < agent_check->direct_count; i++) {
		const struct settings_direct *direct = &agent_check->direct[i];
		bool taken = is_listened(listen, agent_check->listen_count, &direct->listen);

		for (size_t j = 0; j < i && !taken; j++)
			taken = same_address(&direct->listen, &agent_check->direct[j].listen);
		if (taken)
			report_listener(check, &direct->listen);
		check_direct_names(check, direct);
	}
	/* Without a list something else stands there, which was reported. */
	if (listen && agent_check->listen_count + agent_check->direct_count == 0)
		REPORT(check, &agent_check->listen,
		       "nobody could ask the agent: give it an address to listen at");
}

static void check_haproxy(struct check *check, size_t index)
{
	const struct settings *settings = check->settings;
	const struct address *socket = &settings->haproxies[index].socket;
	char text[ADDRESS_TEXT_SIZE];

	if (socket->host[0] && socket->kind == ADDRESS_NAME)
		REPORT(check, socket,
		       "\"socket\" is %s: give a path, or an IP address and port: names are not "
		       "looked up",
		       address_format(socket, text, sizeof(text)));
	for (size_t i = 0; i < index; i++)
		if (same_address(socket, &settings->haproxies[i].socket))
			REPORT(check, socket,
			       "two HAProxies share the socket %s: remove one of them",
			       address_format(socket, text, sizeof(text)));
}

void check_settings(struct settings *settings, const struct places *places,
		    struct settings_errors *errors)
{
	struct check check = { .settings = settings, .places = places, .errors = errors };

	for (size_t i = 0; i < settings->shard_count; i++)
		check_shard(&check, i);
	for (size_t i = 0; i < settings->pool_count; i++)
		check_pool(&check, i);
	for (size_t i = 0; i < settings->haproxy_count; i++)
		check_haproxy(&check, i);
	check_agent_check(&check);
}
