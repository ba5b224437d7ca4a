/* redis-role-agent: finds the subcommand and hands over. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/commands.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *sentence;
};

static const struct command commands[] = {
	{ "run", cmd_run, "watch the nodes and answer HAProxy's agent-checks (the default)" },
	{ "release", cmd_release, "let go of the HAProxies: their own checks alone decide" },
	{ "check-config", cmd_check_config, "read a configuration and list its errors" },
	{ "probe", cmd_probe, "ask every node once and show what would be said of it" },
	{ "doctor", cmd_doctor, "look at HAProxy and the nodes, and say what is wrong or missing" },
	{ "haproxy-config", cmd_haproxy_config, "print HAProxy's side of a configuration" },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int print_help(void)
{
	puts("Usage: redis-role-agent [COMMAND] [OPTION …]\n"
	     "\n"
	     "Decides where HAProxy sends the traffic for Redis and Valkey.\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  %-16s %s\n", commands[i].name, commands[i].sentence);
	puts("\n"
	     "  --help           this; redis-role-agent COMMAND --help tells a command's options\n"
	     "  --version        the versions of the program and its libraries\n"
	     "\n"
	     "Try: redis-role-agent run --node 127.0.0.1:6379\n"
	     "Manuals: redis-role-agent(8), redis-role-agent.cfg(5)");
	return EXIT_SUCCESS;
}

/* Started with one of them closed, the next socket would take its number, and the log would be
 * written to a Redis node. */
static void fill_standard_files(void)
{
	int descriptor;

	do
		descriptor = open("/dev/null", O_RDWR);
	while (descriptor >= 0 && descriptor <= STDERR_FILENO);
	if (descriptor >= 0)
		close(descriptor);
}

int main(int argc, char **argv)
{
	static char run_name[] = "run";
	const char *word = argc > 1 ? argv[1] : "";

	fill_standard_files();
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
		return print_help();
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return cmd_version();
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(word, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (word[0] == '-' || !word[0]) {
		argv[0] = run_name;
		return cmd_run(argc, argv);
	}
	fprintf(stderr, "redis-role-agent: no such command: %s: see redis-role-agent --help\n",
		word);
	return EXIT_WRONG;
}
