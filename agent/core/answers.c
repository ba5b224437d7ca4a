/*
 * The book of agent-check answers. It owns the lines' texts, the table that finds them by name, and
 * the memory of what askers may still believe: a line is `open` from its first `up` until something
 * that closes it is told, whatever the picture says meanwhile. It refuses to know who asks and how
 * the text travels, and decides nothing but when an `up` may be told.
 */
#include "core/answers.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/askers.h"

#define SLACK_MS 20 /* askers are not that punctual */

struct line {
	size_t pool;
	const char *query; /* in the pool's names */
	size_t query_length;
	const char *node; /* the end of `query` */
	char text[ANSWERS_TEXT_SIZE];
	size_t length; /* of text; 0: nothing is said */
	struct verdict verdict;
	bool known;	       /* more than not-yet was said of it */
	struct askers *askers; /* NULL in replica pools */
	bool open;	       /* the last text that closes or opens it was `up` */
	int64_t due_ms;	       /* closed long enough for all askers to know; 0 never open */
};

struct pool {
	const struct pool_policy *policy;
	size_t first, count;
	char *names;
	struct askers *askers;
	int64_t deadline_ms; /* the next text that changes by time alone */
};

struct answers {
	int64_t handover_wait_ms;
	struct line *lines;
	size_t line_count;
	struct pool *pools;
	size_t pool_count;
	size_t *slots; /* line number + 1, or 0; linear probing */
	size_t slot_count;
	int64_t deadline_ms; /* of all pools, or before */
	bool silent;	     /* nothing is said while an `up` is withheld */
};

struct answers *answers_new(int64_t handover_wait_ms)
{
	struct answers *answers = mem_calloc(1, sizeof(*answers));

	answers->handover_wait_ms = handover_wait_ms;
	answers->deadline_ms = INT64_MAX;
	return answers;
}

void answers_free(struct answers *answers)
{
	if (!answers)
		return;
	for (size_t i = 0; i < answers->pool_count; i++) {
		free(answers->pools[i].names);
		free(answers->pools[i].askers);
	}
	free(answers->pools);
	free(answers->lines);
	free(answers->slots);
	free(answers);
}

static size_t hash_query(const char *query, size_t length)
{
	uint64_t hash = text_hash(query, length);

	return (size_t)(hash ^ (hash >> 32));
}

static void table_insert(struct answers *answers, size_t line)
{
	const struct line *entry = &answers->lines[line];
	size_t slot = hash_query(entry->query, entry->query_length);

	while (answers->slots[slot & (answers->slot_count - 1)])
		slot++;
	answers->slots[slot & (answers->slot_count - 1)] = line + 1;
}

/* Never more than half full, so that a name that is not there is soon known not to be. */
static void table_grow(struct answers *answers)
{
	size_t count = answers->slot_count ? answers->slot_count : 16;

	while (count < 2 * answers->line_count)
		count *= 2;
	if (count == answers->slot_count)
		return;
	free(answers->slots);
	answers->slots = mem_calloc(count, sizeof(*answers->slots));
	answers->slot_count = count;
	for (size_t i = 0; i < answers->line_count; i++)
		table_insert(answers, i);
}

bool answers_find(const struct answers *answers, const char *query, size_t length, size_t *ret_line)
{
	size_t mask = answers->slot_count - 1;

	if (!answers->slot_count)
		return false;
	for (size_t slot = hash_query(query, length); answers->slots[slot & mask]; slot++) {
		size_t line = answers->slots[slot & mask] - 1;
		const struct line *entry = &answers->lines[line];

		if (entry->query_length == length && memcmp(entry->query, query, length) == 0) {
			*ret_line = line;
			return true;
		}
	}
	return false;
}

/* All `backend/node` of a pool in one block. */
static char *join_names(const struct answers_pool *setup)
{
	size_t backend_length = strlen(setup->backend), size = 0, at = 0;
	char *names;

	for (size_t i = 0; i < setup->node_count; i++)
		size += backend_length + strlen(setup->nodes[i]) + 2;
	names = mem_calloc(size, 1);
	for (size_t i = 0; i < setup->node_count; i++) {
		struct text text;

		text_init(&text, names + at, size - at);
		text_addf(&text, "%s/%s", setup->backend, setup->nodes[i]);
		at += text.length + 1;
	}
	return names;
}

static void add_lines(struct answers *answers, const struct pool *pool, size_t backend_length)
{
	const char *name = pool->names;

	for (size_t i = 0; i < pool->count; i++) {
		struct line *line = &answers->lines[pool->first + i];

		*line = (struct line){ .pool = answers->pool_count - 1,
				       .query = name,
				       .query_length = strlen(name),
				       .node = name + backend_length + 1,
				       .askers = pool->askers ? &pool->askers[i] : NULL };
		name += line->query_length + 1;
	}
}

