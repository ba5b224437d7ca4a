/*
 * A first reading of the configuration's files for what libconfig 1.5 does badly: it ends the
 * process when an @include names a folder, takes large integers modulo 2^32, and swallows the rest
 * of the file after a comment that never ends.
 */
#pragma once

#include "config/settings.h"

/**
 * Reads @path and all that it includes, relative to @folder (that of the main file, as libconfig
 * does), and adds the errors found. Returns 0, or -EINVAL when the files must not be parsed.
 */
int precheck_files(const char *path, const char *folder, struct settings_errors *errors)
	__attribute__((warn_unused_result));
