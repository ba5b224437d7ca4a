/*
 * INFO, read in place, one line `field:value` after the other. A table says for each field where it
 * goes and what values are sane; the reader knows no order and no version. What each version says
 * was read in Redis' and Valkey's sources (genRedisInfoString).
 */
#include "core/info.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* How a field's value is read. */
enum field_type { FIELD_NUMBER, FIELD_TEXT, FIELD_ID, FIELD_ROLE, FIELD_LINK, FIELD_FAILOVER };

struct field {
	const char *name;
	enum info_section section;
	enum field_type type;
	size_t offset;
	size_t size;		  /* of a text's buffer */
	int64_t minimum, maximum; /* of a number: what lies outside is unknown */
};

#define NUMBER(section, name, member, minimum, maximum)                                         \
	{                                                                                       \
		name, section, FIELD_NUMBER, offsetof(struct info, member), 0, minimum, maximum \
	}
#define OTHER(section, name, type, member)                          \
	{                                                           \
		name, section, type, offsetof(struct info, member), \
			sizeof(((struct info *)0)->member), 0, 0    \
	}

/* Over thirty years: Dragonfly once said 18446744073 seconds for "never" (dragonfly#4884). */
#define SECONDS_MAX 1000000000

static const struct field fields[] = {
	OTHER(INFO_SERVER, "run_id", FIELD_ID, run_id),
	OTHER(INFO_SERVER, "redis_mode", FIELD_TEXT, mode),
	OTHER(INFO_SERVER, "redis_version", FIELD_TEXT, version),
	NUMBER(INFO_SERVER, "uptime_in_seconds", uptime_s, 0, INT64_MAX),
	NUMBER(INFO_PERSISTENCE, "loading", loading, 0, 1),
	NUMBER(INFO_PERSISTENCE, "async_loading", async_loading, 0, 1),
	OTHER(INFO_REPLICATION, "role", FIELD_ROLE, role),
	OTHER(INFO_REPLICATION, "master_replid", FIELD_ID, replid),
	OTHER(INFO_REPLICATION, "master_replid2", FIELD_ID, replid2),
	NUMBER(INFO_REPLICATION, "master_repl_offset", offset, 0, INT64_MAX),
	NUMBER(INFO_REPLICATION, "second_repl_offset", second_offset, -1, INT64_MAX),
	NUMBER(INFO_REPLICATION, "connected_slaves", connected_replicas, 0, INT32_MAX),
	OTHER(INFO_REPLICATION, "master_failover_state", FIELD_FAILOVER, failover),
	OTHER(INFO_REPLICATION, "master_host", FIELD_TEXT, master_host),
	NUMBER(INFO_REPLICATION, "master_port", master_port, 0, 65535),
	OTHER(INFO_REPLICATION, "master_link_status", FIELD_LINK, link_up),
	NUMBER(INFO_REPLICATION, "master_last_io_seconds_ago", last_io_s, -1, SECONDS_MAX),
	NUMBER(INFO_REPLICATION, "master_link_down_since_seconds", link_down_s, -1, SECONDS_MAX),
	NUMBER(INFO_REPLICATION, "master_sync_in_progress", sync_in_progress, 0, 1),
	NUMBER(INFO_REPLICATION, "slave_repl_offset", replica_offset, 0, INT64_MAX),
	NUMBER(INFO_REPLICATION, "slave_priority", priority, 0, INT32_MAX),
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static void clear_field(struct info *info, const struct field *field)
{
	char *member = (char *)info + field->offset;

	switch (field->type) {
	case FIELD_NUMBER:
	case FIELD_LINK:
		memcpy(member, &(int64_t){ INFO_UNKNOWN }, sizeof(int64_t));
		break;
	case FIELD_TEXT:
	case FIELD_ID:
		member[0] = '\0';
		break;
	case FIELD_ROLE:
		info->role = INFO_ROLE_UNKNOWN;
		break;
	case FIELD_FAILOVER:
		info->failover = INFO_FAILOVER_NONE;
		break;
	}
}

void info_init(struct info *info)
{
	memset(info, 0, sizeof(*info));
	for (size_t i = 0; i < FIELD_COUNT; i++)
		clear_field(info, &fields[i]);
	info->keys = INFO_UNKNOWN;
}

static enum info_role read_role(const char *value, size_t length)
{
	if (text_equal(value, length, "master"))
		return INFO_ROLE_MASTER;
	if (text_equal(value, length, "slave") || text_equal(value, length, "replica"))
		return INFO_ROLE_REPLICA;
	return INFO_ROLE_OTHER;
}

static enum info_failover read_failover(const char *value, size_t length)
{
	if (text_equal(value, length, "waiting-for-sync"))
		return INFO_FAILOVER_WAITING;
	if (text_equal(value, length, "failover-in-progress"))
		return INFO_FAILOVER_IN_PROGRESS;
	return INFO_FAILOVER_NONE;
}

/* Forty zeros are Redis' way to say "none"; what is too long for an id is none. */
static void read_id(char *member, const char *value, size_t length)
{
	size_t zeros = 0;

	while (zeros < length && value[zeros] == '0')
		zeros++;
	if (length < INFO_ID_SIZE && zeros < length)
		text_copy(member, INFO_ID_SIZE, value, length);
}

static void read_field(struct info *info, const struct field *field, const char *value,
		       size_t length)
{
	char *member = (char *)info + field->offset;
	int64_t number;

	switch (field->type) {
	case FIELD_NUMBER:
		if (text_to_int64(value, length, &number) && number >= field->minimum &&
		    number <= field->maximum)
			memcpy(member, &number, sizeof(number));
		break;
	case FIELD_TEXT:
		text_copy(member, field->size, value, length);
		break;
	case FIELD_ID:
		read_id(member, value, length);
		break;
	case FIELD_ROLE:
		info->role = read_role(value, length);
		break;
	case FIELD_LINK:
		number = text_equal(value, length, "up");
		memcpy(member, &number, sizeof(number));
		break;
	case FIELD_FAILOVER:
		info->failover = read_failover(value, length);
		break;
	}
}

/* `db0:keys=12,expires=0,avg_ttl=0` */
static void add_keys(struct info *info, const char *name, size_t length, const char *value,
		     size_t value_length)
{
	const char *comma = memchr(value, ',', value_length);
	size_t end = comma ? (size_t)(comma - value) : value_length;
	int64_t keys;

	if (length < 3 || memcmp(name, "db", 2) != 0 || end < 5 || memcmp(value, "keys=", 5) != 0)
		return;
	if (text_to_int64(value + 5, end - 5, &keys) && keys >= 0 &&
	    __builtin_add_overflow(info->keys, keys, &info->keys))
		info->keys = INT64_MAX;
}

static void read_line(struct info *info, enum info_section section, const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);
	const char *value;
	size_t name;

	if (!colon)
		return;
	name = (size_t)(colon - line);
	value = colon + 1;
	if (section == INFO_KEYSPACE)
		add_keys(info, line, name, value, length - name - 1);
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (fields[i].section == section && text_equal(line, name, fields[i].name)) {
			read_field(info, &fields[i], value, length - name - 1);
			return;
		}
	}
}

int info_read(struct info *info, enum info_section section, const char *reply, size_t length)
{
	const char *end = reply + length;

	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (fields[i].section == section)
			clear_field(info, &fields[i]);
	if (section == INFO_KEYSPACE)
		info->keys = 0;
	while (reply < end) {
		const char *newline = memchr(reply, '\n', (size_t)(end - reply));
		const char *stop = newline ? newline : end;
		size_t line = (size_t)(stop - reply);

		while (line > 0 && reply[line - 1] == '\r')
			line--;
		read_line(info, section, reply, line);
		reply = newline ? newline + 1 : end;
	}
	return section == INFO_REPLICATION && info->role == INFO_ROLE_UNKNOWN ? -EBADMSG : 0;
}

bool info_is_serving(const struct info *info)
{
	return info->loading != 1;
}
