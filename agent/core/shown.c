/*
 * Reads what HAProxy prints on its runtime socket. It owns the servers and a hash table over their
 * names. The output of a batch has no framing that holds in every version, so each line is judged
 * by what it begins with and by the table that it stands in; what fits nowhere is kept as a
 * message. It refuses to know what was asked, and what is wanted.
 */
#include "core/shown.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum table { TABLE_NONE, TABLE_INFO, TABLE_STATE, TABLE_STAT };

/* FIELD_SHARED: a number that the other table has too; where it is missing, that one's stays. */
enum field_type { FIELD_TEXT, FIELD_NUMBER, FIELD_SHARED, FIELD_MARK, FIELD_NAME, FIELD_KIND };

struct field {
	enum table table;
	const char *column;
	enum field_type type;
	size_t offset, size;
};

#define FIELD(table, column, type, member)                                  \
	{                                                                   \
		table, column, type, offsetof(struct shown_server, member), \
			sizeof(((struct shown_server *)0)->member)          \
	}

/* Management.txt, 9.1 (CSV) and "show servers state". */
static const struct field fields[] = {
	FIELD(TABLE_STATE, "be_name", FIELD_NAME, backend),
	FIELD(TABLE_STATE, "srv_name", FIELD_NAME, name),
	FIELD(TABLE_STATE, "srv_addr", FIELD_TEXT, address),
	FIELD(TABLE_STATE, "srv_port", FIELD_NUMBER, port),
	FIELD(TABLE_STATE, "srv_uweight", FIELD_NUMBER, weight),
	FIELD(TABLE_STATE, "srv_iweight", FIELD_NUMBER, initial_weight),
	FIELD(TABLE_STATE, "srv_admin_state", FIELD_NUMBER, admin_state),
	FIELD(TABLE_STATE, "srv_agent_state", FIELD_NUMBER, agent_state),
	FIELD(TABLE_STAT, "pxname", FIELD_NAME, backend),
	FIELD(TABLE_STAT, "svname", FIELD_NAME, name),
	FIELD(TABLE_STAT, "status", FIELD_TEXT, status),
	FIELD(TABLE_STAT, "agent_health", FIELD_MARK, agent),
	FIELD(TABLE_STAT, "last_agt", FIELD_TEXT, last_agent),
	FIELD(TABLE_STAT, "check_status", FIELD_TEXT, check_status),
	FIELD(TABLE_STAT, "uweight", FIELD_SHARED, weight),
	FIELD(TABLE_STAT, "scur", FIELD_NUMBER, sessions),
	{ TABLE_STAT, "type", FIELD_KIND, 0, 0 },
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))
#define COLUMNS_MAX 256 /* HAProxy 3.5 prints 106 */

/* A cell as it is printed, with its quotes if it has any. */
struct cell {
	const char *data;
	size_t length;
};

struct reader {
	struct shown *shown;
	const char *at, *end;
	enum table table;
	unsigned char columns[COLUMNS_MAX]; /* field number + 1, or 0 */
};

void shown_init(struct shown *shown)
{
	*shown = (struct shown){ .pid = -1, .start_s = -1 };
}

void shown_done(struct shown *shown)
{
	free(shown->servers);
	free(shown->slots);
	shown_init(shown);
}

/* ---- servers by name ---- */

/* FNV-1a, 64 bits; the NUL after each name counts, so that "a", "bc" is not "ab", "c". */
static size_t hash_names(const char *backend, const char *name)
{
	const char *names[] = { backend, name };
	uint64_t hash = 0xcbf29ce484222325U;

	for (size_t i = 0; i < 2; i++) {
		const char *c = names[i];

		do
			hash = (hash ^ (unsigned char)*c) * 0x100000001b3U;
		while (*c++);
	}
	return (size_t)(hash ^ (hash >> 32));
}

/* The slot of a server, or the empty one where it belongs. There is always an empty one. */
static size_t *find_slot(const struct shown *shown, const char *backend, const char *name)
{
	size_t at = hash_names(backend, name);

	for (;; at++) {
		size_t *slot = &shown->slots[at & (shown->slot_count - 1)];
		const struct shown_server *server;

		if (!*slot)
			return slot;
		server = &shown->servers[*slot - 1];
		if (strcmp(server->name, name) == 0 && strcmp(server->backend, backend) == 0)
			return slot;
	}
}

/* There is room for half as many servers as there are slots. */
static void grow(struct shown *shown)
{
	shown->slot_count = shown->slot_count ? 2 * shown->slot_count : 16;
	free(shown->slots);
	shown->slots = mem_calloc(shown->slot_count, sizeof(*shown->slots));
	shown->servers = mem_resize(shown->servers, shown->slot_count / 2, sizeof(*shown->servers));
	for (size_t i = 0; i < shown->count; i++) {
		const struct shown_server *server = &shown->servers[i];

		*find_slot(shown, server->backend, server->name) = i + 1;
	}
}

struct shown_server *shown_find(const struct shown *shown, const char *backend, const char *name)
{
	size_t number = shown->slot_count ? *find_slot(shown, backend, name) : 0;

