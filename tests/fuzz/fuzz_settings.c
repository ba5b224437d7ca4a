/* Fuzzes the reading of a configuration: what bytes ever stand in the file, it is loaded or refused
 * with an error, and all is freed. The bytes are handed over in a file that exists in memory only,
 * for libconfig's includes and line numbers want a path. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 does not free the strings that it had read where the syntax is wrong. */
const char *__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\nleak:libconfig_yylex\n";
}

/* The limit keeps rounds short; the loader has one of its own. */
#define SIZE_LIMIT 65536

static void load(const char *path)
{
	struct settings_errors errors = { 0 };
	struct settings *settings = NULL;
	int result = settings_load(path, &settings, &errors);

	/* Good settings come without errors, and bad ones with at least one. */
	if ((result == 0) != (errors.count == 0) || (result == 0) != (settings != NULL))
		abort();
	settings_free(settings);
	settings_errors_done(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int descriptor = size <= SIZE_LIMIT ? memfd_create("fuzz_settings", MFD_CLOEXEC) : -1;
	char path[64];

	if (descriptor < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
	if (write(descriptor, data, size) == (ssize_t)size)
		load(path);
	close(descriptor);
	return 0;
}
