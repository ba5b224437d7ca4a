/* Just enough of libconfig's lexer to walk over comments, strings, numbers and @include lines. All
 * that is no concern of this reading is left for libconfig to judge. */
#include "config/precheck.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define INCLUDE	      "@include"
#define INCLUDE_DEPTH 10 /* libconfig's MAX_INCLUDE_DEPTH */
#define FILE_LIMIT    (16L * 1024 * 1024)
#define PATH_SIZE     4096
#define SENTENCE_SIZE (PATH_SIZE + 256)
#define INT_DIGITS    9 /* so many decimal digits fit an int whatever they are, */
#define INT_HEX	      7 /* and so many hexadecimal ones */

/* One file being read; those that include it are below it on the stack. */
struct source {
	const char *path;
	const struct source *includer;
	unsigned int depth;
	dev_t device;
	ino_t inode;
	char *data; /* NUL-terminated, with no other NUL */
	const char *at;
	const char *line_start;
	unsigned int line;
};

struct precheck {
	const char *folder;
	struct settings_errors *errors;
	bool unfit; /* libconfig must not see the files */
};

static void check_source(struct precheck *precheck, struct source *source);

/* An error at the line that is being read. */
__attribute__((format(printf, 3, 4))) static void
report(struct precheck *precheck, const struct source *source, const char *format, ...)
{
	char sentence[SENTENCE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(sentence, sizeof(sentence), format, arguments) < 0)
		sentence[0] = '\0';
	va_end(arguments);
	settings_errors_add(precheck->errors, "%s:%u: %s", source->path, source->line, sentence);
	precheck->unfit = true;
}

/* An error about the whole file: said where it is included, if it is. */
static void report_file(struct precheck *precheck, const struct source *source, const char *what,
			const char *remedy)
{
	if (source->includer)
		report(precheck, source->includer, INCLUDE " \"%s\": %s; %s", source->path, what,
		       remedy);
	else
		settings_errors_add(precheck->errors, "%s: %s; %s", source->path, what, remedy);
	precheck->unfit = true;
}

/* Reads @size bytes of @descriptor into the source. A file that shrinks meanwhile ends earlier. */
static int read_data(struct source *source, int descriptor, size_t size)
{
	size_t length = 0;

	source->data = mem_calloc(size + 1, 1);
	source->at = source->line_start = source->data;
	source->line = 1;
	while (length < size) {
		ssize_t got = read(descriptor, source->data + length, size - length);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			break;
		length += got > 0 ? (size_t)got : 0;
	}
	source->data[length] = '\0';
	return memchr(source->data, '\0', length) ? -EILSEQ : 0;
}

