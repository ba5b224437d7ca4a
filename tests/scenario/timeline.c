/*
 * Plays timelines. One line a happening, `at MS SUBJECT VERB …`, told in the words that an operator
 * would use; README.md has the grammar.
 */
#include "timeline.h"

#include <stddef.h>
#include <stdio.h>
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

/* A whole number; a timeline that has another word there fails. */
static int64_t read_number(struct player *player, const char *word)
{
	int64_t number = 0;

	if (!word || !text_to_int64(word, strlen(word), &number))
		complain(player, "no number:", word ? word : "(none given)");
	return number;
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
			*options[i].value = read_number(player, words[1]);
			return;
		}
	}
	complain(player, "no such option:", words[0]);
}

static void follow(struct player *player, int node, const char *word)
{
	int other = find_node(player, word);

	if (other != SIM_NOBODY)
		sim_follow(&player->world.sim, node, other);
}

static void promote(struct player *player, int node, const char *word)
{
	sim_promote(&player->world.sim, node, !word || strcmp(word, "quietly") != 0);
}

static void restart(struct player *player, int node, const char *word)
{
	enum sim_data data = SIM_DATA_SNAPSHOT;

	if (word && strcmp(word, "empty") == 0)
		data = SIM_DATA_NONE;
	else if (word && strcmp(word, "saved") == 0)
		data = SIM_DATA_SAVED;
	sim_restart(&player->world.sim, node, data);
}

static void link_node(struct player *player, int node, const char *word)
{
	if (word && strcmp(word, "mute") == 0)
		sim_mute_link(&player->world.sim, node);
	else
		sim_set_link(&player->world.sim, node, word && strcmp(word, "up") == 0);
}

static void age(struct player *player, int node, const char *word)
{
	player->world.sim.nodes[node].link_lost_ms -= read_number(player, word);
}

static void recover(struct player *player, int node, const char *word)
{
	struct sim_node *it = &player->world.sim.nodes[node];

	(void)word;
	it->loading = it->busy = it->denied = false;
}

/* What can happen to a node. Each verb does one of three: call something, cut the link, set a flag.
 */
static const struct verb {
	const char *name;
	void (*act)(struct sim *sim, int node);
	void (*act_with)(struct player *player, int node, const char *word);
	bool cuts_link;
	size_t flag; /* of struct sim_node; 0: none */
} verbs[] = {
	{ "starts", .act = sim_start_master },
	{ "follows", .act_with = follow },
	{ "promoted", .act_with = promote },
	{ "dies", .act = sim_die },
	{ "vanishes", .act = sim_vanish },
	{ "restarts", .act_with = restart },
	{ "freezes", .act = sim_freeze },
	{ "thaws", .act = sim_thaw },
	{ "renews", .act = sim_renew },
	{ "link", .act_with = link_node },
	{ "ages", .act_with = age },
	{ "syncs", .cuts_link = true, .flag = offsetof(struct sim_node, syncing) },
	{ "blank", .cuts_link = true, .flag = offsetof(struct sim_node, blank) },
	{ "refuses", .flag = offsetof(struct sim_node, masterdown) },
	{ "loads", .flag = offsetof(struct sim_node, loading) },
	{ "busy", .flag = offsetof(struct sim_node, busy) },
	{ "denies", .flag = offsetof(struct sim_node, denied) },
	{ "recovers", .act_with = recover },
};

/* `NODE VERB [WORD]`. False: no such verb. */
static bool happen(struct player *player, int node, const char *name, const char *word)
{
	struct sim *sim = &player->world.sim;
	const struct verb *verb = verbs;
	const struct verb *end = verbs + sizeof(verbs) / sizeof(verbs[0]);

	while (verb < end && strcmp(verb->name, name) != 0)
		verb++;
	if (verb == end)
		return false;
	if (verb->act)
		verb->act(sim, node);
	if (verb->act_with)
		verb->act_with(player, node, word);
	if (verb->cuts_link)
		sim_set_link(sim, node, false);
	if (verb->flag)
		*((bool *)((char *)&sim->nodes[node] + verb->flag)) = true;
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
	int64_t sentinel;

	for (char **word = words + 1; *word; word++) {
		if (strcmp(*word, "names") == 0 && word[1])
			opinion.node = strcmp(*++word, "stranger") == 0
					       ? OPINION_STRANGER
					       : sim_find(&player->world.sim, *word);
		else if (strcmp(*word, "epoch") == 0 && word[1])
			opinion.epoch = read_number(player, *++word);
		opinion.failover_in_progress |= strcmp(*word, "failover") == 0;
		opinion.master_down |= strcmp(*word, "down") == 0;
		opinion.tilt |= strcmp(*word, "tilt") == 0;
	}
	sentinel = read_number(player, words[0]);
	if (sentinel < 0 || (size_t)sentinel >= player->sentinels)
		complain(player, "no such Sentinel:", words[0]);
	else
		world_opine(&player->world, (size_t)sentinel, &opinion);
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
	int64_t at_ms;
	int node;

	if (!words[0] || !subject) {
		complain(player, "at: MS and what happens", NULL);
		return;
	}
	at_ms = read_number(player, words[0]);
	/* What stands at 0 is how the agent finds the group. */
	if (at_ms > 0 || strcmp(subject, "expect") == 0)
		start(player);
	if (player->started && !world_run(world, START_MS + at_ms)) {
		complain(player, world->error, NULL);
		return;
	}
	if (strcmp(subject, "expect") == 0) {
		expect(player, words + 2);
	} else if (strcmp(subject, "sentinel") == 0) {
		opine(player, words + 2);
	} else if (strcmp(subject, "agent") == 0 && words[2] && words[3]) {
		world_stall(world, read_number(player, words[3]));
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
		player->sentinels = (size_t)read_number(player, words[1]);
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
