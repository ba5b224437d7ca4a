/* Allocation that cannot fail. It refuses to know what it is for; it has no way to report, so it
 * aborts. */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *mem_calloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

void *mem_resize(void *pointer, size_t count, size_t size)
{
	void *memory;

	if (size && count > SIZE_MAX / size)
		abort();
	memory = realloc(pointer, count && size ? count * size : 1);
	if (!memory)
		abort();
	return memory;
}

char *mem_strdup(const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(mem_calloc(size, 1), s, size);
}
