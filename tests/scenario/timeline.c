/*
 * Plays timelines. One line a happening, `at MS SUBJECT VERB …`, told in the words that an operator
 * would use; README.md has the grammar.
 */
#include "timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "world.h"

#define WORDS_MAX 16
#define START_MS  1000 /* the agent's clock when a timeline is at 0 */

struct player {
	const char *path;
	int line;
	struct world world;
	struct shard_policy policy;
	size_t sentinels;
	bool started;
	bool failed;
	bool trace;
};

static void complain(struct player *player, const char *what, const char *word)
{
	fprintf(stderr, "%s:%d: %s%s%s\n", player->path, player->line, what, word ? " " : "",
		word ? word : "");
	player->failed = true;
}

static int find_node(struct player *player, const char *name)
{
	int node = name ? sim_find(&player->world.sim, name) : SIM_NOBODY;

	if (node == SIM_NOBODY)
		complain(player, "no such node:", name ? name : "(none given)");
	return node;
}

static void set_nodes(struct player *player, char **words)
{
	struct sim *sim = &player->world.sim;

	for (; *words && sim->count < SIM_NODES; words++) {
		struct sim_node *node = &sim->nodes[sim->count++];

		text_copy(node->name, sizeof(node->name), *words, strlen(*words));
		node->follows = SIM_NOBODY;
	}
}

static void set_option(struct player *player, char **words)
{
	const struct {
		const char *name;
		int64_t *value;
	} options[] = {
		{ "interval", &player->policy.interval_ms },
		{ "timeout", &player->policy.timeout_ms },
		{ "fall", &player->policy.fall },
		{ "tilt", &player->policy.tilt_ms },
		{ "orphan_confirm", &player->policy.orphan_confirm_ms },
		{ "link_grace", &player->policy.link_grace_ms },
		{ "orphan_grace", &player->policy.orphan_grace_ms },
		{ "start", &player->policy.start_ms },
	};

	for (size_t i = 0; words[0] && words[1] && i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(options[i].name, words[0]) == 0) {
			*options[i].value = atoll(words[1]);
			return;
		}
	}
	complain(player, "no such option:", words[0]);
}

static enum sim_data read_data(const char *word)
{
	if (word && strcmp(word, "empty") == 0)
		return SIM_DATA_NONE;
	return word && strcmp(word, "saved") == 0 ? SIM_DATA_SAVED : SIM_DATA_SNAPSHOT;
}

/* `NODE VERB [WORD]`. False: no such verb. */
static bool happen(struct player *player, int node, const char *verb, const char *word)
{
	struct sim *sim = &player->world.sim;
	struct sim_node *it = &sim->nodes[node];
	bool quietly = word && strcmp(word, "quietly") == 0;
	int other;

	if (strcmp(verb, "starts") == 0) {
		sim_start_master(sim, node);
	} else if (strcmp(verb, "follows") == 0) {
		other = find_node(player, word);
		if (other != SIM_NOBODY)
			sim_follow(sim, node, other);
	} else if (strcmp(verb, "promoted") == 0) {
		sim_promote(sim, node, !quietly);
	} else if (strcmp(verb, "dies") == 0) {
		sim_die(sim, node);
	} else if (strcmp(verb, "restarts") == 0) {
		sim_restart(sim, node, read_data(word));
	} else if (strcmp(verb, "vanishes") == 0) {
		sim_vanish(sim, node);
	} else if (strcmp(verb, "freezes") == 0) {
		sim_freeze(sim, node);
	} else if (strcmp(verb, "thaws") == 0) {
		sim_thaw(sim, node);
	} else if (strcmp(verb, "renews") == 0) {
		sim_renew(sim, node);
	} else if (strcmp(verb, "link") == 0 && word && strcmp(word, "mute") == 0) {
		sim_mute_link(sim, node);
	} else if (strcmp(verb, "link") == 0 && word) {
		sim_set_link(sim, node, strcmp(word, "up") == 0);
	} else if (strcmp(verb, "syncs") == 0) {
		sim_set_link(sim, node, false);
		it->syncing = true;
	} else if (strcmp(verb, "ages") == 0 && word) {
		it->link_lost_ms -= atoll(word);
	} else if (strcmp(verb, "blank") == 0) {
		sim_set_link(sim, node, false);
		it->blank = true;
	} else if (strcmp(verb, "refuses") == 0) {
		it->masterdown = true;
	} else if (strcmp(verb, "loads") == 0) {
		it->loading = true;
	} else if (strcmp(verb, "busy") == 0) {
		it->busy = true;
	} else if (strcmp(verb, "denies") == 0) {
		it->denied = true;
	} else if (strcmp(verb, "recovers") == 0) {
		it->loading = it->busy = it->denied = false;
	} else {
		return false;
	}
	return true;
}

static void expect_incumbent(struct player *player, char **words)
{
	const struct picture *picture = shard_picture(player->world.shard);
	const char *is = picture->incumbent < 0 ? "nobody"
						: player->world.sim.nodes[picture->incumbent].name;

	if (!words[0] || strcmp(is, words[0]) != 0)
		complain(player, "the incumbent is", is);
	else if (words[1] && strcmp(reason_token(picture->admitted_by), words[1]) != 0)
		complain(player, "it was admitted by", reason_token(picture->admitted_by));
}

