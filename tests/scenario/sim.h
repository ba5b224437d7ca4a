/*
 * A simulated group of Redis nodes: roles, histories, offsets, deaths. What a probe would see of
 * each is given as INFO text and as the outcome of a round, so that the parser is in the loop too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/observation.h"

#define SIM_NODES  8
#define SIM_NOBODY (-1)

enum sim_health {
	SIM_WELL,
	SIM_DEAD,   /* connections are refused */
	SIM_FROZEN, /* they are accepted, and nothing comes */
	SIM_DARK,   /* dead, and packets vanish */
};

/** What a new process has of the old one's data. */
enum sim_data {
	SIM_DATA_SNAPSHOT, /* an old snapshot */
	SIM_DATA_SAVED,	   /* all, by SHUTDOWN SAVE: it looks as if promoted, but for its run id */
	SIM_DATA_NONE,
};

struct sim_node {
	char name[16];
	enum sim_health health;
	bool master;
	bool link_up, syncing, loading, busy, denied;
	bool blank;	     /* a replica that never had a copy */
	bool masterdown;     /* it refuses stale reads */
	bool mute;	     /* its link is up, but no byte comes through */
	int follows;	     /* of a replica: index */
	int generation;	     /* counts processes: the run id */
	int replid, replid2; /* histories are numbered; 0 none */
	int64_t offset, second_offset;
	int64_t link_lost_ms; /* or mute */
	bool broke;	      /* its connections were cut since the last probe */
};

struct sim {
	struct sim_node nodes[SIM_NODES];
	size_t count;
	int histories;
	int64_t now_ms;
};

int sim_find(const struct sim *sim, const char *name);

/** Brings offsets forward to @now_ms: a living master writes one byte a millisecond. */
void sim_advance(struct sim *sim, int64_t now_ms);

void sim_start_master(struct sim *sim, int node);
void sim_follow(struct sim *sim, int node, int master);
/** @kill_clients: as Sentinel does it, in one transaction. */
void sim_promote(struct sim *sim, int node, bool kill_clients);
void sim_die(struct sim *sim, int node);
/** A new process: a standalone master. */
void sim_restart(struct sim *sim, int node, enum sim_data data);
/** A dead node's host is gone too. */
void sim_vanish(struct sim *sim, int node);
void sim_freeze(struct sim *sim, int node);
void sim_thaw(struct sim *sim, int node);
void sim_set_link(struct sim *sim, int node, bool up);
/** Packets to the replica are dropped without a word. */
void sim_mute_link(struct sim *sim, int node);
/** A master without replicas for repl-backlog-ttl begins a new history. */
void sim_renew(struct sim *sim, int node);

/** What a round begun now would see, answered at @at_ms. For a frozen node: a miss. */
void sim_observe(struct sim *sim, int node, int64_t at_ms, struct observation *ret_observation);
