/*
 * What a round asks and what it learns. On a new connection everything, since a run id changes only
 * with a new one; then the replication section and PING, with the persistence section while data is
 * being loaded. Refuses to know when to ask.
 */
#include "io/probe_round.h"

#include <stdlib.h>

#define FIRST_QUESTIONS \
	(PROBE_ASK_SERVER | PROBE_ASK_KEYSPACE | PROBE_ASK_PERSISTENCE | PLAIN_QUESTIONS)
#define LOADING_QUESTIONS (PROBE_ASK_PERSISTENCE | PLAIN_QUESTIONS)
#define PLAIN_QUESTIONS	  (PROBE_ASK_REPLICATION | PROBE_ASK_PING)

static void add_info(struct probe_commands *commands, const char *section)
{
	const char *argv[] = { "INFO", section };

	redis_format(&commands->bytes, &commands->length, 2, argv);
}

void probe_commands_init(struct probe_commands *commands)
{
	static const char *const ping[] = { "PING" };

	*commands = (struct probe_commands){ 0 };
	add_info(commands, "server");
	add_info(commands, "keyspace");
	commands->loading = commands->length;
	add_info(commands, "persistence");
	commands->plain = commands->length;
	add_info(commands, "replication");
	redis_format(&commands->bytes, &commands->length, 1, ping);
}

void probe_commands_done(struct probe_commands *commands)
{
	free(commands->bytes);
	commands->bytes = NULL;
}

void probe_round_reset(struct probe_round *round)
{
	*round = (struct probe_round){ .needs_all = true };
	info_init(&round->info);
}

static bool is_loading(const struct probe_round *round)
{
	return round->info.loading == 1 || round->info.async_loading == 1 ||
	       round->info.sync_in_progress == 1 || round->info_reply == REPLY_LOADING ||
	       round->ping_reply == REPLY_LOADING;
}

const char *probe_round_begin(struct probe_round *round, const struct probe_commands *commands,
			      size_t *ret_length)
{
	size_t start = commands->plain;

	round->expected = PLAIN_QUESTIONS;
	if (round->needs_all) {
		round->expected = FIRST_QUESTIONS;
		start = 0;
	} else if (is_loading(round)) {
		round->expected = LOADING_QUESTIONS;
		start = commands->loading;
	}
	round->info_reply = REPLY_NONE;
	round->ping_reply = REPLY_NONE;
	round->last_error = REPLY_NONE;
	*ret_length = commands->length - start;
	return commands->bytes + start;
}

void probe_round_expect_login(struct probe_round *round, bool password)
{
	round->expected |= PROBE_ASK_NAME;
	if (password)
		round->expected |= PROBE_ASK_AUTH;
}

/* The questions' bits are in the order of asking. */
enum probe_question probe_round_question(const struct probe_round *round)
{
	return round->expected & -round->expected;
}

static enum reply_class classify(const struct redis_value *value)
{
	if (value->type == REDIS_ERROR)
		return reply_classify_error(value->text, value->length);
	return REPLY_OK;
}

static enum reply_class read_section(struct probe_round *round, enum info_section section,
				     const struct redis_value *value)
{
	int missing;

	if (value->type == REDIS_ERROR)
		return classify(value);
	if (value->type != REDIS_STRING)
		return REPLY_OTHER_ERROR;
	/* What a section lacks is unknown in the facts: that says it all. */
	missing = info_read(&round->info, section, value->text, value->length);
	(void)missing;
	return REPLY_OK;
}

void probe_round_take(struct probe_round *round, const struct redis_value *value)
{
	if (value->depth > 0)
		return;
	round->last_error = value->type == REDIS_ERROR ? classify(value) : REPLY_NONE;
	switch (probe_round_question(round)) {
	case PROBE_ASK_SERVER:
		(void)read_section(round, INFO_SERVER, value);
		break;
	case PROBE_ASK_KEYSPACE:
		(void)read_section(round, INFO_KEYSPACE, value);
		break;
	case PROBE_ASK_PERSISTENCE:
		(void)read_section(round, INFO_PERSISTENCE, value);
		break;
	case PROBE_ASK_REPLICATION:
		round->info_reply = read_section(round, INFO_REPLICATION, value);
		break;
	case PROBE_ASK_PING:
		round->ping_reply = classify(value);
		break;
	default: /* login: what it is worth, the sections' replies say */
		break;
	}
}

void probe_round_next(struct probe_round *round)
{
	round->expected &= ~(unsigned int)probe_round_question(round);
}

void probe_round_finish(struct probe_round *round)
{
	/* A node that is busy, or does not let us in, has told nothing: all is asked again. */
	round->needs_all = round->info_reply != REPLY_OK;
}
