#!/bin/sh
# Prints the share of lines run, by source file and in all, from the counts of a build with --coverage.
# Usage: coverage.sh BUILD_FOLDER
set -eu

find "$1/obj/agent" -name '*.gcno' -exec gcov --no-output --relative-only {} + 2>/dev/null |
	awk '
		/^File / { gsub(/\047/, "", $2); file = $2 }
		/^Lines executed:/ && file ~ /^agent\// {
			split($0, part, /[:% ]+/)
			printf "%6.1f %%  %5d lines  %s\n", part[3], part[5], file
			run += part[3] * part[5] / 100
			all += part[5]
			file = ""
		}
		END { printf "%6.1f %%  %5d lines  in all\n", all ? 100 * run / all : 0, all }' |
	sort -k 5
