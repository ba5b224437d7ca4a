/*
 * The book of agent-check answers: for each server line of each pool the one line of text to send,
 * rendered when the picture changes. It also keeps old before new for those who only ask: a new
 * master's `up` is withheld until everybody who fetches the old one's line has had the time to
 * fetch its `down`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/picture.h"
#include "core/policy.h"

#define ANSWERS_TEXT_SIZE 100  /* one line with its newline and NUL: HAProxy wants it short */
#define ANSWERS_AUTO	  (-1) /* handover_wait "auto" */

struct answers;

/** One pool's lines; strings are copied. */
struct answers_pool {
	const char *backend;		  /* queries are `backend/node` */
	const struct pool_policy *policy; /* role, standby, weights; must outlive the book */
	const char *const *nodes;
	size_t node_count;
};

/** @handover_wait_ms: how long an `up` is withheld, or ANSWERS_AUTO. */
struct answers *answers_new(int64_t handover_wait_ms);
void answers_free(struct answers *answers);

/** Adds a pool; returns the number of its first line, the nodes' lines follow in order. All
 * unknown. */
size_t answers_add_pool(struct answers *answers, const struct answers_pool *pool);

/** Finds `backend/node`. False: no such line. */
bool answers_find(const struct answers *answers, const char *query, size_t length,
		  size_t *ret_line);

/** Takes a new picture of one pool: @verdicts for each of its nodes. @first_line as
 * answers_add_pool gave it. */
void answers_publish(struct answers *answers, size_t first_line, const struct verdict *verdicts,
		     int64_t now_ms);

/**
 * The runtime sockets are told too: an `up` that is withheld is then silence, which changes nothing
 * in HAProxy, and never a word that could close what was just pushed open.
 */
void answers_withhold_silently(struct answers *answers);

/**
 * It was seen over the runtime socket of every HAProxy that whatever is closed in the pool is
 * closed there: nobody has to be waited for.
 */
void answers_confirm(struct answers *answers, size_t first_line, int64_t now_ms);

/** Opens what was withheld and is due. To be called at the deadline. */
void answers_tick(struct answers *answers, int64_t now_ms);
int64_t answers_deadline_ms(const struct answers *answers);

/**
 * The text for one asker, with its newline; NULL and length 0: nothing is to be said. @source tells
 * askers apart (a hash of the peer's address). Valid until the next publish or tick.
 */
const char *answers_fetch(struct answers *answers, size_t line, uint64_t source, int64_t now_ms,
			  size_t *ret_length);

/** The same without being counted as an asker, for status and tests. */
const char *answers_peek(const struct answers *answers, size_t line);

/** True while nothing is known about the line yet: worth waiting for. */
bool answers_is_pending(const struct answers *answers, size_t line);
