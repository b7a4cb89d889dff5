#!/usr/bin/env bash
# What needs nothing but a compiler on a machine with a GPU: whether the kernels give what they
# must, and then what passes, their drivers and peers take. Each half is a call of some minutes by
# itself as well (bench/device/check.sh, which also has `doors`, for where rnnfast is installed);
# every result is in the folder as it comes.
#
#   bench/device_check.sh FOLDER
set -uo pipefail
folder=${1:?a folder for the results}
failed=0
for what in right times; do
    "$(dirname "$0")/device/check.sh" "$what" "$folder/$what" || failed=1
done
exit $failed
