#!/bin/sh
# Writes to you when a disk is nearly full. For a timer: every quarter of an hour, say.
#
#     couplet --home ./bot register +12025550109
#     COUPLET_HOME=./bot ./alert.sh +12025550102 90 /
#
# COUPLET is the command, when it is not on the path as `couplet`.
set -eu
to=$1 limit=${2:-90} disk=${3:-/}

used=$(df -P "$disk" | awk 'NR == 2 { sub("%", "", $5); print $5 }')
[ "$used" -ge "$limit" ] || exit 0

# If the server does not answer (69) or is slow (88), the message is kept: it goes out with the next
# command that connects, which is at the latest the next alert. Anything else is worth a mail.
status=0
${COUPLET:-couplet} send "$to" "$(hostname): $disk is $used % full" --quiet --expires 1d || status=$?
case $status in
  0 | 69 | 88) ;;
  *) exit "$status" ;;
esac
