/* `redis-role-agent check-config`: says whether a configuration is good, and prints the option
 * table's sample and rows. It starts nothing and writes no file. */
#include "app/commands.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/source.h"
#include "config/options.h"
#include "config/settings.h"

static const char usage[] =
	"Usage: redis-role-agent check-config [--config FILE] [--sample] [--options] [FILE]\n"
	"\n"
	"Reads the configuration (" SOURCE_DEFAULT_FILE "\n"
	"when no FILE is given) and the password files that it names. Prints one line and ends\n"
	"with 0 when all is good; otherwise it prints every error with file and line, and ends\n"
	"with 2.\n"
	"\n"
	"  -c, --config FILE   the file to read\n"
	"      --sample        print a sample configuration with every option, and end\n"
	"      --options       print the table of options, separated by tabs, and end\n"
	"  -h, --help          print this, and end\n";

struct request {
	const char *path;
	void (*print)(FILE *stream); /* in place of reading a file, or NULL */
};

static int refuse(const char *what, const char *argument)
{
	fprintf(stderr, "redis-role-agent check-config: %s%s: see check-config --help\n", what,
		argument);
	return EXIT_WRONG;
}

static void print_usage(FILE *stream)
{
	fputs(usage, stream);
}

/* The command line. Returns 0 or the exit code. */
static int read_options(int argc, char **argv, struct request *ret_request)
{
	static const struct option long_options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "sample", no_argument, NULL, 's' },
		{ "options", no_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	optind = 0; /* main may have used getopt before */
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:h", long_options, NULL)) != -1) {
		if (option == 'c')
			ret_request->path = optarg;
		else if (option == 's')
			ret_request->print = options_print_sample;
		else if (option == 'o')
			ret_request->print = options_print_table;
		else if (option == 'h')
			ret_request->print = print_usage;
		else
			return refuse(option == ':' ? "no file is given after " : "wrong option ",
				      argv[optind - 1]);
	}
	if (optind < argc && ret_request->path)
		return refuse("one file at a time, not also ", argv[optind]);
	if (optind < argc)
		ret_request->path = argv[optind++];
	if (optind < argc)
		return refuse("one file at a time, not also ", argv[optind]);
	return 0;
}

static int add_count(size_t count, const char *word)
{
	return printf(", %zu %s%s", count, word, count == 1 ? "" : "s");
}

static void print_summary(const char *path, const struct settings *settings)
{
	size_t nodes = 0;

	for (size_t i = 0; i < settings->shard_count; i++)
		nodes += settings->shards[i].node_count;
	printf("%s: ok", path);
	add_count(settings->shard_count, "shard");
	add_count(nodes, "node");
	add_count(settings->pool_count, "pool");
	putchar('\n');
}

static int check_file(const char *path)
{
	struct settings_errors errors = { 0 };
	struct settings *settings = NULL;
	int result = settings_load(path, &settings, &errors);

	if (result == 0)
		result = settings_read_secrets(settings, &errors);
	if (result == 0)
		print_summary(path, settings);
	for (size_t i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.lines[i]);
	settings_errors_done(&errors);
	settings_free(settings);
	return result == 0 ? EXIT_SUCCESS : EXIT_WRONG;
}

int cmd_check_config(int argc, char **argv)
{
	struct request request = { 0 };
	int result = read_options(argc, argv, &request);

	if (result != 0)
		return result;
	if (!request.print)
		return check_file(request.path ? request.path : SOURCE_DEFAULT_FILE);
	request.print(stdout);
	if (fflush(stdout) != 0 || ferror(stdout))
		return refuse("cannot write to ", "standard output");
	return EXIT_SUCCESS;
}