	return number ? &shown->servers[number - 1] : NULL;
}

/* ---- cells ---- */

/* HAProxy's NULs and line breaks are no part of a text that goes to logs and status. */
static char printable(char c)
{
	if ((unsigned char)c < ' ' || c == '\x7f')
		return ' ';
	return c;
}

/* Without quotes, cut to @size - 1 bytes. False: it was cut. */
static bool cell_decode(const struct cell *cell, char *text, size_t size)
{
	bool quoted = cell->length > 0 && cell->data[0] == '"';
	size_t length = 0, i = quoted ? 1 : 0;

	for (; i < cell->length && length < size - 1; i++) {
		if (quoted && cell->data[i] == '"') {
			i++;
			if (i >= cell->length || cell->data[i] != '"')
				break;
		}
		text[length++] = printable(cell->data[i]);
	}
	text[length] = '\0';
	return i >= cell->length || length < size - 1;
}

static void clear_field(struct shown_server *server, const struct field *field)
{
	char *member = (char *)server + field->offset;

	if (field->type == FIELD_TEXT)
		member[0] = '\0';
	else if (field->type == FIELD_NUMBER)
		memcpy(member, &(int64_t){ -1 }, sizeof(int64_t));
	else if (field->type == FIELD_MARK)
		server->agent = SHOWN_AGENT_NONE;
}

/* A check under way is shown as "* L7OK"; what is not set, in the state table, as "-". */
static void set_text(char *member, size_t size, const char *value)
{
	if (strncmp(value, "* ", 2) == 0)
		value += 2;
	if (strcmp(value, "-") != 0)
		text_copy(member, size, value, strlen(value));
}

static void set_field(struct shown_server *server, const struct field *field,
		      const struct cell *cell)
{
	char *member = (char *)server + field->offset;
	char value[SHOWN_TEXT_SIZE];
	int64_t number = -1;
	bool is_number;

	(void)cell_decode(cell, value, sizeof(value));
	is_number = text_to_int64(value, strlen(value), &number) && number >= 0;
	if (field->type == FIELD_SHARED && !is_number)
		return;
	clear_field(server, field);
	if (field->type == FIELD_TEXT)
		set_text(member, field->size, value);
	else if ((field->type == FIELD_NUMBER || field->type == FIELD_SHARED) && is_number)
		memcpy(member, &number, sizeof(number));
	else if (field->type == FIELD_MARK && is_number)
		server->agent = number > 0 ? SHOWN_AGENT_OPEN : SHOWN_AGENT_CLOSED;
}

static struct shown_server *add_server(struct shown *shown, const char *backend, const char *name)
{
	struct shown_server *server = shown_find(shown, backend, name);

	if (server)
		return server;
	if (!shown->servers || 2 * (shown->count + 1) > shown->slot_count)
		grow(shown);
	server = &shown->servers[shown->count];
	memset(server, 0, sizeof(*server));
	text_copy(server->backend, sizeof(server->backend), backend, strlen(backend));
	text_copy(server->name, sizeof(server->name), name, strlen(name));
	for (size_t i = 0; i < FIELD_COUNT; i++)
		clear_field(server, &fields[i]);
	*find_slot(shown, backend, name) = ++shown->count;
	return server;
}

/* ---- rows ---- */

/* Past a quoted text; at the end if its closing quote is missing. */
static const char *skip_quoted(const char *at, const char *end)
{
	for (at++; at < end; at++) {
		if (*at != '"')
			continue;
		if (at + 1 == end || at[1] != '"')
			return at + 1;
		at++;
	}
	return end;
}

/* Takes the next cell of a row and its separator. False: it was the row's last. */
static bool next_cell(struct reader *reader, struct cell *ret_cell)
{
	const char *at = reader->at, *end = reader->end;
	char separator = reader->table == TABLE_STAT ? ',' : ' ';
	bool more;

	ret_cell->data = at;
	if (reader->table == TABLE_STAT && at < end && *at == '"')
		at = skip_quoted(at, end);
	while (at < end && *at != separator && *at != '\n')
		at++;
	ret_cell->length = (size_t)(at - ret_cell->data);
	more = at < end && *at == separator;
	reader->at = at < end ? at + 1 : end;
	return more;
}

static unsigned char find_field(enum table table, const struct cell *column)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (fields[i].table == table &&
		    text_equal(column->data, column->length, fields[i].column))
			return (unsigned char)(i + 1);
	return 0;
}

static void read_header(struct reader *reader, enum table table)
{
	struct cell column;
	bool more = true;

	reader->table = table;
	reader->at += strlen("# ");
	memset(reader->columns, 0, sizeof(reader->columns));
	for (size_t i = 0; more; i++) {
		more = next_cell(reader, &column);
		if (i < COLUMNS_MAX)
			reader->columns[i] = find_field(table, &column);
	}
}

/*
 * The server that a row speaks of. NULL: a name too long to keep (cut, it could be another
 * server's), or no server: type 2 is, frontends and backends are others.
 */