size_t answers_add_pool(struct answers *answers, const struct answers_pool *setup)
{
	size_t first = answers->line_count;
	struct pool *pool;

	answers->pools =
		mem_resize(answers->pools, answers->pool_count + 1, sizeof(*answers->pools));
	pool = &answers->pools[answers->pool_count++];
	*pool = (struct pool){ .policy = setup->policy,
			       .first = first,
			       .count = setup->node_count,
			       .names = join_names(setup),
			       .deadline_ms = INT64_MAX };
	if (setup->policy->role == POOL_MASTER)
		pool->askers = mem_calloc(pool->count, sizeof(*pool->askers));
	answers->line_count += pool->count;
	answers->lines = mem_resize(answers->lines, answers->line_count, sizeof(*answers->lines));
	add_lines(answers, pool, strlen(setup->backend));
	if (2 * answers->line_count > answers->slot_count) {
		table_grow(answers);
		return first;
	}
	for (size_t i = first; i < answers->line_count; i++)
		table_insert(answers, i);
	return first;
}

static bool owns_weights(const struct pool_policy *policy)
{
	return policy->role == POOL_MASTER ? policy->standby == STANDBY_WEIGHT : policy->weights;
}

/* Where the weight is the operator's, `up 0%` would leave it at 0 for ever: no later `up` would
 * raise it. */
static const char *closed_word(const struct pool_policy *policy, enum verdict_state state)
{
	if (state == VERDICT_DOWN)
		return "down";
	if (!owns_weights(policy) ||
	    (state == VERDICT_STANDBY && policy->standby != STANDBY_WEIGHT))
		return "stopped";
	return "up 0%";
}

/* HAProxy reads a line only up to its end: what does not fit is cut before it. */
static void line_end(struct line *line, struct text *text)
{
	line->text[text->length] = '\n';
	line->text[text->length + 1] = '\0';
	line->length = text->length + 1;
}

static void line_say_verdict(struct answers *answers, struct line *line)
{
	const struct pool *pool = &answers->pools[line->pool];
	const struct verdict *verdict = &line->verdict;
	struct text text;

	text_init(&text, line->text, sizeof(line->text) - 1);
	if (verdict->state != VERDICT_UP)
		text_add(&text, closed_word(pool->policy, verdict->state));
	else if (owns_weights(pool->policy))
		text_addf(&text, "up %d%%", verdict->weight);
	else
		text_add(&text, "up");
	text_addf(&text, " # %s%s", verdict->held ? "held: " : "", reason_token(verdict->reason));
	if (verdict->peer >= 0 && (size_t)verdict->peer < pool->count)
		text_addf(&text, " of %s",
			  answers->lines[pool->first + (size_t)verdict->peer].node);
	line_end(line, &text);
}

static void line_say_handover(struct answers *answers, struct line *line)
{
	const struct pool *pool = &answers->pools[line->pool];
	struct text text;

	text_init(&text, line->text, sizeof(line->text) - 1);
	text_addf(&text, "%s # held: handover", closed_word(pool->policy, VERDICT_STANDBY));
	line_end(line, &text);
}

static void line_say_nothing(struct line *line)
{
	line->text[0] = '\0';
	line->length = 0;
}

/* To be called before the text that closes the line is said. */
static void line_close(const struct answers *answers, struct line *line, int64_t now_ms)
{
	int64_t wait_ms = answers->handover_wait_ms;

	if (!line->open)
		return;
	if (wait_ms == ANSWERS_AUTO)
		wait_ms = askers_wait_ms(line->askers, now_ms);
	line->open = false;
	line->due_ms = now_ms + wait_ms + (wait_ms > 0 ? SLACK_MS : 0);
}

static void pool_wake_at(struct pool *pool, int64_t when_ms)
{
	if (when_ms < pool->deadline_ms)
		pool->deadline_ms = when_ms;
}

/*
 * Silence leaves askers with what they heard last. So a line that falls silent goes on saying what
 * closed it until all have heard it; and one that fell silent while open is closed when another is
 * to open.
 */
static void line_fall_silent(struct answers *answers, struct line *line, bool other_wanted,
			     int64_t now_ms)
{
	if (line->open && other_wanted) {
		line_close(answers, line, now_ms);
		line_say_handover(answers, line);
	}
	if (!line->open && now_ms < line->due_ms)
		pool_wake_at(&answers->pools[line->pool], line->due_ms);
	else
		line_say_nothing(line);
}

/* When @line may open: now or earlier, later, or INT64_MAX while another one is open. */
static int64_t opening_ms(const struct answers *answers, const struct line *line)
{
	const struct pool *pool = &answers->pools[line->pool];
	int64_t when_ms = 0;

	for (size_t i = pool->first; i < pool->first + pool->count; i++) {
		const struct line *other = &answers->lines[i];

		if (other == line)
			continue;
		if (other->open)
			return INT64_MAX;
		/* Who refuses connections takes no writes, whatever an asker believes. */
		if (!other->verdict.dead && other->due_ms > when_ms)
			when_ms = other->due_ms;
	}
	return when_ms;
}

