/* A simulated group of Redis nodes. Its rules follow replication.c as far as INFO shows them. */
#include "sim.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

int sim_find(const struct sim *sim, const char *name)
{
	for (size_t i = 0; i < sim->count; i++)
		if (strcmp(sim->nodes[i].name, name) == 0)
			return (int)i;
	return SIM_NOBODY;
}

static bool is_alive(const struct sim_node *node)
{
	return node->health == SIM_WELL;
}

/* A link needs both ends; a master that left the history breaks it. */
static void update_links(struct sim *sim)
{
	for (size_t i = 0; i < sim->count; i++) {
		struct sim_node *node = &sim->nodes[i];

		if (node->master || node->follows == SIM_NOBODY)
			continue;
		if (node->link_up && (sim->nodes[node->follows].health == SIM_DEAD ||
				      sim->nodes[node->follows].health == SIM_DARK))
			sim_set_link(sim, (int)i, false);
	}
}

static void replicate(struct sim *sim)
{
	/* As many passes as nodes, so that chains are followed to their end. */
	for (size_t pass = 0; pass < sim->count; pass++) {
		for (size_t i = 0; i < sim->count; i++) {
			struct sim_node *node = &sim->nodes[i];
			struct sim_node *master;

			if (node->master || !is_alive(node) || !node->link_up || node->mute)
				continue;
			master = &sim->nodes[node->follows];
			if (!is_alive(master))
				continue;
			node->replid = master->replid;
			node->replid2 = master->replid2;
			node->second_offset = master->second_offset;
			node->offset = master->offset;
		}
	}
}

void sim_advance(struct sim *sim, int64_t now_ms)
{
	int64_t passed_ms = now_ms - sim->now_ms;

	if (passed_ms > 0) {
		for (size_t i = 0; i < sim->count; i++)
			if (sim->nodes[i].master && is_alive(&sim->nodes[i]))
				sim->nodes[i].offset += passed_ms;
		sim->now_ms = now_ms;
	}
	update_links(sim);
	replicate(sim);
}

void sim_start_master(struct sim *sim, int node)
{
	struct sim_node *it = &sim->nodes[node];

	it->master = true;
	it->follows = SIM_NOBODY;
	it->replid = ++sim->histories;
	it->replid2 = 0;
	it->second_offset = -1;
	it->offset = 1000;
	it->generation++;
}

void sim_set_link(struct sim *sim, int node, bool up)
{
	struct sim_node *it = &sim->nodes[node];

	if (it->link_up && !up)
		it->link_lost_ms = sim->now_ms;
	it->link_up = up;
	it->mute = false;
	if (up)
		it->syncing = it->blank = it->masterdown = false;
	replicate(sim);
}

void sim_mute_link(struct sim *sim, int node)
{
	sim->nodes[node].mute = true;
	sim->nodes[node].link_lost_ms = sim->now_ms;
}

void sim_renew(struct sim *sim, int node)
{
	struct sim_node *it = &sim->nodes[node];

	it->replid = ++sim->histories;
	it->replid2 = 0;
	it->second_offset = -1;
	replicate(sim);
}

void sim_follow(struct sim *sim, int node, int master)
{
	struct sim_node *it = &sim->nodes[node];

	it->master = false;
	it->follows = master;
	if (!it->generation)
		it->generation = 1;
	sim_set_link(sim, node, is_alive(&sim->nodes[master]));
	if (!it->link_up)
		it->link_lost_ms = sim->now_ms;
}

void sim_promote(struct sim *sim, int node, bool kill_clients)
{
	struct sim_node *it = &sim->nodes[node];

	if (it->master)
		return;
	it->master = true;
	it->follows = SIM_NOBODY;
	it->replid2 = it->replid;
	it->second_offset = it->offset + 1;
	it->replid = ++sim->histories;
	it->broke |= kill_clients;
}

void sim_die(struct sim *sim, int node)
{
	sim->nodes[node].health = SIM_DEAD;
	sim->nodes[node].broke = true;
	update_links(sim);
}

void sim_restart(struct sim *sim, int node, enum sim_data data)
{
	struct sim_node *it = &sim->nodes[node];

	it->health = SIM_WELL;
	it->broke = true;
	it->generation++;
	it->master = true;
	it->follows = SIM_NOBODY;
	it->link_up = it->mute = it->syncing = it->loading = it->busy = false;
	it->replid2 = data == SIM_DATA_NONE ? 0 : it->replid;
	it->replid = ++sim->histories;
	switch (data) {
	case SIM_DATA_SNAPSHOT: /* the old history as its second, with no point of promotion */
		it->second_offset = 1;
		break;
	case SIM_DATA_SAVED:
		it->second_offset = it->offset + 1;
		break;
	case SIM_DATA_NONE:
		it->second_offset = -1;
		it->offset = 0;
		break;
	}
}

