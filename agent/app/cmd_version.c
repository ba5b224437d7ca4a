/* `--version`: ours, and those of the libraries that are really loaded where they can tell. */
#include "app/commands.h"

#include <hiredis/hiredis.h>
#include <jansson.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

int cmd_version(void)
{
	printf("redis-role-agent %s\n", VERSION);
	printf("libuv %s\n", uv_version_string());
	printf("hiredis %d.%d.%d\n", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
	printf("libconfig %d.%d.%d\n", LIBCONFIG_VER_MAJOR, LIBCONFIG_VER_MINOR,
	       LIBCONFIG_VER_REVISION);
	printf("jansson %s\n", JANSSON_VERSION);
	printf("libsystemd %s\n", LIBSYSTEMD);
	return EXIT_SUCCESS;
}
