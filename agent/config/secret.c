/* Password files. What was read is overwritten wherever it stood but in the string that is handed
 * out. */
#include "config/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/settings.h"

/* Reads a regular file of at most @size bytes. Returns how many there are, or negative errno. */
static ssize_t read_file(int descriptor, char *data, size_t size)
{
	struct stat status;
	size_t length = 0;

	if (fstat(descriptor, &status) != 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return S_ISDIR(status.st_mode) ? -EISDIR : -ENODEV;
	while (length < size) {
		ssize_t got = read(descriptor, data + length, size - length);

		if (got == 0)
			break;
		if (got > 0)
			length += (size_t)got;
		else if (errno != EINTR)
			return -errno;
	}
	return (ssize_t)length;
}

/* The whole file in @data; one byte over the limit shows that it is too large. */
static ssize_t read_path(const char *path, char data[SECRET_FILE_LIMIT + 1])
{
	/* Non-blocking, for a FIFO would keep us waiting for a writer. */
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t length;

	if (descriptor < 0)
		return -errno;
	length = read_file(descriptor, data, SECRET_FILE_LIMIT + 1);
	close(descriptor);
	return length;
}

static const char *explain(int error)
{
	switch (error) {
	case ENOENT:
		return "No such file or directory: create it, or correct the path";
	case EACCES:
		return "Permission denied: make it readable for the agent's user";
	case EISDIR:
		return "Is a directory: name a file";
	case ENODEV:
		return "not a regular file: name a file whose first line is the password";
	default:
		return strerror(error);
	}
}

static const char *take_line(const char *data, size_t length, char **secret)
{
	const char *end = memchr(data, '\n', length);
	size_t line = end ? (size_t)(end - data) : length;

	if (length > SECRET_FILE_LIMIT)
		return "larger than 4 kB: its first line must be the password";
	if (memchr(data, '\0', length))
		return "it holds a NUL byte: write the password as text";
	/* From an editor that ends lines with CR LF. */
	if (end && line > 0 && data[line - 1] == '\r')
		line--;
	if (line == 0)
		return "its first line is empty: write the password there";
	secret_wipe(secret);
	*secret = mem_calloc(line + 1, 1);
	memcpy(*secret, data, line);
	return NULL;
}

const char *secret_read(const char *path, char **secret)
{
	char data[SECRET_FILE_LIMIT + 1];
	ssize_t length = read_path(path, data);
	const char *problem;

	problem = length < 0 ? explain((int)-length) : take_line(data, (size_t)length, secret);
	explicit_bzero(data, sizeof(data));
	return problem;
}

void secret_wipe(char **secret)
{
	if (!*secret)
		return;
	explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

int settings_read_secrets(struct settings *settings, struct settings_errors *errors)
{
	size_t before = errors->count;

	for (size_t i = 0; i < settings->shard_count; i++) {
		struct settings_shard *shard = &settings->shards[i];
		const char *problem;

		if (!shard->auth.password_file)
			continue;
		problem = secret_read(shard->auth.password_file, &shard->auth.password);
		if (problem)
			settings_errors_add(errors, "%s: the password of shard \"%s\": %s",
					    shard->auth.password_file, shard->name, problem);
	}
	return errors->count == before ? 0 : -EINVAL;
}
