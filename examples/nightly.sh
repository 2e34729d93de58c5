#!/usr/bin/env bash
# The at-risk list of the night, as a cron job. Cron mails what it prints:
#
#   15 3 * * *  /path/to/nightly.sh orders.csv churn.model at-risk.csv
#
# The list is replaced whole or not at all. Where nobody is at risk it prints nothing, so no mail is sent. On trouble the
# exit code is churnkit's own, so that a monitor can tell unusable data (65) from a full disk (74).
set -euo pipefail

if (($# != 3)); then
  echo "usage: nightly.sh ORDERS MODEL LIST" >&2
  exit 2
fi
orders=$1 model=$2 list=$3

# A model is trained once, and again when it is older than four weeks.
if [[ ! -e $model || -n $(find "$model" -mtime +28) ]]; then
  churnkit train "$orders" --output "$model" --quiet
fi

found=0
churnkit score "$orders" --model "$model" --min-risk 0.5 --fail-if-any --output "$list" --quiet || found=$?

case $found in
  0) ;; # nobody
  1)
    echo "$(($(wc -l <"$list") - 1)) customers are more likely to leave than to stay: $list"
    churnkit score "$orders" --model "$model" --min-risk 0.5 --top 10 --quiet
    ;;
  *) exit "$found" ;;
esac
