/* Allocation that cannot fail: out of memory ends the process (the service manager restarts it). */
#pragma once

#include <stddef.h>

/** Zeroed memory for @count objects of @size bytes each; free with free(). Aborts when there is
 * none. */
void *mem_calloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/** @pointer (or NULL) made room for @count objects of @size bytes; new bytes are not zeroed. */
void *mem_resize(void *pointer, size_t count, size_t size)
	__attribute__((returns_nonnull, warn_unused_result));

/** A copy of the string @s, to be freed with free(). */
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