static struct shown_server *row_server(struct shown *shown, enum table table,
				       const struct cell *cells)
{
	char names[2][SHOWN_NAME_SIZE];
	size_t count = 0;

	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (fields[i].table != table)
			continue;
		if (fields[i].type == FIELD_KIND && cells[i].data &&
		    !text_equal(cells[i].data, cells[i].length, "2"))
			return NULL;
		if (fields[i].type != FIELD_NAME)
			continue;
		if (!cell_decode(&cells[i], names[count], sizeof(names[0])) || !names[count][0])
			return NULL;
		count++;
	}
	return add_server(shown, names[0], names[1]);
}

static void read_row(struct reader *reader)
{
	struct cell cells[FIELD_COUNT] = { 0 }, cell;
	struct shown_server *server;
	bool more = true;

	for (size_t i = 0; more; i++) {
		more = next_cell(reader, &cell);
		if (i < COLUMNS_MAX && reader->columns[i])
			cells[reader->columns[i] - 1] = cell;
	}
	server = row_server(reader->shown, reader->table, cells);
	if (!server)
		return;
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (fields[i].table == reader->table)
			set_field(server, &fields[i], &cells[i]);
	server->in_state |= reader->table == TABLE_STATE;
	server->in_stat |= reader->table == TABLE_STAT;
}

/* ---- lines ---- */

static bool starts_with(const char *s, size_t length, const char *start)
{
	return length >= strlen(start) && memcmp(s, start, strlen(start)) == 0;
}

static void set_info(struct shown *shown, const char *key, size_t key_length, const char *value,
		     size_t length)
{
	int64_t number;

	if (text_equal(key, key_length, "Version"))
		text_copy(shown->version, sizeof(shown->version), value, length);
	else if (!text_to_int64(value, length, &number))
		return;
	else if (text_equal(key, key_length, "Pid"))
		shown->pid = number;
	else if (text_equal(key, key_length, "Start_time_sec"))
		shown->start_s = number;
	else if (text_equal(key, key_length, "Stopping"))
		shown->stopping = number != 0;
}

/* `show info` has no header: its first line is the product's name. */
static bool read_info(struct reader *reader, const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);
	const char *end = line + length;

	if (starts_with(line, length, "Name: "))
		reader->table = TABLE_INFO;
	if (reader->table != TABLE_INFO || !colon)
		return false;
	if (end - colon >= 2)
		set_info(reader->shown, line, (size_t)(colon - line), colon + 2,
			 (size_t)(end - colon - 2));
	return true;
}

static void read_line(struct reader *reader)
{
	size_t rest = (size_t)(reader->end - reader->at);
	const char *line = reader->at;
	const char *newline = memchr(line, '\n', rest);
	size_t length = newline ? (size_t)(newline - line) : rest;
	struct cell whole = { line, length };

	reader->at = newline ? newline + 1 : reader->end;
	if (length == 0) {
		reader->table = TABLE_NONE;
		return;
	}
	/* "1" is the format of the state table that follows. */
	if (read_info(reader, line, length) || text_equal(line, length, "1"))
		return;
	if (!reader->shown->message[0])
		(void)cell_decode(&whole, reader->shown->message, sizeof(reader->shown->message));
}

void shown_read(struct shown *shown, const char *output, size_t length)
{
	struct reader reader = { .shown = shown, .at = output, .end = output + length };

	shown->message[0] = '\0';
	while (reader.at < reader.end) {
		size_t rest = (size_t)(reader.end - reader.at);

		if (starts_with(reader.at, rest, "# be_id "))
			read_header(&reader, TABLE_STATE);
		else if (starts_with(reader.at, rest, "# pxname,"))
			read_header(&reader, TABLE_STAT);
		else if (reader.table >= TABLE_STATE && *reader.at != '\n')
			read_row(&reader);
		else
			read_line(&reader);
	}
}

/* ---- questions ---- */

#define ADMIN_MAINT	 (1 | 2 | 32) /* not 4: it stays when the server leaves a configured maint */
#define ADMIN_DRAIN	 (8 | 16)
#define AGENT_CONFIGURED 2

static bool has_bits(int64_t value, int64_t bits)
{
	return value > 0 && (value & bits) != 0;
}

bool shown_is_up(const struct shown_server *server)
{
	return strncmp(server->status, "UP", 2) == 0 || strcmp(server->status, "no check") == 0;
}

bool shown_is_maint(const struct shown_server *server)
{
	return has_bits(server->admin_state, ADMIN_MAINT);
}

bool shown_is_drain(const struct shown_server *server)
{
	return has_bits(server->admin_state, ADMIN_DRAIN);
}

bool shown_has_agent(const struct shown_server *server)
{
	return server->agent != SHOWN_AGENT_NONE || has_bits(server->agent_state, AGENT_CONFIGURED);
}

int64_t shown_weight_percent(const struct shown_server *server)
{
	if (server->weight < 0 || server->initial_weight <= 0 || server->weight > INT32_MAX ||
	    server->initial_weight > INT32_MAX)
		return -1;
	/* HAProxy cuts off what is behind the point: 33 % of 50 are 16, shown as 32 %. */
	return (2 * 100 * server->weight + server->initial_weight) / (2 * server->initial_weight);
}
