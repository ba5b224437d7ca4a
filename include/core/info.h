/*
 * The facts in Redis' INFO, read in place. Any order of lines, unknown fields, missing fields and
 * nonsense are fine: what is missing, out of range or malformed is unknown.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A number that INFO did not give. (-1 is taken: Redis itself says -1 for "never".) */
#define INFO_UNKNOWN INT64_MIN

#define INFO_ID_SIZE   41  /* run ids and replication ids: 40 hex digits */
#define INFO_HOST_SIZE 256 /* a host name as in Redis' own limits */

enum info_role {
	INFO_ROLE_UNKNOWN, /* no `role:` line, as from a Sentinel's port */
	INFO_ROLE_MASTER,
	INFO_ROLE_REPLICA, /* `slave`, or `replica` as Dragonfly may say */
	INFO_ROLE_OTHER,   /* a word that we do not route by, KeyDB's `active-replica` among them */
};

enum info_section { INFO_SERVER, INFO_PERSISTENCE, INFO_KEYSPACE, INFO_REPLICATION, INFO_SECTIONS };

/** Redis 6.2's master_failover_state. */
enum info_failover { INFO_FAILOVER_NONE, INFO_FAILOVER_WAITING, INFO_FAILOVER_IN_PROGRESS };

/** Text fields are empty when unknown, numbers INFO_UNKNOWN. */
struct info {
	/* INFO server */
	char run_id[INFO_ID_SIZE];
	char mode[16]; /* redis_mode: standalone, sentinel, cluster */
	char version[24];
	int64_t uptime_s;
	/* INFO persistence */
	int64_t loading;       /* 1 while the data set is read from disk or master */
	int64_t async_loading; /* 1 while it is read beside the old one, which is served (7.0) */
	/* INFO keyspace */
	int64_t keys; /* summed over the databases; 0 when the section is empty */
	/* INFO replication */
	enum info_role role;
	char replid[INFO_ID_SIZE];
	char replid2[INFO_ID_SIZE]; /* empty also for forty zeros, Redis' "none" */
	int64_t offset;		    /* master_repl_offset */
	int64_t second_offset;	    /* second_repl_offset; -1: none */
	int64_t connected_replicas;
	enum info_failover failover;
	/* … of a replica */
	char master_host[INFO_HOST_SIZE];
	int64_t master_port;
	int64_t link_up;     /* 1 up, 0 down */
	int64_t last_io_s;   /* since the master was last heard; -1 never */
	int64_t link_down_s; /* since the link went down; -1 never was up */
	int64_t sync_in_progress;
	int64_t replica_offset; /* slave_repl_offset: applied */
	int64_t priority;
};

/** Everything unknown. */
void info_init(struct info *info);

/**
 * Reads the reply to `INFO @section`, @length bytes at @reply, no NUL needed. The section's own
 * fields are unknown first, those of other sections stay. Returns 0, or -EBADMSG if the section's
 * first need is not met (no `role:` in INFO replication); the fields found are kept all the same.
 */
int info_read(struct info *info, enum info_section section, const char *reply, size_t length)
	__attribute__((warn_unused_result));

/** True when the node serves commands as far as INFO tells: it is not loading. */
bool info_is_serving(const struct info *info);
