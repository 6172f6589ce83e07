#!/bin/sh
# A planted bug shrinks to a few lines that still bring it back; without the bug they are harmless.
set -eu
sim=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$sim" --shrink 1 --planted double_fire >"$folder/small" 2>"$folder/said"
kept=$(grep -c '^keep ' "$folder/small" || true)
[ "$kept" -le 8 ] || { echo "$kept happenings are left"; cat "$folder/small"; exit 1; }
if "$sim" --scenario "$folder/small" >"$folder/again"; then echo "it does not come back"; exit 1; fi
grep -v '^planted' "$folder/small" >"$folder/sound"
"$sim" --scenario "$folder/sound" >/dev/null || { echo "the sound engine violates it too"; exit 1; }
if echo "odd line" | cat "$folder/small" - >"$folder/odd" && "$sim" --scenario "$folder/odd" 2>/dev/null; then
  echo "an odd line was taken"; exit 1
fi
