/* The subcommands. Each gets its own name as argv[0], reads its options with getopt_long, and
 * returns the exit code of the program. */
#pragma once

/** `check-config`: reads a configuration and lists its errors. 0 good, 2 not. */
int cmd_check_config(int argc, char **argv);
