/* What one probe round saw on one node. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/info.h"
#include "core/reply.h"

enum observation_outcome {
	OBSERVATION_ANSWERED, /* both replies came in time; they may be errors */
	OBSERVATION_REFUSED,  /* a connection was refused: nobody listens there */
	OBSERVATION_MISSED,   /* no answer in time, or the connection was lost and could not be made
				 anew */
};

struct observation {
	enum observation_outcome outcome;
	enum reply_class info_reply; /* to INFO replication, when answered */
	enum reply_class ping_reply; /* to PING */
	bool new_connection; /* the first since a connection broke: something happened there */
	int64_t sent_ms;     /* when the round began (monotonic): the facts are at least this new */
	int64_t at_ms;	     /* when its last reply, or its failure, was seen */
	char peer[INFO_HOST_SIZE]; /* numeric address that answered, "" for a Unix socket */
	struct info info;	   /* valid when answered and info_reply is REPLY_OK */
};
