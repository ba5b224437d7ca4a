/* Settings without a file: made of the addresses on a command line, and freed; and the list of
 * errors. What is an option, and its default, the table knows. */
#include "config/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/options.h"
#include "config/secret.h"
#include "config/value.h"

#define LINE_SIZE 8192

void settings_errors_add(struct settings_errors *errors, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(line, sizeof(line), format, arguments) < 0)
		line[0] = '\0';
	va_end(arguments);
	errors->lines = mem_resize(errors->lines, errors->count + 1, sizeof(*errors->lines));
	errors->lines[errors->count++] = mem_strdup(line);
}

void settings_errors_done(struct settings_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++)
		free(errors->lines[i]);
	free(errors->lines);
	*errors = (struct settings_errors){ 0 };
}

/* Makes the first @count elements of a list of groups at the top level, with their defaults. */
static void add_groups(struct settings *settings, size_t offset, size_t count)
{
	const struct option_row *option = options_root.options;

	while (option->offset != offset)
		option++;
	value_reserve(option, count, settings);
	for (size_t i = 0; i < count; i++)
		value_set_defaults(option->section, value_add_element(option, settings));
}

static void name_pool(struct settings_pool *pool, const char *backend, enum pool_role role)
{
	pool->backend = mem_strdup(backend);
	pool->shard = mem_strdup("main");
	pool->policy.role = role;
}

struct settings *settings_new_main(const char *master, const char *replica, size_t haproxy_count)
{
	struct settings *settings = mem_calloc(1, sizeof(*settings));
	size_t pools = 0;

	value_set_defaults(&options_root, settings);
	add_groups(settings, offsetof(struct settings, shards), 1);
	settings->shards[0].name = mem_strdup("main");
	add_groups(settings, offsetof(struct settings, pools), !!master + !!replica);
	if (master)
		name_pool(&settings->pools[pools++], master, POOL_MASTER);
	if (replica)
		name_pool(&settings->pools[pools], replica, POOL_REPLICA);
	if (haproxy_count > 0)
		add_groups(settings, offsetof(struct settings, haproxies), haproxy_count);
	return settings;
}

/* The address with what HAProxy does not take in a server's name left out or made a dash. */
static char *name_after(const char *address)
{
	char *name = mem_calloc(strlen(address) + 1, 1);
	size_t length = 0;

	for (; *address; address++)
		if (*address != '[' && *address != ']')
			name[length++] = *address;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("_.:-", name[i]))
			name[i] = '-';
	return name;
}

static void read_node(struct settings_shard *shard, const char *text,
		      struct settings_errors *errors)
{
	struct settings_node *node = &shard->nodes[shard->node_count];

	if (address_parse(text, &node->address) != 0 ||
	    (node->address.kind != ADDRESS_UNIX && node->address.port == 0)) {
		settings_errors_add(errors,
				    "--node %s: this is no address: write host:port, [::1]:port or "
				    "unix:/path",
				    text);
		return;
	}
	for (size_t i = 0; i < shard->node_count; i++) {
		if (address_equal(&node->address, &shard->nodes[i].address))
			settings_errors_add(errors,
					    "--node %s: this node is named twice: once is enough",
					    text);
	}
	node->name = name_after(text);
	shard->node_count++;
}

int settings_from_nodes(const char *const *addresses, size_t count, struct settings **ret_settings,
			struct settings_errors *errors)
{
	struct settings *settings = settings_new_main("master", "replica", 0);
	struct settings_shard *shard = &settings->shards[0];
	size_t before = errors->count;

	shard->nodes = mem_calloc(count, sizeof(*shard->nodes));
	for (size_t i = 0; i < count; i++)
		read_node(shard, addresses[i], errors);
	if (count == 0)
		settings_errors_add(errors, "there is no node to watch: name one with --node");
	if (errors->count != before) {
		settings_free(settings);
		return -EINVAL;
	}
	*ret_settings = settings;
	return 0;
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	for (size_t i = 0; i < settings->shard_count; i++)
		secret_wipe(&settings->shards[i].auth.password);
	value_free_all(&options_root, settings);
	free(settings);
}