static int read_regular(struct source *source, int descriptor)
{
	struct stat status;

	if (fstat(descriptor, &status) != 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if (!S_ISREG(status.st_mode))
		return -ENODEV;
	if (status.st_size > FILE_LIMIT)
		return -EFBIG;
	source->device = status.st_dev;
	source->inode = status.st_ino;
	return read_data(source, descriptor, (size_t)status.st_size);
}

static int read_source(struct source *source)
{
	/* Non-blocking, for a FIFO would keep us waiting for a writer. */
	int descriptor = open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int result;

	if (descriptor < 0)
		return -errno;
	result = read_regular(source, descriptor);
	close(descriptor);
	return result;
}

static void report_unreadable(struct precheck *precheck, const struct source *source, int error)
{
	switch (error) {
	case -ENOENT:
		report_file(precheck, source, "there is no such file",
			    "create it or correct the path");
		break;
	case -EISDIR:
		report_file(precheck, source, "this is a folder", "name a file");
		break;
	case -ENODEV:
		report_file(precheck, source, "this is no regular file", "name a file");
		break;
	case -EFBIG:
		report_file(precheck, source, "it is larger than 16 MB",
			    "a configuration is a text file");
		break;
	case -EILSEQ:
		report_file(precheck, source, "it holds a NUL byte",
			    "a configuration is a text file");
		break;
	default:
		report_file(precheck, source, strerror(-error),
			    "make it readable for the agent's user");
		break;
	}
}

static bool is_included_by_itself(const struct source *source)
{
	for (const struct source *up = source->includer; up; up = up->includer) {
		if (up->device == source->device && up->inode == source->inode)
			return true;
	}
	return false;
}

static void check_file(struct precheck *precheck, const char *path, const struct source *includer)
{
	struct source source = { .path = path, .includer = includer, .at = "" };
	int result = read_source(&source);

	source.depth = includer ? includer->depth + 1 : 0;
	if (result != 0)
		report_unreadable(precheck, &source, result);
	else if (is_included_by_itself(&source))
		report_file(precheck, &source, "the file includes itself",
			    "remove one of the includes");
	else if (source.depth > INCLUDE_DEPTH)
		report_file(precheck, &source, "files include each other more than 10 deep",
			    "include them from one file");
	else
		check_source(precheck, &source);
	free(source.data);
}

static void skip_to(struct source *source, const char *end)
{
	for (; source->at < end; source->at++) {
		if (*source->at != '\n')
			continue;
		source->line++;
		source->line_start = source->at + 1;
	}
}

static void skip_line(struct source *source)
{
	source->at += strcspn(source->at, "\n");
}

static void skip_comment(struct precheck *precheck, struct source *source)
{
	const char *end = strstr(source->at + 2, "*/");

	if (!end)
		report(precheck, source, "the comment that begins here has no end: add \"*/\"");
	skip_to(source, end ? end + 2 : source->at + strlen(source->at));
}

static void skip_string(struct precheck *precheck, struct source *source)
{
	const char *end = source->at + 1;

	while (*end && *end != '"')
		end += *end == '\\' && end[1] ? 2 : 1;
	if (!*end)
		report(precheck, source,
		       "the string that begins here has no closing quote: add it");
	skip_to(source, *end ? end + 1 : end);
}

static void check_number(struct precheck *precheck, struct source *source)
{
	size_t length = strspn(source->at, "0123456789abcdefABCDEFxX.L");
	bool hex = tolower((unsigned char)source->at[1]) == 'x';
	const char *digits = source->at + (hex ? 2 : 0);
	size_t count;

	digits += strspn(digits, "0");
	count = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
	/*
	 * Fractions are never what an option wants, and so are refused by their type. A number that
	 * is wrapped harms nobody once it is reported: libconfig may show the other errors.
	 */
	if (count > (hex ? INT_HEX : INT_DIGITS) && digits[count] != '.')
		settings_errors_add(precheck->errors,
				    "%s:%u: the number %.*s is too large: no option takes so many "
				    "digits",
				    source->path, source->line, (int)(length < 40 ? length : 40),
				    source->at);
	source->at += length;
}

static bool begins_line(const struct source *source)
{
	const char *at = source->line_start;

	return at + strspn(at, " \t") == source->at;
}

/* The file that is named between the quotes, joined to the folder as libconfig does it. */
static void include_file(struct precheck *precheck, const struct source *source, const char *name,
			 size_t length)
{
	char data[PATH_SIZE];
	struct text path;

	if (length == 0) {
		report(precheck, source, INCLUDE " names no file: write one between the quotes");
		return;
	}
	if (name[0] == '/') {
		report(precheck, source, INCLUDE " \"%.*s\": write the path relative to %s",
		       (int)length, name, precheck->folder);
		return;
	}
	text_init(&path, data, sizeof(data));
	text_addf(&path, "%s/%.*s", precheck->folder, (int)length, name);
	if (path.truncated)
		report(precheck, source, "the path after " INCLUDE " is too long: shorten it");
	else
		check_file(precheck, data, source);
}

static void check_include(struct precheck *precheck, struct source *source)
{
	const char *quote = source->at + strlen(INCLUDE), *name;
	size_t length;

	quote += strspn(quote, " \t");
	if (!begins_line(source))
		report(precheck, source, INCLUDE " must be the first on its line: begin a new one");
	source->at += strlen(INCLUDE);
	if (*quote != '"')
		return; /* libconfig calls it a syntax error */
	name = quote + 1;
	length = strcspn(name, "\"\\\n");
	if (name[length] == '"')
		include_file(precheck, source, name, length);
	else if (name[length] == '\\')
		report(precheck, source,
		       "the path after " INCLUDE " has a backslash: rename the file");
	else
		report(precheck, source, INCLUDE " has no closing quote: add it");
	/* Whatever follows a broken path would only be misread. */
	source->at = name + length + (name[length] == '"' ? 1 : strlen(name + length));
}

static void check_source(struct precheck *precheck, struct source *source)
{
	while (*source->at) {
		const char *at = source->at;

		if (at[0] == '#' || (at[0] == '/' && at[1] == '/'))
			skip_line(source);
		else if (at[0] == '/' && at[1] == '*')
			skip_comment(precheck, source);
		else if (at[0] == '"')
			skip_string(precheck, source);
		else if (strncmp(at, INCLUDE, strlen(INCLUDE)) == 0)
			check_include(precheck, source);
		else if (isdigit((unsigned char)at[0]))
			check_number(precheck, source);
		else if (isalpha((unsigned char)at[0])) /* a name, which may have digits */
			source->at += strspn(at, "abcdefghijklmnopqrstuvwxyz"
						 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*");
		else
			skip_to(source, at + 1);
	}
}

int precheck_files(const char *path, const char *folder, struct settings_errors *errors)
{
	struct precheck precheck = { .folder = folder, .errors = errors };

	check_file(&precheck, path, NULL);
	return precheck.unfit ? -EINVAL : 0;
}