void sim_vanish(struct sim *sim, int node)
{
	if (sim->nodes[node].health == SIM_DEAD)
		sim->nodes[node].health = SIM_DARK;
}

void sim_freeze(struct sim *sim, int node)
{
	if (sim->nodes[node].health == SIM_WELL)
		sim->nodes[node].health = SIM_FROZEN;
}

void sim_thaw(struct sim *sim, int node)
{
	if (sim->nodes[node].health == SIM_FROZEN)
		sim->nodes[node].health = SIM_WELL;
}

static void add_id(struct text *text, const char *field, const char *kind, int number)
{
	text_addf(text, "%s:%s%038d\r\n", field, number ? kind : "00", number);
}

/* Whole seconds since its link was lost, or fell silent. */
static long long lost_s(const struct sim *sim, const struct sim_node *node)
{
	return (long long)(sim->now_ms - node->link_lost_ms) / 1000;
}

static void add_link(struct text *text, const struct sim *sim, const struct sim_node *node)
{
	text_addf(text,
		  "master_host:%s\r\nmaster_port:6379\r\nmaster_link_status:%s\r\n"
		  "master_sync_in_progress:%d\r\nslave_repl_offset:%lld\r\n",
		  sim->nodes[node->follows].name, node->link_up ? "up" : "down", node->syncing,
		  node->blank ? 1 : (long long)node->offset);
	if (node->link_up)
		text_addf(text, "master_last_io_seconds_ago:%lld\r\n",
			  node->mute ? lost_s(sim, node) : 0);
	else
		text_addf(text,
			  "master_last_io_seconds_ago:-1\r\n"
			  "master_link_down_since_seconds:%lld\r\n",
			  node->blank ? -1 : lost_s(sim, node));
}

static void read_section(struct info *info, enum info_section section, struct text *text)
{
	int result = info_read(info, section, text->data, text->length);

	assert(!text->truncated && result == 0);
	(void)result;
	text_init(text, text->data, text->size);
}

/* The sections that the facts of the decision stand in, as Redis 7 writes them. */
static void read_info(const struct sim *sim, const struct sim_node *node, struct info *ret_info)
{
	char data[1024];
	struct text text;

	info_init(ret_info);
	text_init(&text, data, sizeof(data));
	text_add(&text, "# Server\r\nredis_mode:standalone\r\n");
	add_id(&text, "run_id", node->name, node->generation);
	read_section(ret_info, INFO_SERVER, &text);
	text_addf(&text, "# Persistence\r\nloading:%d\r\n", node->loading);
	read_section(ret_info, INFO_PERSISTENCE, &text);
	text_addf(&text,
		  "# Replication\r\nrole:%s\r\nmaster_repl_offset:%lld\r\n"
		  "second_repl_offset:%lld\r\n",
		  node->master ? "master" : "slave", (long long)node->offset,
		  (long long)node->second_offset);
	add_id(&text, "master_replid", "aa", node->replid);
	add_id(&text, "master_replid2", "aa", node->replid2);
	if (!node->master)
		add_link(&text, sim, node);
	read_section(ret_info, INFO_REPLICATION, &text);
}

static enum reply_class read_ping(const struct sim_node *node)
{
	if (node->loading)
		return REPLY_LOADING;
	return node->masterdown ? REPLY_MASTERDOWN : REPLY_OK;
}

void sim_observe(struct sim *sim, int node, int64_t at_ms, struct observation *ret_observation)
{
	struct sim_node *it = &sim->nodes[node];

	*ret_observation = (struct observation){
		.outcome = OBSERVATION_ANSWERED,
		.info_reply = REPLY_OK,
		.ping_reply = read_ping(it),
		.new_connection = it->broke,
		.sent_ms = sim->now_ms,
		.at_ms = at_ms,
	};
	it->broke = false;
	switch (it->health) {
	case SIM_DEAD:
		ret_observation->outcome = OBSERVATION_REFUSED;
		return;
	case SIM_FROZEN:
	case SIM_DARK:
		ret_observation->outcome = OBSERVATION_MISSED;
		return;
	case SIM_WELL:
		break;
	}
	if (it->busy || it->denied)
		ret_observation->info_reply = ret_observation->ping_reply =
			it->busy ? REPLY_BUSY : REPLY_NO_ACCESS;
	else
		read_info(sim, it, &ret_observation->info);
}
