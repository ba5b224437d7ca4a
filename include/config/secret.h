/* Passwords in files: read without leaving copies, and wiped. */
#pragma once

#define SECRET_FILE_LIMIT 4096

/**
 * Reads the first line of @path, without its newline, as a new string; the one before is wiped.
 * Returns NULL, or a sentence that says what is wrong and what helps; *@secret is then untouched.
 */
const char *secret_read(const char *path, char **secret) __attribute__((warn_unused_result));

/** Overwrites and frees *@secret and sets it to NULL; NULL is fine. */
void secret_wipe(char **secret);
