/* A temporary folder of configuration files, for the tests of their readers. */
#pragma once

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/settings.h"

/* Makes the folder and enters it, so that the files' names are short. For cmocka's group setup. */
static inline int folder_enter(void **state)
{
	static char path[] = "/tmp/test-config-XXXXXX";

	*state = path;
	return mkdtemp(path) ? chdir(path) : -1;
}

static inline int folder_remove_entry(const char *path, const struct stat *status, int type,
				      struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int folder_leave(void **state)
{
	if (chdir("/") != 0)
		return -1;
	return nftw(*state, folder_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void folder_write_bytes(const char *name, const char *data, size_t length)
{
	FILE *stream = fopen(name, "w");

	assert_non_null(stream);
	assert_int_equal(fwrite(data, 1, length, stream), length);
	assert_int_equal(fclose(stream), 0);
}

static inline void folder_write(const char *name, const char *text)
{
	folder_write_bytes(name, text, strlen(text));
}

/* Asserts that the errors are exactly @lines, each ended by a newline, and forgets them. */
static inline void folder_check_errors(struct settings_errors *errors, const char *lines)
{
	char all[8192] = "";
	size_t length = 0;

	for (size_t i = 0; i < errors->count; i++)
		length += (size_t)snprintf(all + length, sizeof(all) - length, "%s\n",
					   errors->lines[i]);
	settings_errors_done(errors);
	assert_string_equal(all, lines);
}

/* Loads a.cfg, which must fail with exactly these errors. */
static inline void folder_check_load(const char *lines)
{
	struct settings_errors errors = { 0 };
	struct settings *settings = NULL;
	int result = settings_load("a.cfg", &settings, &errors);

	if (result == 0)
		settings_free(settings);
	folder_check_errors(&errors, lines);
	assert_int_equal(result, -22); /* EINVAL */
}
