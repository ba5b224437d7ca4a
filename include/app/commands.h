/*
 * The subcommands. Each gets its own name as argv[0], reads its options with getopt_long, and
 * returns the exit code of the program.
 */
#pragma once

/** Wrong words on the command line, a bad configuration, an address in use: nothing was started. */
#define EXIT_WRONG 2

/** `run`: the agent, in the foreground. 0 after a clean stop, EXIT_WRONG if it could not start. */
int cmd_run(int argc, char **argv);

/** `release`: lets go of the HAProxies. 0, 1 if one could not be reached, EXIT_WRONG. */
int cmd_release(int argc, char **argv);

/** `check-config`: reads a configuration and lists its errors. 0 good, EXIT_WRONG not. */
int cmd_check_config(int argc, char **argv);

/** `probe`: one round. 0 each pool has a server, 1 one has none, 2 a node could not be read. */
int cmd_probe(int argc, char **argv);

/** `haproxy-config`: prints HAProxy's side of a configuration. 0, or EXIT_WRONG. */
int cmd_haproxy_config(int argc, char **argv);

/** `doctor`: what is wrong between HAProxy, nodes and configuration. 0 nothing, 1 advice, 2 danger.
 */
int cmd_doctor(int argc, char **argv);

/** `--version`: the program's version and the libraries'. 0. */
int cmd_version(void);
