/*
 * Two things that only the doctor wants to know of HAProxy's output: when it was released, and how
 * a backend balances. All else is read by core/shown.
 */
#include "core/doctor.h"

#include <string.h>

/* What follows @start on the first line that begins so, or NULL. */
static const char *find_line(const char *at, const char *end, const char *start)
{
	size_t length = strlen(start);

	while (at && (size_t)(end - at) >= length) {
		if (memcmp(at, start, length) == 0)
			return at + length;
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	return NULL;
}

int64_t doctor_read_release(const char *output, size_t length)
{
	static const char key[] = "Release_date: ";
	const char *end = output + length;
	const char *at = find_line(output, end, key);
	int64_t date = 0;

	if (!at)
		return -1;
	for (size_t i = 0; i < strlen("2026/10/17"); i++) {
		if (at + i >= end)
			return -1;
		if ((i == 4 || i == 7) && at[i] == '/')
			continue;
		if (at[i] < '0' || at[i] > '9')
			return -1;
		date = 10 * date + at[i] - '0';
	}
	return date;
}

/* The @number-th field of a line, from 0. A backend's row holds no quoted text. */
static bool find_field(const char *line, const char *end, size_t number, const char **ret_field,
		       size_t *ret_length)
{
	while (number > 0 && line) {
		line = memchr(line, ',', (size_t)(end - line));
		line = line ? line + 1 : NULL;
		number--;
	}
	if (!line)
		return false;
	*ret_field = line;
	*ret_length = 0;
	while (line + *ret_length < end && line[*ret_length] != ',')
		++*ret_length;
	return true;
}

static bool find_column(const char *line, const char *end, const char *name, size_t *ret_number)
{
	const char *field;
	size_t length;

	for (size_t i = 0; find_field(line, end, i, &field, &length); i++) {
		if (!text_equal(field, length, name))
			continue;
		*ret_number = i;
		return true;
	}
	return false;
}

bool doctor_read_backend(const char *output, size_t length, char *algorithm, size_t size)
{
	const char *end = output + length;
	const char *header_end = memchr(output, '\n', length);
	const char *row, *row_end, *field;
	size_t number, field_length;

	algorithm[0] = '\0';
	if (!header_end || length < 2 || output[0] != '#')
		return false;
	row = header_end + 1;
	row_end = memchr(row, '\n', (size_t)(end - row));
	row_end = row_end ? row_end : end;
	if (!find_field(row, row_end, 1, &field, &field_length) ||
	    !text_equal(field, field_length, "BACKEND"))
		return false;
	if (find_column(output, header_end, "algo", &number) &&
	    find_field(row, row_end, number, &field, &field_length))
		text_copy(algorithm, size, field, field_length);
	return true;
}
