/*
 * player [-v] TIMELINE …          plays timelines
 * player [-v] --random COUNT [FIRST]   plays COUNT seeded random ones, from seed FIRST (1)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "timeline.h"

int main(int argc, char **argv)
{
	bool trace = argc > 1 && strcmp(argv[1], "-v") == 0;
	char **words = argv + 1 + trace;
	int passed = 0, failed = 0;

	if (words[0] && strcmp(words[0], "--random") == 0) {
		unsigned long long count = words[1] ? strtoull(words[1], NULL, 10) : 10000;
		unsigned long long first = words[1] && words[2] ? strtoull(words[2], NULL, 10) : 1;

		for (unsigned long long seed = first; seed < first + count && failed < 10; seed++) {
			bool good = random_play(seed, trace);

			passed += good;
			failed += !good;
		}
	} else {
		for (; *words; words++) {
			bool good = timeline_play(*words, trace);

			passed += good;
			failed += !good;
		}
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0 || passed == 0;
}