static void line_open(struct answers *answers, struct line *line, int64_t now_ms)
{
	int64_t when_ms = line->open ? now_ms : opening_ms(answers, line);

	if (when_ms <= now_ms) {
		line->open = true;
		line_say_verdict(answers, line);
	} else {
		if (answers->silent)
			line_say_nothing(line);
		else
			line_say_handover(answers, line);
		pool_wake_at(&answers->pools[line->pool], when_ms);
	}
}

/* All closes come before any open. */
static void render_master_pool(struct answers *answers, struct pool *pool, int64_t now_ms)
{
	struct line *lines = answers->lines + pool->first;
	bool wanted = false;

	pool->deadline_ms = INT64_MAX;
	for (size_t i = 0; i < pool->count; i++)
		wanted = wanted || lines[i].verdict.state == VERDICT_UP;
	for (size_t i = 0; i < pool->count; i++) {
		if (lines[i].verdict.state == VERDICT_UP)
			continue;
		if (lines[i].verdict.state == VERDICT_UNKNOWN) {
			line_fall_silent(answers, &lines[i], wanted, now_ms);
			continue;
		}
		line_close(answers, &lines[i], now_ms);
		line_say_verdict(answers, &lines[i]);
	}
	for (size_t i = 0; i < pool->count; i++) {
		if (lines[i].verdict.state == VERDICT_UP)
			line_open(answers, &lines[i], now_ms);
	}
}

static void render_replica_pool(struct answers *answers, const struct pool *pool)
{
	for (size_t i = pool->first; i < pool->first + pool->count; i++) {
		if (answers->lines[i].verdict.state == VERDICT_UNKNOWN)
			line_say_nothing(&answers->lines[i]);
		else
			line_say_verdict(answers, &answers->lines[i]);
	}
}

/* True if there is anything new. */
static bool pool_take(struct answers *answers, const struct pool *pool,
		      const struct verdict *verdicts)
{
	bool changed = false;

	for (size_t i = 0; i < pool->count; i++) {
		struct line *line = &answers->lines[pool->first + i];

		if (line->known && verdict_equal(&line->verdict, &verdicts[i]) &&
		    line->verdict.dead == verdicts[i].dead)
			continue;
		line->verdict = verdicts[i];
		line->known |= verdicts[i].reason != REASON_NOT_YET;
		changed = true;
	}
	return changed;
}

void answers_publish(struct answers *answers, size_t first_line, const struct verdict *verdicts,
		     int64_t now_ms)
{
	struct pool *pool;

	if (first_line >= answers->line_count)
		return;
	pool = &answers->pools[answers->lines[first_line].pool];
	if (!pool_take(answers, pool, verdicts) && now_ms < pool->deadline_ms)
		return;
	if (pool->policy->role == POOL_MASTER)
		render_master_pool(answers, pool, now_ms);
	else
		render_replica_pool(answers, pool);
	if (pool->deadline_ms < answers->deadline_ms)
		answers->deadline_ms = pool->deadline_ms;
}

void answers_withhold_silently(struct answers *answers)
{
	answers->silent = true;
}

void answers_confirm(struct answers *answers, size_t first_line, int64_t now_ms)
{
	struct pool *pool = &answers->pools[answers->lines[first_line].pool];

	if (pool->policy->role != POOL_MASTER)
		return;
	for (size_t i = pool->first; i < pool->first + pool->count; i++)
		answers->lines[i].due_ms = 0;
	render_master_pool(answers, pool, now_ms);
}

void answers_tick(struct answers *answers, int64_t now_ms)
{
	if (now_ms < answers->deadline_ms)
		return;
	answers->deadline_ms = INT64_MAX;
	for (size_t i = 0; i < answers->pool_count; i++) {
		struct pool *pool = &answers->pools[i];

		if (pool->deadline_ms <= now_ms)
			render_master_pool(answers, pool, now_ms);
		if (pool->deadline_ms < answers->deadline_ms)
			answers->deadline_ms = pool->deadline_ms;
	}
}

int64_t answers_deadline_ms(const struct answers *answers)
{
	return answers->deadline_ms;
}

const char *answers_fetch(struct answers *answers, size_t line, uint64_t source, int64_t now_ms,
			  size_t *ret_length)
{
	struct line *entry = &answers->lines[line];

	if (entry->askers)
		askers_note(entry->askers, source, now_ms);
	*ret_length = entry->length;
	return entry->length ? entry->text : NULL;
}

const char *answers_peek(const struct answers *answers, size_t line)
{
	return answers->lines[line].length ? answers->lines[line].text : NULL;
}

bool answers_is_pending(const struct answers *answers, size_t line)
{
	return !answers->lines[line].known;
}
