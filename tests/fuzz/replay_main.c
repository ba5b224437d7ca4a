/*
 * Runs a fuzz target over the files and folders named on the command line, once each. With it in
 * place of libFuzzer every compiler can replay the seeds and the past crashes, so that the unit run
 * does. It knows nothing of the target but libFuzzer's entry point.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay_path(const char *path, size_t *count);

/* The input is a block of exactly its size, so that a sanitizer sees a read past its end. */
static bool replay_file(const char *path, size_t size, size_t *count)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(size ? size : 1);
	bool complete = file && data && fread(data, 1, size, file) == size;

	if (complete) {
		LLVMFuzzerTestOneInput(data, size);
		(*count)++;
	}
	free(data);
	if (file)
		(void)fclose(file);
	return complete;
}

static bool replay_entry(const char *folder, const char *name, size_t *count)
{
	char path[4096];
	int length = snprintf(path, sizeof(path), "%s/%s", folder, name);

	return length > 0 && (size_t)length < sizeof(path) && replay_path(path, count);
}

static bool replay_folder(const char *path, size_t *count)
{
	struct dirent **entries;
	int entry_count = scandir(path, &entries, NULL, alphasort);
	bool complete = entry_count >= 0;

	for (int i = 0; i < entry_count; i++) {
		if (entries[i]->d_name[0] != '.' && complete)
			complete = replay_entry(path, entries[i]->d_name, count);
		free(entries[i]);
	}
	if (entry_count >= 0)
		free(entries);
	return complete;
}

static bool replay_path(const char *path, size_t *count)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return false;
	if (S_ISDIR(status.st_mode))
		return replay_folder(path, count);
	return replay_file(path, (size_t)status.st_size, count);
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	size_t count = 0;

	for (int i = 1; i < argc; i++) {
		if (!replay_path(argv[i], &count)) {
			(void)fprintf(stderr, "%s: cannot read all of %s\n", argv[0], argv[i]);
			return EXIT_FAILURE;
		}
	}
	printf("%s: %zu inputs replayed\n", name ? name + 1 : argv[0], count);
	return count ? EXIT_SUCCESS : EXIT_FAILURE;
}
