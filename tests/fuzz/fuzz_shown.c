/*
 * Fuzzes what is read from HAProxy's runtime socket. The first byte says where the input is cut in
 * two outputs, read one after the other, so that a seed is an output with one letter before it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/shown.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static void check_server(const struct shown *shown, const struct shown_server *server)
{
	int64_t percent = shown_weight_percent(server);

	require(is_text(server->backend, sizeof(server->backend)) && server->backend[0]);
	require(is_text(server->name, sizeof(server->name)));
	require(is_text(server->status, sizeof(server->status)));
	require(is_text(server->last_agent, sizeof(server->last_agent)));
	require(is_text(server->check_status, sizeof(server->check_status)));
	require(is_text(server->address, sizeof(server->address)));
	require(server->in_stat || server->in_state);
	require(server->agent <= SHOWN_AGENT_OPEN);
	require(server->sessions >= -1 && server->port >= -1 && server->weight >= -1);
	require(server->initial_weight >= -1 && server->admin_state >= -1);
	require(percent >= -1 && (percent < 0 || server->weight >= 0));
	require(!shown_is_maint(server) || server->admin_state > 0);
	require(!shown_is_drain(server) || server->admin_state > 0);
	require(shown_has_agent(server) || server->agent == SHOWN_AGENT_NONE);
	require(!shown_is_up(server) || server->in_stat);
	/* Found by its name, and only once. */
	require(shown_find(shown, server->backend, server->name) == server);
}

static void check_shown(const struct shown *shown)
{
	require(is_text(shown->version, sizeof(shown->version)));
	require(is_text(shown->message, sizeof(shown->message)));
	for (size_t i = 0; i < shown->count; i++)
		check_server(shown, &shown->servers[i]);
}

/* In a block of its own size, so that a read past its end is seen. */
static void read_block(struct shown *shown, const uint8_t *data, size_t size)
{
	char *block = malloc(size ? size : 1);

	require(block != NULL);
	memcpy(block, data, size);
	shown_read(shown, block, size);
	free(block);
	check_shown(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shown shown;
	size_t cut, count;

	if (size == 0)
		return 0;
	cut = 1 + (size - 1) * data[0] / 255;
	shown_init(&shown);
	read_block(&shown, data + 1, cut - 1);
	read_block(&shown, data + cut, size - cut);
	/* The same once more: nobody is new. */
	count = shown.count;
	read_block(&shown, data + cut, size - cut);
	require(shown.count == count);
	shown_done(&shown);
	return 0;
}