/* `expect POOL NODE STATE [REASON] [held]` */
static void expect(struct player *player, char **words)
{
	size_t pool = words[0] && strcmp(words[0], "read") == 0;
	const struct verdict *verdict;
	char is[96];
	int node;

	if (words[0] && strcmp(words[0], "incumbent") == 0) {
		expect_incumbent(player, words + 1);
		return;
	}
	if (!words[0] || !words[1] || !words[2] || (!pool && strcmp(words[0], "write") != 0)) {
		complain(player, "expect: POOL NODE STATE [REASON] [held], POOL is write or read",
			 NULL);
		return;
	}
	node = find_node(player, words[1]);
	if (node == SIM_NOBODY)
		return;
	verdict = picture_at(shard_picture(player->world.shard), pool, (size_t)node);
	snprintf(is, sizeof(is), "%s in %s is %s (%s)%s, weight %d", words[1], words[0],
		 verdict_state_name(verdict->state), reason_token(verdict->reason),
		 verdict->held ? " held" : "", verdict->weight);
	if (strcmp(verdict_state_name(verdict->state), words[2]) != 0 ||
	    (words[3] && strcmp(reason_token(verdict->reason), words[3]) != 0) ||
	    (words[3] && verdict->held != (words[4] && strcmp(words[4], "held") == 0)))
		complain(player, is, NULL);
}

/* `sentinel N names NODE|nobody|stranger epoch E [failover] [down] [tilt]` */
static void opine(struct player *player, char **words)
{
	struct opinion opinion = { .node = OPINION_NOBODY, .at_ms = player->world.now_ms };

	for (char **word = words + 1; *word; word++) {
		if (strcmp(*word, "names") == 0 && word[1])
			opinion.node = strcmp(*++word, "stranger") == 0
					       ? OPINION_STRANGER
					       : sim_find(&player->world.sim, *word);
		else if (strcmp(*word, "epoch") == 0 && word[1])
			opinion.epoch = atoll(*++word);
		opinion.failover_in_progress |= strcmp(*word, "failover") == 0;
		opinion.master_down |= strcmp(*word, "down") == 0;
		opinion.tilt |= strcmp(*word, "tilt") == 0;
	}
	if (!words[0] || (size_t)atoi(words[0]) >= player->sentinels)
		complain(player, "no such Sentinel:", words[0]);
	else
		world_opine(&player->world, (size_t)atoi(words[0]), &opinion);
}

static void start(struct player *player)
{
	if (!player->started)
		world_start(&player->world, &player->policy, player->sentinels, START_MS);
	player->started = true;
}

/* `at MS …` */
static void play_moment(struct player *player, char **words)
{
	struct world *world = &player->world;
	const char *subject = words[1];
	int node;

	if (!words[0] || !subject) {
		complain(player, "at: MS and what happens", NULL);
		return;
	}
	/* What stands at 0 is how the agent finds the group. */
	if (atoll(words[0]) > 0 || strcmp(subject, "expect") == 0)
		start(player);
	if (player->started && !world_run(world, START_MS + atoll(words[0]))) {
		complain(player, world->error, NULL);
		return;
	}
	if (strcmp(subject, "expect") == 0) {
		expect(player, words + 2);
	} else if (strcmp(subject, "sentinel") == 0) {
		opine(player, words + 2);
	} else if (strcmp(subject, "agent") == 0 && words[2] && words[3]) {
		world_stall(world, atoll(words[3]));
	} else {
		node = find_node(player, subject);
		if (node == SIM_NOBODY)
			return;
		if (!words[2] || !happen(player, node, words[2], words[3]))
			complain(player, "no such verb:", words[2]);
		if (player->started)
			world_notice(world);
	}
}

static void play_line(struct player *player, char *line)
{
	char *words[WORDS_MAX + 1] = { NULL };
	size_t count = 0;

	line[strcspn(line, "#\n")] = '\0';
	for (char *word = strtok(line, " \t"); word && count < WORDS_MAX;
	     word = strtok(NULL, " \t"))
		words[count++] = word;
	if (count == 0)
		return;
	if (strcmp(words[0], "nodes") == 0)
		set_nodes(player, words + 1);
	else if (strcmp(words[0], "option") == 0)
		set_option(player, words + 1);
	else if (strcmp(words[0], "sentinels") == 0 && words[1])
		player->sentinels = (size_t)atoi(words[1]);
	else if (strcmp(words[0], "at") == 0)
		play_moment(player, words + 1);
	else
		complain(player, "no such word:", words[0]);
}

bool timeline_play(const char *path, bool trace)
{
	struct player player = { .path = path, .policy = world_default_policy() };
	FILE *file = fopen(path, "r");
	bool expects = false;
	char line[256];

	player.world.trace = trace;
	if (!file) {
		complain(&player, "cannot be read", NULL);
		return false;
	}
	while (!player.failed && fgets(line, sizeof(line), file)) {
		player.line++;
		expects |= strstr(line, " expect ") != NULL;
		play_line(&player, line);
	}
	fclose(file);
	if (!player.failed && !expects)
		complain(&player, "it expects nothing, so it cannot fail", NULL);
	if (player.started)
		world_done(&player.world);
	return !player.failed;
}
