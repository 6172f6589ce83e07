#!/bin/sh
# The unit file is one that systemd takes and scores as safe.
#
#   unit_file.sh verify PROGRAM   every line is known, and the program can be started
#   unit_file.sh security         the exposure score is at most 2.0
#
# Neither needs systemd to run; without systemd-analyze the answer is 77, "not tried here".
set -eu
unit=$(dirname "$0")/../../etc/pipelined.service
command -v systemd-analyze > /dev/null || {
  echo "skipped: systemd-analyze is not installed (package systemd)"
  exit 77
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

case $1 in
  verify)
    # The installed path is the build's: verify looks whether the program is there.
    sed "s|^ExecStart=/usr/bin/pipelined|ExecStart=$2|" "$unit" > "$folder/pipelined.service"
    said=$(systemd-analyze verify --man=no "$folder/pipelined.service" 2>&1) || {
      echo "$said"
      exit 1
    }
    # An unknown key is only a remark to systemd; to us it is a mistake.
    if echo "$said" | grep "pipelined.service"; then exit 1; fi
    ;;
  security)
    cp "$unit" "$folder/pipelined.service"
    systemd-analyze security --offline=true --threshold=20 --no-pager "$folder/pipelined.service" |
      tail -n 1
    # The pipe hides the answer; ask again for it alone.
    systemd-analyze security --offline=true --threshold=20 --no-pager \
      "$folder/pipelined.service" > /dev/null
    ;;
esac
