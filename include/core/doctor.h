/*
 * The doctor: what is wrong, or could be better, between HAProxy, the nodes and the configuration;
 * a table of checks over facts that were gathered elsewhere. Each has a sentence for people and a
 * remedy to paste. It does not say which server should be up now: that is the picture's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "core/picture.h"
#include "core/policy.h"
#include "core/shown.h"

enum doctor_severity { DOCTOR_ADVICE, DOCTOR_DANGER };

/** What the facts are about; each check is for one of these. */
enum doctor_scope {
	DOCTOR_AGENT,	/* the configuration as a whole */
	DOCTOR_NODE,	/* a node as the agent sees it */
	DOCTOR_HAPROXY, /* one HAProxy */
	DOCTOR_BACKEND, /* a pool's backend in one HAProxy */
	DOCTOR_LINE,	/* a node of the pool in that backend */
	DOCTOR_STRANGER /* a server of that backend that is no node of the pool */
};

/** Where a server's address points to. */
enum doctor_place { DOCTOR_PLACE_SAME, DOCTOR_PLACE_OTHER_NODE, DOCTOR_PLACE_ELSEWHERE };

/** Of a wider scope than `scope`'s are set too; others are zero. Strings are borrowed, never NULL
 * where their scope is set. */
struct doctor_facts {
	enum doctor_scope scope;
	const char *agent; /* "127.0.0.1 agent-port 8100": for the remedies; set always */
	/* DOCTOR_AGENT */
	size_t haproxy_count;
	/* DOCTOR_HAPROXY, BACKEND, LINE, STRANGER */
	const char *haproxy; /* its socket, as one writes it */
	int status;	     /* 0, or negative errno: it could not be asked */
	const char *version; /* empty: what answers is no HAProxy */
	const char *level;   /* "admin", "operator", "user"; else not known */
	bool is_worker;	     /* a reload leaves an old worker behind */
	bool has_master;     /* its master's socket is configured */
	int64_t released;    /* as 20260630; -1 not known */
	/* DOCTOR_BACKEND, LINE, STRANGER */
	const char *backend;
	const struct pool_policy *policy;
	bool present;	       /* this HAProxy has it */
	bool elsewhere;	       /* another one has */
	const char *algorithm; /* "roundrobin", …; empty: not shown */
	bool weighs; /* a server has a weight that is neither 0 nor its own: it takes any */
	/* DOCTOR_NODE, LINE */
	const char *node, *address;
	const struct verdict *verdict; /* what the agent would say of it; of a node: in any pool */
	bool ping_refused;	       /* DOCTOR_NODE */
	/* DOCTOR_LINE, STRANGER */
	const struct shown_server *server; /* NULL: the backend has none for the node */
	enum doctor_place place;	   /* DOCTOR_LINE: where the server's address points to */
};

struct doctor_check {
	const char *id;
	enum doctor_severity severity;
	enum doctor_scope scope;
	bool (*test)(const struct doctor_facts *facts);
	const char *sentence;
	const char *remedy; /* lines; {backend} and such stand for the facts: doctor_write_remedy */
};

/** The first check after @previous (NULL: of all) that finds something in these facts, or NULL. */
const struct doctor_check *doctor_next(const struct doctor_facts *facts,
				       const struct doctor_check *previous);

/** The table, for the tests. */
const struct doctor_check *doctor_table(size_t *ret_count);

/** Appends the remedy with the facts filled in. */
void doctor_write_remedy(struct text *text, const struct doctor_check *check,
			 const struct doctor_facts *facts);

/** Reads `Release_date: 2026/10/17` out of `show info` as 20261017; -1: not there. */
int64_t doctor_read_release(const char *output, size_t length);

/**
 * Reads `show stat BACKEND 2 -1`: true if the backend exists. Its balancing algorithm goes to
 * @algorithm, empty where HAProxy does not show it (below level operator).
 */
bool doctor_read_backend(const char *output, size_t length, char *algorithm, size_t size);
